"""Garbage collection of a daemon: seldom through all that lives, never in the midst of much work."""

from __future__ import annotations

import asyncio
import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FULL_COLLECTION", "YOUNG", "collecting_seldom"]

FULL_COLLECTION = 600.0
"""Seconds between two full collections. By itself Python makes one whenever a quarter more objects live, and looks
through every edge: 0.1 s for a million, just while they come in. What it is there for is rare: nothing that a
connection leaves behind is a cycle."""

YOUNG = 20_000
"""Objects more than before, from which on those are looked through that came last: a millisecond of work. By itself
Python looks at each 700, most of which are in use for the moment and gone soon after. A large table comes in 2 to 5 %
faster so."""

_NEVER = 2**31 - 1


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Inside, what there was before is not looked through, what comes is only while it is young, and every
    `FULL_COLLECTION` seconds. For a process that this loop has to itself.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(YOUNG, thresholds[1], _NEVER)
    gc.enable()
    loop = asyncio.get_running_loop()
    timer = loop.call_later(FULL_COLLECTION, lambda: collect())

    def collect() -> None:
        nonlocal timer
        gc.collect()
        timer = loop.call_later(FULL_COLLECTION, collect)

    try:
        yield
    finally:
        timer.cancel()
        gc.set_threshold(*thresholds)
        gc.unfreeze()
