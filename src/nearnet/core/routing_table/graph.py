"""Shortest paths (document §9; `behaviour.md` §4): for each peer, its distance and *all* our neighbors that start one.

Peers are numbers here. A set of next hops is a mask of at most 128 bits, one for each of our first 128 neighbors.
`shortest_paths` touches nothing but its snapshot, so that it may run on another thread.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMPILED_FROM", "DEEP", "MAX_NEXT_HOPS", "NO_ROUTES", "NUMPY_FROM", "Routes", "Snapshot", "shortest_paths"]

MAX_NEXT_HOPS = 128
"""Bits of a mask, and so the most connections of a node."""

NUMPY_FROM = 2000
"""From so many edges on numpy is faster; below, its import alone would cost more."""

COMPILED_FROM = 10_000
"""From so many edges on the loop that numba compiles is used, where it is installed: it takes 50 MB, and half a second
to load."""

DEEP = 32
"""Hops beyond which a graph is left to plain lists: each hop costs numpy a look at every edge, and a chain of made-up
peers may be 100 000 hops long. Real networks have fewer than ten."""

_WORD = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The graph at one moment: ends and state of each slot, for `count` peers; we are number 0."""

    first: array[int]
    second: array[int]
    active: bytes
    count: int


class Routes:
    """What `shortest_paths` found: by peer number, the distance (-1: unreachable) and the mask of next hops."""

    __slots__ = ("_cache", "_distance", "_high", "_low", "neighbors", "unreachable")

    def __init__(
        self,
        neighbors: Sequence[int],
        distance: array[int],
        low: array[int],
        high: array[int],
        unreachable: Sequence[int],
    ) -> None:
        self.neighbors = tuple(neighbors)
        """Our neighbors, in the order of their bits."""
        self.unreachable = unreachable
        """Peers to which there is no way."""
        self._distance = distance
        self._low = low
        self._high = high
        self._cache: dict[int, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self._distance)

    def distance(self, peer: int) -> int | None:
        """Hops to a peer, None when there is no way."""
        if peer >= len(self._distance) or self._distance[peer] < 0:
            return None
        return self._distance[peer]

    def hold_with(self, first: int, second: int, added: bool) -> bool:
        """Whether one edge more, or one less, leaves all this as it is; False also when that is not seen at once.

        No shortest path goes between two peers that are as far from us, and most edges of a network are such.
        """
        distance, count = self._distance, len(self._distance)
        near = distance[first] if first < count else -1
        far = distance[second] if second < count else -1
        if near == far:
            return True
        if near > far:
            first, second, near, far = second, first, far, near
        return added and 0 < near == far - 1 and not (self._mask(first) & ~self._mask(second))

    def _mask(self, peer: int) -> int:
        return self._low[peer] | self._high[peer] << 64

    def next_hops(self, peer: int) -> tuple[int, ...]:
        """Our neighbors on shortest paths to it; empty when there is no way, and for ourselves."""
        if peer >= len(self._distance):
            return ()
        mask = self._mask(peer)
        hops = self._cache.get(mask)
        if hops is None:
            hops = tuple(hop for bit, hop in enumerate(self.neighbors) if mask >> bit & 1)
            self._cache[mask] = hops
        return hops


NO_ROUTES = Routes((), array("i", [0]), array("Q", [0]), array("Q", [0]), ())
"""Before the first computation: nobody but ourselves."""


def shortest_paths(snapshot: Snapshot) -> Routes:
    """Distances and next hops from peer 0, over active edges."""
    edges = len(snapshot.active)
    routes = None
    if edges >= COMPILED_FROM:
        routes = _compiled(snapshot)
    if routes is None and edges >= NUMPY_FROM:
        routes = _by_numpy(snapshot)
    return _by_lists(snapshot) if routes is None else routes


def _by_lists(snapshot: Snapshot) -> Routes:
    adjacent: list[list[int]] = [[] for _ in range(snapshot.count)]
    ends = zip(snapshot.first, snapshot.second, strict=True)
    for first, second in compress(ends, snapshot.active):
        adjacent[first].append(second)
        adjacent[second].append(first)
    neighbors = sorted(adjacent[0])[:MAX_NEXT_HOPS]
    distance = [-1] * snapshot.count
    masks = [0] * snapshot.count
    distance[0] = 0
    for bit, peer in enumerate(neighbors):
        distance[peer] = 1
        masks[peer] = 1 << bit
    frontier, hops = neighbors, 1
    while frontier:
        hops += 1
        following: list[int] = []
        for peer in frontier:
            mask = masks[peer]
            for other in adjacent[peer]:
                if distance[other] < 0:
                    distance[other] = hops
                    following.append(other)
                if distance[other] == hops:
                    masks[other] |= mask
        frontier = following
    low = array("Q", [mask & _WORD for mask in masks])
    high = array("Q", [mask >> 64 for mask in masks])
    unreachable = [peer for peer, hops in enumerate(distance) if hops < 0]
    return Routes(neighbors, array("i", distance), low, high, unreachable)


def _compiled(snapshot: Snapshot) -> Routes | None:
    """By the compiled loop; None without numba."""
    import numpy as np

    from nearnet.core.routing_table.graph_numba import compiled

    breadth_first = compiled()
    if breadth_first is None:
        return None
    first, second = np.frombuffer(snapshot.first, np.uint32), np.frombuffer(snapshot.second, np.uint32)
    active = np.frombuffer(snapshot.active, np.uint8)
    neighbors, distance, low, high = breadth_first(first, second, active, snapshot.count, MAX_NEXT_HOPS)
    masks = array("Q", low.tobytes()), array("Q", high.tobytes())
    unreachable = np.flatnonzero(distance < 0).tolist()
    return Routes(neighbors.tolist(), array("i", distance.tobytes()), *masks, unreachable=unreachable)


def _by_numpy(snapshot: Snapshot) -> Routes | None:
    """Hop by hop over all edges at once; None when the graph is deep."""
    import numpy as np

    active = np.frombuffer(snapshot.active, np.uint8) != 0
    first = np.frombuffer(snapshot.first, np.uint32)[active].astype(np.int64)
    second = np.frombuffer(snapshot.second, np.uint32)[active].astype(np.int64)
    neighbors = np.sort(np.concatenate((second[first == 0], first[second == 0])))[:MAX_NEXT_HOPS]
    distance = np.full(snapshot.count, -1, np.int8)
    distance[0] = 0
    distance[neighbors] = 1
    low, high = np.zeros(snapshot.count, np.uint64), np.zeros(snapshot.count, np.uint64)
    for word, start in ((low, 0), (high, 64)):
        peers = neighbors[start : start + 64]
        word[peers] = np.uint64(1) << np.arange(len(peers), dtype=np.uint64)
    words = (low, high) if len(neighbors) > 64 else (low,)
    for hops in range(1, DEEP):
        at_first, at_second = distance.take(first), distance.take(second)
        onward = np.flatnonzero((at_first == hops) & (at_second < 0))
        backward = np.flatnonzero((at_second == hops) & (at_first < 0))
        start_of = np.concatenate((first.take(onward), second.take(backward)))
        end_of = np.concatenate((second.take(onward), first.take(backward)))
        if not len(end_of):
            break
        distance[end_of] = hops + 1
        for word in words:
            np.bitwise_or.at(word, end_of, word.take(start_of))
    else:
        return None
    masks = array("Q", low.tobytes()), array("Q", high.tobytes())
    unreachable = np.flatnonzero(distance < 0).tolist()
    return Routes(neighbors.tolist(), array("b", distance.tobytes()), *masks, unreachable=unreachable)
