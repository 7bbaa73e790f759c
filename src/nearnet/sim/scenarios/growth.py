"""Networks of any size (`--nodes`): they grow one by one, stand still, fall apart, lose members all the time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from nearnet.sim.conditions import AllAgree
from nearnet.sim.steps import Connect, Crash, Cut, Heal, Restart, Scenario, Start, Step, Stop, Wait, Within

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ALL", "LEAST", "MOST", "links_of", "wiring"]

LEAST, MOST = 6, 8
"""Connections that a node comes to have."""

_APART = 0.02
"""Seconds between two joins."""


def wiring(nodes: int) -> list[list[int]]:
    """For each node in turn, whom it dials when it joins: a random graph of 6 to 8 connections each."""
    rng = random.Random(f"wiring {nodes}")
    degree = [0] * nodes
    dials: list[list[int]] = [[] for _ in range(nodes)]
    for node in range(1, nodes):
        room = [other for other in range(node) if degree[other] < MOST]
        for other in rng.sample(room, min(3 + node % 2, len(room))):
            dials[node].append(other)
            degree[node] += 1
            degree[other] += 1
    for node in range(nodes):  # Those who joined late dial whoever has few, to come to the least as well.
        room = [
            other
            for other in range(nodes)
            if other != node and degree[other] < MOST and other not in dials[node] and node not in dials[other]
        ]
        few = sorted(room, key=lambda other: (degree[other], other))[: max(0, LEAST - degree[node])]
        for other in few:
            dials[max(node, other)].append(min(node, other))
            degree[node] += 1
            degree[other] += 1
    return dials


def links_of(dials: list[list[int]]) -> list[tuple[int, int]]:
    """The links of a wiring."""
    return [(node, other) for node, others in enumerate(dials) for other in others]


def _joins(nodes: int) -> Iterator[Step]:
    for node, others in enumerate(wiring(nodes)):
        yield Start(node)
        yield from (Connect(node, other) for other in others)
        yield Wait(_APART)


def _scenario(name: str, title: str, nodes: int, more: tuple[Step, ...]) -> Scenario:
    return Scenario(
        name,
        title,
        nodes=nodes,
        later=tuple(range(nodes)),
        steps=(*_joins(nodes), Within(120, AllAgree()), *more),
        quiet=nodes <= 100,
        scaled=_BUILDERS[name],
    )


def _join(nodes: int) -> Scenario:
    return _scenario("join", "nodes join one by one until all hold the same graph", nodes, ())


def _quiet(nodes: int) -> Scenario:
    return _scenario("quiet hour", "a network in which nothing happens for an hour", nodes, (Wait(3600),))


def _leave(nodes: int) -> Scenario:
    return _scenario(
        "leave", "one node leaves; the others agree again", nodes, (Stop(nodes // 2), Within(120, AllAgree()))
    )


def _split(nodes: int) -> Scenario:
    half = tuple(range(nodes // 2))
    rest = tuple(range(nodes // 2, nodes))
    again = tuple(Connect(node, other) for node, other in links_of(wiring(nodes)))
    steps = (Cut(half, rest), Wait(80), Heal(), *again, Within(120, AllAgree()))
    return _scenario("halves", "a network falls into two halves for 80 s and is joined again", nodes, steps)


def _churn(nodes: int) -> Scenario:
    rng = random.Random(f"churn {nodes}")
    dials = wiring(nodes)
    linked: dict[int, list[int]] = {node: [] for node in range(nodes)}
    for node, other in links_of(dials):
        linked[node].append(other)
        linked[other].append(node)
    pause = 60.0 / max(1.0, nodes / 100)
    steps: list[Step] = []
    for _ in range(max(1, nodes // 100) * 5):
        node = rng.randrange(nodes)
        steps += [Crash(node), Wait(pause / 2), Restart(node), *(Connect(node, other) for other in linked[node])]
        steps.append(Wait(pause / 2))
    return _scenario(
        "churn rate", "one in a hundred nodes is killed and comes back each minute, for five", nodes, tuple(steps)
    )


_BUILDERS = {"join": _join, "quiet hour": _quiet, "leave": _leave, "halves": _split, "churn rate": _churn}

ALL = tuple(build(30) for build in _BUILDERS.values())
