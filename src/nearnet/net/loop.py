"""The event loop: uvloop where it is installed, asyncio's otherwise."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["run_on_best_loop"]

T = TypeVar("T")


def run_on_best_loop(main: Coroutine[None, None, T]) -> T:
    """Run `main` to its end on a loop of its own."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
