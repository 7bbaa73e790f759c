"""How an HTTP application of a node comes to listen: at one address, or with a word on what to change."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from aiohttp import web

from nearnet.errors import AlreadyRunning
from nearnet.wire.messages import SocketAddress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["MAX_CONNECTIONS", "SILENCE", "STOP_TIMEOUT", "listen"]

MAX_CONNECTIONS = 512
"""Connections at once, those that wait for a next request too; more are closed before any read."""

SILENCE = 30.0
"""Seconds, or up to a third more, in which a connection has to send its first request to the end of its head."""

STOP_TIMEOUT = 0.1
"""Seconds that a caller has when the node stops: little, as the whole stop has 2."""

_KEPT = 75.0
"""Seconds for which a connection is kept for a next request."""

_LINGER = 1.0
"""Seconds in which the rest of a body is read away after its answer."""


async def listen(app: web.Application, address: str, failed: str, change: str) -> tuple[web.AppRunner, SocketAddress]:
    """Serve `app` at ``IP:PORT`` (port 0: the system chooses), until the runner is cleaned up.

    Returns the runner and where it listens. `AlreadyRunning`, which says what `failed` and what to `change`,
    when the address cannot be had.
    """
    host, _, port = address.rpartition(":")
    listener = _Listener(host.strip("[]"), int(port))
    app.middlewares.insert(0, listener.heard)
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=STOP_TIMEOUT,
        keepalive_timeout=_KEPT,
        lingering_time=_LINGER,
        auto_decompress=False,  # a small body that becomes a large one is nobody's request
        logger=logging.getLogger("nearnet.http"),
    )
    await runner.setup()
    try:
        await listener.site(runner).start()
    except OSError as error:
        await runner.cleanup()
        why = os.strerror(error.errno or 0)
        raise AlreadyRunning(f"{failed} on {address}: {why}; choose another with {change}") from None
    return runner, SocketAddress(*runner.addresses[0][:2])


class _Listener:
    """Bounds an application's connections: their number, and how long one may say nothing.

    Descriptors that idle callers hold are those that a node dials with.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._looks: dict[object, int] = {}
        """Connections without a request yet -> how often they were met so."""
        self._heard: set[object] = set()

    @web.middleware
    async def heard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self._heard.add(request.protocol)
        return await handler(request)

    def site(self, runner: web.AppRunner) -> web.BaseSite:
        return _Site(runner, self)

    async def serve(self, server: web.Server) -> asyncio.Server:
        loop = asyncio.get_running_loop()

        def accepted() -> asyncio.Protocol:
            return server() if len(server.connections) < MAX_CONNECTIONS else _TurnedAway()

        listening = await loop.create_server(accepted, self._host, self._port)
        loop.call_later(SILENCE / 3, self._look, loop, listening, server)
        return listening

    def _look(self, loop: asyncio.AbstractEventLoop, listening: asyncio.Server, server: web.Server) -> None:
        alive = server.connections
        self._heard.intersection_update(alive)
        self._looks = {one: self._looks.get(one, 0) + 1 for one in alive if one not in self._heard}
        for one in alive:
            if self._looks.get(one, 0) > 3 and one.transport is not None:
                one.transport.abort()
        if listening.is_serving():
            loop.call_later(SILENCE / 3, self._look, loop, listening, server)


class _Site(web.BaseSite):
    def __init__(self, runner: web.AppRunner, listener: _Listener) -> None:
        super().__init__(runner)
        self._listener = listener

    @property
    def name(self) -> str:
        return "nearnet"

    async def start(self) -> None:
        await super().start()
        assert self._runner.server is not None
        self._server = await self._listener.serve(self._runner.server)


class _TurnedAway(asyncio.Protocol):
    """A connection above the limit."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
