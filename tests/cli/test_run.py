"""nearnet run as a process: its one line, its log, signals, and what it refuses."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from nearnet.cli import main
from nearnet.tools.rpc_client import RpcClient

GENESIS = "US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx"
"""32 bytes of 7."""


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    assert main(["init", "--home", str(folder), "--chain-id", "test", "--network-addr", "127.0.0.1:0"]) == 0
    return folder


def start(home, *words, rpc="127.0.0.1:0"):
    command = [sys.executable, "-m", "nearnet", "run", "--home", str(home), "--rpc-addr", rpc, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def refused(home, *words):
    """Exit code and stderr of a node that does not start."""
    process = start(home, *words)
    out, err = process.communicate(timeout=30)
    assert out == ""
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    return process.returncode, err


def end(process, number=signal.SIGTERM):
    """Return what is left of stdout and stderr of a process that must end by itself."""
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 0
    return out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_line_of_json_and_a_clean_end(home, number):
    process = start(home, "--log-format", "json", "--log-level", "debug")
    line = json.loads(process.stdout.readline())
    assert list(line) == ["event", "peer_id", "addr", "rpc_addr"]
    assert line["event"] == "started"
    assert int(line["addr"].rpartition(":")[2]) > 0
    assert RpcClient(line["rpc_addr"]).call("status")["node_public_key"] == line["peer_id"]
    out, err = end(process, number)
    assert out == ""
    assert all(isinstance(json.loads(told), dict) for told in err.splitlines())


def test_words_without_listener_or_rpc(home):
    process = start(home, "--network-addr", "", "--set", "network.typo=1", rpc="")
    assert process.stdout.readline().endswith(" listens on no port, its RPC on nowhere\n")
    out, err = end(process)
    assert out == ""
    assert err.startswith("nearnet: unknown field network.typo (flag --set) is ignored\n")


def test_warnings_are_lines_of_a_log_of_json(home):
    process = start(home, "--log-format", "json", "--network-addr", "", "--set", "network.typo=1", rpc="")
    assert process.stdout.readline().startswith("{")
    told = [json.loads(line) for line in end(process)[1].splitlines()]
    assert told[0]["level"] == "warning"
    assert told[0]["message"] == "! unknown field network.typo (flag --set) is ignored"


def test_hang_up_re_reads_level_and_blacklist(home):
    process = start(home, "--log-format", "json")
    line = json.loads(process.stdout.readline())
    config = json.loads((home / "config.json").read_text())
    config["network"]["blacklist"] = ["127.0.0.1"]
    config["nearnet"]["log_level"] = "debug"
    (home / "config.json").write_text(json.dumps(config))
    process.send_signal(signal.SIGHUP)
    told = json.loads(process.stderr.readline())
    assert "re-read" in told["message"]
    host, _, port = line["addr"].rpartition(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        assert connection.recv(1) == b""
    (home / "config.json").write_text("{")
    process.send_signal(signal.SIGHUP)
    while "message" not in told or "not re-read" not in told["message"]:
        told = json.loads(process.stderr.readline())
    end(process)


def test_no_home_and_no_key(home, tmp_path):
    code, err = refused(tmp_path / "none")
    assert (code, "run nearnet init" in err) == (2, True)
    os.remove(home / "node_key.json")
    code, err = refused(home)
    assert (code, "run nearnet init" in err) == (2, True)


@pytest.mark.threat(78)
def test_a_key_that_others_can_read(home):
    (home / "node_key.json").chmod(0o644)
    code, err = refused(home)
    assert (code, "chmod 600" in err) == (2, True)


def test_busy_ports(home):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        for words in (["--network-addr", address], ["--rpc-addr", address]):
            code, err = refused(home, *words)
            assert (code, address in err) == (1, True)


def test_a_second_node_in_one_home(home):
    process = start(home)
    assert process.stdout.readline()
    code, err = refused(home)
    assert (code, "is in use by another nearnet" in err) == (1, True)
    end(process)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--set", "network.max_num_peers=500"], "max_num_peers"),
        (["--log-level", "loud"], "log_level"),
        (["--boot-nodes", "nonsense"], "boot_nodes"),
        (["--dialect", "morse"], "dialect"),
    ],
)
def test_wrong_words_are_2(home, words, sentence):
    code, err = refused(home, *words)
    assert (code, sentence in err) == (2, True)


@pytest.mark.threat(66)
def test_a_damaged_store_is_moved_aside_when_told(home):
    store = home / "data" / "nearnet.sqlite"
    store.write_bytes(b"no database at all" * 1000)
    code, err = refused(home)
    assert (code, "--reset-peer-store" in err) == (1, True)
    process = start(home, "--reset-peer-store")
    assert process.stdout.readline()
    end(process)
    assert len([name for name in os.listdir(home / "data") if name.startswith("nearnet.sqlite")]) >= 2


def test_the_home_of_a_reference_node(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    near = tmp_path / "near"
    near.mkdir()
    (near / "config.json").write_text('{"network": {"addr": "127.0.0.1:0"}}')
    (near / "genesis.json").write_text('{"chain_id": "betanet"}')
    assert main(["keys", "generate", "--out", str(near / "node_key.json")]) == 0
    code, err = refused(near)
    assert (code, "--genesis-hash" in err) == (2, True)
    process = start(near, "--genesis-hash", GENESIS, "--log-format", "json")
    line = json.loads(process.stdout.readline())
    status = RpcClient(line["rpc_addr"]).call("status")
    assert (status["chain_id"], status["genesis_hash"]) == ("betanet", GENESIS)
    end(process)
    assert sorted(os.listdir(near)) == ["config.json", "genesis.json", "node_key.json"]
    assert refused(near, "--genesis-hash", "0")[0] == 2


def test_stdin_may_end_it(home):
    command = [sys.executable, "-m", "nearnet", "run", "--home", str(home), "--rpc-addr", "", "--stop-with-stdin"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline()
    process.stdin.write("what is said there is read away\n")
    process.stdin.flush()
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, "Traceback" in err) == (0, "", False)
    with open(home / "config.json") as file:
        ended = subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, "--stop-with-stdin" in ended.stderr) == (2, True)
