"""A local network's events in words."""

import io

import pytest

from nearnet.cli.localnet_words import WIDEST_TABLE, Words, drawing

ONE_HOP = {"distance": 1, "next_hops": [1]}


def said(capsys, *events):
    words = Words()
    for event in events:
        words.tell({"seconds": 1.25, **event})
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            {"event": "connected", "nodes": [0, 1], "dialect": "borsh"},
            "   1.25 s  node1 and node0 shook hands in borsh: a new edge, signed by both\n",
        ),
        ({"event": "disconnected", "nodes": [0, 1]}, "   1.25 s  node1 and node0 are no longer connected\n"),
        ({"event": "ended", "node": 2, "code": -9}, "   1.25 s  node2 ended, exit code -9\n"),
        ({"event": "edges", "node": 2, "edges": 3, "of": 4}, "   1.25 s  node2 knows 3 of 4 edges\n"),
        ({"event": "formed"}, "   1.25 s  all nodes hold the same graph\n"),
        (
            {"event": "ping", "target": 1, "ok": True, "hops": 1, "milliseconds": 1.26},
            "   1.25 s  pong from node1 over 1 hop in 1.3 ms\n",
        ),
        (
            {"event": "ping", "target": 4, "ok": True, "hops": 4, "milliseconds": 2},
            "   1.25 s  pong from node4 over 4 hops in 2.0 ms\n",
        ),
        (
            {"event": "ping", "target": 4, "ok": False, "reason": "no way"},
            "   1.25 s  no pong from node4: no way\n",
        ),
        ({"event": "stopped"}, "   1.25 s  all nodes stopped\n"),
    ],
)
def test_one_line(event, words, capsys):
    assert said(capsys, event) == words


def test_routes_come_once_all_are_there(capsys):
    plan = {"event": "planned", "nodes": 3, "topology": "line", "links": [(0, 1), (1, 2)]}
    tables = [
        {1: ONE_HOP, 2: {"distance": 2, "next_hops": [1]}},
        {0: ONE_HOP, 2: ONE_HOP},
        {1: ONE_HOP},
    ]
    events = [{"event": "routes", "node": node, "routes": routes} for node, routes in enumerate(tables)]
    assert "Routes" not in said(capsys, plan, *events[:2])
    out = said(capsys, plan, *events)
    assert "  node0      ·      1      2 by 1\n" in out
    assert "  node2      ·      1      ·\n" in out


def test_a_large_network_has_no_table(capsys):
    count = WIDEST_TABLE + 1
    plan = {"event": "planned", "nodes": count, "topology": "star", "links": [(0, one) for one in range(1, count)]}
    events = [
        {"event": "routes", "node": node, "routes": {1: {"distance": 2, "next_hops": [0]}}} for node in range(count)
    ]
    out = said(capsys, plan, *events)
    assert "the farthest are 2 hops apart" in out
    assert "from \\ to" not in out


def test_one_node_is_no_nodes(capsys):
    assert said(capsys, {"event": "planned", "nodes": 1, "topology": "line", "links": []}).startswith(
        "A network of 1 node, "
    )


def test_what_to_do_next(capsys):
    out = said(capsys, {"event": "running", "duration": None, "rpc_addrs": ["127.0.0.1:1", "127.0.0.1:2"]})
    assert "until Ctrl-C" in out
    assert "nearnet routes --rpc-addr 127.0.0.1:1" in out
    assert "for 2.5 s" in said(capsys, {"event": "running", "duration": 2.5, "rpc_addrs": ["127.0.0.1:1"]})


def test_ways_that_part(capsys):
    out = said(capsys, {"event": "pinging", "source": 0, "target": 3, "way": [[0], [1, 2], [3]]})
    assert "node0 → node1 or node2 → node3" in out


def test_drawings():
    assert drawing("line", 3, [(0, 1), (1, 2)]) == ["node0 ── node1 ── node2"]
    assert drawing("star", 3, [(0, 1), (0, 2)]) == ["node0 ── node1, node2", "node1 ── node0", "node2 ── node0"]
    assert len(drawing("line", WIDEST_TABLE + 1, [(0, 1)])) == WIDEST_TABLE + 1


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_on_a_terminal_only(no_color, coloured, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("NO_COLOR", no_color)
    Words().tell({"event": "formed", "seconds": 1.0})
    assert ("\x1b[32m" in terminal.getvalue()) == coloured
