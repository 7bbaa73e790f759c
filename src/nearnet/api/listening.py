"""How an HTTP application of a node comes to listen: at one address, or with a word on what to change."""

from __future__ import annotations

import logging
import os

from aiohttp import web

from nearnet.errors import AlreadyRunning
from nearnet.wire.messages import SocketAddress

__all__ = ["STOP_TIMEOUT", "listen"]

STOP_TIMEOUT = 0.1
"""Seconds that a caller has when the node stops: little, as the whole stop has 2."""

_LINGER = 1.0
"""Seconds in which the rest of a body is read away after its answer."""


async def listen(app: web.Application, address: str, failed: str, change: str) -> tuple[web.AppRunner, SocketAddress]:
    """Serve `app` at ``IP:PORT`` (port 0: the system chooses), until the runner is cleaned up.

    Returns the runner and where it listens. `AlreadyRunning`, which says what `failed` and what to `change`,
    when the address cannot be had.
    """
    host, _, port = address.rpartition(":")
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=STOP_TIMEOUT,
        lingering_time=_LINGER,
        auto_decompress=False,  # a small body that becomes a large one is nobody's request
        logger=logging.getLogger("nearnet.http"),
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        await runner.cleanup()
        why = os.strerror(error.errno or 0)
        raise AlreadyRunning(f"{failed} on {address}: {why}; choose another with {change}") from None
    return runner, SocketAddress(*runner.addresses[0][:2])
