"""OpenTelemetry spans for connections, handshakes, table exchanges and routed messages (`nearnet[otel]`).

Each connection gets a dialect that watches its frames. Where the wire has room for it (protobuf's trace field) the
span's context goes along, so that both ends of a connection, and all hops of a message, are in one trace.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from nearnet.errors import WireError
from nearnet.events import Connected, DialectRefused, DialFailed, Disconnected, HandshakeFailed
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import Handshake, Routed, SyncRoutingTable, TraceContext
from nearnet.wire.protobuf.writing import write_trace
from nearnet.wire.routed_body import body_name

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

    from nearnet.core.peer.peer import Peer
    from nearnet.events import NodeEvent
    from nearnet.wire.dialect import Dialect
    from nearnet.wire.messages import Message
    from nearnet.wire.routed_frame import Pieces, RoutedFrame

__all__ = ["OtelTracing", "context_of", "trace_of"]

_ROUTED = 1000
"""Routed messages whose spans are remembered until they are sent on."""

_REJECT, _KEEP = 1, 3
"""`sampling_priority` on the wire, as a node writes it that decides by itself."""

_SAMPLED = (_KEEP, 4)
"""What means that a trace is kept: so the node decided, or a user."""


class OtelTracing:
    """The spans of one node."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self._open: dict[str, _Watched] = {}
        """Remote end -> its connection. As many as the node has."""
        self._routed: OrderedDict[bytes, SpanContext] = OrderedDict()

    def dialect_for(self, peer: Peer, name: str) -> Dialect:
        """A dialect that watches this connection."""
        watched = self._open[str(peer.address)] = _Watched(self, peer, dialect_named(name))
        return watched

    def event(self, event: NodeEvent) -> None:
        """A handshake is done, or a connection has ended."""
        match event:
            case Connected(address=address) if address in self._open:
                self._open[address].ready()
            case (
                Disconnected(address=address, reason=reason)
                | DialFailed(address=address, reason=reason)
                | DialectRefused(address=address, reason=reason)
                | HandshakeFailed(address=str(address), reason=reason)
            ) if address in self._open:
                self._open.pop(address).end(reason)

    def close(self) -> None:
        """The node has stopped: whatever is open ends."""
        while self._open:
            self._open.popitem()[1].end("stopping")

    def remember(self, digest: bytes, context: SpanContext) -> None:
        """The span of a routed message that came in, until it is sent on."""
        self._routed[digest] = context
        if len(self._routed) > _ROUTED:
            self._routed.popitem(last=False)

    def recall(self, digest: bytes) -> SpanContext | None:
        """What `remember` was told."""
        return self._routed.get(digest)


