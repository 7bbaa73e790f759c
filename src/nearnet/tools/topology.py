"""Shapes of small networks: who is linked to whom, and which two nodes are farthest apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence

__all__ = ["TOPOLOGIES", "distances", "link_dialects", "links", "longest_route", "routes"]

TOPOLOGIES = ("mesh", "ring", "line", "star", "random")


def links(topology: str, nodes: int, rng: random.Random) -> list[tuple[int, int]]:
    """Each link once, the lower number first. `random`: a random tree, and half as many links again."""
    numbers = range(nodes)
    match topology:
        case "mesh":
            pairs = {(low, high) for high in numbers for low in range(high)}
        case "ring":
            pairs = {_ordered(one, (one + 1) % nodes) for one in numbers if nodes > 1}
        case "line":
            pairs = {(one - 1, one) for one in numbers[1:]}
        case "star":
            pairs = {(0, one) for one in numbers[1:]}
        case _:
            pairs = {(rng.randrange(one), one) for one in numbers[1:]}
            more = sorted({(low, high) for high in numbers for low in range(high)} - pairs)
            pairs |= set(rng.sample(more, min(len(more), nodes // 2)))
    return sorted(pairs)


def link_dialects(pairs: Iterable[tuple[int, int]], dialects: Sequence[str]) -> dict[tuple[int, int], str]:
    """What each link speaks: the dialects in turn, but every borsh link is next to one of another dialect.

    For only a bridge, which has links of both, gives a documented-era link the nonce that protobuf nodes take.
    """
    spoken = {pair: dialects[turn % len(dialects)] for turn, pair in enumerate(pairs)}
    other = next((dialect for dialect in dialects if dialect != "borsh"), "borsh")
    bridged = {node for pair, dialect in spoken.items() if dialect != "borsh" for node in pair}
    for pair, dialect in spoken.items():
        if dialect == "borsh" and not bridged.intersection(pair):
            spoken[pair] = other
            bridged.update(pair)
    return spoken


def _ordered(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)


def distances(pairs: Iterable[tuple[int, int]], start: int) -> dict[int, int]:
    """Links on the shortest way to each node that can be reached, `start` itself with 0."""
    near: dict[int, list[int]] = {}
    for low, high in pairs:
        near.setdefault(low, []).append(high)
        near.setdefault(high, []).append(low)
    found, queue = {start: 0}, [start]
    for one in queue:
        for other in near.get(one, ()):
            if other not in found:
                found[other] = found[one] + 1
                queue.append(other)
    return found


def longest_route(pairs: Iterable[tuple[int, int]], nodes: int) -> tuple[int, int]:
    """Two nodes whose shortest way is the longest of all; the lowest numbers where several are."""
    pairs = list(pairs)
    ways = ((far, start, end) for start in range(nodes) for end, far in distances(pairs, start).items())
    _, start, end = max(ways, key=lambda way: (way[0], -way[1], -way[2]))
    return start, end


def routes(pairs: Iterable[tuple[int, int]], start: int) -> dict[int, tuple[int, tuple[int, ...]]]:
    """What the routing table of `start` must hold: distance and all next hops on shortest ways, by destination."""
    pairs = list(pairs)
    found = distances(pairs, start)
    near = sorted(one for one, far in found.items() if far == 1)
    from_near = {one: distances(pairs, one) for one in near}
    return {
        end: (far, tuple(one for one in near if from_near[one].get(end) == far - 1))
        for end, far in found.items()
        if end != start
    }
