"""Whatever is told, computed, stored, refused by the disk or restarted, in any order: no edge is lost or misread."""

from __future__ import annotations

from itertools import combinations

from graph_fakes import HOUR, Table, edge, numbered
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from peer_fakes import ME, START, later, peer_id, rows_of

from nearnet.core.routing_table.graph import shortest_paths
from nearnet.store.memory import MemoryStore
from nearnet.wire.borsh.dialect import decode_edges

PEERS = 6
pairs = st.sampled_from(list(combinations(range(PEERS), 2)))


class RoutingTableMachine(RuleBasedStateMachine):
    """`newest` is the model: the highest nonce told of each edge. All else is held against it."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.table = Table(self.store)
        self.now = START
        self.newest: dict[tuple[int, int], int] = {}
        self.snapshot = None
        self.is_computed = True

    def flush(self) -> None:
        self.store.commit(rows_of(self.table.journal))

    def on_disk(self) -> dict[bytes, dict[tuple[int, int], int]]:
        return {nonce: numbered(list(decode_edges(value))) for nonce, value in self.store.items("ComponentEdges")}

    @initialize(told=st.lists(st.tuples(pairs, st.integers(1, 4)), min_size=3, max_size=8))
    def first_table(self, told):
        self._tell(told)

    @rule(told=st.lists(st.tuples(pairs, st.integers(1, 6)), min_size=1, max_size=3))
    def tell(self, told):
        self._tell(told)

    @rule(number=st.integers(0, 15))
    def tell_the_next_form(self, number):
        """Of an edge that was told once: an active one is removed, a removed one comes back."""
        pair = sorted(self.newest)[number % len(self.newest)] if self.newest else (0, 1)
        self._tell([(pair, self.newest.get(pair, 0) + 1)])

    def _tell(self, told):
        edges = [edge(*pair, nonce) for pair, nonce in told]
        added = self.table.add(self.table.select_new(edges, peer_id(1)), peer_id(1), self.now)
        for pair, nonce in numbered(added).items():
            assert nonce > self.newest.get(pair, 0)
        self.flush()
        for pair, nonce in told:
            self.newest[pair] = max(nonce, self.newest.get(pair, 0))
        self.is_computed &= not self.table.needs_recalculation

    @precondition(lambda self: self.snapshot is None)
    @rule(
        hours=st.sampled_from([0.7, 1.4]),
        meanwhile=st.lists(st.tuples(pairs, st.integers(1, 6)), max_size=2),
        is_computed=st.booleans(),
        error=st.sampled_from([None, None, None, "disk full"]),
    )
    def leave(self, hours, meanwhile, is_computed, error):
        """Time passes; what is due goes to the disk, which is slow: something is told meanwhile."""
        self.compute()
        self.now = later(hours * HOUR, self.now)
        persist = self.table.prune(self.now)
        if persist is None:
            return
        self.store.commit(persist.writes)
        self._tell(meanwhile)
        if is_computed:
            self.compute()
        self.table.persisted(persist.token, error, self.now)
        self.compute()

    @precondition(lambda self: self.snapshot is None)
    @rule()
    def compute(self):
        self.take_snapshot()
        self.routes_ready()

    @precondition(lambda self: self.snapshot is None)
    @rule()
    def take_snapshot(self):
        self.snapshot = self.table.snapshot()

    @precondition(lambda self: self.snapshot is not None)
    @rule()
    def routes_ready(self):
        self.table.apply(shortest_paths(self.snapshot), self.now)
        self.flush()
        self.snapshot = None
        self.is_computed = not self.table.needs_recalculation

    @precondition(lambda self: self.snapshot is None)
    @rule()
    def quiet_hours(self):
        """After these, memory has only what is reachable."""
        self.table.compute(self.now)
        self.now = later(2.1 * HOUR, self.now)
        while self.table.prune_and_store(self.now):
            self.table.compute(self.now)
        reachable = reach(self.table.held())
        assert {peer_id(number) for number in reachable} == set(self.table.peers())
        self.is_computed = True

    @precondition(lambda self: self.on_disk())
    @rule()
    def restart(self):
        """What is in memory only is gone; what is on disk is not."""
        self.table = Table(self.store)
        self.snapshot = None
        self.is_computed = True
        self.newest = {}
        for edges in self.on_disk().values():
            for pair, nonce in edges.items():
                self.newest[pair] = max(nonce, self.newest.get(pair, 0))

    @invariant()
    def every_edge_is_in_memory_or_comes_back(self):
        held, components = self.table.held(), self.on_disk()
        mapped = self.table.rows("PeerComponent")
        for pair, nonce in self.newest.items():
            if pair in held:
                assert held[pair] == nonce
            else:
                ways = [components[mapped[peer_id(end)]] for end in pair if peer_id(end) in mapped]
                assert any(way.get(pair) == nonce for way in ways)

    @invariant()
    def who_is_in_memory_has_no_component(self):
        if self.is_computed:
            assert not set(self.table.rows("PeerComponent")) & set(self.table.peers())
            assert set(self.table.rows("PeerComponent").values()) == set(self.on_disk())

    @invariant()
    def counts(self):
        held = self.table.held()
        assert self.table.edge_count == len(held)
        assert self.table.active_count == sum(nonce % 2 for nonce in held.values())
        ends = {ME, *(peer_id(end) for pair in held for end in pair)}
        assert set(self.table.peers()) == ends
        assert self.table.peer_count == len(ends)

    @invariant()
    def distances(self):
        if self.is_computed:
            held = self.table.held()
            reachable = reach(held)
            found = {number: self.table.distance(peer_id(number)) for number in range(PEERS)}
            assert found == {number: reachable.get(number) for number in range(PEERS)}
            assert self.table.reachable_count == len(reachable) - 1
            neighbors = {one: reach(held, one) for one, hops in sorted(reachable.items()) if hops == 1}
            for number, distance in reachable.items():
                first = {one for one, hops in neighbors.items() if hops.get(number) == distance - 1}
                assert set(self.table.hops(number)) == first


def reach(held: dict[tuple[int, int], int], start: int = 0) -> dict[int, int]:
    """Who is reachable over active edges, and how far."""
    hops, frontier = {start: 0}, [start]
    for one in frontier:
        for pair, nonce in held.items():
            if nonce % 2 and one in pair and (other := sum(pair) - one) not in hops:
                hops[other] = hops[one] + 1
                frontier.append(other)
    return hops


TestRoutingTable = RoutingTableMachine.TestCase
TestRoutingTable.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
