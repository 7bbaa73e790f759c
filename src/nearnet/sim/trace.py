"""What happened, line by line: for a person, and for programs (JSON lines)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nearnet.wire.dialect import detect, dialect_named

if TYPE_CHECKING:
    from pathlib import Path

    from nearnet.core.runtime.actions import Event

__all__ = ["MOST_LINES", "Trace"]

MOST_LINES = 200_000
"""Lines kept; what comes later is counted only."""


class Trace:
    """The lines of one run, in order. `time` in seconds from the start of the world."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.left_out = 0

    def add(self, time: float, kind: str, who: str, **data: Any) -> None:
        """Something happened to `who`."""
        if len(self.lines) >= MOST_LINES:
            self.left_out += 1
            return
        self.lines.append({"time": round(time, 6), "kind": kind, "who": who, **data})

    def sent(self, time: float, who: str, to: str, data: bytes) -> None:
        """Add one line for each frame that starts in the bytes that `who` wrote to the party `to`."""
        at = 0
        while at + 4 < len(data):
            length = int.from_bytes(data[at : at + 4], "little")
            frame = data[at + 4 : at + 4 + length]
            name = dialect_named(detect(frame[0])).kind(frame) if frame else "empty"
            self.add(time, "send", who, to=to, message=name, bytes=length)
            at += 4 + length

    def event(self, time: float, who: str, event: Event) -> None:
        """Add an event that the node `who` told."""
        data = {key: value for key, value in event.data.items() if key not in ("kind", "time", "who")}
        self.add(time, event.kind, who, peer=None if event.peer_id is None else str(event.peer_id), **data)

    def write(self, path: Path) -> None:
        """As JSON lines."""
        with path.open("w") as file:
            for line in self.lines:
                file.write(json.dumps(line) + "\n")
            if self.left_out:
                file.write(json.dumps({"kind": "left out", "lines": self.left_out}) + "\n")
