"""The listener for metrics alone (`conventions.md` §3.4)."""

from __future__ import annotations

import socket

import pytest
from raw_http import get, post

from nearnet.api.metrics import CONTENT_TYPE
from nearnet.api.metrics_listener import MetricsListener
from nearnet.errors import AlreadyRunning


async def test_metrics_and_nothing_else() -> None:
    told = iter(["first 1\n", "second 2\n"])
    listener = MetricsListener("127.0.0.1:0", lambda: next(told))
    await listener.start()
    try:
        assert listener.address is not None
        assert listener.address.port > 0
        first, second = await get(listener, "/metrics"), await get(listener, "/metrics")
        assert (first.status, first.body, second.body) == (200, b"first 1\n", b"second 2\n")
        assert first.headers["content-type"] == CONTENT_TYPE
        for path in ("/", "/status", "/debug/api/status", "/ws/events"):
            assert (await get(listener, path)).status == 404
        assert (await post(listener, {"jsonrpc": "2.0", "id": 1, "method": "nearnet_ban"})).status in (404, 405)
    finally:
        await listener.stop()


async def test_a_port_that_is_taken_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listener = MetricsListener(f"127.0.0.1:{other.getsockname()[1]}", str)
        with pytest.raises(AlreadyRunning, match=r"choose another with rpc\.prometheus_addr"):
            await listener.start()
    await listener.stop()
    await MetricsListener("127.0.0.1:0", str).stop()
