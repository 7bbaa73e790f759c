"""The index of pairs, held against a dict."""

from array import array
from collections import Counter
from itertools import combinations, islice

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nearnet.core.routing_table.edge_table import PairIndex


class Machine(RuleBasedStateMachine):
    """Pairs come into free slots and go."""

    def __init__(self):
        super().__init__()
        self.first, self.second = array("I"), array("I")
        self.index = PairIndex(self.first, self.second, 0x123456789ABCDEF)
        self.known = {}
        self.free = []

    @rule(first=st.integers(0, 6), second=st.integers(0, 6))
    def come(self, first, second):
        assert self.index.get(first, second) == self.known.get((first, second))
        if (first, second) in self.known:
            return
        if self.free:
            slot = self.free.pop()
            self.first[slot], self.second[slot] = first, second
        else:
            slot = len(self.first)
            self.first.append(first)
            self.second.append(second)
        self.known[first, second] = slot
        self.index.add(slot, first, second)

    @rule(data=st.data())
    def go(self, data):
        if self.known:
            pair = data.draw(st.sampled_from(sorted(self.known)))
            slot = self.known.pop(pair)
            self.index.remove(slot)
            self.free.append(slot)

    @invariant()
    def the_same(self):
        assert len(self.index) == len(self.known)
        assert all(self.index.get(*pair) == slot for pair, slot in self.known.items())


TestMachine = Machine.TestCase


def test_many():
    first, second = array("I", range(0, 30_000, 3)), array("I", range(0, 20_000, 2))
    for salt in (0, 1, -7, 2**61 + 12345):
        index = PairIndex(first, second, salt)
        for slot in range(10_000):
            index.add(slot, first[slot], second[slot])
        assert [index.get(first[slot], second[slot]) for slot in range(10_000)] == list(range(10_000))
        assert index.get(1, 1) is None
        for slot in range(0, 10_000, 2):
            index.remove(slot)
        assert len(index) == 5000
        found = [index.get(first[slot], second[slot]) for slot in range(10_000)]
        assert found == [slot if slot % 2 else None for slot in range(10_000)]


@pytest.mark.parametrize("stride", [1, 64])
@pytest.mark.parametrize("salt", [0x0123456789ABCDEF, 0x1FEDCBA987654321, -0x0F1E2D3C4B5A6978])
def test_the_shapes_that_networks_have_spread(salt, stride):
    """As well as chance would: of 1 000 pairs in 500 buckets none has 20 then."""
    star = [(0, number * stride) for number in range(1, 1001)]
    chain = [(number * stride, (number + 1) * stride) for number in range(1000)]
    dense = [(a * stride, b * stride) for a, b in islice(combinations(range(46), 2), 1000)]
    for pairs in (star, chain, dense):
        first, second = array("I", [a for a, _ in pairs]), array("I", [b for _, b in pairs])
        index = PairIndex(first, second, salt)
        for slot, pair in enumerate(pairs):
            index.add(slot, *pair)
        assert max(Counter(index._bucket(*pair) for pair in pairs).values()) < 20
