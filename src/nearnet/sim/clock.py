"""Virtual time: one time for the world, and two clocks of its own for each node.

A node's clocks start at strange offsets, so that mixing them fails at once, and each may jump (`threats.md` rows 67,
68).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.runtime.clock import Now

if TYPE_CHECKING:
    import random

__all__ = ["EPOCH", "NodeClock"]

EPOCH = 1_700_000_000.25
"""Unix seconds at the world's time 0, before each node's own error."""

_LATEST_START = 3_000_000.0
_FRESH_BOOT = 0.1
"""How many of the machines have only just started, so that their monotonic clock is near 0."""


class NodeClock:
    """Both faces of one node's clock. World time is float seconds from 0."""

    __slots__ = ("_mono", "_wall")

    def __init__(self, mono: float = 0.0, wall: float = EPOCH) -> None:
        """`mono` and `wall`: what the two faces show at world time 0."""
        self._mono = mono
        self._wall = wall

    @classmethod
    def strange(cls, rng: random.Random, wall_error: float = 0.5) -> NodeClock:
        """A clock of an arbitrary start; its wall face is wrong by at most `wall_error` seconds."""
        mono = 0.0 if rng.random() < _FRESH_BOOT else rng.uniform(1.0, _LATEST_START)
        return cls(mono, EPOCH + rng.uniform(-wall_error, wall_error))

    def now(self, time: float) -> Now:
        """What the clock shows at world time `time`."""
        return Now(time + self._mono, time + self._wall)

    def time_of(self, mono: float) -> float:
        """The world time at which the monotonic face shows `mono`."""
        return mono - self._mono

    def jump(self, wall: float = 0.0, mono: float = 0.0) -> None:
        """Set the wall face forward or back, the monotonic one forward (the machine was asleep). Seconds."""
        if mono < 0:
            raise ValueError("a monotonic clock never goes back")
        self._wall += wall + mono
        self._mono += mono
