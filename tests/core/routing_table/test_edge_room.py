"""Room for edges: what is told of a batch must not differ from what is told of each."""

from graph_fakes import edge, put
from hypothesis import given
from hypothesis import strategies as st
from peer_fakes import ME, peer_id

from nearnet.config import NetworkConfig
from nearnet.core.routing_table.edge_table import EdgeRoom, EdgeTable
from nearnet.core.runtime.limits import LimitCounters

ONE, TWO = peer_id(100), peer_id(101)
SMALL = {"edges_total": 4, "edges_per_source": 3, "graph_peers": 7}


def make(**limits):
    config = NetworkConfig.model_validate({"nearnet": {"limits": limits}})
    table, counters = EdgeTable(ME), LimitCounters(dict(config.nearnet.limits))
    return table, EdgeRoom(config.nearnet.limits, table, counters), counters


def test_each_limit_is_counted():
    for limits, name in (({"edges_total": 1}, "edges_total"), ({"edges_per_source": 1}, "edges_per_source")):
        table, room, counters = make(**limits)
        assert room.for_all(1, ONE)
        assert room.for_one(peer_id(1), peer_id(2), ONE)
        assert not room.for_one(peer_id(1), peer_id(2), ONE, unseen=1)
        put(table, edge(1, 2), ONE)
        assert not room.for_all(1, ONE)
        assert not room.for_one(peer_id(2), peer_id(3), ONE)
        assert counters.hits(name) == 2
    assert room.for_one(peer_id(2), peer_id(3), TWO), "another source"


def test_peers():
    table, room, counters = make(graph_peers=4)
    put(table, edge(1, 2), ONE)
    assert not room.for_all(1, ONE), "two new peers would be too many"
    assert room.for_one(peer_id(2), peer_id(3), ONE)
    assert not room.for_one(peer_id(3), peer_id(4), ONE)
    assert counters.hits("graph_peers") == 1


def test_our_own_have_no_limit():
    table, room, counters = make(edges_total=1, edges_per_source=1, graph_peers=2)
    for number in range(1, 5):
        put(table, edge(0, number))
    assert room.for_all(10, None)
    assert room.for_one(peer_id(7), peer_id(8), None)
    assert counters.hits("edges_total") == 0


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from([ONE, TWO])), max_size=6), st.data())
def test_room_for_all_is_room_for_each(before, data):
    table, room, counters = make(**SMALL)
    for a, b, source in before:
        if a != b and room.for_one(peer_id(min(a, b)), peer_id(max(a, b)), source):
            put(table, edge(a, b), source)
    count = data.draw(st.integers(1, 4))
    if room.for_all(count, ONE):
        hits = [counters.hits(name) for name in SMALL]
        for number in range(count):
            ends = 10 + 2 * number, 11 + 2 * number
            assert room.for_one(peer_id(ends[0]), peer_id(ends[1]), ONE)
            put(table, edge(*ends), ONE)
        assert hits == [counters.hits(name) for name in SMALL]
