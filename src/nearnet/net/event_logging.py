"""Events as log lines: one for each cause, with the peer and what follows; a hostile peer cannot flood the log.

Standard `logging` under ``nearnet``: where lines go is the program's business.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nearnet.events import DialFailed, Disconnected
from nearnet.net.event_sentences import describe, wording

if TYPE_CHECKING:
    from nearnet.events import NodeEvent

__all__ = ["LINES_PER_SECOND", "EventLogging"]

LINES_PER_SECOND = 10
"""Lines that one peer (before its handshake: one host) may cause (`threats.md` row 80)."""

_SOURCES = 1024
"""Peers whose lines are counted at once; the one that was quiet longest is forgotten first."""

_BAN = "banned: "


@dataclass(slots=True)
class _Source:
    """Whoever causes lines: how many in the second of the latest, how many were left out, and why the latest was."""

    second: int
    lines: int = 0
    suppressed: int = 0
    cause: str = ""


class EventLogging:
    """One node's log lines."""

    def __init__(self) -> None:
        self._log = logging.getLogger("nearnet.node")
        self._sources: OrderedDict[str, _Source] = OrderedDict()

    def __call__(self, event: NodeEvent) -> None:
        """Write the line of an event, unless its source had enough in this second."""
        glyph, level, _ = wording(event)
        if not self._log.isEnabledFor(level):
            return
        name = str(event.peer_id or str(event.data.get("address", "")).rpartition(":")[0])
        source = self._source(name, int(event.time)) if name else None
        if source is not None:
            if _follows(event, source):
                level = logging.DEBUG
            elif source.lines >= LINES_PER_SECOND:
                source.suppressed += 1
                return
            if not self._log.isEnabledFor(level):
                return
            source.lines += 1
        self._log.log(level, "%s %s", glyph, describe(event), extra={"nearnet": event})

    def _source(self, name: str, second: int) -> _Source:
        source = self._sources.pop(name, None) or _Source(second)
        self._sources[name] = source
        self._begin(name, source, second)
        if len(self._sources) > _SOURCES:
            self._tell_suppressed(*self._sources.popitem(last=False))
        return source

    def tell_suppressed(self, now: float) -> None:
        """Write how many lines were left out about peers that have been quiet since; `now` in unix seconds."""
        for name, source in self._sources.items():
            self._begin(name, source, int(now))

    def _begin(self, name: str, source: _Source, second: int) -> None:
        if source.second != second:
            source.second, source.lines, source.cause = second, 0, ""
            self._tell_suppressed(name, source)

    def _tell_suppressed(self, name: str, source: _Source) -> None:
        if source.suppressed:
            self._log.warning("! suppressed %d lines about %s", source.suppressed, name)
            source.suppressed = 0
            source.lines += 1


def _follows(event: NodeEvent, source: _Source) -> bool:
    """Whether this only follows from what the line before told, such as the close after a ban."""
    cause = str(event.data.get("reason", "")).removeprefix(_BAN)
    told, source.cause = source.cause, cause
    return bool(cause) and cause == told and isinstance(event, (Disconnected, DialFailed))
