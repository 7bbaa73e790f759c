"""What spreads: accounts, edges, whole tables, components on disk (`scenarios.md` 6, 30, 42, 45, 60, 61)."""

from __future__ import annotations

from nearnet.sim.conditions import Accounts, AllAgree, Connected, EdgeCount, Routes, Validations
from nearnet.sim.steps import (
    Always,
    Announce,
    Connect,
    Crash,
    Preload,
    Restart,
    Scenario,
    Setup,
    Stop,
    Wait,
    Within,
)

__all__ = ["ALL", "TABLES"]

TABLES = (
    (3, 3, 0, 5),
    (3, 0, 0, 5),
    (0, 3, 0, 5),
    (25_000, 25_000, 0, 15),
    (1, 11, 0, 5),
    (1, 1, 50_000, 15),
    (10_000, 10_000, 0, 15),
)
"""Edges that only node 0 knows, only node 1, both; and the seconds in which the tables are to be equal."""


def _tables(case: int) -> Scenario:
    left, right, common, seconds = TABLES[case]
    total = left + right + common + 1
    return Scenario(
        f"tables {case + 1}",
        f"two nodes with {left} and {right} edges of their own, {common} in common: equal tables, then pruned to one",
        number=45 if case == 0 else None,
        nodes=2,
        steps=(
            Preload((0,), left, "left"),
            Preload((1,), right, "right"),
            Preload((0, 1), common, "common"),
            Connect(0, 1),
            Within(seconds, EdgeCount(0, total), EdgeCount(1, total)),
            Wait(7300),
            Within(10, EdgeCount(0, 1), EdgeCount(1, 1)),
        ),
    )


ALL = (
    Scenario(
        "accounts",
        "after 0-1 node 1 knows both accounts; a late node 2 learns both from 0",
        number=6,
        nodes=3,
        real=True,
        steps=(
            Announce(0, "zero.near"),
            Announce(1, "one.near"),
            Connect(0, 1),
            Within(15, Accounts(1, (("zero.near", 0), ("one.near", 1)))),
            Connect(2, 0),
            Within(15, Accounts(2, (("zero.near", 0), ("one.near", 1)))),
        ),
    ),
    Scenario(
        "announced twice",
        "the same account for the same epoch announced from both sides: the node between judges it once",
        number=30,
        nodes=3,
        real=True,
        steps=(
            Connect(0, 1),
            Connect(1, 2),
            Within(15, Connected(0, 1), Connected(1, 2)),
            Wait(1.5),
            Announce(0, "zero.near"),
            Within(2, Validations(1, 1), Validations(2, 1)),
            Announce(2, "zero.near", serving=0),
            Always(0.8, Validations(0, 0), Validations(1, 1), Validations(2, 1)),
        ),
    ),
    Scenario(
        "a new key in a new epoch",
        "a validator comes back with a new node key and announces it for a new epoch: all route to the new key",
        number=42,
        nodes=3,
        steps=(
            Connect(0, 1),
            Connect(1, 2),
            Announce(2, "two.near", epoch=1),
            Within(15, Accounts(0, (("two.near", 2),))),
            Stop(2),
            Restart(2, store=False, new_key=True),
            Connect(2, 1),
            Within(5, Connected(1, 2)),
            Announce(2, "two.near", epoch=2),
            Within(15, Accounts(0, (("two.near", 2),)), Accounts(1, (("two.near", 2),)), Routes(0, {1: [1], 2: [1]})),
        ),
    ),
    *(_tables(case) for case in range(len(TABLES))),
    Scenario(
        "forgotten edges",
        "a node that lost its store and its links sees its old edges told as active: it signs their removal",
        number=60,
        nodes=4,
        steps=(
            Connect(0, 1),
            Connect(1, 2),
            Connect(0, 2),
            Connect(2, 3),
            Within(15, AllAgree()),
            Crash(1),
            Restart(1, store=False),
            Connect(1, 3),
            Within(20, AllAgree(), Routes(0, {1: [2], 2: [2], 3: [2]}), Routes(1, {0: [3], 2: [3], 3: [3]})),
        ),
    ),
    Scenario(
        "accounts on disk",
        "announcements that lie in the database are told again after a restart",
        number=61,
        nodes=3,
        steps=(
            Connect(0, 1),
            Announce(0, "zero.near"),
            Within(15, Accounts(1, (("zero.near", 0),))),
            Wait(2),
            Stop(0),
            Stop(1),
            Restart(1),
            Connect(1, 2),
            Within(15, Accounts(2, (("zero.near", 0),))),
        ),
    ),
    Scenario(
        "counted anew",
        "components that were pruned before and after a restart do not mix",
        nodes=4,
        setup=Setup(nearnet={"timing": {"prune_unreachable_after": 3, "prune_check_after": 3}}),
        steps=(
            Connect(0, 1),
            Connect(1, 2),
            Connect(0, 3),
            Within(15, AllAgree()),
            Stop(2),
            Within(10, EdgeCount(0, 2)),
            Stop(0),
            Wait(5),
            Restart(0),
            Connect(0, 1),
            Within(15, Routes(0, {1: [1]})),
            Restart(2),
            Connect(2, 1),
            Within(15, Routes(0, {1: [1], 2: [1]})),
        ),
    ),
)
