"""Makes a failing timeline short: steps that the failure does not need are left out (delta debugging)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from nearnet.sim.play import play

if TYPE_CHECKING:
    from nearnet.sim.play import Result
    from nearnet.sim.steps import Step

__all__ = ["MOST_TRIES", "kind_of", "shrink"]

MOST_TRIES = 300
"""Runs that a shrinking may take."""


def kind_of(failure: str) -> str:
    """What a failure is called: the invariant, the fault's place, or ``expectation``; times and nodes left out."""
    if failure.startswith("at "):
        return "expectation"
    return re.sub(r"[\d.]+", "N", failure.partition(":")[0])


def shrink(result: Result, explore: bool) -> tuple[Result, int]:
    """The shortest timeline found that fails in the same way with the same seed, and how many runs that took.

    `result` must be a failed one, of a scenario whose steps are written down (`written`).
    """
    tries = 0
    best = result
    size = max(1, len(best.scenario.steps) // 2)
    while tries < MOST_TRIES:
        at, smaller = 0, False
        while at < len(best.scenario.steps) and tries < MOST_TRIES:
            steps = best.scenario.steps[:at] + best.scenario.steps[at + size :]
            tries += 1
            tried = _try(result, steps, explore)
            if tried is not None:
                best, smaller = tried, True
            else:
                at += size
        if size == 1 and not smaller:
            break
        size = max(1, size // 2)
    return best, tries


def _try(result: Result, steps: tuple[Step, ...], explore: bool) -> Result | None:
    tried = play(replace(result.scenario, steps=steps), result.seed, explore)
    assert result.failure is not None
    same = tried.failure is not None and kind_of(tried.failure) == kind_of(result.failure)
    return tried if same else None
