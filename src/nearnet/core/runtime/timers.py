"""Deadlines of the core: one heap, run by whoever drives it (document §7.1, §8.5, §9.1 name the periodic ones).

Nothing ticks: work is armed only when there is some, and the intervals of `behaviour.md` are least distances.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from nearnet.core.runtime.clock import Now

__all__ = ["Timer", "Timers"]


_LEAST_SIFTED = 256
"""Fewer deadlines are not worth a look for cancelled ones."""


class Timer:
    """One armed deadline; `cancel()` makes it void."""

    __slots__ = ("call", "deadline")

    def __init__(self, deadline: float, call: Callable[[Now], None]) -> None:
        self.deadline = deadline
        self.call: Callable[[Now], None] | None = call

    def cancel(self) -> None:
        """Never run it; harmless when it has run."""
        self.call = None

    @property
    def armed(self) -> bool:
        """Whether it is still to run."""
        return self.call is not None


class Timers:
    """A heap of deadlines in seconds of the monotonic clock; equal deadlines run in the order of their arming."""

    __slots__ = ("_heap", "_sequence", "_sift_at")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._sequence = 0
        self._sift_at = _LEAST_SIFTED

    def at(self, deadline: float, call: Callable[[Now], None]) -> Timer:
        """Run `call(now)` at the first `run` that is not before `deadline`."""
        timer = Timer(deadline, call)
        self._sequence += 1
        if len(self._heap) >= self._sift_at:
            self._sift()
        heapq.heappush(self._heap, (deadline, self._sequence, timer))
        return timer

    def _sift(self) -> None:
        """Let go of cancelled ones, some of which are hours away: at most as many are left as are armed."""
        self._heap = [item for item in self._heap if item[2].armed]
        heapq.heapify(self._heap)
        self._sift_at = max(_LEAST_SIFTED, 2 * len(self._heap))

    def next(self) -> float | None:
        """The earliest deadline still armed, or None."""
        while self._heap and not self._heap[0][2].armed:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run(self, now: Now) -> None:
        """Run all that is due. What they arm for the same moment waits for the next call, so that this one ends."""
        last = self._sequence
        again: list[tuple[float, int, Timer]] = []
        try:
            while self._heap and self._heap[0][0] <= now.mono:
                item = heapq.heappop(self._heap)
                if item[1] > last:
                    again.append(item)
                    continue
                call, item[2].call = item[2].call, None
                if call is not None:
                    call(now)
        finally:
            for item in again:
                heapq.heappush(self._heap, item)
