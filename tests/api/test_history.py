"""The last hour of a node: edges that came and went, the graph of a past moment, and bounds."""

from __future__ import annotations

import json
import random

import pytest
from graph_fakes import edge, put
from peer_fakes import ME, peer_id

from nearnet.api import history as module
from nearnet.api.history import History
from nearnet.config import NetworkConfig
from nearnet.core.routing_table.edge_table import EdgeTable

START = 1_700_000_000.5


def make(**limits: int) -> History:
    return History(ME, NetworkConfig.model_validate({"nearnet": {"limits": limits}}).nearnet.limits, START)


def pairs(graph: dict) -> set[tuple[str, str]]:
    """The edges of an answer, by ids."""
    ids = graph["peers"]
    return {tuple(sorted((ids[a], ids[b]))) for a, b in zip(graph["first"], graph["second"], strict=True)}


def ids(a: int, b: int) -> tuple[str, str]:
    return tuple(sorted((str(peer_id(a)), str(peer_id(b)))))


def test_an_edge_comes_and_goes() -> None:
    history, table = make(), EdgeTable(ME)
    put(table, edge(1, 2))
    history.look(table.slots, START + 1)
    put(table, edge(1, 2, nonce=3))
    history.look(table.slots, START + 2)
    assert history.seq == 1, "a newer nonce of an active edge changes nothing"
    put(table, edge(1, 2, nonce=4))
    history.look(table.slots, START + 3)
    put(table, edge(1, 2, nonce=5))
    history.look(table.slots, START + 4)
    table.remove(table.slot_of(*edge(1, 2).key))
    history.look(table.slots, START + 5)
    told = history.changes_since(0, START + 6)
    assert told is not None
    assert [(change["time"] - START, change["active"]) for change in told["changes"]] == [
        (1, True),
        (3, False),
        (4, True),
        (5, False),
    ]
    assert {(change["peer0"], change["peer1"]) for change in told["changes"]} == {ids(1, 2)}
    assert told["seq"] == 4
    assert history.take_counts() == (2, 2)
    assert history.take_counts() == (0, 0)


def test_a_slot_taken_by_another_edge_is_two_changes() -> None:
    history, table = make(), EdgeTable(ME)
    put(table, edge(1, 2))
    history.look(table.slots, START + 1)
    table.remove(0)
    put(table, edge(3, 4))
    assert len(table.slots) == 1
    history.look(table.slots, START + 2)
    told = history.changes_since(1, START + 3)
    assert told is not None
    assert [(change["peer0"], change["active"]) for change in told["changes"]] == [
        (min(ids(1, 2)) if edge(1, 2).key[0] == peer_id(1) else str(edge(1, 2).key[0]), False),
        (str(edge(3, 4).key[0]), True),
    ]


def test_an_edge_in_another_slot_is_the_same_edge() -> None:
    history, table = make(), EdgeTable(ME)
    for number in (1, 2, 3):
        put(table, edge(0, number))
    history.look(table.slots, START + 1)
    for slot in (0, 1, 2):
        table.remove(slot)
    for number in (2, 3, 1):
        put(table, edge(0, number, nonce=5))
    assert [one.key for one in table.slots if one] != [edge(0, number).key for number in (1, 2, 3)]
    history.look(table.slots, START + 2)
    assert history.seq == 3
    graph = history.graph(START + 3).as_dict()
    assert pairs(graph) == {ids(0, number) for number in (1, 2, 3)}
    assert set(graph["since"]) == {START + 1}


def test_removed_edges_that_arrive_are_no_change() -> None:
    history, table = make(), EdgeTable(ME)
    put(table, edge(1, 2, nonce=2))
    history.look(table.slots, START + 1)
    table.remove(0)
    history.look(table.slots, START + 2)
    assert history.seq == 0
    assert history.graph(START + 3).as_dict()["first"] == []


def test_the_graph_of_every_past_moment() -> None:
    rng, history, table = random.Random(5), make(), EdgeTable(ME)
    nonces: dict[tuple[int, int], int] = {}
    then: dict[float, set[tuple[str, str]]] = {}
    for step in range(1, 60):
        for _ in range(rng.randrange(6)):
            a, b = sorted(rng.sample(range(9), 2))
            slot = table.slot_of(*edge(a, b).key)
            if slot is not None and rng.random() < 0.2:
                table.remove(slot)
            else:
                nonces[a, b] = nonces.get((a, b), 0) + rng.randrange(1, 3)
                put(table, edge(a, b, nonces[a, b]))
        history.look(table.slots, START + step)
        then[START + step] = {
            tuple(sorted(map(str, one.key))) for one in table.slots if one is not None and one.is_active
        }
    now = START + 100
    for moment, expected in then.items():
        graph = history.graph(now, moment).as_dict()
        assert pairs(graph) == expected
        assert graph["time"] == moment
        assert graph["peers"][0] == str(ME)
        assert all(since <= moment for since in graph["since"])
        # Whoever has that graph gets to the present by the changes since then.
        changes = history.changes_since(graph["seq"], now)
        assert changes is not None
        for change in changes["changes"]:
            pair = tuple(sorted((change["peer0"], change["peer1"])))
            expected = expected | {pair} if change["active"] else expected - {pair}
        assert expected == then[START + 59]
    assert pairs(history.graph(now).as_dict()) == then[START + 59]
    json.dumps(history.graph(now).as_dict())


