"""Timelines made from the seed: anything may happen to anybody, then the network must come to rest in order."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nearnet.sim.generations import GENERATIONS
from nearnet.sim.network import Conditions, Latency
from nearnet.sim.raw import RawHandshake, RawOpen, RawRouted
from nearnet.sim.steps import (
    Announce,
    Ban,
    Connect,
    Crash,
    Cut,
    Disconnect,
    Heal,
    JumpClock,
    Pause,
    Ping,
    Restart,
    Resume,
    Scenario,
    Send,
    Setup,
    Snap,
    Step,
    Stop,
    Stuck,
    Unban,
    Vanish,
    Wait,
)
from nearnet.wire.routed_body import UNVERIFIED_IN_2025

if TYPE_CHECKING:
    import random

__all__ = ["ALL", "cast", "timeline", "under_attack"]

_LENGTH = 60
"""Steps of a timeline."""

_LONGEST = 20.0
_WRONG = 140.0
"""Most seconds by which a wall clock is wrong, so that any two are within the five minutes by which an edge's nonce may
be ahead. A node further ahead is connected, but nodes of 2026 drop its edges (`network-2026.md` §4)."""

_WEIGHTS = {
    "connect": 8,
    "ping": 8,
    "send": 6,
    "disconnect": 3,
    "snap": 4,
    "stop": 2,
    "crash": 4,
    "vanish": 1,
    "restart": 8,
    "pause": 2,
    "resume": 3,
    "cut": 3,
    "heal": 3,
    "ban": 1,
    "unban": 1,
    "stuck": 1,
    "jump": 1,
    "announce": 2,
}


def timeline(rng: random.Random, nodes: int) -> tuple[Step, ...]:
    """Steps from a seed; at the end everybody is up."""
    steps: list[Step] = []
    wrong = [0.0] * nodes
    kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    for number in range(_LENGTH):
        (kind,) = rng.choices(kinds, weights)
        steps.append(_jump(rng, wrong) if kind == "jump" else _step(kind, rng, nodes, number))
        if rng.random() < 0.6:
            steps.append(Wait(round(rng.choice((0.0, 0.02, 0.3, 2.0, _LONGEST)) * rng.random(), 4)))
    steps.append(Heal())
    for node in range(nodes):
        steps += [Resume(node), Restart(node)]
    steps += [Connect(node, (node + 1) % nodes) for node in range(nodes)]
    return tuple(steps)


def _jump(rng: random.Random, wrong: list[float]) -> JumpClock:
    """Some machine slept for a while, or its clock was set; `wrong` is how far each is off."""
    node, mono = rng.randrange(len(wrong)), rng.choice((0.0, 30.0))
    wall = round(rng.uniform(-_WRONG, _WRONG) - wrong[node] - mono, 3)
    wrong[node] += wall + mono
    return JumpClock(node, wall, mono)


def _step(kind: str, rng: random.Random, nodes: int, number: int) -> Step:
    a, b = rng.sample(range(nodes), 2)
    match kind:
        case "connect":
            return Connect(a, b)
        case "ping":
            return Ping(a, b)
        case "send":
            return Send(a, b, number // 4, times=1 + number % 2)
        case "disconnect":
            return Disconnect(a, b)
        case "snap":
            return Snap(a, b)
        case "restart":
            return Restart(a, store=rng.random() < 0.8, new_key=rng.random() < 0.1)
        case "cut":
            some = tuple(sorted(rng.sample(range(nodes), rng.randrange(1, nodes))))
            others = tuple(node for node in range(nodes) if node not in some)
            return Cut(some, others, both_ways=rng.random() < 0.7)
        case "heal":
            return Heal()
        case "ban":
            return Ban(a, b, seconds=round(rng.uniform(1.0, 40.0), 3))
        case "unban":
            return Unban(a, b)
        case "stuck":
            return Stuck(a, b)
        case "announce":
            return Announce(a, f"account{number}.near")
        case _:
            alone: dict[str, type[Stop | Crash | Vanish | Pause | Resume]] = {
                "stop": Stop,
                "crash": Crash,
                "vanish": Vanish,
                "pause": Pause,
                "resume": Resume,
            }
            return alone[kind](a)


_BASE = Scenario(
    "chaos",
    "five nodes to which anything may happen, by the seed; then all must come to rest in order",
    nodes=5,
    setup=Setup(dials=True, boot=(0, 1)),
    conditions=Conditions(Latency(0.02, 0.8), jitter=0.5),
    steps=(),
    generate=timeline,
)


def _sized(base: Scenario, nodes: int) -> Scenario:
    return replace(base, nodes=nodes)


_ATTACKS = 6
_FORGERIES = 4
_BURSTS = 2
_NEWS = 30
_UNVERIFIED = sorted(UNVERIFIED_IN_2025)

_OURS = Setup(dials=True, boot=(0, 1), nearnet={"dialect": "auto"})
_REFERENCE = {year: Setup(dials=True, boot=(0, 1), generation=year) for year in GENERATIONS}


def cast(rng: random.Random, nodes: int) -> dict[int, Setup]:
    """Draw who is a node of which year.

    Nodes 0 and 1, which all the others dial at first, are ours. Node 2 is of 2025. There is one node of each year.
    """
    others = [year for year in GENERATIONS if year != 2025]
    years = [*others, *rng.choices([*GENERATIONS, None], k=max(0, nodes - 3 - len(others)))]
    rng.shuffle(years)
    drawn = dict(enumerate([2025, *years][: nodes - 2], 2))
    return {node: _REFERENCE[year] for node, year in drawn.items() if year is not None}


def under_attack(rng: random.Random, nodes: int) -> tuple[Step, ...]:
    """Return a timeline with bursts of news, in which strangers send forged tier-1 messages to node 2.

    That is a node of 2025, which passes them on unverified.
    """
    steps = list(timeline(rng, nodes))
    for number in range(_ATTACKS if nodes > 2 else 0):
        name = f"attacker{number}"
        forged = [
            RawRouted(name, rng.randrange(nodes), rng.choice(_UNVERIFIED), forged=True, author=f"{name} {count}")
            for count in range(_FORGERIES)
        ]
        at = rng.randrange(len(steps))
        steps[at:at] = [RawOpen(name, 2, dialect="protobuf"), RawHandshake(name), Wait(0.5), *forged]
    for number in range(_BURSTS):
        at = rng.randrange(len(steps))
        steps[at:at] = _burst(rng, nodes, number)
    return tuple(steps)


def _burst(rng: random.Random, nodes: int, number: int) -> list[Step]:
    """Much news in a short time, from everywhere."""
    steps: list[Step] = []
    for count in range(_NEWS):
        steps += [Announce(rng.randrange(nodes), f"burst{number}.account{count}.near"), Wait(rng.choice((0.05, 0.2)))]
    return steps


_VARIANTS = (
    _BASE,
    replace(
        _BASE,
        name="chaos without dials",
        title="the same where nobody dials by himself",
        setup=Setup(),
    ),
    replace(
        _BASE,
        name="chaos of the crowded",
        title="the same among eight nodes of at most three peers",
        nodes=8,
        setup=Setup(dials=True, boot=(0, 1), network={"max_num_peers": 3}),
    ),
    replace(
        _BASE,
        name="chaos in protobuf",
        title="the same with the protobuf dialect",
        setup=Setup(dials=True, boot=(0, 1), nearnet={"dialect": "protobuf"}),
    ),
    replace(
        _BASE,
        name="chaos of two dialects",
        title="the same where some speak the protobuf dialect first, some the documented era's only",
        setup=Setup(dials=True, boot=(0, 1), nearnet={"dialect": "auto"}),
        setups={2: Setup(dials=True, boot=(0, 1)), 3: Setup(dials=True, boot=(0, 1))},
    ),
    replace(
        _BASE,
        name="chaos of generations",
        title="the same where ours join reference nodes of 2022, 2025 and 2026, and strangers forge tier-1 messages",
        nodes=7,
        setup=_OURS,
        cast=cast,
        generate=under_attack,
    ),
)

ALL = tuple(replace(base, scaled=partial(_sized, base)) for base in _VARIANTS)