class _Watched:
    """A dialect of one connection, with its spans."""

    def __init__(self, tracing: OtelTracing, peer: Peer, inner: Dialect) -> None:
        self.name = inner.name
        self._tracing = tracing
        self._tracer = tracing.tracer
        self._peer = peer
        self._inner = inner
        self._connection: Span | None = None
        self._handshake: Span | None = None
        self._table: Span | None = None

    # --- spans -----------------------------------------------------------------------------------

    def _begin(self, parent: Context | None) -> None:
        """With the first frame: its trace is the dialer's, when it names one."""
        if self._connection is not None:
            return
        dialed = self._peer.direction == "outbound"
        facts: dict[str, str | int] = {
            "network.peer.address": self._peer.address.ip,
            "network.peer.port": self._peer.address.port,
            "nearnet.dialect": self.name,
            "nearnet.direction": self._peer.direction,
        }
        kind = SpanKind.CLIENT if dialed else SpanKind.SERVER
        self._connection = self._tracer.start_span("connection", parent, kind, facts)
        self._handshake = self._child("handshake")

    def _child(self, name: str) -> Span:
        connection = self._connection
        return self._tracer.start_span(name, None if connection is None else set_span_in_context(connection))

    def ready(self) -> None:
        """The handshake is done: the table comes next."""
        for span in (self._connection, self._handshake):
            if span is not None:
                span.set_attribute("nearnet.peer_id", str(self._peer.peer_id))
        if self._handshake is not None:
            self._handshake.end()
        self._table = self._child("table exchange")

    def end(self, reason: str) -> None:
        """The connection has ended."""
        if self._handshake is not None and not self._peer.edge:
            self._handshake.set_status(Status(StatusCode.ERROR, reason))
            self._handshake.end()
        for span in (self._table, self._connection):
            if span is not None:
                span.set_attribute("nearnet.closed", reason)
                span.end()
        self._table = self._connection = None

    def _told_table(self, table: SyncRoutingTable) -> None:
        if self._table is not None:
            self._table.set_attribute("nearnet.edges", len(table.edges))
            self._table.set_attribute("nearnet.accounts", len(table.accounts))
            self._table.end()
            self._table = None

    # --- frames out ------------------------------------------------------------------------------

    def encode(self, message: Message, trace: TraceContext | None = None) -> bytes:
        """With the trace that the message belongs to."""
        span: Span | None = None
        match message:
            case Handshake():
                self._begin(None)
                span = self._handshake
            case SyncRoutingTable():
                span = self._table
            case Routed(routed):
                span = self._tracer.start_span("routed message", None, SpanKind.PRODUCER)
                if span.is_recording():
                    span.set_attribute("nearnet.target", str(routed.target))
                    span.set_attribute("nearnet.body", body_name(routed.body[0]))
                span.end()
        return self._inner.encode(message, trace_of(span.get_span_context()) if span is not None else trace)

    def can_encode(self, message: Message) -> bool:
        """As the dialect."""
        return self._inner.can_encode(message)

    def carries(self, routed: RoutedFrame) -> bool:
        """As the dialect."""
        return self._inner.carries(routed)

    def forward(self, routed: RoutedFrame) -> bytes:
        """A message goes on: a span in its trace, which the next hop is told."""
        return self._onward(routed) + self._inner.forward(routed)

    def forward_in_pieces(self, routed: RoutedFrame) -> Pieces:
        """The same."""
        before, pieces = self._onward(routed), self._inner.forward_in_pieces(routed)
        return (before, *pieces) if before else pieces

    def _onward(self, routed: RoutedFrame) -> bytes:
        """What goes before the message."""
        came = self._tracing.recall(routed.digest())
        if came is None:
            return b""
        span = self._tracer.start_span("forward", _under(came), SpanKind.PRODUCER)
        if span.is_recording():
            span.set_attribute("nearnet.next_hop", str(self._peer.peer_id))
        span.end()
        if self.name == "borsh":  # It has no room for a trace.
            return b""
        return write_trace(trace_of(span.get_span_context()))

    # --- frames in -------------------------------------------------------------------------------

    def kind(self, frame: bytes) -> str:
        """As the dialect."""
        return self._inner.kind(frame)

    def peek_handshake_version(self, frame: bytes) -> int | None:
        """As the dialect."""
        return self._inner.peek_handshake_version(frame)

    def trace_context(self, frame: bytes) -> TraceContext | None:
        """As the dialect; None too for one that does not read: nobody needs it."""
        try:
            return self._inner.trace_context(frame)
        except WireError:
            return None

    def decode(self, frame: bytes, skipped: Callable[[int], None] | None = None) -> Message:
        """A whole message; the first begins the connection's spans."""
        self._begin(context_of(self.trace_context(frame)))
        message = self._inner.decode(frame, skipped)
        if isinstance(message, SyncRoutingTable):
            self._told_table(message)
        return message

    def table_in_steps(
        self, frame: bytes, skipped: Callable[[int], None] | None = None
    ) -> Generator[None, None, SyncRoutingTable]:
        """As the dialect; the last step ends the table exchange."""
        table = yield from self._inner.table_in_steps(frame, skipped)
        self._told_table(table)
        return table

    def routed(self, frame: bytes, skipped: Callable[[int], None] | None = None) -> RoutedFrame | None:
        """A routed message came in: a span in its trace."""
        routed = self._inner.routed(frame, skipped)
        if routed is not None:
            parent = context_of(self.trace_context(frame))
            span = self._tracer.start_span("routed message", parent, SpanKind.CONSUMER)
            if span.is_recording():
                span.set_attribute("nearnet.author", str(routed.author))
                span.set_attribute("nearnet.body", body_name(routed.body_index))
                span.set_attribute("nearnet.ttl", routed.ttl)
            span.end()
            self._tracing.remember(routed.digest(), span.get_span_context())
        return routed


def trace_of(context: SpanContext) -> TraceContext:
    """A span's context as the wire has it."""
    sampled = _KEEP if context.trace_flags.sampled else _REJECT
    return TraceContext(context.trace_id.to_bytes(16, "big"), context.span_id.to_bytes(8, "big"), sampled)


def context_of(told: TraceContext | None) -> Context | None:
    """What a frame told as the parent of our spans; None for nothing, or nothing that is one."""
    if told is None or len(told.trace_id) != 16 or len(told.span_id) != 8:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED if told.sampling_priority in _SAMPLED else TraceFlags.DEFAULT)
    context = SpanContext(
        int.from_bytes(told.trace_id), int.from_bytes(told.span_id), is_remote=True, trace_flags=flags
    )
    return _under(context) if context.is_valid else None


def _under(context: SpanContext) -> Context:
    return set_span_in_context(NonRecordingSpan(context))
