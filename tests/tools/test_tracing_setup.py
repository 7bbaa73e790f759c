"""Tracing as the environment asks for it."""

from __future__ import annotations

import http.server
import logging
import subprocess
import sys
import threading
import time
from typing import ClassVar

import pytest

from nearnet.tools import tracing_setup
from nearnet.tools.otel import OtelTracing
from nearnet.tools.tracing_setup import ENDPOINTS, tracing_from_environment


def test_nothing_is_imported_unless_it_is_asked_for() -> None:
    script = (
        "import sys\n"
        "from nearnet.tools.daemon import Daemon\n"
        "from nearnet.tools.tracing_setup import tracing_from_environment\n"
        "tracing, end = tracing_from_environment({}, 'me')\n"
        "end()\n"
        "assert tracing is None\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert tracing_from_environment({ENDPOINTS[0]: "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}, "me")[0] is None


class Collector(http.server.BaseHTTPRequestHandler):
    bodies: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Holding(Collector):
    """A collector that keeps who asks it waiting until `released`."""

    released = threading.Event()

    def do_POST(self) -> None:
        self.released.wait(50)
        super().do_POST()


@pytest.mark.parametrize("name", ENDPOINTS)
def test_spans_reach_a_collector(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(Collector, "bodies", [])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv(name, endpoint)
        tracing, end = tracing_from_environment({name: endpoint}, "ed25519:me")
        assert isinstance(tracing, OtelTracing)
        tracing.tracer.start_span("connection").end()
        end()
        deadline = time.monotonic() + 10
        while not Collector.bodies and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        server.shutdown()
    assert b"ed25519:me" in Collector.bodies[0]
    assert b"connection" in Collector.bodies[0]


def test_a_collector_that_is_not_there_holds_up_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the spans and does not answer: the stop returns while they still wait for the answer."""
    monkeypatch.setattr(tracing_setup, "_FLUSH_TIME", 0.1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Holding) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}/v1/traces"
        monkeypatch.setenv(ENDPOINTS[0], endpoint)
        tracing, end = tracing_from_environment({ENDPOINTS[0]: endpoint}, "me")
        assert isinstance(tracing, OtelTracing)
        tracing.tracer.start_span("connection").end()
        end()
        (flushing,) = (thread for thread in threading.enumerate() if thread.name == "nearnet-otel")
        Holding.released.set()
        flushing.join(30)
        assert not flushing.is_alive(), "the answer ends it"
        server.shutdown()


def test_its_own_log_goes_where_ours_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = logging.getLogger("nearnet"), logging.getLogger("opentelemetry")
    handler = logging.NullHandler()
    for logger in (ours, theirs):
        monkeypatch.setattr(logger, "handlers", [])
        monkeypatch.setattr(logger, "propagate", True)
    monkeypatch.setattr(ours, "handlers", [handler])
    _, end = tracing_from_environment({ENDPOINTS[0]: "http://127.0.0.1:1/v1/traces"}, "me")
    end()
    assert (theirs.handlers, theirs.propagate) == ([handler], False)


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert tracing_from_environment({ENDPOINTS[0]: "http://127.0.0.1:1"}, "me")[0] is None
    assert "pip install 'nearnet[otel]'" in caplog.text
