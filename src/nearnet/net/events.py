"""What happened, for whoever watches: the last thousand, and streams that a slow reader never blocks (`cli.md`)."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nearnet.core.runtime.actions import Event
    from nearnet.keys import PeerId

__all__ = ["RECENT", "EventLog", "EventStream", "NodeEvent", "Overflow"]

RECENT = 1000
"""Events kept for `nearnet_events`."""


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """One event: `seq` counts from 1 for each node, `time` is unix seconds, `data` JSON-able."""

    seq: int
    time: float
    kind: str
    peer_id: PeerId | None
    data: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """As the RPC tells it: seq, time, kind, peer_id where there is one, and the data."""
        who = {} if self.peer_id is None else {"peer_id": str(self.peer_id)}
        return {"seq": self.seq, "time": self.time, "kind": self.kind, **who, **self.data}


@dataclass(frozen=True, slots=True)
class Overflow:
    """The reader was too slow: the `n` events before the next one are lost to it."""

    n: int
    kind: str = "overflow"

    def as_dict(self) -> dict[str, Any]:
        """As the RPC tells it."""
        return {"kind": self.kind, "n": self.n}


class EventStream:
    """An asynchronous iterator over events from the moment it was made; it ends when the node stops."""

    def __init__(self, maxsize: int) -> None:
        self._waiting: deque[NodeEvent] = deque(maxlen=max(1, maxsize))
        self._dropped = 0
        self._wake = asyncio.Event()
        self._closed = False

    def put(self, event: NodeEvent) -> None:
        """One more; the oldest leaves when there is no room."""
        if len(self._waiting) == self._waiting.maxlen:
            self._dropped += 1
        self._waiting.append(event)
        self._wake.set()

    def close(self) -> None:
        """No more will come; what waits can still be read."""
        self._closed = True
        self._wake.set()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> NodeEvent | Overflow:
        while True:
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                return Overflow(dropped)
            if self._waiting:
                return self._waiting.popleft()
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()


class EventLog:
    """Numbers the events, keeps the last of them, and hands each to the streams and listeners."""

    def __init__(self) -> None:
        self.recent: deque[NodeEvent] = deque(maxlen=RECENT)
        self._seq = 0
        self._streams: weakref.WeakSet[EventStream] = weakref.WeakSet()
        self._listeners: list[Callable[[NodeEvent], None]] = []

    def publish(self, event: Event, wall: float) -> None:
        """Tell everybody."""
        self._seq += 1
        told = NodeEvent(self._seq, wall, event.kind, event.peer_id, event.data)
        self.recent.append(told)
        for stream in self._streams:
            stream.put(told)
        for listener in tuple(self._listeners):
            listener(told)

    def stream(self, maxsize: int = RECENT) -> EventStream:
        """A new stream; it is forgotten when its reader drops it."""
        stream = EventStream(maxsize)
        self._streams.add(stream)
        return stream

    def listen(self, listener: Callable[[NodeEvent], None]) -> Callable[[], None]:
        """Call `listener` with each event, at once; the answer ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def close(self) -> None:
        """The node stopped: every stream ends."""
        for stream in self._streams:
            stream.close()
