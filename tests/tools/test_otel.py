"""Spans of real nodes, kept in memory: one trace from end to end where the wire carries it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode, get_current_span

from nearnet import NetworkConfig, Node
from nearnet.errors import PeerRefused
from nearnet.keys import SecretKey
from nearnet.tools.otel import OtelTracing, context_of, trace_of
from nearnet.wire.messages import TraceContext
from nearnet.wire.routed_body import Opaque, encode_body


class Traced:
    """A node and the spans that it made."""

    def __init__(self, dialect: str, chain_id: str = "test", **provider: object) -> None:
        self.exporter = InMemorySpanExporter()
        tracers = TracerProvider(shutdown_on_exit=False, **provider)  # type: ignore[arg-type]
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = OtelTracing(tracers.get_tracer("test"))
        overrides = {"network_config_overrides": {"outbound_disabled": True}}
        network = {"addr": "127.0.0.1:0", "experimental": overrides}
        config = NetworkConfig.model_validate(
            {"chain_id": chain_id, "network": network, "nearnet": {"dialect": dialect}}
        )
        self.node = Node(config, tracing=self.tracing)

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def span(self, name: str) -> ReadableSpan:
        (found,) = self.spans(name)
        return found

    def sent(self, body: str) -> ReadableSpan:
        """Of the one routed message with that body."""
        (found,) = (one for one in self.spans("routed message") if (one.attributes or {}).get("nearnet.body") == body)
        return found


@contextlib.asynccontextmanager
async def line(dialect: str, count: int = 2) -> AsyncIterator[list[Traced]]:
    """Traced nodes, each dialing the one before it; their spans have ended when it has."""
    traced = [Traced(dialect) for _ in range(count)]
    async with contextlib.AsyncExitStack() as stack:
        for one in traced:
            await stack.enter_async_context(one.node)
        for before, after in itertools.pairwise(traced):
            await after.node.connect(f"{before.node.peer_id}@{before.node.addr}")
        await routes(traced)
        yield traced
    for one in traced:
        one.tracing.close()


async def routes(traced: list[Traced]) -> None:
    """Until the first knows a way to the last."""
    events = traced[0].node.events()
    async with asyncio.timeout(10):
        while not traced[0].node.core.table.next_hops(traced[-1].node.peer_id):
            await anext(events)


def trace_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.trace_id


def parent(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def own(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


async def test_both_ends_of_a_connection_are_one_trace() -> None:
    async with line("protobuf") as (listener, dialer):
        await listener.node.ping(dialer.node.peer_id)  # It and its answer come behind both tables.
    out, taken = dialer.span("connection"), listener.span("connection")
    assert dict(out.attributes or {})["nearnet.direction"] == "outbound"
    assert dict(taken.attributes or {})["nearnet.peer_id"] == str(dialer.node.peer_id)
    assert trace_id(out) == trace_id(taken)
    assert parent(taken) == own(dialer.span("handshake")), "as the frame told"
    for traced, connection in ((dialer, out), (listener, taken)):
        for name in ("handshake", "table exchange"):
            assert parent(traced.span(name)) == own(connection)
            assert traced.span(name).status.status_code is StatusCode.UNSET
        assert dict(traced.span("table exchange").attributes or {})["nearnet.edges"] == 1


async def test_a_routed_message_is_one_trace_over_all_hops() -> None:
    async with line("protobuf", 3) as (a, b, c):
        await a.node.ping(c.node.peer_id)
    sent = a.sent("Ping")
    passing, forward, arrived = b.spans("routed message")[0], b.spans("forward")[0], c.spans("routed message")[0]
    assert {trace_id(span) for span in (passing, forward, arrived)} == {trace_id(sent)}
    assert [parent(passing), parent(forward), parent(arrived)] == [own(sent), own(passing), own(forward)]
    assert dict(forward.attributes or {})["nearnet.next_hop"] == str(c.node.peer_id)


async def test_a_large_message_carries_its_trace_as_well() -> None:
    async with line("protobuf", 3) as (a, _, c):
        a.node.send_routed(c.node.peer_id, encode_body(Opaque(0, bytes(200_000))))
        await routes([c, a])
        await c.node.ping(a.node.peer_id)  # Its answer comes behind that message.
    (sent,) = (
        one for one in a.spans("routed message") if (one.attributes or {}).get("nearnet.body") == "BlockApproval"
    )
    assert trace_id(sent) in {trace_id(span) for span in c.spans("routed message")}


async def test_borsh_has_spans_and_carries_none() -> None:
    async with line("borsh", 3) as (a, b, c):
        await a.node.ping(c.node.peer_id)
    assert trace_id(b.spans("routed message")[0]) != trace_id(a.spans("routed message")[0])
    assert trace_id(b.spans("connection")[0]) not in {trace_id(span) for span in a.spans("connection")}
    assert b.spans("forward")
    assert dict(c.span("connection").attributes or {})["nearnet.dialect"] == "borsh"


async def test_a_refused_handshake_says_why() -> None:
    listener, dialer = Traced("protobuf", "another"), Traced("protobuf")
    async with listener.node, dialer.node:
        with pytest.raises(PeerRefused):
            await dialer.node.connect(f"{listener.node.peer_id}@{listener.node.addr}")
    handshake = dialer.span("handshake")
    assert handshake.status.status_code is StatusCode.ERROR
    assert "its genesis is another" in (handshake.status.description or "")
    assert dict(dialer.span("connection").attributes or {})["nearnet.closed"] == handshake.status.description
    assert dialer.spans("table exchange") == []
    assert dialer.tracing._open == {}


async def test_what_is_not_sampled_is_not_sampled_anywhere() -> None:
    quiet, listener = Traced("protobuf", sampler=ALWAYS_OFF), Traced("protobuf")
    async with quiet.node, listener.node:
        await quiet.node.connect(f"{listener.node.peer_id}@{listener.node.addr}")
        await quiet.node.ping(listener.node.peer_id)
    listener.tracing.close()
    assert quiet.exporter.get_finished_spans() == ()
    assert listener.spans("connection") == []


def test_contexts_of_the_wire() -> None:
    told = TraceContext(bytes(15) + b"\x01", bytes(7) + b"\x02", 3)
    context = context_of(told)
    assert context is not None
    span = get_current_span(context).get_span_context()
    assert (span.trace_id, span.span_id, span.is_remote, span.trace_flags.sampled) == (1, 2, True, True)
    assert trace_of(span) == told
    for priority, sampled in ((0, False), (1, False), (2, False), (3, True), (4, True), (5, False)):
        other = get_current_span(context_of(TraceContext(told.trace_id, told.span_id, priority))).get_span_context()
        assert other.trace_flags.sampled is sampled
        assert trace_of(other).sampling_priority == (3 if sampled else 1), "as a node tells what it decided by itself"
    for wrong in (
        None,
        TraceContext(b"", b"", 2),
        TraceContext(bytes(16), bytes(8), 2),
        TraceContext(bytes(99), b"", 0),
    ):
        assert context_of(wrong) is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nearnet.tools.otel._ROUTED", 3)
    traced = Traced("borsh")
    keys = [SecretKey.from_seed(str(number)).public_key for number in range(5)]
    for key in keys:
        traced.tracing.remember(key, get_current_span().get_span_context())  # type: ignore[arg-type]
    assert [traced.tracing.recall(key) is not None for key in keys] == [False, False, True, True, True]  # type: ignore[arg-type]
