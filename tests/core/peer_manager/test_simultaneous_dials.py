"""Both dial at once, in every order in which packets can arrive: one connection survives, the same on both ends
(`threats.md` row 24; `behaviour.md` §2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import Node, Pipe, World

from nearnet.core.runtime.actions import Dial
from nearnet.keys import SecretKey

KEYS = sorted((SecretKey.from_seed(f"twin {number}") for number in range(2)), key=lambda key: key.public_key)


class SlowWorld(World):
    """A world in which each step waits: dials, and on each connection what was sent each way, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.channels: dict[object, deque[tuple[int, Callable[[], None]]]] = {}
        self._count = 0

    def later(self, channel: object, step: Callable[[], None]) -> None:
        """Behind what waits in that channel."""
        self._count += 1
        self.channels.setdefault(channel, deque()).append((self._count, step))

    def dial(self, node: Node, dial: Dial) -> None:
        self.later(node, lambda: World.dial(self, node, dial))

    def _deliver(self, end: Pipe, data: bytes) -> None:
        def arrive() -> None:
            if end.peer is not None and end.peer.id in end.node.pipes:
                end.node.core.receive(end.peer, data, self.now)

        self.later(end, arrive)

    def _cut(self, pipe: Pipe | None) -> None:
        if pipe is None or pipe.other is None:
            return
        other, pipe.other = pipe.other, None

        def arrive() -> None:
            other.other = None
            if other.peer is not None and other.node.pipes.pop(other.peer.id, None) is not None:
                other.node.core.lost(other.peer, "closed by the peer", self.now)

        self.later(other, arrive)

    def waiting(self) -> list[Callable[[], None]]:
        """The next step of each channel, who waited longest first; taking one is calling it."""
        heads = sorted((queue[0][0], channel) for channel, queue in self.channels.items() if queue)
        return [self._taker(channel) for _, channel in heads]

    def _taker(self, channel: object) -> Callable[[], None]:
        def take() -> None:
            self.channels[channel].popleft()[1]()
            self.settle()

        return take

    def play(self, choose: Callable[[int], int]) -> None:
        """Until nothing is under way; `choose` picks one of so many."""
        for _ in range(300):
            steps = self.waiting()
            if not steps:
                return
            steps[choose(len(steps))]()
        raise AssertionError("never quiet")


def two_dial(dialect: str, choose: Callable[[int], int], before: bool = False) -> tuple[Node, Node]:
    """Both dial each other; `before`: they were connected once. The nodes, when all is quiet."""
    world = SlowWorld()
    nodes = [world.node(key=key) for key in KEYS]
    one, other = nodes
    if before:
        _connect(one, other, dialect)
        world.play(lambda _: 0)
        one.core.disconnect(other.id, world.now)
        world.settle()
        world.play(lambda _: 0)
        assert not one.core.peers
        assert not other.core.peers
    world.later("one dials", lambda: _connect(one, other, dialect))
    world.later("the other dials", lambda: _connect(other, one, dialect))
    world.play(choose)
    _look(one, other)
    world.advance(30)  # Beyond every handshake's timeout and every check of edges.
    world.play(lambda _: 0)
    _look(one, other)
    assert one.core.table.next_hops(other.id) == (other.id,)
    return one, other


def _connect(node: Node, target: Node, dialect: str) -> None:
    node.core.connect(target.info, node.world.now, dialect)
    node.settle()


def _look(one: Node, other: Node) -> None:
    assert list(one.core.peers) == [other.id]
    assert list(other.core.peers) == [one.id]
    mine, theirs = one.core.peers[other.id], other.core.peers[one.id]
    assert one.pipes[mine.id].other is other.pipes[theirs.id], "the same connection"
    assert len(one.pipes) == len(other.pipes) == 1, "and no other"
    edges = [node.core.table.get(*sorted((one.id, other.id))) for node in (one, other)]
    assert edges[0] == edges[1]
    assert edges[0].is_active
    assert "banned" not in one.kinds() + other.kinds()


def every_order() -> Iterator[Callable[[int], int]]:
    """Choosers, one for each way through all choices; each must be played before the next is asked for."""
    prefix: list[int] = []
    while True:
        arities: list[int] = []

        def choose(count: int, prefix: list[int] = prefix, arities: list[int] = arities) -> int:
            arities.append(count)
            return prefix[len(arities) - 1] if len(arities) <= len(prefix) else 0

        yield choose
        taken = [prefix[at] if at < len(prefix) else 0 for at in range(len(arities))]
        while taken and taken[-1] + 1 == arities[len(taken) - 1]:
            taken.pop()
        if not taken:
            return
        prefix = [*taken[:-1], taken[-1] + 1]


def test_every_order_is_every_order() -> None:
    seen = []
    for choose in every_order():
        first = choose(2)
        seen.append((first, choose(3 if first else 1)))
    assert seen == [(0, 0), (1, 0), (1, 1), (1, 2)]


@pytest.mark.threat(24)
@pytest.mark.timeout(300)
@pytest.mark.parametrize("dialect", ["borsh", pytest.param("protobuf", marks=pytest.mark.slow)])
def test_in_every_order(dialect: str) -> None:
    runs, directions = 0, set()
    for choose in every_order():
        one, other = two_dial(dialect, choose)
        runs += 1
        directions.add(one.core.peers[other.id].direction)
    assert runs > 30
    assert directions == {"inbound", "outbound"}, "whoever was far ahead, else the lower id's"


@pytest.mark.threat(24)
@settings(max_examples=60)
@given(st.sampled_from(["borsh", "protobuf"]), st.booleans(), st.lists(st.integers(0, 11), max_size=60))
def test_in_any_order_to_the_end(dialect: str, before: bool, choices: list[int]) -> None:
    left = iter(choices)

    def choose(count: int) -> Any:
        return next(left, 0) % count

    two_dial(dialect, choose, before)
