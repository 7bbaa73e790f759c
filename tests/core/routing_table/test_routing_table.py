"""The RoutingTable by plain calls: what it takes in, which way it sends, what leaves for the disk and comes back."""

import random
import struct

import pytest
from graph_fakes import HOUR, Table, edge, numbered
from peer_fakes import ME, START, later, peer_id

from nearnet.core.routing_table.components import Components
from nearnet.core.routing_table.edge import is_current
from nearnet.core.routing_table.edge_table import LAG
from nearnet.core.routing_table.graph import shortest_paths
from nearnet.core.routing_table.table import RETRY_PRUNE
from nearnet.core.runtime.clock import Now
from nearnet.store.memory import MemoryStore
from nearnet.wire.borsh.dialect import decode_edges

SOURCE = peer_id(1)


def nonce(number):
    return struct.pack("<Q", number)


def component(table, number):
    return numbered(list(decode_edges(table.store.get("ComponentEdges", nonce(number)))))


def members(table):
    """Peer by number -> its component on disk."""
    rows = table.rows("PeerComponent")
    return {int.from_bytes(peer[1:], "big"): struct.unpack("<Q", value)[0] for peer, value in rows.items()}


# --- taking edges in -----------------------------------------------------------------------------


def test_an_empty_table():
    table = Table()
    assert (table.edge_count, table.active_count, table.peer_count, table.reachable_count) == (0, 0, 1, 0)
    assert (table.peers(), table.edges(), list(table.slots)) == ([ME], [], [])
    assert (table.distance(ME), table.distance(SOURCE), table.next_hops(ME), table.next_hops(SOURCE)) == (
        0,
        None,
        (),
        (),
    )
    assert table.find_next_hop(SOURCE) is None
    assert not table.needs_recalculation
    assert table.next_prune(START) is table.prune(START) is None


def test_edges_of_one_peer():
    table = Table()
    table.add([edge(1, 2), edge(1, 3, 2), edge(2, 3)], SOURCE, START)
    assert numbered(table.edges_of(peer_id(3))) == numbered([edge(1, 3, 2), edge(2, 3)])
    assert table.edges_of(ME) == []


@pytest.mark.parametrize(
    ("changed", "asks"),
    [
        (edge(1, 2), False),
        (edge(1, 2, 2), False),
        (edge(1, 3, 3), False),
        (edge(1, 3, 2), True),
        (edge(2, 3), True),
        (edge(3, 4), False),
        (edge(4, 5), True),
        (edge(0, 3), True),
    ],
    ids=[
        "as far away",
        "never was, now removed",
        "renewed",
        "removed",
        "another next hop",
        "as far, both behind 1 and 2",
        "a new peer",
        "nearer",
    ],
)
def test_only_what_may_change_a_route_asks_for_a_recalculation(changed, asks):
    table = Table()
    table.learn(edge(0, 1), edge(0, 2), edge(1, 3), edge(1, 4), edge(2, 4), edge(1, 6))
    table.add([changed], SOURCE, START)
    assert table.needs_recalculation == asks
    found = {number: table.hops(number) for number in range(1, 7)}
    table.compute()
    if not asks:
        assert {number: table.hops(number) for number in range(1, 7)} == found


def test_with_a_snapshot_out_every_change_asks_for_another_recalculation():
    table = Table()
    table.learn(edge(0, 1), edge(0, 2), edge(1, 3))
    table.add([edge(0, 3)], SOURCE, START)
    routes = shortest_paths(table.snapshot())
    table.add([edge(1, 2)], SOURCE, START)
    assert table.needs_recalculation
    table.apply(routes, START)
    assert table.needs_recalculation


def test_the_higher_nonce_wins_in_either_order():
    table = Table()
    assert table.add([edge(1, 2, 3)], SOURCE, START) == [edge(1, 2, 3)]
    assert table.needs_recalculation
    assert table.add([edge(1, 2, 3), edge(1, 2, 2), edge(1, 2, 5)], SOURCE, START) == [edge(1, 2, 5)]
    assert table.get(peer_id(1), peer_id(2)) == table.get(peer_id(2), peer_id(1)) == edge(1, 2, 5)
    assert table.get(peer_id(1), peer_id(3)) is None
    table.add([edge(1, 2, 6)], SOURCE, START)
    assert (table.edge_count, table.active_count) == (1, 0)


