"""nearnet doctor: lines, JSON, exit codes."""

import json

import pytest
from served_node import ServedNode

from nearnet.cli import main


@pytest.fixture(autouse=True)
def home_of_nobody(monkeypatch, tmp_path):
    monkeypatch.setenv("NEARNET_HOME", str(tmp_path / "none"))


@pytest.fixture
def home(tmp_path, capsys):
    """Just made: it has no boot node."""
    assert main(["init", "--home", str(tmp_path / "a"), "--chain-id", "test", "--network-addr", "127.0.0.1:0"]) == 0
    capsys.readouterr()
    return str(tmp_path / "a")


def test_lines_with_what_to_do(home, capsys):
    assert main(["doctor", "--home", home]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("ok  config ")
    assert "!!  boot nodes resolve  no boot node is configured\n" in out
    assert "→ set network.boot_nodes to KEY@HOST:PORT" in out
    assert "??  reachable " in out
    assert out.endswith("1 of 15 checks found something to do\n")


def test_json(home, capsys):
    assert main(["doctor", "--home", home, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert [one["check"] for one in told["checks"] if one["verdict"] == "wrong"] == ["boot nodes resolve"]
    assert all(set(one) == {"check", "verdict", "seen", "advice"} for one in told["checks"])


def test_a_wrong_config_is_2(tmp_path, capsys):
    assert main(["doctor", "--home", str(tmp_path)]) == 2
    assert "nearnet init" in capsys.readouterr().out
    assert main(["doctor"]) == 2
    assert main(["doctor", "--rpc-addr", "nonsense"]) == 2


def test_all_well_is_0(tmp_path, capsys):
    """A running node with a peer, asked by its RPC alone."""
    with ServedNode(tmp_path / "a") as a, ServedNode(tmp_path / "b") as b:
        assert main(["connect", b.peer, "--home", a.home, "--rpc-addr", a.rpc_addr]) == 0
        capsys.readouterr()
        assert main(["doctor", "--rpc-addr", a.rpc_addr]) == 0
        out = capsys.readouterr().out
        assert main(["doctor", "--home", b.home, "--rpc-addr", a.rpc_addr, "--json", "--wait", "0"]) == 1
        told = json.loads(capsys.readouterr().out)
    assert "ok  peers               1 peers of 1 known" in out
    assert out.endswith("nothing is to be done\n")
    (running,) = (one for one in told["checks"] if one["check"] == "running")
    assert running["seen"].endswith("another node")


def test_help_shows_an_example(capsys):
    assert main(["doctor", "--help"]) == 0
    assert "Example: nearnet doctor" in capsys.readouterr().out
