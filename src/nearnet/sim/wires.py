"""One simulated TCP connection: two ends, and a flow of bytes each way.

A flow keeps order, takes time (distance, bandwidth), holds what cannot pass (a cut, a reader that does not read) and
tells the sender how much is held. A connection breaks, is closed by either end, or times out as TCP does.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

__all__ = ["CLOSE_GRACE", "KERNEL_BYTES", "Carrier", "End", "Flow", "Listener", "Party", "Wire"]

KERNEL_BYTES = 256 * 1024
"""Bytes on their way that the two machines' kernels hold; what is more waits in the sender."""

CLOSE_GRACE = 1.0
"""Seconds in which a closed connection may still deliver what was queued."""


class Carrier(Protocol):
    """What carries the bytes of connections: the network, as their ends know it."""

    def send(self, end: End, data: bytes) -> None:
        """Put the bytes that this end sends on their way."""

    def finish(self, end: End, flush: bool) -> None:
        """Tell the other end that this one was closed, after what was sent if `flush`."""

    def read_on(self, end: End) -> None:
        """Deliver what has arrived at this end, which takes bytes again."""


class Party(Protocol):
    """Who has an end of a connection: a node, or a raw client."""

    host: str
    """Its IP address: what cuts are made between."""

    def on_bytes(self, end: End, data: bytes) -> None:
        """Bytes came in."""

    def on_drained(self, end: End, unsent: int) -> None:
        """So many bytes wait in the sender now."""

    def on_lost(self, end: End, why: str) -> None:
        """The connection ended, by no act of this end."""


class Listener(Party, Protocol):
    """Who can be dialed."""

    up: bool
    reachable: bool

    def on_accept(self, end: End, ip: str, port: int) -> None:
        """Somebody dialed; without a `tag` the end is lost."""


class Flow:
    """The bytes from one end to the other."""

    __slots__ = (
        "busy_until",
        "corrupt",
        "flying",
        "held",
        "last_arrival",
        "latency",
        "marks",
        "queued",
        "sent",
        "told",
        "unread",
    )

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.busy_until = 0.0
        self.last_arrival = 0.0
        self.marks: deque[tuple[int, float]] | None = None
        """How many bytes were sent by when, of what the other end has not asked for yet; None: it never asks."""
        self.sent = 0
        """Bytes sent since `marks` are kept."""
        self.queued = 0
        """Bytes sent and not yet read at the other end."""
        self.told = 0
        """What the sender was told to be unsent."""
        self.flying = 0
        """Chunks on their way."""
        self.held: deque[bytes] = deque()
        """What met a cut."""
        self.unread: deque[bytes] = deque()
        """What has arrived at a reader that does not read."""
        self.corrupt = 0
        """How many of the next chunks get a wrong byte."""

    def keep_marks(self) -> None:
        """Keep from now on when bytes were sent; the other end asks by `written`."""
        self.marks = deque([(0, 0.0)])

    def mark(self, count: int, time: float) -> None:
        """So many more bytes were sent."""
        if self.marks is not None:
            self.sent += count
            self.marks.append((self.sent, time))

    def written(self, count: int) -> float:
        """Return the world time at which the first `count` bytes were sent; ask for growing counts."""
        marks = self.marks
        if marks is None:
            raise ValueError("this flow keeps no marks; call keep_marks() before the first byte")
        while len(marks) > 1 and marks[0][0] < count:
            marks.popleft()
        return marks[0][1]


class End:
    """One end: its party, and the party's own object for the connection (`tag`)."""

    __slots__ = ("closed", "gone", "other", "out", "party", "paused", "stuck", "tag", "wire")

    other: End
    """The other end."""

    def __init__(self, wire: Wire, party: Party, latency: float) -> None:
        self.wire = wire
        self.party = party
        self.out = Flow(latency)
        """What this end sends."""
        self.tag: object = None
        self.paused = False
        self.stuck = False
        """Whether this end reads nothing any more, whatever its owner wants."""
        self.closed = False
        self.gone = False
        """Whether it ended without a word, with its machine."""

    @property
    def reads(self) -> bool:
        """Whether bytes that arrive are taken."""
        return not (self.paused or self.stuck)

    def send(self, data: bytes) -> int:
        """Send; returns how many bytes wait in the sender."""
        if not self.closed and data:
            self.wire.carrier.send(self, data)
        flow = self.out
        flow.told = max(0, flow.queued - KERNEL_BYTES)
        return flow.told

    def close(self, flush: bool = True) -> None:
        """This end is done; the other learns it after what was sent, or within `CLOSE_GRACE`."""
        if not self.closed:
            self.closed = True
            self.wire.carrier.finish(self, flush)

    def pause(self) -> None:
        """Take no bytes until `resume`."""
        self.paused = True

    def resume(self) -> None:
        """Take bytes again."""
        self.paused = False
        self.wire.carrier.read_on(self)


class Wire:
    """A connection. Its first end dialed."""

    __slots__ = ("broken", "carrier", "cut_at", "ends", "number")

    def __init__(self, carrier: Carrier, number: int, dialer: Party, listener: Party, latencies: tuple[float, float]):
        self.carrier = carrier
        self.number = number
        first, second = self.ends = (End(self, dialer, latencies[0]), End(self, listener, latencies[1]))
        first.other, second.other = second, first
        self.broken = False
        """Whether no byte passes any more, either way."""
        self.cut_at: float | None = None
        """Since when nothing passes one way or the other, None while all does."""

    def joins(self, a: str, b: str) -> bool:
        """Whether it is between these two hosts."""
        return {self.ends[0].party.host, self.ends[1].party.host} == {a, b}

    @property
    def is_over(self) -> bool:
        """Whether both ends have gone."""
        return self.ends[0].closed and self.ends[1].closed