@pytest.mark.threat(35)
@pytest.mark.threat(38)
@pytest.mark.scenario(84)
def test_of_a_batch_the_newest_of_each_edge_is_selected_if_newer_than_held():
    table = Table()
    table.learn(edge(1, 2, 3), edge(2, 3, 3), edge(3, 4, 3))
    batch = [edge(1, 2, 3), edge(2, 3, 2), edge(3, 4, 5), edge(4, 5, 1), edge(4, 5, 7), edge(4, 5, 2), edge(3, 4, 4)]
    assert table.select_new(batch, SOURCE) == [edge(3, 4, 5), edge(4, 5, 7)]
    assert table.held() == {(1, 2): 3, (2, 3): 3, (3, 4): 3}, "nothing is kept yet"
    assert table.select_new(table.edges(), SOURCE) == []


@pytest.mark.threat(36)
@pytest.mark.parametrize(
    ("limits", "hit", "taken"),
    [
        ({"edges_total": 3}, "edges_total", 1),
        ({"edges_per_source": 2}, "edges_per_source", 1),
        ({"graph_peers": 5}, "graph_peers", 2),
    ],
)
def test_limits(limits, hit, taken):
    """One edge each of two sources is held; of three more, some are taken; a newer nonce always is."""
    table = Table(**limits)
    table.learn(edge(1, 2))
    table.learn(edge(1, 3), source=2)
    batch = [edge(1, 4), edge(2, 3), edge(1, 5), edge(1, 2, 3)]
    if hit == "graph_peers":
        batch = [edge(1, 4), edge(2, 3), edge(5, 6), edge(1, 2, 3)]
    selected = table.select_new(batch, SOURCE)
    assert selected == [*batch[:taken], edge(1, 2, 3)]
    assert table.counters.hits(hit) == 3 - taken
    assert table.add(batch, SOURCE, START) == selected, "what was selected before others came is held against them too"
    assert table.counters.hits(hit) == 2 * (3 - taken)
    assert table.add([edge(0, 1)], None, START) == [edge(0, 1)], "our own edges have no limit"


def test_what_a_source_told_first_counts_against_it_only():
    table = Table(edges_per_source=1)
    assert table.learn(edge(1, 2), edge(1, 3), source=1) == [edge(1, 2)]
    assert table.learn(edge(1, 3), source=2) == [edge(1, 3)]
    assert table.select_new([edge(1, 4)], peer_id(3)) == [edge(1, 4)]


# --- next hops -----------------------------------------------------------------------------------


def diamond():
    """Three neighbors, all of which lead to 9; 4 hangs on 1 alone."""
    table = Table()
    table.learn(*(edge(0, hop) for hop in (1, 2, 3)), *(edge(hop, 9) for hop in (1, 2, 3)), edge(1, 4), edge(7, 8))
    return table


def test_distances_and_next_hops():
    table = diamond()
    assert [table.distance(peer_id(number)) for number in (0, 1, 9, 4, 7, 55)] == [0, 1, 2, 2, None, None]
    assert [table.hops(number) for number in (1, 9, 4, 7, 55)] == [[1], [1, 2, 3], [1], [], []]
    assert table.next_hops(peer_id(9)) is table.next_hops(peer_id(9))
    assert (table.peer_count, table.reachable_count) == (8, 5)
    table.learn(edge(0, 1, 2))
    assert (table.hops(9), table.hops(1), table.hops(4), table.distance(peer_id(4))) == ([2, 3], [2, 3], [2, 3], 4)


def test_until_it_is_computed_nothing_changes():
    table = diamond()
    snapshot = table.snapshot()
    assert not table.needs_recalculation
    table.add([edge(9, 10)], SOURCE, START)
    table.apply(shortest_paths(snapshot), START)
    assert table.needs_recalculation, "an edge came after the snapshot"
    assert table.hops(10) == []
    table.compute()
    assert table.hops(10) == [1, 2, 3]


def chosen(table, number, times):
    return [int.from_bytes(table.find_next_hop(peer_id(number))[1:], "big") for _ in range(times)]


