"""nearnet localnet: what it prints, how it ends."""

import json
import os
import select
import signal
import subprocess
import sys

import pytest

from nearnet.cli import main
from nearnet.tools import localnet


def start(*words):
    """As from a shell that runs it in the background: such a one ignores Ctrl-C for it."""
    command = [sys.executable, "-m", "nearnet", "localnet", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_ignore)


def _ignore():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.slow
def test_words_to_the_end():
    process = start("--nodes", "3", "--duration", "0")
    out, err = process.communicate(timeout=50)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("A network of 3 nodes")
    assert "node0 ── node1 ── node2" in out
    assert "node1 and node0 shook hands" in out
    assert "all nodes hold the same graph" in out
    assert "node0 → node1 → node2" in out
    assert out.count("pong from node2 over 2 hops in ") == 3
    assert "\x1b" not in out
    assert out.endswith("all nodes stopped\n")


@pytest.mark.slow
def test_both_dialects_are_told():
    process = start("--nodes", "4", "--dialect", "mixed", "--duration", "0", "--json")
    out, err = process.communicate(timeout=50)
    assert (process.returncode, err) == (0, "")
    told = [json.loads(line) for line in out.splitlines()]
    assert {event["dialect"] for event in told if event["event"] == "connected"} == {"borsh", "protobuf"}
    assert [event["ok"] for event in told if event["event"] == "ping"] == [True] * 3
    assert told[-1]["event"] == "stopped"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_until_it_is_told(number):
    process = start("--nodes", "2", "--json")
    told = []
    for line in process.stdout:
        told.append(json.loads(line))
        if told[-1]["event"] == "running":
            break
    pids = [event["pid"] for event in told if event["event"] == "started"]
    homes = [event["home"] for event in told if event["event"] == "started"]
    assert len(pids) == 2
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out)["event"] == "stopped"
    assert all(map(gone, pids))
    assert not any(map(os.path.exists, homes))


def test_no_pong_is_1(monkeypatch, capsys):
    class Network:
        def __init__(self, plan, folder, tell):
            self.tell = tell

        def start(self):
            self.tell({"event": "stopped", "seconds": 0.5})

        def form(self):
            pass

        def ping(self):
            return False

        def stop(self):
            pass

    monkeypatch.setattr(localnet, "Localnet", Network)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        assert main(["localnet", "--json"]) == 1
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert json.loads(capsys.readouterr().out) == {"event": "stopped", "seconds": 0.5}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--nodes", "0"], "--nodes: expected 1 to 100, got 0"),
        (["--topology", "square"], "'square' is not one of"),
        (["--base-port", "65000"], "--base-port: expected 1 to"),
        (["--duration", "-1"], "--duration"),
    ],
)
def test_wrong_words_are_2(words, sentence, capsys):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        assert main(["localnet", *words]) == 2
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert sentence in capsys.readouterr().err


def test_help_shows_an_example(capsys):
    assert main(["localnet", "--help"]) == 0
    assert "Example: nearnet localnet" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="no way to wait for another's child here")
def test_its_nodes_do_not_outlive_it(tmp_path):
    process = start("--nodes", "2", "--json", "--home", str(tmp_path))
    nodes = []
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "started":
            nodes.append(os.pidfd_open(event["pid"]))
        if event["event"] == "running":
            break
    process.kill()
    process.communicate(timeout=20)
    for node in nodes:
        assert select.select([node], [], [], 10)[0], "it still runs"
        os.close(node)
    logs = [(tmp_path / f"node{number}" / "log").read_text() for number in range(2)]
    assert not any("Traceback" in log for log in logs), logs
