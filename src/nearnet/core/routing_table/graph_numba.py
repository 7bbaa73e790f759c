"""Shortest paths as one plain loop over numbers, which numba (the extra `fast`) makes ten times as fast as numpy.

Nothing here is Python's alone: no object, no list, no dict, so that it compiles; and it runs as it stands, for tests.
"""

from __future__ import annotations

from array import array
from functools import cache
from typing import Any

import numpy as np

from nearnet.numba_loops import compile_loop

__all__ = ["breadth_first", "compiled"]


@cache
def compiled() -> Any:
    """`breadth_first` compiled, None without numba: see `compile_loop`."""
    one_edge = [np.frombuffer(array("I", [peer]), np.uint32) for peer in (0, 1)]
    return compile_loop(breadth_first, *one_edge, np.frombuffer(b"\1", np.uint8), 2, 128, calls=(_adjacency,))


def _adjacency(first: Any, second: Any, active: Any, count: int) -> Any:
    """Who is next to whom: those next to peer `n` are at ``start[n]`` to ``start[n + 1]``."""
    start = np.zeros(count + 2, np.uint32)
    for slot in range(len(active)):
        if active[slot]:
            start[first[slot] + 2] += 1
            start[second[slot] + 2] += 1
    for peer in range(2, count + 2):
        start[peer] += start[peer - 1]
    adjacent = np.empty(start[count + 1], np.uint32)
    for slot in range(len(active)):
        if active[slot]:
            a, b = first[slot], second[slot]
            adjacent[start[a + 1]] = b
            start[a + 1] += 1
            adjacent[start[b + 1]] = a
            start[b + 1] += 1
    return start, adjacent


def breadth_first(first: Any, second: Any, active: Any, count: int, most: int) -> Any:
    """Of a snapshot's arrays: neighbors (at most `most`), distances (-1: no way), low and high words of the masks."""
    start, adjacent = _adjacency(first, second, active, count)
    neighbors = np.sort(adjacent[start[0] : start[1]])[:most]
    distance = np.full(count, -1, np.int32)
    low, high = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    queue = np.empty(count, np.uint32)
    end = len(neighbors)
    distance[0] = 0
    for bit in range(end):
        peer = neighbors[bit]
        queue[bit] = peer
        distance[peer] = 1
        if bit < 64:
            low[peer] = np.uint64(1) << np.uint64(bit)
        else:
            high[peer] = np.uint64(1) << np.uint64(bit - 64)
    first_found = end
    at = 0
    while at < end and end + 1 < count:
        peer = queue[at]
        at += 1
        for place in range(start[peer], start[peer + 1]):
            other = adjacent[place]
            if distance[other] < 0:
                distance[other] = distance[peer] + 1
                queue[end] = other
                end += 1
    # Each takes the masks of those before it, by a choice that compiles to no branch: a wrong guess for every other
    # edge, as in a dense graph, costs more than to look at each twice.
    for at in range(first_found, end):
        peer = queue[at]
        before = distance[peer] - 1
        low_mask = high_mask = np.uint64(0)
        for place in range(start[peer], start[peer + 1]):
            other = adjacent[place]
            is_before = distance[other] == before
            low_mask |= low[other] if is_before else np.uint64(0)
            if first_found > 64:
                high_mask |= high[other] if is_before else np.uint64(0)
        low[peer], high[peer] = low_mask, high_mask
    return neighbors, distance, low, high