@pytest.mark.scenario(83)
def test_the_least_used_next_hop_is_chosen():
    table = diamond()
    assert chosen(table, 9, 6) == [1, 2, 3, 1, 2, 3]
    assert chosen(table, 4, 3) == [1, 1, 1]
    assert sorted(chosen(table, 9, 6)) == [2, 2, 2, 3, 3, 3], "1 was used for another target"
    rng, listed = random.Random(1), {9: [1, 2, 3], 4: [1], 2: [2]}
    for _ in range(1000):
        target = rng.choice(list(listed))
        assert chosen(table, target, 1)[0] in listed[target]
    assert table.find_next_hop(peer_id(7)) is None


def test_a_lagging_counter_is_pulled_up():
    table = diamond()
    chosen(table, 4, 100)
    turns = chosen(table, 9, 60)
    assert 1 not in turns[: 2 * LAG - 2]
    assert turns[2 * LAG :].count(1) > 10, "the others catch up to within the lag at once"


def test_a_neighbor_that_was_lost_starts_anew():
    table = diamond()
    chosen(table, 4, 100)
    table.learn(edge(0, 1, 2))
    table.learn(edge(0, 1, 3))
    assert sorted(chosen(table, 9, 3)) == [1, 2, 3]


# --- what grows too old --------------------------------------------------------------------------


WALL = int(START.wall) | 1


def forget(table, now):
    """What has expired."""
    table.forget(table.dated.due(now.wall), lambda one: is_current(one.nonce, now.wall, 1800))


def expire(table, now):
    while (due := table.dated.next()) is not None and due <= now.wall:
        assert table.may_forget
        forget(table, now)
    table.compute(now)


@pytest.mark.scenario(81)
def test_edges_and_removals_expire_but_counters_and_ours_do_not():
    table = Table()
    table.learn(edge(0, 1, WALL), edge(1, 2, WALL), edge(2, 3, WALL + 1201), edge(1, 4, WALL - 1), edge(1, 5, 7))
    assert table.hops(2) == [1]
    expire(table, later(1790))
    assert table.edge_count == 5
    expire(table, later(1815))
    assert table.held() == {(0, 1): WALL, (2, 3): WALL + 1201, (1, 5): 7}
    assert (table.hops(2), table.hops(5), table.next_hops(peer_id(4))) == ([], [1], ())
    assert peer_id(4) not in table.peers()
    expire(table, later(5000))
    assert table.held() == {(0, 1): WALL, (1, 5): 7}


@pytest.mark.scenario(81)
def test_a_renewed_edge_stays_until_its_own_time():
    table = Table()
    table.learn(edge(0, 1), edge(1, 2, WALL))
    table.learn(edge(1, 2, WALL + 600), now=later(600))
    expire(table, later(2300))
    assert table.held() == {(0, 1): 1, (1, 2): WALL + 600}
    expire(table, later(2500))
    assert (table.held(), table.reachable_count) == ({(0, 1): 1}, 1)


def test_the_number_of_who_expired_means_nobody_else_to_routes_in_use():
    """Else a newcomer would have the next hops of who left until the next computation."""
    table = Table()
    table.learn(edge(0, 1), edge(1, 2, WALL))
    forget(table, later(2000))
    table.add([edge(3, 4)], SOURCE, later(2000))
    assert [table.next_hops(peer_id(number)) for number in (2, 3, 4)] == [(), (), ()]
    snapshot = table.snapshot()
    table.add([edge(5, 6)], SOURCE, later(2000))
    assert table.next_hops(peer_id(5)) == table.next_hops(peer_id(6)) == ()
    table.apply(shortest_paths(snapshot), later(2000))
    table.compute(later(2000))
    assert table.reachable_count == 1


def test_what_is_on_its_way_to_disk_waits():
    table = Table()
    table.learn(edge(0, 1), edge(1, 2, WALL))
    table.learn(edge(0, 1, 2))
    persist = table.prune(later(2 * HOUR))
    assert persist is not None
    assert not table.may_forget
    table.store.commit(persist.writes)
    table.persisted(persist.token, None, later(2 * HOUR))
    assert table.edge_count == 0
    assert table.may_forget


