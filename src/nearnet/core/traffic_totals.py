"""Messages and bytes of all connections since the start, those that are gone too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nearnet.core.peer import Peer

__all__ = ["TrafficTotals"]

_Totals = dict[str, dict[str, list[int]]]


class TrafficTotals:
    """``received`` and ``sent``, each: message type -> [messages, bytes]."""

    __slots__ = ("_ended",)

    def __init__(self) -> None:
        self._ended: _Totals = {"received": {}, "sent": {}}

    def add(self, peer: Peer) -> None:
        """Keep what a connection counted that is gone."""
        _add(self._ended, peer)

    def with_those(self, peers: Iterable[Peer]) -> _Totals:
        """A copy, with what these living connections have counted so far."""
        totals = {word: {kind: list(counts) for kind, counts in kinds.items()} for word, kinds in self._ended.items()}
        for peer in peers:
            _add(totals, peer)
        return totals


def _add(totals: _Totals, peer: Peer) -> None:
    for word, kinds in (("received", peer.received_by_type), ("sent", peer.sent_by_type)):
        for kind, (messages, size) in kinds.items():
            entry = totals[word].setdefault(kind, [0, 0])
            entry[0] += messages
            entry[1] += size
