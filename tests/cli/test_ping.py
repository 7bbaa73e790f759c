"""nearnet ping: what it prints and how it ends."""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from served_node import ServedNode

from nearnet.cli import main
from nearnet.keys import SecretKey

STRANGER = SecretKey.from_seed("nobody").public_key


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with ServedNode(tmp_path_factory.mktemp("home") / "a") as served:
        yield served


def words(node, *more):
    return ["ping", node.peer, "--chain-id", "test", "--dialect", "borsh", "--interval", "0.01", *more]


def test_lines_and_a_summary(node, capsys, tmp_path):
    assert main(words(node, "--count", "3", "--latencies-csv", str(tmp_path / "l.csv"))) == 0
    out, err = capsys.readouterr()
    assert err == ""
    first, *pongs, summary = out.splitlines()
    assert f"{node.peer_id} at 127.0.0.1" in first
    assert "borsh, protocol version 52" in first
    assert [line.partition(" pong over 1 hop in ")[0] for line in pongs] == [f"{node.peer_id} #{n}:" for n in (1, 2, 3)]
    assert f"{node.peer_id}: 3 pings, 3 pongs, min/avg/p50/p90/p99/max " in summary
    assert len((tmp_path / "l.csv").read_text().splitlines()) == 4


def test_json(node, capsys):
    assert main(words(node, "--count", "2", "--json")) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["ok"], one["hops"], one["seq"]) for one in told] == [(True, 1, 1), (True, 1, 2)]
    assert main(words(node, "--just-handshake", "--json")) == 0
    (told,) = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (told["ok"], told["peer_id"], told["protocol_version"]) == (True, node.peer_id, 52)


def test_no_pong_at_all_is_1(node, capsys, monkeypatch):
    monkeypatch.setattr("nearnet.tools.ping.ROUTE_TIME", 0.05)
    call = ["ping", str(STRANGER), "--via", node.peer, "--chain-id", "test", "--dialect", "borsh", "--count", "1"]
    assert main(call) == 1
    out = capsys.readouterr().out
    assert "no route: " in out
    assert f"{STRANGER}: 1 pings, 0 pongs" in out


def test_a_refusal_is_1_and_a_sentence(node, capsys):
    assert main(["ping", node.peer, "--chain-id", "another", "--dialect", "borsh"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "try --chain-id test --genesis-hash" in err


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (["nonsense", "--chain-id", "test"], "nonsense"),
        ([str(STRANGER), "--chain-id", "test"], "a first hop by --via"),
        ([f"{STRANGER}@127.0.0.1:1", f"{STRANGER}@127.0.0.1:2", "--chain-id", "test"], "named twice"),
        ([f"{STRANGER}@127.0.0.1:1"], "--chain-id"),
        ([f"{STRANGER}@127.0.0.1:1", "--chain-id", "test", "--ttl", "256"], "--ttl"),
    ],
)
def test_wrong_words_are_2(capsys, call, sentence):
    assert main(["ping", *call]) == 2
    assert sentence in capsys.readouterr().err


def test_ctrl_c_is_130_after_the_summary(node):
    call = [sys.executable, "-m", "nearnet", *words(node, "--count", "0")]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "#3: pong" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    assert " pongs, min/avg/" in out.splitlines()[-1]


def test_a_live_table_on_a_terminal(node):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    call = [sys.executable, "-m", "nearnet", *words(node, "--count", "3")]
    process = subprocess.Popen(call, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 20)[0]:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # The other end is closed.
            break
        shown += piece
    os.close(ours)
    assert process.wait(20) == 0
    text = shown.decode()
    assert "p99" in text
    assert "█" in text
    assert "\x1b[" in text, "drawn anew in its place"


def test_help_shows_an_example(capsys):
    assert main(["ping", "--help"]) == 0
    assert "Example: nearnet ping ed25519:" in " ".join(capsys.readouterr().out.split())


def test_metrics_while_it_goes_on(node):
    call = [sys.executable, "-m", "nearnet", *words(node, "--count", "0", "--json")]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen([*call, "--prometheus-addr", address], stdout=subprocess.PIPE, text=True)
    json.loads(process.stdout.readline())
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert f'near_ping_ping_sent{{chain_id="test",account_id="{node.peer_id}"}} ' in text


def test_a_wrong_place_for_metrics(node, capsys):
    assert main(words(node, "--prometheus-addr", node.rpc_addr)) == 1
    assert "Address already in use; choose another with --prometheus-addr" in capsys.readouterr().err
    assert main(words(node, "--prometheus-addr", "everywhere")) == 2
    assert "--prometheus-addr: expected IP:PORT" in capsys.readouterr().err