def test_what_has_expired_does_not_come_back_from_disk():
    table = Table()
    table.learn(edge(0, 1), edge(1, 2, WALL), edge(1, 3))
    table.learn(edge(0, 1, 2))
    assert table.prune_and_store(later(2 * HOUR))
    table.learn(edge(0, 1, 3), now=later(2 * HOUR))
    assert table.held() == {(0, 1): 3, (1, 3): 1}


def on_disk(table, number):
    return table.components.edge_between(ME, peer_id(number))


def test_our_own_edge_can_be_asked_of_the_disk():
    table = Table()
    table.learn(edge(0, 1, WALL), edge(1, 2))
    table.learn(edge(0, 1, WALL + 1))
    assert on_disk(table, 1) is on_disk(table, 9) is None
    assert table.prune_and_store(later(2 * HOUR))
    assert (table.held(), on_disk(table, 1), on_disk(table, 2)) == ({}, edge(0, 1, WALL + 1), None)
    table.learn(edge(0, 1, WALL + 2), now=later(2 * HOUR))
    assert table.held() == {(0, 1): WALL + 2, (1, 2): 1}


# --- what leaves for the disk --------------------------------------------------------------------


@pytest.mark.scenario(46)
def test_a_reachable_edge_stays():
    table = Table()
    table.learn(edge(0, 1))
    table.compute(later(100 * HOUR))
    assert table.next_prune(later(100 * HOUR)) is None
    assert not table.prune_and_store(later(100 * HOUR))
    assert table.held() == {(0, 1): 1}


@pytest.mark.scenario(47)
@pytest.mark.parametrize("start", [START, Now(0.0, 1_700_000_000.0)], ids=["usual", "just booted"])
@pytest.mark.threat(68)
def test_what_is_unreachable_for_two_hours_goes_to_disk(start):
    table = Table()
    table.learn(edge(0, 1), now=start)
    table.learn(edge(0, 1, 2), now=start)
    assert table.next_prune(start) == start.mono + 2 * HOUR
    assert not table.prune_and_store(later(1.5 * HOUR, start))
    assert table.held() == {(0, 1): 2}
    assert table.prune_and_store(later(2.5 * HOUR, start))
    assert (table.held(), table.peers(), table.get(ME, SOURCE)) == ({}, [ME], None)
    assert component(table, 0) == {(0, 1): 2}
    assert (members(table), table.rows("LastComponentNonce")) == ({1: 0}, {b"": nonce(0)})
    assert table.needs_recalculation
    table.compute(later(2.5 * HOUR, start))
    assert table.next_prune(later(9 * HOUR, start)) is None


def test_who_is_unreachable_for_an_hour_goes_along_and_who_is_for_less_stays():
    table = Table()
    table.learn(edge(1, 2))
    table.learn(edge(3, 4), now=later(HOUR))
    table.learn(edge(5, 6), now=later(1.1 * HOUR))
    assert table.prune_and_store(later(2 * HOUR))
    assert component(table, 0) == {(1, 2): 1, (3, 4): 1}
    assert members(table) == {1: 0, 2: 0, 3: 0, 4: 0}
    assert table.held() == {(5, 6): 1}


def test_a_peer_that_loses_its_last_edge_leaves_with_it():
    """5 is unreachable for minutes only; but its one edge belongs to 4, who goes."""
    table = Table()
    table.learn(edge(3, 4))
    table.learn(edge(4, 5), edge(0, 1), edge(1, 3, 2), now=later(1.9 * HOUR))
    assert table.prune_and_store(later(2 * HOUR))
    assert (table.held(), members(table)) == ({(0, 1): 1}, {3: 0, 4: 0, 5: 0})
    assert component(table, 0) == {(3, 4): 1, (4, 5): 1, (1, 3): 2}
    assert table.next_prune(later(2 * HOUR)) is None
    table.learn(edge(5, 6))
    assert table.held() == {(0, 1): 1, (3, 4): 1, (4, 5): 1, (1, 3): 2, (5, 6): 1}


