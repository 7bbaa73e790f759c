"""When edges expire whose nonce is a unix time (`behaviour.md` §10): found by their moment, not by a search.

A slot is noted each time an edge is put into it; what it holds when its moment comes decides.
"""

from __future__ import annotations

from array import array

from nearnet.core.routing_table.edge import is_dated

__all__ = ["EXPIRE_AT_ONCE", "SPAN", "DatedEdges"]

SPAN = 10
"""Seconds of nonces that are looked at together: an edge leaves at most so much later than it expires."""

EXPIRE_AT_ONCE = 2000
"""Slots looked at in one go, about 5 ms, so that the loop stays free."""


class DatedEdges:
    """Slots of edges by the time of their nonces: 4 bytes for each time an edge is put in, until it expires."""

    __slots__ = ("_first", "_spans", "expires_after")

    def __init__(self, expires_after: float) -> None:
        """`expires_after`: seconds from an edge's nonce."""
        self.expires_after = expires_after
        self._spans: dict[int, array[int]] = {}
        self._first: int | None = None

    def note(self, slot: int, nonce: int) -> None:
        """An edge of this nonce was put into this slot; nothing for a counter."""
        if is_dated(nonce):
            span = nonce // SPAN
            slots = self._spans.get(span)
            if slots is None:
                slots = self._spans[span] = array("I")
                self._first = span if self._first is None else min(self._first, span)
            slots.append(slot)

    def next(self) -> float | None:
        """When `due` is to be called next, in unix seconds; None when nothing will expire."""
        return None if self._first is None else (self._first + 1) * SPAN + self.expires_after

    def due(self, wall: float) -> array[int]:
        """Slots that held something which has expired by now, at most `EXPIRE_AT_ONCE`; empty: none is due."""
        first, moment = self._first, self.next()
        if first is None or moment is None or moment > wall:
            return array("I")
        slots = self._spans[first]
        taken = slots[-EXPIRE_AT_ONCE:]
        del slots[-EXPIRE_AT_ONCE:]
        if not slots:
            del self._spans[first]
            self._first = min(self._spans, default=None)
        return taken
