"""A listener for metrics alone, at `rpc.prometheus_addr` (`conventions.md` §3.3, §3.4): for a scraper in another place
than those who may call the RPC. It answers ``GET /metrics``, changes nothing and knows no token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from nearnet.api.listening import listen
from nearnet.api.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.wire.messages import SocketAddress

__all__ = ["MetricsListener"]


class MetricsListener:
    """Serves what `exposition` says, at ``IP:PORT`` (port 0: the system chooses)."""

    def __init__(self, address: str, exposition: Callable[[], str], named: str = "rpc.prometheus_addr") -> None:
        """`named`: the field or flag that the address is from, for who has to change it."""
        self._listens = address
        self._named = named
        self._exposition = exposition
        self._runner: web.AppRunner | None = None
        self.address: SocketAddress | None = None
        """Where it listens, once it does."""

    async def start(self) -> None:
        """Listen; `AlreadyRunning` when the port is taken."""
        app = web.Application(client_max_size=0)
        app.add_routes([web.get("/metrics", self._metrics)])
        self._runner, self.address = await listen(app, self._listens, "metrics cannot be served", self._named)

    async def stop(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=self._exposition().encode(), headers={"Content-Type": CONTENT_TYPE})
