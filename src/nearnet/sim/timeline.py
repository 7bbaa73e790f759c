"""What is to happen, in the order of time, and chance: both from one seed.

Nothing ticks. The queue holds what is to happen, and time is that of the next event.
"""

from __future__ import annotations

import gc
import heapq
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Timeline", "TooBusy"]

_MOST_AT_ONCE = 20_000
"""Events of one moment: with more, somebody asks again and again for what is due at once."""

_COLLECT_EVERY = 500_000
"""Events between two collections of cyclic garbage: left alone, the collector takes 15 % of the time for nothing."""


@contextmanager
def _without_collector() -> Iterator[None]:
    """Inside, garbage in cycles (closed connections and their timers) is collected only when asked for."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class TooBusy(AssertionError):
    """More events than the run may take, or one moment of it: something goes round and round."""


class Timeline:
    """The time of a world, in seconds from 0, and its queue of events."""

    def __init__(self, seed: int = 0) -> None:
        """All randomness comes from `seed`, through `random(name)`."""
        self.seed = seed
        self.time = 0.0
        self.events = 0
        """How many things have happened."""
        self.most_events: float = float("inf")
        """With more events than this, `run` raises `TooBusy`."""
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0

    def random(self, name: str) -> random.Random:
        """Return a random source of its own for whatever has this name."""
        return random.Random(f"{self.seed} {name}")

    def at(self, time: float, call: Callable[[], None]) -> None:
        """Have something happen at a time of the world."""
        self._sequence += 1
        heapq.heappush(self._queue, (time, self._sequence, call))

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Have something happen so many seconds from now."""
        self.at(self.time + seconds, call)

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Let so much time pass, or less when `until` holds; return whether it did. It is asked after each event.

        Raises `TooBusy` for more than `most_events` events, or 20 000 in one moment.
        """
        end = self.time + seconds
        queue, last_moment = self._queue, self.events
        with _without_collector():
            if until is not None and until():
                return True
            while queue and queue[0][0] <= end:
                time, _, call = heapq.heappop(queue)
                if time > self.time:
                    self.time, last_moment = time, self.events
                self.events += 1
                if self.events > self.most_events or self.events - last_moment > _MOST_AT_ONCE:
                    raise TooBusy(f"{self.events} events by {self.time:.3f} s")
                if not self.events % _COLLECT_EVERY:
                    gc.collect()
                call()
                if until is not None and until():
                    return True
            self.time = max(self.time, end)
        return False