def test_a_moment_before_what_is_known_is_the_earliest_known() -> None:
    history, table = make(history_edge_changes=3), EdgeTable(ME)
    for number in range(1, 8):
        put(table, edge(0, number))
        history.look(table.slots, START + number)
    graph = history.graph(START + 50, START - 1000).as_dict()
    assert graph["time"] == START + 4
    assert pairs(graph) == {ids(0, number) for number in range(1, 5)}
    assert history.told(None, None)["graph_from"] == START + 4
    assert history.graph(START + 50, START + 9e9).as_dict()["time"] == START + 50


def test_changes_too_long_ago_are_not_told() -> None:
    history, table = make(history_edge_changes=3), EdgeTable(ME)
    for number in range(1, 8):
        put(table, edge(0, number))
        history.look(table.slots, START + number)
    assert history.changes_since(3, START) is None
    assert len(history.changes_since(4, START)["changes"]) == 3
    assert history.changes_since(7, START)["changes"] == []
    assert history.changes_since(8, START) is None, "of another run of the node"
    assert history.changes_since(-1, START) is None
    few = make(graph_edges_told=2)
    few.look(table.slots, START)
    assert few.changes_since(4, START) is None, "so many that the whole graph is smaller"
    assert few.changes_since(5, START) is not None


def test_a_large_table_is_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP", 10)
    monkeypatch.setattr(module, "TAKEN", 20)
    history, table = make(), EdgeTable(ME)
    for number in range(1, 26):
        put(table, edge(0, number))
    seen = [(history.look(table.slots, START + second), history.seq) for second in range(7)]
    assert seen == [(True, 0), (True, 0), (True, 20), (False, 25), (True, 25), (True, 25), (False, 25)]
    for number in range(1, 26):
        put(table, edge(0, number, nonce=2))
    while history.look(table.slots, START + 10):
        pass
    assert history.seq == 50
    told = history.changes_since(25, START + 99)
    assert told is not None
    assert {change["time"] for change in told["changes"]} == {START + 10}


def test_an_edge_that_moves_while_a_large_table_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP", 1)
    history, table = make(), EdgeTable(ME)
    for number in (1, 2, 3, 4):
        put(table, edge(0, number))
    while history.look(table.slots, START):
        pass
    for slot in (3, 0):
        table.remove(slot)
    put(table, edge(0, 4, nonce=3))
    history.look(table.slots, START + 1)
    table.remove(0)
    while history.look(table.slots, START + 2):
        pass
    assert pairs(history.graph(START + 3).as_dict()) == {ids(0, number) for number in (2, 3, 4)}
    while history.look(table.slots, START + 4):
        pass
    assert pairs(history.graph(START + 5).as_dict()) == {ids(0, number) for number in (2, 3)}
    assert pairs(history.graph(START + 5, START).as_dict()) == {ids(0, number) for number in (1, 2, 3, 4)}


def test_more_edges_than_are_told_are_counted_and_ours_come_first() -> None:
    history, table = make(graph_edges_told=3), EdgeTable(ME)
    for number in range(2, 8):
        put(table, edge(1, number))
    put(table, edge(0, 7))
    history.look(table.slots, START)
    graph = history.graph(START).as_dict()
    assert len(graph["first"]) == 3
    assert graph["left_out"] == 4
    assert ids(0, 7) in pairs(graph)


def test_samples_are_bounded_and_chosen_by_time() -> None:
    history = make(history_samples=5)
    for second in range(9):
        history.add_sample({"time": START + second})
    times = [sample["time"] - START for sample in history.told(None, None)["samples"]]
    assert times == [4, 5, 6, 7, 8]
    chosen = history.told(START + 5, START + 7)["samples"]
    assert [sample["time"] - START for sample in chosen] == [5, 6, 7]


def test_the_history_of_one_peer() -> None:
    history, table = make(), EdgeTable(ME)
    for number in range(1, 6):
        put(table, edge(0, number))
        history.look(table.slots, START + number)
    put(table, edge(3, 4))
    put(table, edge(0, 3, nonce=2))
    history.look(table.slots, START + 9)
    told = [(change["time"] - START, change["active"]) for change in history.changes_of(peer_id(3))]
    assert sorted(told) == [(3, True), (9, False), (9, True)]
    assert told[0] == (3, True)
    assert history.changes_of(peer_id(99)) == []
    for nonce in range(3, 503):
        put(table, edge(0, 3, nonce))
        history.look(table.slots, START + nonce)
    assert len(history.changes_of(peer_id(3))) == 200
