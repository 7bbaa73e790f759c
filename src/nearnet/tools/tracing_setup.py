"""Turns tracing on where the environment asks for it, by OpenTelemetry's own variables; imports nothing otherwise."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from nearnet.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nearnet.net.tracing import Tracing

__all__ = ["ENDPOINTS", "tracing_from_environment"]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Either says where a collector takes OTLP over HTTP, such as ``http://127.0.0.1:4318``."""

_FLUSH_TIME = 0.5
"""Seconds that a stop waits for the last spans: it has 2 in all."""

_log = logging.getLogger("nearnet.run")


def tracing_from_environment(environ: Mapping[str, str], peer_id: str) -> tuple[Tracing | None, Callable[[], None]]:
    """What a node is to be traced with, None unless an endpoint is set; and what to call once it has stopped."""
    if not any(environ.get(name) for name in ENDPOINTS) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None, lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _log.warning("! traces are asked for and OpenTelemetry is not installed: pip install 'nearnet[otel]'")
        return None, lambda: None
    from nearnet.tools.otel import OtelTracing

    _share_log()
    names = {"service.name": environ.get("OTEL_SERVICE_NAME", "nearnet"), "service.instance.id": peer_id}
    provider = TracerProvider(resource=Resource.create({**names, "service.version": VERSION}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracing = OtelTracing(provider.get_tracer("nearnet", VERSION))

    def end() -> None:
        tracing.close()
        # A collector that does not answer must not hold up the stop.
        last = threading.Thread(target=provider.shutdown, name="nearnet-otel", daemon=True)
        last.start()
        last.join(_FLUSH_TIME)

    return tracing, end


def _share_log() -> None:
    """What OpenTelemetry has to say, of a collector that does not answer for one, goes where our lines go."""
    theirs = logging.getLogger("opentelemetry")
    theirs.handlers = list(logging.getLogger("nearnet").handlers)
    theirs.propagate = not theirs.handlers
