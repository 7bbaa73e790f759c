"""The time, passed in.

The core never reads a clock. Whoever drives it gives a `Now` with each input: `mono` for every interval and
deadline (it never goes back), `wall` only for what is stored or told to others (it may jump, `threats.md` row 67).
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Now"]


class Now(NamedTuple):
    """One moment on both clocks."""

    mono: float
    """Seconds on a clock that never goes back, from an arbitrary start."""
    wall: float
    """Unix seconds."""

    @property
    def unix_ns(self) -> int:
        """The wall clock in nanoseconds, as the store keeps it: 0 on a machine that believes to be before 1970."""
        return max(0, int(self.wall * 1e9))
