"""The home folder: keys, token, lock, a reference node's folder."""

import json
import os
import subprocess
import sys

import pytest

from nearnet.errors import AlreadyRunning, ConfigError
from nearnet.home import Home, default_home, is_reference_home, read_key, write_key, write_private
from nearnet.keys import SecretKey

KEY = SecretKey.from_seed("node0")
SECRET = KEY.text.partition(":")[2]

HOLDER = """
import sys
from pathlib import Path
from nearnet.home import HomeLock
lock = HomeLock(Path(sys.argv[1]))
print("held", flush=True)
input()
"""


@pytest.fixture
def key_path(tmp_path):
    path = tmp_path / "node_key.json"
    write_key(path, KEY, "a.near")
    return path


def rewrite(path, **fields):
    path.write_text(json.dumps(fields))
    return path


def test_the_default_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_home({}) == tmp_path / ".nearnet"
    assert default_home({"NEARNET_HOME": "~/x"}) == tmp_path / "x"
    monkeypatch.setenv("NEARNET_HOME", "/y")
    assert str(default_home()) == "/y"


@pytest.mark.threat(78)
def test_the_key_file_as_the_reference_node_writes_it(key_path):
    assert key_path.read_text() == (
        f'{{\n  "account_id": "a.near",\n  "public_key": "{KEY.public_key}",\n  "secret_key": "{KEY.text}"\n}}'
    )
    assert key_path.stat().st_mode & 0o777 == 0o600
    found = read_key(key_path)
    assert (found.account_id, found.key.text) == ("a.near", KEY.text)
    assert SECRET not in repr(found)
    with pytest.raises(ConfigError, match="exists already"):
        write_key(key_path, KEY)
    with pytest.raises(ConfigError, match="cannot be written"):
        write_private(key_path / "x", "")


@pytest.mark.threat(78)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o601])
def test_a_key_file_that_others_can_use_is_refused(key_path, mode):
    key_path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_key(key_path)


def test_other_forms_of_key_files(key_path):
    assert read_key(rewrite(key_path, private_key=KEY.text)).account_id == "node"
    assert read_key(rewrite(key_path, account_id="", secret_key=KEY.text)).account_id == "node"
    bare = str(KEY.public_key).partition(":")[2]
    assert read_key(rewrite(key_path, public_key=bare, secret_key=SECRET)).key.text == KEY.text
    coin = SecretKey.from_seed("x", "secp256k1")
    assert read_key(rewrite(key_path, secret_key=coin.text)).key.public_key == coin.public_key


@pytest.mark.threat(78)
def test_wrong_key_files_never_show_the_secret(key_path):
    other = SecretKey.from_seed("other")
    for fields, words in (
        ({}, "no secret_key"),
        ({"secret_key": 5}, "no secret_key"),
        ({"secret_key": KEY.text[:-1]}, "secret key"),
        ({"secret_key": KEY.text + "0"}, "base58"),
        ({"secret_key": KEY.text, "public_key": str(other.public_key)}, "not that of the secret key"),
        ({"secret_key": KEY.text, "account_id": 5}, "account_id"),
    ):
        with pytest.raises(ConfigError, match=words) as caught:
            read_key(rewrite(key_path, **fields))
        assert SECRET[:20] not in str(caught.value)
    key_path.unlink()
    with pytest.raises(ConfigError, match="run nearnet init"):
        read_key(key_path)
    key_path.mkdir(0o700)
    with pytest.raises(ConfigError, match="is no file"):
        read_key(key_path)


def test_a_folder_of_ours(tmp_path):
    with pytest.raises(ConfigError, match="run nearnet init"):
        Home.open(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    home = Home.open(tmp_path)
    assert (home.state, home.base) == (tmp_path, {})
    home.prepare()
    token = home.admin_token()
    assert len(bytes.fromhex(token)) == 32
    home.prepare()
    assert home.admin_token() == token
    assert home.store_path.parent.is_dir()
    home.token_path.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        home.admin_token()


def test_a_reference_nodes_folder_is_read_and_never_written(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    near = tmp_path / "near"
    near.mkdir()
    (near / "config.json").write_text('{"network": {}} // theirs')
    (near / "genesis.json").write_text('{"chain_id": "mainnet"}')
    write_key(near / "node_key.json", KEY)
    before = {path: path.stat().st_mtime_ns for path in (near, *near.iterdir())}
    home = Home.open(near)
    home.prepare()
    home.lock().release()
    assert home.base == {"chain_id": "mainnet"}
    assert home.state == tmp_path / "user" / ".nearnet" / "mainnet" / str(KEY.public_key)
    assert home.key().key.text == KEY.text
    assert {path: path.stat().st_mtime_ns for path in (near, *near.iterdir())} == before
    (near / "genesis.json").write_text('{"chain_id": "../x"}')
    assert Home.open(near).state.parent.name == "___x"
    (near / "genesis.json").write_text("{}")
    with pytest.raises(ConfigError, match="no chain_id"):
        Home.open(near)
    (near / "config.json").write_text('{"nearnet": {}}')
    assert not is_reference_home(near)


def test_two_on_one_home_are_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    home = Home.open(tmp_path)
    lock = home.lock()
    with pytest.raises(AlreadyRunning, match=f"in use by another nearnet .process {os.getpid()}."):
        home.lock()
    lock.release()
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match=str(other.pid)):
            home.lock()
        other.kill()
    home.lock().release()
    with pytest.raises(ConfigError, match="cannot be written"):
        Home(tmp_path, tmp_path / "none").lock()
    with pytest.raises(ConfigError, match="cannot be made"):
        Home(tmp_path, tmp_path / "config.json").prepare()
