"""The way back of replies: from the hash of a request to the neighbor it came from (document §11, `behaviour.md` §5).

A request that expects a reply leaves its hash here with the previous hop; the reply is addressed to the hash and finds
its way by it. Whoever floods us with requests evicts its own entries first (`threats.md` row 51).
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nearnet.core.runtime.clock import Now
    from nearnet.keys import CryptoHash, PeerId

__all__ = ["RouteBack"]


class RouteBack:
    """At most `capacity` entries (about 500 bytes each), each for `timeout` seconds; O(1) amortised.

    When it is full the outdated leave first, else the `evict` oldest of the holder with the most.
    """

    __slots__ = ("_by_count", "_capacity", "_entries", "_evict", "_held", "_me", "_most", "_timeout")

    def __init__(self, me: PeerId, capacity: int = 100_000, timeout: float = 120.0, evict: int = 100) -> None:
        self._me = me
        self._capacity = capacity
        self._timeout = timeout
        self._evict = evict
        self._entries: OrderedDict[CryptoHash, tuple[PeerId, float]] = OrderedDict()
        """(holder, when it was put in), the oldest first."""
        self._held: dict[PeerId, OrderedDict[CryptoHash, None]] = {}
        self._by_count: dict[int, dict[PeerId, None]] = {}
        """Holders by how many entries they have, so that the greediest is found at once."""
        self._most = 0

    def insert(self, request: CryptoHash, holder: PeerId, now: Now) -> bool:
        """Remember that the reply to `request` goes to `holder`; False when it is known already: the first one wins."""
        known = self._entries.get(request)
        if known is not None:
            if not self._outdated(known[1], now):
                return False
            self._remove(request)
        if len(self._entries) >= self._capacity:
            self.expire(now)
        if len(self._entries) >= self._capacity:
            self._evict_greediest()
        self._entries[request] = (holder, now.mono)
        held = self._held.setdefault(holder, OrderedDict())
        held[request] = None
        self._recount(holder, len(held) - 1, len(held))
        return True

    def take(self, request: CryptoHash, now: Now) -> PeerId | None:
        """Where the reply goes, or None. A way through us is used up; one to ourselves serves until it expires."""
        entry = self._entries.get(request)
        if entry is None:
            return None
        holder, since = entry
        outdated = self._outdated(since, now)
        if outdated or holder != self._me:
            self._remove(request)
        return None if outdated else holder

    def expire(self, now: Now) -> None:
        """Drop what is outdated; call it now and then, so that memory is given back."""
        while self._entries:
            request, (_, since) = next(iter(self._entries.items()))
            if not self._outdated(since, now):
                return
            self._remove(request)

    def held_by(self, holder: PeerId) -> int:
        """How many entries lead to this neighbor."""
        return len(self._held.get(holder, ()))

    def __len__(self) -> int:
        return len(self._entries)

    def _outdated(self, since: float, now: Now) -> bool:
        return now.mono - since >= self._timeout

    def _evict_greediest(self) -> None:
        greediest = next(iter(self._by_count[self._most]))
        for request in list(islice(self._held[greediest], self._evict)):
            self._remove(request)

    def _remove(self, request: CryptoHash) -> None:
        holder, _ = self._entries.pop(request)
        held = self._held[holder]
        del held[request]
        self._recount(holder, len(held) + 1, len(held))
        if not held:
            del self._held[holder]

    def _recount(self, holder: PeerId, before: int, after: int) -> None:
        if before:
            same = self._by_count[before]
            del same[holder]
            if not same:
                del self._by_count[before]
        if after:
            self._by_count.setdefault(after, {})[holder] = None
        # Counts change by one, so the largest one does too.
        if after > self._most or (before == self._most and before not in self._by_count):
            self._most = after
