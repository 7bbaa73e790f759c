"""Against routing loops and hops that reset the ttl, which is not signed (`threats.md` row 47)."""

from __future__ import annotations

__all__ = ["LoopGuard"]


class LoopGuard:
    """Lets one message pass at most `limit` times in `window` seconds from its first; `limit` 0 turns it off.

    It remembers at most `capacity` hashes, and always the last half of that, of the last window: hashes are kept in
    two generations, so that forgetting costs nothing per message. At most 210 bytes each, 14 MB; half of that
    where many come at once.
    """

    __slots__ = ("_began", "_half", "_limit", "_old", "_once", "_window", "_young")

    def __init__(self, limit: int, window: float = 60.0, capacity: int = 65_536) -> None:
        self._limit = limit
        self._window = window
        self._half = capacity // 2
        self._young: dict[bytes, tuple[float, ...]] = {}
        """Hash -> (when it passed first, how often since)."""
        self._old: dict[bytes, tuple[float, ...]] = {}
        self._once: tuple[float, ...] = (0.0, 1.0)
        """What most hashes have: one object for all messages of a moment. A tuple whose length mypyc knows it would
        make anew each time."""
        self._began = 0.0
        """When the first of the younger ones came."""

    def allow(self, digest: bytes, mono: float) -> bool:
        """Whether this message may pass (once more) at `mono`, in seconds of the monotonic clock; counts it when so."""
        if not self._limit:
            return True
        young = self._young
        entry = young.get(digest) or self._old.pop(digest, None)
        if entry is None or mono - entry[0] >= self._window:
            if self._once[0] != mono:
                self._once = (mono, 1.0)
            entry = self._once
        elif entry[1] >= self._limit:
            young[digest] = entry
            return False
        else:
            entry = (entry[0], entry[1] + 1.0)
        if len(young) >= self._half or mono - self._began >= self._window:
            self._old = young
            self._young = young = {}
            self._began = mono
        young[digest] = entry
        return True

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
