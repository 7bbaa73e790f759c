"""Counts of a quantity by size, for the metrics (`conventions.md` §3.8)."""

from __future__ import annotations

from bisect import bisect_left

__all__ = ["Histogram", "exponential"]


def exponential(start: float, factor: float, count: int) -> tuple[float, ...]:
    """Upper bounds that grow by `factor`."""
    return tuple(start * factor**step for step in range(count))


class Histogram:
    """How many observations were at most each bound; constant memory."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...], counts: list[int] | None = None, total: float = 0.0) -> None:
        """Empty, or of what was counted elsewhere: one count for each bound, and one for what is above them."""
        self.bounds = bounds
        self.counts = counts or [0] * (len(bounds) + 1)
        """Observations by bound, not added up; the last is of those above all bounds."""
        self.total = total
        """The sum of all observations."""

    def observe(self, value: float) -> None:
        """One more."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
