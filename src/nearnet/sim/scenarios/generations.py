"""Nodes of ours among reference nodes of 2022, 2025 and 2026 (`network-2026.md`; `sim/generations.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.sim.conditions import (
    Accounts,
    AllAgree,
    Connected,
    Dropped,
    EdgeCount,
    Events,
    Heard,
    NotConnected,
    Pings,
    RoutedDrops,
)
from nearnet.sim.raw import RawHandshake, RawOpen, RawRouted, RawTable
from nearnet.sim.steps import (
    Always,
    Announce,
    Connect,
    Disconnect,
    Ping,
    Scenario,
    Setup,
    Step,
    Stop,
    Wait,
    Within,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ALL"]

_OURS = Setup(nearnet={"dialect": "auto"})
_OF_2022, _OF_2025, _OF_2026 = (Setup(generation=year) for year in (2022, 2025, 2026))
_OF_LATER = Setup(generation=2026, nearnet={"protocol_versions": {"protobuf": [120, 119]}})

_ENDORSEMENT = 24
"""A body that nodes of 2025 pass on without a check of its signature."""

_CHANGES = 40
_TELLERS = 8
_TELLING = 5.0


def _nothing_refused(*nodes: int) -> tuple[Dropped, ...]:
    """These nodes of 2026 took all that they were sent."""
    rules = ("table rate", "table edges", "table accounts", "rate", "edge ahead", "nonce ahead", "forged")
    return tuple(Dropped(node, rule) for node in nodes for rule in rules)


def _nobody_bans(nodes: int) -> tuple[Events, ...]:
    return tuple(Events(node, "banned", most=0) for node in range(nodes))


def _news() -> Iterator[Step]:
    """40 changes in 5 s from nodes 2 to 9: each announces, and each pair of neighbors makes and breaks a link."""
    for number in range(_CHANGES):
        teller, turn = 2 + number % _TELLERS, number // _TELLERS
        if turn in (1, 3) and teller % 2 == 0:
            yield Connect(teller, teller + 1) if turn == 1 else Disconnect(teller, teller + 1)
        else:
            yield Announce(teller, f"account{number}.near")
        yield Wait(_TELLING / _CHANGES)


_NEWS = tuple(_news())
_ANNOUNCED = tuple((step.account, step.node) for step in _NEWS if isinstance(step, Announce))
_SPOKEN_FOR = tuple((f"node{node}.near", node) for node in (0, 2, 4, 5, 6))
_HELLO = (RawOpen("A", 0, dialect="protobuf"), RawHandshake("A"), Within(2, Heard("A", "Handshake*")))

ALL = (
    Scenario(
        "three generations",
        "nodes of ours join nodes of 2022, 2025 and 2026: all hold the same edges and announcements, pings cross",
        nodes=7,
        setup=_OURS,
        setups={0: _OF_2022, 2: _OF_2025, 4: _OF_2026, 5: _OF_2022, 6: _OF_2026},
        steps=(
            Connect(0, 1),
            Connect(1, 2),
            Connect(3, 2),
            Connect(3, 4),
            Connect(3, 5),
            Connect(6, 1),
            Within(30, AllAgree()),
            *(Announce(node, account) for account, node in _SPOKEN_FOR),
            Within(15, *(Accounts(node, _SPOKEN_FOR) for node in range(7))),
            *(Ping(node, to) for node, to in ((0, 4), (4, 0), (5, 6), (6, 5), (2, 0))),
            Within(5, *(Pings(node, pongs=1) for node in (0, 2, 4, 5, 6))),
            Wait(2000),
            Within(5, AllAgree()),
            Stop(5),
            Within(20, AllAgree()),
            Within(0, *_nothing_refused(4, 6), *_nobody_bans(7)),
        ),
    ),
    Scenario(
        "far from the bridge",
        "a link between two nodes of 2022 is a counter: a node of ours knows it, one of 2026 behind that does not",
        nodes=4,
        setup=_OURS,
        setups={0: _OF_2022, 1: _OF_2022, 3: _OF_2026},
        steps=(
            Connect(0, 1),
            Connect(1, 2),
            Connect(2, 3),
            Within(30, EdgeCount(0, 3), EdgeCount(1, 3), EdgeCount(2, 3), EdgeCount(3, 2)),
            Wait(2),
            Ping(2, 0),
            Ping(0, 3),
            Within(5, Pings(2, pongs=1), Pings(0, pongs=1)),
        ),
    ),
    Scenario(
        "a burst of news",
        "eight peers tell 40 changes in 5 s: all of them reach a node of 2026 behind one of ours, which drops none",
        nodes=2 + _TELLERS,
        setup=_OURS,
        setups={1: _OF_2026, **dict.fromkeys(range(3, 2 + _TELLERS, 2), _OF_2025)},
        steps=(
            *(Connect(node, 0) for node in range(1, 2 + _TELLERS)),
            Within(15, AllAgree()),
            Wait(15),
            *_NEWS,
            Within(15, Accounts(1, _ANNOUNCED), AllAgree()),
            Within(0, *_nothing_refused(1)),
        ),
    ),
    Scenario(
        "a forged endorsement",
        "a node of 2025 passes a forged tier-1 message on: ours drops it, so one of 2026 bans nobody, nor do we",
        nodes=3,
        setup=_OURS,
        setups={0: _OF_2025, 2: _OF_2026},
        steps=(
            Connect(0, 1),
            Connect(1, 2),
            Within(15, AllAgree()),
            *_HELLO,
            RawRouted("A", 2, _ENDORSEMENT),
            RawRouted("A", 2, _ENDORSEMENT, forged=True, author="a validator"),
            Within(5, RoutedDrops(1, "VersionedChunkEndorsement", "InvalidSignature", 1)),
            Always(5, Connected(0, 1), Connected(1, 2), *_nobody_bans(3), *_nothing_refused(2)),
            Within(0, RoutedDrops(2, "VersionedChunkEndorsement", "InvalidSignature", 0)),
        ),
        quiet=False,
    ),
    Scenario(
        "versions of later",
        "ours connects with nodes that take 84 to 87 and with nodes that take 119 to 120 only, whoever dials",
        nodes=4,
        setup=_OURS,
        setups={1: _OF_2026, 2: _OF_LATER},
        steps=(
            Connect(0, 1),
            Connect(0, 2),
            Connect(1, 3),
            Connect(2, 3),
            Connect(1, 2),
            Within(15, Connected(0, 1), Connected(0, 2), Connected(1, 3), Connected(2, 3), AllAgree()),
            Always(30, NotConnected(1, 2)),
            Within(0, *_nobody_bans(4), *_nothing_refused(1, 2)),
        ),
    ),
    Scenario(
        "edges ahead",
        "edges 200 s ahead of the present are told on, edges 420 s ahead are not: a node of 2026 would drop them",
        nodes=4,
        setup=_OURS,
        setups={1: _OF_2026, 2: _OF_2022, 3: _OF_2025},
        steps=(
            *(Connect(node, 0) for node in (1, 2, 3)),
            Within(15, AllAgree()),
            *_HELLO,
            RawTable("A", 4, ahead=420.0),
            Wait(5),
            RawTable("A", 4, ahead=200.0),
            Within(5, *(EdgeCount(node, 10) for node in range(4))),
            Within(0, *_nobody_bans(4), *_nothing_refused(1)),
        ),
        quiet=False,
    ),
    Scenario(
        "keys to come",
        "a table with keys of the third type: its other edges reach everybody, and no node loses a table over it",
        nodes=4,
        setup=_OURS,
        setups={1: _OF_2026, 2: _OF_2022, 3: _OF_2025},
        steps=(
            *(Connect(node, 0) for node in (1, 2, 3)),
            Within(15, AllAgree()),
            *_HELLO,
            RawTable("A", 4, ahead=0.0, third_keys=2),
            Within(5, *(EdgeCount(node, 10) for node in range(4))),
            Always(5, Dropped(2, "third key"), Dropped(3, "third key"), *_nobody_bans(4), *_nothing_refused(1)),
        ),
        quiet=False,
    ),
)
