"""Slots, numbers of peers, and who told what."""

from graph_fakes import edge, put
from peer_fakes import ME, peer_id

from nearnet.core.routing_table.edge_table import LATEST, EdgeTable


def make(*edges, source=None):
    table = EdgeTable(ME)
    for one in edges:
        put(table, one, source)
    return table


def remove(table, a, b):
    table.remove(table.slot_of(peer_id(a), peer_id(b)))


def test_edges_lie_in_the_order_of_arrival_and_newer_ones_in_place():
    table = make(edge(1, 2), edge(0, 1), edge(1, 2, 2))
    assert table.slots == [edge(1, 2, 2), edge(0, 1)]
    assert (len(table), table.active_count, bytes(table.active)) == (2, 1, b"\0\1")
    assert table.slot_of(peer_id(1), peer_id(2)) == 0
    assert table.slot_of(peer_id(2), peer_id(1)) is None, "the smaller id first"
    assert table.slot_of(peer_id(1), peer_id(9)) is table.slot_of(peer_id(9), peer_id(1)) is None
    assert table.slot_of(peer_id(0), peer_id(2)) is None
    assert list(table.index) == [ME, peer_id(1), peer_id(2)]


def test_slots_and_numbers_are_taken_again():
    table = make(edge(1, 2), edge(2, 3), edge(0, 3, 2))
    numbers = dict(table.index)
    remove(table, 1, 2)
    assert table.slots == [None, edge(2, 3), edge(0, 3, 2)]
    assert (len(table), table.active_count) == (2, 1)
    assert peer_id(1) not in table.index
    assert put(table, edge(3, 4)) == 0
    assert table.slots == [edge(3, 4), edge(2, 3), edge(0, 3, 2)]
    assert table.index[peer_id(4)] == len(numbers), "routes in use may still know the number of who has gone"
    table.settle()
    assert put(table, edge(3, 5)) == 3
    assert table.index[peer_id(5)] == len(numbers) + 1, "so may those of a snapshot taken before"
    table.snapshot()
    table.settle()
    put(table, edge(3, 6))
    assert table.index[peer_id(6)] == numbers[peer_id(1)]
    assert table.peers[table.index[peer_id(4)]] == peer_id(4)


def test_the_latest_are_some_of_those_held():
    table = make(edge(1, 2), edge(0, 1))
    assert list(table.latest) == [edge(1, 2), edge(0, 1)]
    put(table, edge(1, 2, 2))
    assert list(table.latest) == [edge(0, 1), edge(1, 2, 2)]
    remove(table, 0, 1)
    assert list(table.latest) == [edge(1, 2, 2)]
    for number in range(LATEST):
        put(table, edge(2, 3 + number))
    assert list(table.latest) == [edge(2, 2 + LATEST)], "of many all are let go of at once"
    table.latest.clear()
    remove(table, 2, 3)
    assert len(table) == LATEST


def test_our_own_number_stays():
    table = make(edge(0, 1))
    remove(table, 0, 1)
    assert table.index == {ME: 0}
    assert table.peers == [ME, None]
    assert (len(table), table.active_count) == (0, 0)


def test_a_source_is_credited_with_what_it_told_first():
    one, two, three = peer_id(11), peer_id(12), peer_id(13)
    table = make(edge(1, 2), edge(1, 3), source=one)
    put(table, edge(1, 2, 3), two)
    put(table, edge(1, 4), two)
    put(table, edge(1, 5))
    assert [table.told_by(source) for source in (one, two, three)] == [2, 1, 0]
    remove(table, 1, 2)
    remove(table, 1, 4)
    remove(table, 1, 5)
    put(table, edge(6, 7), three)
    assert [table.told_by(source) for source in (one, two, three)] == [1, 0, 1]


def test_sources_are_not_mixed_up_when_a_teller_itself_leaves():
    table = make(edge(8, 9), edge(1, 2), source=peer_id(8))
    remove(table, 8, 9)
    put(table, edge(3, 4), peer_id(3))
    assert (table.told_by(peer_id(8)), table.told_by(peer_id(3))) == (1, 1)
    remove(table, 1, 2)
    assert (table.told_by(peer_id(8)), table.told_by(peer_id(3))) == (0, 1)


def test_edges_at_peers():
    table = make(edge(0, 1), edge(1, 2), edge(2, 3), edge(4, 5), edge(4, 6))
    remove(table, 4, 5)
    assert table.slots_touching([peer_id(2), peer_id(3)]) == [1, 2]
    assert [table.slots_of(peer_id(peer)) for peer in (0, 2, 4)] == [[0], [2, 1], [4]], "not those that are free"
    assert table.ends_of([peer_id(2), peer_id(3)]) == 3
    assert table.peers_only_in([1, 2]) == [peer_id(2), peer_id(3)]
    assert table.peers_only_in([0, 4]) == [peer_id(4), peer_id(6)], "we stay"


def test_a_snapshot_is_a_copy():
    table = make(edge(0, 1), edge(1, 2, 2))
    snapshot = table.snapshot()
    put(table, edge(1, 2, 3))
    put(table, edge(2, 3))
    assert (snapshot.first.tolist(), snapshot.second.tolist()) == ([0, 1], [1, 2])
    assert (snapshot.active, snapshot.count) == (b"\1\0", 3)
