"""How long not to dial an address again (`behaviour.md` §6): 1 s, doubling with each failure up to 60 s."""

from __future__ import annotations

import math

from nearnet.core.limits import LruDict

__all__ = ["ADDRESSES", "BackOff"]

ADDRESSES = 4096
"""Addresses remembered, about 300 bytes each; the longest untouched leave first."""


class BackOff:
    """The waits of all addresses. Times are seconds of the monotonic clock."""

    __slots__ = ("_initial", "_waits")

    def __init__(self, initial: float) -> None:
        self._initial = initial
        self._waits: LruDict[str, tuple[float, float]] = LruDict(ADDRESSES)
        """By address: (when it may be dialled again, how long the next failure will keep it waiting)."""

    def until(self, address: str) -> float:
        """When it may be dialled; minus infinity when nothing is known against it."""
        known = self._waits.get(address)
        return -math.inf if known is None else known[0]

    def failed(self, address: str, most: float, now: float) -> None:
        """A dial failed: wait, and twice as long after the next failure, but at most `most` seconds."""
        known = self._waits.get(address)
        wait = min(self._initial if known is None else known[1], most)
        self._waits.put(address, (now + wait, wait * 2))

    def succeeded(self, address: str) -> None:
        """A dial led to a connection: nothing is held against the address."""
        self._waits.pop(address)

    def ended(self, address: str, now: float) -> None:
        """A connection from there ended: one short wait, whatever was before."""
        self._waits.put(address, (now + self._initial, self._initial))
