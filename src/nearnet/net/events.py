"""What happened, for whoever watches: the last thousand, and streams that a slow reader never blocks (`cli.md`).

The core tells its events by kind and data; here they become the classes of `nearnet.events`.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from nearnet.events import NodeEvent, Overflow, event_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.core.runtime.actions import Event

__all__ = ["RECENT", "EventLog", "EventStream"]

E = TypeVar("E", bound=NodeEvent)
"""The class of the events that a stream yields."""

RECENT = 1000
"""Events kept for `nearnet_events`."""


class EventStream(Generic[E]):
    """An asynchronous iterator over events from the moment it was made; it ends when the node stops."""

    def __init__(self, maxsize: int, types: tuple[type[NodeEvent], ...] = (NodeEvent,)) -> None:
        """Keep at most `maxsize` events of these `types` that were not read yet."""
        self._types = types
        self._waiting: deque[NodeEvent] = deque(maxlen=max(1, maxsize))
        self._dropped = 0
        self._wake = asyncio.Event()
        self._closed = False

    def put(self, event: NodeEvent) -> None:
        """Take one more event; the oldest leaves when there is no room."""
        if not isinstance(event, self._types):
            return
        if len(self._waiting) == self._waiting.maxlen:
            self._dropped += 1
        self._waiting.append(event)
        self._wake.set()

    def close(self) -> None:
        """No more will come; what waits can still be read."""
        self._closed = True
        self._wake.set()

    def __aiter__(self) -> EventStream[E]:
        return self

    async def __anext__(self) -> E | Overflow:
        while True:
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                return Overflow(dropped)
            if self._waiting:
                return cast("E", self._waiting.popleft())
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()


class EventLog:
    """Numbers the events, keeps the last of them, and hands each to the streams and listeners."""

    def __init__(self) -> None:
        self.recent: deque[NodeEvent] = deque(maxlen=RECENT)
        self._seq = 0
        self._streams: weakref.WeakSet[EventStream[Any]] = weakref.WeakSet()
        self._listeners: list[Callable[[NodeEvent], None]] = []
        self._at_end: list[Callable[[], None]] = []

    def publish(self, event: Event, wall: float) -> None:
        """Tell everybody what the core or the shell told of, at `wall` in unix seconds."""
        self.tell(event_from(event.kind, event.data, seq=self._seq + 1, time=wall, peer_id=event.peer_id))

    def tell(self, told: NodeEvent) -> None:
        """Tell everybody an event that has the next number."""
        self._seq = told.seq
        self.recent.append(told)
        for stream in self._streams:
            stream.put(told)
        for listener in tuple(self._listeners):
            listener(told)

    def stream(self, maxsize: int = RECENT, types: tuple[type[NodeEvent], ...] = (NodeEvent,)) -> EventStream[Any]:
        """Return a new stream of events of these types; it is forgotten when its reader drops it."""
        stream: EventStream[Any] = EventStream(maxsize, types)
        self._streams.add(stream)
        return stream

    def listen(
        self, listener: Callable[[NodeEvent], None], at_end: Callable[[], None] = lambda: None
    ) -> Callable[[], None]:
        """Call `listener` with each event, at once, and `at_end` when the node stops; the answer ends both."""
        self._listeners.append(listener)
        self._at_end.append(at_end)

        def unlisten() -> None:
            self._listeners.remove(listener)
            self._at_end.remove(at_end)

        return unlisten

    def close(self) -> None:
        """The node stopped: every stream ends."""
        for stream in self._streams:
            stream.close()
        for at_end in tuple(self._at_end):
            at_end()