def stranded():
    """0-1 holds; 2-3 is unreachable since the start, and on its way to disk two hours later."""
    table = Table()
    table.learn(edge(0, 1), edge(2, 3))
    persist = table.prune(later(2 * HOUR))
    table.store.commit(persist.writes)
    return table, persist.token


def test_until_it_is_stored_memory_keeps_it():
    table, token = stranded()
    assert table.held() == {(0, 1): 1, (2, 3): 1}
    assert table.prune(later(3 * HOUR)) is table.next_prune(later(3 * HOUR)) is None, "one at a time"
    table.persisted(token + 1, None, later(3 * HOUR))
    assert table.held() == {(0, 1): 1, (2, 3): 1}, "that was another"
    table.persisted(token, None, later(3 * HOUR))
    assert table.held() == {(0, 1): 1}
    table.persisted(token, None, later(3 * HOUR))


@pytest.mark.threat(64)
def test_a_full_disk_costs_no_edge():
    table, token = stranded()
    table.persisted(token, "disk full", later(2 * HOUR))
    table.compute(later(2 * HOUR))
    assert table.held() == {(0, 1): 1, (2, 3): 1}
    assert members(table) == table.rows("ComponentEdges") == {}, "the rows of the attempt are taken back"
    retry = table.next_prune(later(2 * HOUR))
    assert retry == later(2 * HOUR).mono + RETRY_PRUNE
    assert not table.prune_and_store(later(2 * HOUR + RETRY_PRUNE - 1))
    assert table.prune_and_store(later(2 * HOUR + RETRY_PRUNE))
    assert (table.held(), component(table, 1)) == ({(0, 1): 1}, {(2, 3): 1})


@pytest.mark.parametrize(
    "came", [edge(0, 2), edge(2, 3, 2), edge(1, 2, 2), edge(3, 4)], ids=["reachable", "newer", "an edge", "a peer"]
)
def test_what_changed_on_its_way_to_disk_stays(came):
    table, token = stranded()
    table.learn(came, now=later(2 * HOUR))
    before = table.held()
    table.persisted(token, None, later(2 * HOUR))
    table.compute(later(2 * HOUR))
    assert table.held() == before
    assert members(table) == table.rows("ComponentEdges") == {}


def test_whether_it_is_unreachable_must_be_known_for_certain():
    """The way to 2 opens through another peer, and is not computed yet when the disk is done."""
    table = Table()
    table.learn(edge(0, 1), edge(2, 3))
    table.learn(edge(2, 4), edge(4, 5), edge(5, 6), now=later(1.5 * HOUR))
    persist = table.prune(later(2 * HOUR))
    table.add([edge(1, 5)], SOURCE, later(2 * HOUR))
    table.persisted(persist.token, None, later(2 * HOUR))
    assert table.get(peer_id(2), peer_id(3)) is not None
    table.compute(later(2 * HOUR))
    assert table.hops(3) == [1]
    assert len(table.held()) == 6


def test_when_certain_later_it_leaves_later():
    table, token = stranded()
    table.add([edge(1, 7)], SOURCE, later(2 * HOUR))
    table.persisted(token, None, later(2 * HOUR))
    assert table.get(peer_id(2), peer_id(3)) is not None
    table.compute(later(2 * HOUR))
    assert table.held() == {(0, 1): 1, (1, 7): 1}
    assert members(table) == {2: 0, 3: 0}


def test_while_a_snapshot_is_out_nobody_leaves():
    """So a number in its routes cannot mean somebody else by then."""
    table, token = stranded()
    snapshot = table.snapshot()
    table.persisted(token, None, later(2 * HOUR))
    assert table.held() == {(0, 1): 1, (2, 3): 1}
    table.apply(shortest_paths(snapshot), later(2 * HOUR))
    assert table.held() == {(0, 1): 1}
    table.add([edge(1, 8)], SOURCE, later(2 * HOUR))
    assert (table.hops(1), table.hops(8)) == ([1], []), "the new owner of an old number"
    table.compute(later(2 * HOUR))
    assert table.hops(8) == [1]


# --- what comes back -----------------------------------------------------------------------------


def stored(*components, **limits):
    """A table after a restart, with these components on disk."""
    store = MemoryStore()
    for edges in components:
        table = Table(store)
        table.learn(*edges)
        assert table.prune_and_store(later(2 * HOUR))
    return Table(store, **limits)


