"""Against routing loops and hops that reset the ttl, which is not signed (`threats.md` row 47)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nearnet.keys import CryptoHash

__all__ = ["LoopGuard"]


class LoopGuard:
    """Lets one message pass at most `limit` times in `window` seconds from its first; `limit` 0 turns it off.

    It remembers at most `capacity` hashes, and always the last half of that, of the last window: hashes are kept in
    two generations, so that forgetting costs nothing per message. About 150 bytes each: 10 MB.
    """

    __slots__ = ("_again", "_began", "_first", "_half", "_limit", "_old_again", "_old_first", "_window")

    def __init__(self, limit: int, window: float = 60.0, capacity: int = 65_536) -> None:
        self._limit = limit
        self._window = window
        self._half = capacity // 2
        self._first: dict[CryptoHash, float] = {}
        """Hash -> when it passed first; most pass just once."""
        self._again: dict[CryptoHash, int] = {}
        """Hash -> how often it has passed, where that is more than once."""
        self._old_first: dict[CryptoHash, float] = {}
        self._old_again: dict[CryptoHash, int] = {}
        self._began = 0.0
        """When the younger generation began."""

    def allow(self, digest: CryptoHash, mono: float) -> bool:
        """Whether this message may pass (once more) at `mono`, in seconds of the monotonic clock; counts it when so."""
        if not self._limit:
            return True
        first = self._first
        known = len(first)
        if known >= self._half or mono - self._began >= self._window:
            self._old_first, self._old_again = first, self._again
            self._first, self._again, self._began = {}, {}, mono
            first, known = self._first, 0
        since = first.setdefault(digest, mono)
        if len(first) > known:
            earlier = self._old_first.pop(digest, None)
            if earlier is None:
                return True
            first[digest] = since = earlier
            self._again[digest] = self._old_again.pop(digest, 1)
        if mono - since >= self._window:
            first[digest] = mono
            self._again.pop(digest, None)
            return True
        count = self._again.get(digest, 1)
        if count >= self._limit:
            return False
        self._again[digest] = count + 1
        return True

    def __len__(self) -> int:
        return len(self._first) + len(self._old_first)
