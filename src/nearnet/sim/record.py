"""Keeps what happened in a world: a running hash over all of it, and a trace where one is wanted.

The hash says whether two runs were the same.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nearnet.core.runtime.actions import Event
    from nearnet.sim.timeline import Timeline
    from nearnet.sim.trace import Trace
    from nearnet.sim.wires import End

__all__ = ["Record"]

_STAMP = struct.Struct("<dI")


class Record:
    """What happened, at the times that `timeline` shows. Nodes go by their names."""

    def __init__(self, timeline: Timeline, trace: Trace | None = None) -> None:
        self.trace = trace
        self._timeline = timeline
        self._hash = hashlib.blake2b(digest_size=16)

    @property
    def digest(self) -> str:
        """Return the hash over everything that has happened, in hex."""
        return self._hash.hexdigest()

    def note(self, kind: str, who: str, **data: Any) -> None:
        """Note that something happened."""
        time = self._timeline.time
        self._hash.update(f"{time!r} {kind} {who} {sorted(data.items())}".encode())
        if self.trace is not None:
            self.trace.add(time, kind, who, **data)

    def sent(self, who: str, end: End, data: bytes) -> None:
        """Note that a node wrote bytes to its end of a connection."""
        if self.trace is not None and data:
            party = end.other.party
            self.trace.sent(self._timeline.time, who, getattr(party, "name", party.host), data)

    def received(self, end: End, data: bytes) -> None:
        """Note that bytes reached an end of a connection."""
        self._hash.update(_STAMP.pack(self._timeline.time, end.wire.number))
        self._hash.update(data)

    def told(self, who: str, event: Event) -> None:
        """Note that a node told an event."""
        time = self._timeline.time
        self._hash.update(f"{time!r} {who} {event.kind} {event.peer_id} {event.data}".encode())
        if self.trace is not None:
            self.trace.event(time, who, event)
