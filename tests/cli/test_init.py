"""nearnet init, config, version."""

import json
import tomllib
from pathlib import Path

import pytest

from nearnet.cli import main
from nearnet.config import GENESIS_HASHES
from nearnet.home import read_key
from nearnet.version import VERSION

KEY = "7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NEARNET_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def out(capsys):
    return json.loads(capsys.readouterr().out)


def test_init_makes_a_home(home, capsys):
    assert main(["init", "--chain-id", "mainnet", "--test-seed", "node0", "--account-id", "a.near", "--json"]) == 0
    told = out(capsys)
    assert told["peer_id"] == f"ed25519:{KEY}"
    assert told["written"] == ["config.json", "node_key.json", "admin_token"]
    assert (home / "data").is_dir()
    config = json.loads((home / "config.json").read_text())
    assert config["genesis_hash"] == GENESIS_HASHES["mainnet"]
    assert config["nearnet"] == {}
    assert read_key(home / "node_key.json").account_id == "a.near"
    assert (home / "admin_token").stat().st_mode & 0o777 == 0o600


def test_init_keeps_what_is_there(home, capsys):
    assert main(["init", "--chain-id", "a"]) == 0
    before = {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}
    (home / "admin_token").unlink()
    capsys.readouterr()
    assert main(["init", "--chain-id", "b", "--key-type", "secp256k1"]) == 0
    text = capsys.readouterr().out
    assert "wrote admin_token; kept config.json, node_key.json; the peer id is ed25519:" in text
    assert (home / "config.json").read_bytes() == before["config.json"]
    assert (home / "node_key.json").read_bytes() == before["node_key.json"]


def test_all_flags_of_init(home):
    words = [
        "--genesis-hash",
        "1" * 32,
        "--head-height",
        "9",
        "--boot-nodes",
        f"{KEY}@h.org:1",
        "--network-addr",
        "[::]:7",
    ]
    assert main(["init", "--chain-id", "x", "--rpc-addr", "", "--key-type", "secp256k1", *words]) == 0
    config = json.loads((home / "config.json").read_text())
    assert config == {
        "chain_id": "x",
        "genesis_hash": "1" * 32,
        "head_height": 9,
        "tracked_shards": [],
        "archive": False,
        "rpc": {"addr": ""},
        "network": {"boot_nodes": f"{KEY}@h.org:1", "addr": "[::]:7"},
        "nearnet": {},
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--network-addr", "nowhere"], "network.addr: expected IP:PORT"),
        (["--genesis-hash", "zz"], "genesis_hash: expected a hash"),
        (["--boot-nodes", "zz"], "network.boot_nodes: expected peers"),
        (["--account-id", "A B"], "is no account id"),
        (["--head-height", "-1"], "head_height: expected at least 0"),
        (["--key-type", "rsa"], "--key-type"),
    ],
)
def test_a_wrong_init_writes_nothing(home, capsys, words, sentence):
    assert main(["init", "--chain-id", "x", *words]) == 2
    assert sentence in capsys.readouterr().err
    assert not home.exists()


def test_init_leaves_a_reference_nodes_home_alone(home, capsys):
    home.mkdir()
    (home / "config.json").write_text("{}")
    (home / "genesis.json").write_text('{"chain_id": "betanet"}')
    assert main(["init", "--chain-id", "x"]) == 2
    assert "never writes" in capsys.readouterr().err
    assert len(list(home.iterdir())) == 2


def test_config_show_tells_origins(home, capsys, monkeypatch):
    main(["init", "--chain-id", "x"])
    monkeypatch.setenv("NEARNET_HEAD_HEIGHT", "6")
    monkeypatch.setenv("NEARNET_TYPO", "6")
    capsys.readouterr()
    assert main(["config", "show", "--set", "network.max_num_peers=10", "--json"]) == 0
    text, err = capsys.readouterr()
    shown = json.loads(text)
    assert shown["chain_id"] == {"value": "x", "origin": "file config.json"}
    assert shown["head_height"] == {"value": 6, "origin": "environment NEARNET_HEAD_HEIGHT"}
    assert shown["network.max_num_peers"] == {"value": 10, "origin": "flag --set"}
    assert shown["network.ideal_connections_hi"] == {"value": 10, "origin": "lowered to fit"}
    assert shown["network.ban_window"] == {"value": 10800.0, "origin": "default"}
    assert "unknown field typo" in err
    assert main(["config", "show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["field", "origin", "value"]
    assert any(line.split() == ["network.max_num_peers", "default", "40"] for line in lines)


def test_config_validate(home, capsys):
    assert main(["config", "validate"]) == 2
    assert "run nearnet init" in capsys.readouterr().err
    main(["init", "--chain-id", "x"])
    capsys.readouterr()
    assert main(["config", "validate"]) == 0
    assert "is valid" in capsys.readouterr().out
    assert main(["config", "validate", "--json", "--set", "network.nothing=1"]) == 0
    assert out(capsys) == {"valid": True, "warnings": ["unknown field network.nothing (flag --set) is ignored"]}
    assert main(["config", "validate", "--set", "network.max_num_peers=200", "--set", "head_height=x"]) == 2
    err = capsys.readouterr().err
    assert "network.max_num_peers: expected at most 128, got 200" in err
    assert 'head_height: expected a whole number, got "x"' in err


def test_config_of_a_reference_nodes_home(home, capsys):
    home.mkdir()
    (home / "config.json").write_text('{"network": {"boot_nodes": ""}}')
    (home / "genesis.json").write_text('{"chain_id": "betanet"}')
    main(["keys", "generate", "--out", str(home / "node_key.json")])
    capsys.readouterr()
    assert main(["config", "validate"]) == 2
    assert "--genesis-hash" in capsys.readouterr().err
    assert main(["config", "show", "--json", "--set", f"genesis_hash={'1' * 32}"]) == 0
    assert out(capsys)["chain_id"] == {"value": "betanet", "origin": "genesis.json"}


def test_version(capsys):
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"nearnet {VERSION}\n"
    assert main(["--version", "--json"]) == 0
    assert out(capsys)["version"] == VERSION
