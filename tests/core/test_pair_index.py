"""The index of pairs, held against a dict."""

from array import array

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nearnet.core.pair_index import PairIndex


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
