"""Memory for large frames that are still coming in (`threats.md`, limits: frame).

A frame over `large_frame_bytes` takes its length out of one budget before its bytes are read; who finds too little left
is not read until others have finished. One frame larger than the whole budget waits until it has all of it alone.
"""

from __future__ import annotations

__all__ = ["InboundBudget"]


class InboundBudget:
    """Shares `total` bytes among connections, first come first served. Holders are connection numbers."""

    __slots__ = ("_held", "_large", "_total", "_waiting")

    def __init__(self, total: int, large: int) -> None:
        self._total = total
        self._large = large
        self._held: dict[int, int] = {}
        self._waiting: dict[int, int] = {}

    @property
    def used(self) -> int:
        """Bytes taken."""
        return sum(self._held.values())

    def take(self, holder: int, length: int) -> bool:
        """Whether `holder` may read a frame of `length` bytes now; False: wait for `release` to name it."""
        if length <= self._large or holder in self._held:
            return True
        share = min(length, self._total)
        if not self._waiting and self.used + share <= self._total:
            self._held[holder] = share
            return True
        self._waiting[holder] = share
        return False

    def release(self, holder: int) -> list[int]:
        """`holder` has its frame, or is gone. Returns who may read now, in the order of their asking."""
        if holder not in self._held and holder not in self._waiting:
            return []
        self._held.pop(holder, None)
        self._waiting.pop(holder, None)
        granted: list[int] = []
        for waiting, share in list(self._waiting.items()):
            if self.used + share > self._total:
                break
            del self._waiting[waiting]
            self._held[waiting] = share
            granted.append(waiting)
        return granted
