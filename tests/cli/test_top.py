"""nearnet top, against a real node."""

import json
import os
import pty
import select
import subprocess
import sys
import time

import pytest
from served_node import ServedNode

from nearnet.cli import main


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with ServedNode(tmp_path_factory.mktemp("home") / "a") as served:
        yield served


def test_json(node, capsys):
    assert main(["top", "--rpc-addr", node.rpc_addr, "--json", "--count", "2", "--interval", "0.1"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["status"]["node_public_key"] == second["status"]["node_public_key"] == node.peer_id
    assert first["nearnet_peers"] == []


def test_no_terminal_is_2(node, capsys):
    assert main(["top", "--rpc-addr", node.rpc_addr]) == 2
    assert "use --json elsewhere" in capsys.readouterr().err


def test_without_textual_it_says_what_to_install(node, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setitem(sys.modules, "textual", None)
    monkeypatch.delitem(sys.modules, "nearnet.tools.top.view", raising=False)
    assert main(["top", "--rpc-addr", node.rpc_addr]) == 2
    assert "pip install 'nearnet[top]'" in capsys.readouterr().err


def test_no_node_is_1(capsys):
    assert main(["top", "--rpc-addr", "127.0.0.1:1", "--json"]) == 1
    assert "no node answers" in capsys.readouterr().err


def test_it_draws_and_q_ends_it(node):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "180", "LINES": "40"}
    call = [sys.executable, "-m", "nearnet", "top", "--rpc-addr", node.rpc_addr]
    process = subprocess.Popen(call, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown, deadline, pressed = b"", time.monotonic() + 30, False
    while process.poll() is None and time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
        if b"/40" in shown and not pressed:
            os.write(ours, b"q")
            pressed = True
    os.close(ours)
    assert process.wait(10) == 0
    assert node.peer_id.encode() in shown


def test_help_shows_an_example(capsys):
    assert main(["top", "--help"]) == 0
    assert "Example: nearnet top" in capsys.readouterr().out
