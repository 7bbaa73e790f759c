"""Read this first: a part of the core, tested by plain calls.

A part of `core/` decides and does nothing else. It opens no socket and reads no clock, so a test needs no event loop,
no fixture and no mock. The test builds the part, calls it, and looks at what the call returned or changed.
Each source file has a test file of its own that works like this one: `tests/core/routing_table/test_edge.py` belongs
to `core/routing_table/edge.py`.
"""

# `edge_of` signs a complete edge between two test keys, and `key_of` makes the same key from the same name each time.
from hand import edge_of, key_of

# `START` is a pair of clock faces with odd values, and `later` is that time plus some seconds.
from peer_fakes import START, later

from nearnet.config import NetworkConfig
from nearnet.core.routed.route_back import RouteBack
from nearnet.core.routing_table.edge import verify_edge
from nearnet.core.routing_table.graph import shortest_paths
from nearnet.core.routing_table.table import RoutingTable
from nearnet.core.runtime.journal import Journal
from nearnet.core.runtime.limits import LimitCounters
from nearnet.keys import CryptoHash, Signature
from nearnet.store.memory import MemoryStore
from nearnet.wire.edge_bytes import Edge

# Names are easier to read than keys. We are M; A and B are our neighbors; C is the neighbor of both.
M, A, B, C = (key_of(name) for name in ("M", "A", "B", "C"))


def test_an_edge_holds_only_with_the_signatures_of_both_of_its_ends():
    # Both ends sign an edge, so the edge that the two keys make is right.
    edge = edge_of(A, B, nonce=7)
    assert verify_edge(edge)

    # One end cannot raise the nonce alone. The edge has another nonce here and keeps the two signatures of the old one.
    peer0, peer1, _, signature0, signature1, _ = edge.parts()
    assert not verify_edge(Edge.build(peer0, peer1, 9, signature0, signature1))

    # A third peer cannot stand in for an end either: C has signed nothing that A and B agreed upon.
    forged = Signature(C.sign(bytes(32)))
    assert not verify_edge(Edge.build(peer0, peer1, 7, signature0, forged))


def test_a_removed_edge_takes_its_way_out_of_the_routing_table():
    # A part gets everything that it needs in its constructor: who we are, the config, a store and the counters of the
    # limits. `MemoryStore` is a real store and no mock; it keeps its rows in a dict.
    config = NetworkConfig()
    table = RoutingTable(M.public_key, config, MemoryStore(), Journal(), LimitCounters(dict(config.nearnet.limits)))

    # There are two ways from M to C: one through A and one through B. The caller passes the time in, so the test
    # decides what time it is. The source `None` says that the edges are our own and that no limit of a teller applies.
    added = table.add([edge_of(M, A), edge_of(M, B), edge_of(A, C), edge_of(B, C)], None, START)
    assert len(added) == 4

    # The table does not compute on its own: it says that its routes are out of date, and the shell decides on which
    # thread the computation runs. A test is the shell here, so it makes the snapshot, computes, and gives the answer.
    assert table.needs_recalculation
    table.apply(shortest_paths(table.snapshot()), START)
    assert table.distance(C.public_key) == 2
    assert set(table.next_hops(C.public_key)) == {A.public_key, B.public_key}

    # An even nonce says that the edge is removed. The removal is newer than the edge, so the table takes it, and the
    # way through A is gone. A table that ignored removals would fail here.
    table.add([edge_of(A, C, nonce=2)], None, later(1.0))
    table.apply(shortest_paths(table.snapshot()), later(1.0))
    assert table.next_hops(C.public_key) == (B.public_key,)

    # The old form of the edge comes again, from whoever has not heard the news. It is older, so it changes nothing.
    assert table.add([edge_of(A, C, nonce=1)], None, later(2.0)) == []
    assert table.next_hops(C.public_key) == (B.public_key,)


def test_the_way_back_of_a_reply_ends_after_two_minutes():
    # Every rule about time is tested without waiting, because time is an argument. The clock of `START` shows
    # 5000.25 s on one face and the year 2023 on the other, so a part that mixed the two up would fail at once.
    routes = RouteBack(M.public_key, timeout=120.0)
    first, second = CryptoHash(bytes(32)), CryptoHash(bytes(31) + b"\1")
    assert routes.insert(first, A.public_key, START)
    assert routes.insert(second, B.public_key, START)

    # One tenth of a second before the end the reply still finds its way, and the entry is used up by it.
    assert routes.take(first, later(119.9)) == A.public_key
    assert routes.take(first, later(119.9)) is None

    # The other entry was not used. At 120 s its time is over.
    assert routes.take(second, later(120.0)) is None
    assert len(routes) == 0
