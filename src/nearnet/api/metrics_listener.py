"""A listener for metrics alone, at `rpc.prometheus_addr` (`conventions.md` §3.3, §3.4): for a scraper in another place
than those who may call the RPC. It answers ``GET /metrics``, changes nothing and knows no token.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aiohttp import web

from nearnet.api.metrics import CONTENT_TYPE
from nearnet.errors import AlreadyRunning
from nearnet.wire.messages import SocketAddress

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MetricsListener"]

_STOP_TIMEOUT = 0.1
"""Seconds that a scraper has when the node stops."""


class MetricsListener:
    """Serves what `exposition` says, at ``IP:PORT`` (port 0: the system chooses)."""

    def __init__(self, address: str, exposition: Callable[[], str]) -> None:
        self._listens = address
        self._exposition = exposition
        self._runner: web.AppRunner | None = None
        self.address: SocketAddress | None = None
        """Where it listens, once it does."""

    async def start(self) -> None:
        """Listen; `AlreadyRunning` when the port is taken."""
        host, _, port = self._listens.rpartition(":")
        app = web.Application(client_max_size=0)
        app.add_routes([web.get("/metrics", self._metrics)])
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_STOP_TIMEOUT)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            await self._runner.cleanup()
            why = os.strerror(error.errno or 0)
            raise AlreadyRunning(
                f"metrics cannot be served on {self._listens}: {why}; choose another with rpc.prometheus_addr"
            ) from None
        name = self._runner.addresses[0]
        self.address = SocketAddress(name[0], name[1])

    async def stop(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=self._exposition().encode(), headers={"Content-Type": CONTENT_TYPE})