@pytest.mark.scenario(48)
@pytest.mark.parametrize("prunes", [1, 2])
def test_nonces_go_on_after_a_restart(prunes):
    table = stored(*([edge(2 * one + 1, 2 * one + 2)] for one in range(prunes)))
    assert members(table) == {one + 1: one // 2 for one in range(2 * prunes)}
    table.learn(edge(21, 22))
    assert table.prune_and_store(later(2 * HOUR))
    assert (members(table)[21], component(table, prunes)) == (prunes, {(21, 22): 1})


@pytest.mark.scenario(49)
def test_components_joined_by_a_new_edge_are_merged():
    table = stored([edge(1, 2, 3)], [edge(3, 4, 5)])
    assert table.learn(edge(2, 3)) == [edge(2, 3)]
    assert table.held() == {(1, 2): 3, (3, 4): 5, (2, 3): 1}
    assert numbered(table.take_restored()) == {(1, 2): 3, (3, 4): 5}
    assert table.take_restored() == []
    assert members(table) == table.rows("ComponentEdges") == {}
    assert table.prune_and_store(later(2 * HOUR))
    assert component(table, 2) == {(1, 2): 3, (3, 4): 5, (2, 3): 1}
    assert members(table) == dict.fromkeys((1, 2, 3, 4), 2)


@pytest.mark.scenario(50)
@pytest.mark.parametrize(("told", "kept"), [(5, 5), (3, 3), (2, 3)])
def test_a_newer_edge_overwrites_a_stored_one(told, kept):
    table = stored([edge(1, 2, 3), edge(2, 3)])
    assert table.learn(edge(1, 2, told)) == ([edge(1, 2, told)] if told > 3 else [])
    assert table.held() == {(1, 2): kept, (2, 3): 1}
    assert members(table) == {}


@pytest.mark.threat(69)
def test_a_component_that_comes_back_is_reachable_at_once():
    table = stored([edge(1, 2), edge(2, 3)])
    table.learn(edge(0, 1))
    assert (table.hops(3), table.reachable_count, table.next_prune(START)) == ([1], 3, None)


def test_what_a_returning_component_mentions_comes_back_too():
    """3 was reachable when 1 left, and left later with others: both components have the edge's newest form."""
    table = Table()
    table.learn(edge(0, 3), edge(3, 1, 2), edge(1, 2))
    assert table.prune_and_store(later(2 * HOUR))
    table.learn(edge(0, 3, 2), edge(3, 4), now=later(2 * HOUR))
    assert table.prune_and_store(later(4 * HOUR))
    assert members(table) == {1: 0, 2: 0, 3: 1, 4: 1}
    table.learn(edge(2, 9), now=later(5 * HOUR))
    assert table.held() == {(0, 3): 2, (1, 3): 2, (1, 2): 1, (3, 4): 1, (2, 9): 1}
    assert members(table) == {}


def test_of_two_stored_forms_of_an_edge_the_newer_wins():
    """A later component of a peer overrides its mapping; the older one still comes back with its other peers."""
    store = MemoryStore()
    for peers, edges in [((1, 2, 3), [edge(1, 2), edge(2, 3)]), ((1, 2), [edge(1, 2, 3)])]:
        store.commit(Components(store).new([peer_id(number) for number in peers], edges).stored())
    table = Table(store)
    table.learn(edge(2, 9))
    assert (table.held(), members(table)) == ({(1, 2): 3, (2, 9): 1}, {3: 0})
    table.learn(edge(3, 9))
    assert (table.held(), members(table)) == ({(1, 2): 3, (2, 3): 1, (2, 9): 1, (3, 9): 1}, {})
    assert numbered(table.take_restored()) == {(1, 2): 3, (2, 3): 1}


def test_a_component_that_there_is_no_room_for_stays_on_disk():
    table = stored([edge(1, 2), edge(2, 3)], edges_total=2)
    assert table.learn(edge(3, 4)) == [edge(3, 4)]
    assert table.held() == {(3, 4): 1}
    assert (members(table), table.counters.hits("edges_total")) == ({1: 0, 2: 0, 3: 0}, 1)
