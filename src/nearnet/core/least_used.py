"""Which of several next hops a message takes: the least used one (`behaviour.md` §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nearnet.keys import PeerId

__all__ = ["LAG", "LeastUsed"]

LAG = 10
"""A neighbour's counter that lags further behind the largest is pulled up to this."""


class LeastUsed:
    """Counts by neighbour how often it was the next hop."""

    __slots__ = ("_used",)

    def __init__(self) -> None:
        self._used: dict[PeerId, int] = {}

    def choose(self, hops: tuple[PeerId, ...]) -> PeerId:
        """The least used of at least one; it counts as used."""
        used = self._used
        best = hops[0]
        least = most = used.get(best, 0)
        for hop in hops[1:]:
            count = used.get(hop, 0)
            if count < least:
                best, least = hop, count
            elif count > most:
                most = count
        used[best] = max(least, most - LAG) + 1
        return best

    def keep(self, neighbours: Iterable[PeerId | None]) -> None:
        """Forget all but these."""
        used = self._used
        self._used = {peer: used[peer] for peer in neighbours if peer in used}
