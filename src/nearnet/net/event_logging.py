"""Events as log lines: one each, with a glyph, the peer and what follows; a hostile peer cannot flood the log.

`=` state, `x` closed, `!` trouble. Standard `logging` under ``nearnet``: where lines go is the program's business.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nearnet.net.events import NodeEvent

__all__ = ["LINES_PER_SECOND", "EventLogging"]

LINES_PER_SECOND = 10
"""Lines that one peer (before its handshake: one host) may cause (`threats.md` row 80)."""

_SOURCES = 1024
"""Peers whose lines are counted at once; the one that was quiet longest is forgotten first."""

_HOW = {
    "connected": ("=", logging.INFO),
    "disconnected": ("x", logging.INFO),
    "handshake_failed": ("x", logging.INFO),
    "dial_failed": ("x", logging.INFO),
    "banned": ("!", logging.WARNING),
    "unbanned": ("=", logging.INFO),
    "ban_deferred": ("!", logging.WARNING),
    "malformed": ("!", logging.WARNING),
    "behind": ("!", logging.WARNING),
    "degraded": ("!", logging.ERROR),
}


class EventLogging:
    """One node's log lines."""

    def __init__(self) -> None:
        self._log = logging.getLogger("nearnet.node")
        self._sources: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """Source -> the second of its latest line, and how many there were in that second."""

    def __call__(self, event: NodeEvent) -> None:
        """Write the line of an event, unless its source had enough in this second."""
        glyph, level = _HOW.get(event.kind, ("=", logging.DEBUG))
        if not self._log.isEnabledFor(level):
            return
        source = str(event.peer_id or str(event.data.get("address", "")).rpartition(":")[0])
        if source and not self._allow(source, int(event.time)):
            return
        data = " ".join(f"{name}={value}" for name, value in event.data.items())
        who = "" if event.peer_id is None else f" {event.peer_id}"
        self._log.log(level, "%s %s%s%s", glyph, event.kind, who, data and f" {data}", extra={"nearnet": event})

    def _allow(self, source: str, second: int) -> bool:
        latest, count = self._sources.pop(source, (second, 0))
        if latest != second:
            if count > LINES_PER_SECOND:
                self._log.warning("! suppressed %d lines about %s", count - LINES_PER_SECOND, source)
            count = 0
        self._sources[source] = (second, count + 1)
        if len(self._sources) > _SOURCES:
            self._sources.popitem(last=False)
        return count < LINES_PER_SECOND
