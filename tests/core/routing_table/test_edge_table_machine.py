"""`EdgeTable` under random calls, against a dict of edges: slots, numbers and counts never contradict each other."""

from __future__ import annotations

from itertools import combinations

from graph_fakes import edge, put
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from peer_fakes import ME, peer_id

from nearnet.core.routing_table.edge_table import EdgeTable
from nearnet.core.routing_table.graph import shortest_paths

PEERS = 6
PAIRS = list(combinations(range(PEERS), 2))
SOURCES = [None, 11, 12, 13]


class EdgeTableMachine(RuleBasedStateMachine):
    """`model`: pair -> (nonce, who told it first)."""

    def __init__(self) -> None:
        super().__init__()
        self.table = EdgeTable(ME)
        self.model: dict[tuple[int, int], tuple[int, int | None]] = {}
        self.in_use: dict[int, int] = {}
        """Numbers that the routes in use have for peers, and those of the last snapshot."""
        self.computed: dict[int, int] = {}

    @rule(pair=st.sampled_from(PAIRS), nonce=st.integers(1, 6), source=st.sampled_from(SOURCES))
    def put(self, pair, nonce, source):
        before = self.table.slot_of(*map(peer_id, pair))
        slot = put(self.table, edge(*pair, nonce), None if source is None else peer_id(source))
        assert before in (None, slot)
        last, first_source = self.model.get(pair, (0, source))
        self.model[pair] = (max(last, nonce), first_source)

    @precondition(lambda self: self.model)
    @rule(number=st.integers(0, 99))
    def remove(self, number):
        pair = sorted(self.model)[number % len(self.model)]
        self.table.remove(self.table.slot_of(*map(peer_id, pair)))
        del self.model[pair]

    @rule()
    def snapshot(self):
        self.computed = {self.table.index[peer_id(one)]: one for one in self.held_peers() | {0}}
        found = shortest_paths(self.table.snapshot())
        assert found is not None

    @rule()
    def settle(self):
        """The routes of the last snapshot are in use now."""
        self.in_use = self.computed
        self.table.settle()

    def held_peers(self) -> set[int]:
        return {end for pair in self.model for end in pair}

    @invariant()
    def edges_are_those_of_the_model(self):
        assert len(self.table) == len(self.model)
        assert self.table.active_count == sum(nonce % 2 for nonce, _ in self.model.values())
        for pair in PAIRS:
            slot = self.table.slot_of(*map(peer_id, pair))
            if pair not in self.model:
                assert slot is None
                continue
            assert self.table.slots[slot] == edge(*pair, self.model[pair][0])
            assert self.table.active[slot] == self.model[pair][0] % 2
            assert [self.table.peers[number] for number in self.table.ends(slot)] == [peer_id(end) for end in pair]

    @invariant()
    def peers_have_numbers_as_long_as_they_have_edges(self):
        assert self.table.index.keys() == {ME, *map(peer_id, self.held_peers())}
        assert all(self.table.peers[number] == peer for peer, number in self.table.index.items())
        numbers = list(self.table.index.values())
        assert len(set(numbers)) == len(numbers)

    @invariant()
    def no_number_in_use_means_somebody_else(self):
        for known in (self.in_use, self.computed):
            for number, one in known.items():
                assert self.table.peers[number] in (None, peer_id(one))

    @invariant()
    def sources_are_credited(self):
        for source in SOURCES[1:]:
            told = sum(first == source for _, first in self.model.values())
            assert self.table.told_by(peer_id(source)) == told

    @invariant()
    def what_touches_whom(self):
        for peer in self.held_peers():
            touching = [pair for pair in self.model if peer in pair]
            slots = self.table.slots_touching([peer_id(peer)])
            assert slots == sorted(self.table.slot_of(*map(peer_id, pair)) for pair in touching)
            assert sorted(self.table.slots_of(peer_id(peer))) == slots
            assert self.table.ends_of([peer_id(peer)]) == len(touching)
            others = {end for pair in self.model for end in pair if pair not in touching}
            alone = {end for pair in touching for end in pair} - others - {0}
            assert set(self.table.peers_only_in(slots)) == set(map(peer_id, alone))


TestEdgeTable = EdgeTableMachine.TestCase
TestEdgeTable.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
