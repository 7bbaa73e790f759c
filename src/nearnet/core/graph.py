"""Shortest paths (document §9; `behaviour.md` §4): for each peer, its distance and *all* our neighbours that start one.

Peers are numbers here. A set of next hops is a mask of at most 128 bits, one for each of our first 128 neighbours.
`shortest_paths` touches nothing but its snapshot, so that it may run on another thread.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_NEXT_HOPS", "NUMPY_FROM", "Routes", "Snapshot", "shortest_paths"]

MAX_NEXT_HOPS = 128
"""Bits of a mask, and so the most connections of a node."""

NUMPY_FROM = 2000
"""From so many edges on numpy is faster; below, its import alone would cost more."""

_WORD = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The graph at one moment: ends and state of each slot, for `count` peers; we are number 0."""

    first: array[int]
    second: array[int]
    active: bytes
    count: int
    generation: int
    """Which numbering of peers this is of."""


class Routes:
    """What `shortest_paths` found: by peer number, the distance (-1: unreachable) and the mask of next hops."""

    __slots__ = ("_cache", "_distance", "_high", "_low", "_neighbours", "generation")

    def __init__(
        self, generation: int, neighbours: list[int], distance: Sequence[int], low: Sequence[int], high: Sequence[int]
    ) -> None:
        self.generation = generation
        self._neighbours = neighbours
        self._distance = distance
        self._low = low
        self._high = high
        self._cache: dict[int, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self._low)

    def distance(self, peer: int) -> int | None:
        """Hops to a peer, None when there is no way."""
        if peer >= len(self._distance) or self._distance[peer] < 0:
            return None
        return int(self._distance[peer])

    def next_hops(self, peer: int) -> tuple[int, ...]:
        """Our neighbours on shortest paths to it; empty when there is no way, and for ourselves."""
        if peer >= len(self._low):
            return ()
        mask = int(self._low[peer]) | int(self._high[peer]) << 64
        hops = self._cache.get(mask)
        if hops is None:
            hops = tuple(hop for bit, hop in enumerate(self._neighbours) if mask >> bit & 1)
            self._cache[mask] = hops
        return hops

    def unreachable(self) -> list[int]:
        """Peers to which there is no way."""
        distance: Any = self._distance
        if isinstance(distance, list):
            return [peer for peer, hops in enumerate(distance) if hops < 0]
        unreachable: list[int] = (distance < 0).nonzero()[0].tolist()
        return unreachable


def shortest_paths(snapshot: Snapshot) -> Routes:
    """Distances and next hops from peer 0, over active edges."""
    if len(snapshot.active) < NUMPY_FROM:
        return _by_lists(snapshot)
    return _by_numpy(snapshot)


def _by_lists(snapshot: Snapshot) -> Routes:
    adjacent: list[list[int]] = [[] for _ in range(snapshot.count)]
    for first, second, active in zip(snapshot.first, snapshot.second, snapshot.active, strict=True):
        if active:
            adjacent[first].append(second)
            adjacent[second].append(first)
    neighbours = sorted(adjacent[0])[:MAX_NEXT_HOPS] if adjacent else []
    distance = [-1] * snapshot.count
    masks = [0] * snapshot.count
    distance[0] = 0
    for bit, peer in enumerate(neighbours):
        distance[peer] = 1
        masks[peer] = 1 << bit
    frontier, hops = neighbours, 1
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
    low = [mask & _WORD for mask in masks]
    high = [mask >> 64 for mask in masks]
    return Routes(snapshot.generation, neighbours, distance, low, high)


def _by_numpy(snapshot: Snapshot) -> Routes:
    """Level by level over the edges sorted by their far end, so that one level's masks are or-ed in runs."""
    import numpy as np

    active = np.frombuffer(snapshot.active, np.uint8) != 0
    first = np.frombuffer(snapshot.first, np.uint32)[active]
    second = np.frombuffer(snapshot.second, np.uint32)[active]
    to, of = np.concatenate((first, second)), np.concatenate((second, first))
    # numpy sorts 16-bit numbers by radix, ten times as fast as others: one pass for each half of a peer's number.
    order = np.argsort(to.astype(np.uint16), kind="stable")
    if snapshot.count > 2**16:
        order = order[np.argsort((to[order] >> np.uint32(16)).astype(np.uint16), kind="stable")]
    to, of = to[order].astype(np.int64), of[order].astype(np.int64)
    distance = np.full(snapshot.count, -1, np.int32)
    low, high = np.zeros(snapshot.count, np.uint64), np.zeros(snapshot.count, np.uint64)
    neighbours = to[of == 0][:MAX_NEXT_HOPS]
    distance[0] = 0
    distance[neighbours] = 1
    bits = np.arange(len(neighbours), dtype=np.uint64)
    in_low = bits < 64
    low[neighbours[in_low]] = np.uint64(1) << bits[in_low]
    high[neighbours[~in_low]] = np.uint64(1) << (bits[~in_low] - np.uint64(64))
    masks = (low, high) if len(neighbours) > 64 else (low,)
    hops = 1
    while True:
        open_ends = distance[to] < 0
        to, of = to[open_ends], of[open_ends]
        step = distance[of] == hops
        ends, starts = to[step], of[step]
        if not len(ends):
            break
        runs = np.flatnonzero(np.concatenate(([True], ends[1:] != ends[:-1])))
        hops += 1
        reached = ends[runs]
        distance[reached] = hops
        for mask in masks:
            mask[reached] = np.bitwise_or.reduceat(mask[starts], runs)
    return Routes(snapshot.generation, neighbours.tolist(), distance, low, high)  # type: ignore[arg-type]
