"""Has answers taken by their callers: what waits for them is bounded, and who never reads is cut off (row 75)."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from aiohttp import web

__all__ = ["MAX_UNTAKEN", "PATIENCE", "SMALL", "Delivery"]

MAX_UNTAKEN = 256 * 2**20
"""Bytes of large answers that wait for their callers; one that would make it more gets 429, unless it is alone."""

SMALL = 64 * 1024
"""Bytes of an answer that is not counted: it fits into what the system and the loop keep for a connection anyway."""

PATIENCE = 30.0
"""Seconds in which a caller has to take something of what waits for it."""

_log = logging.getLogger("nearnet.rpc")


class Delivery:
    """The answers of one server that are on their way."""

    def __init__(self) -> None:
        self._untaken = 0

    def has_room(self, response: web.StreamResponse) -> bool:
        """Whether this answer may wait beside the others."""
        length = _length(response)
        return length <= SMALL or self._untaken == 0 or self._untaken + length <= MAX_UNTAKEN

    async def deliver(self, request: web.Request, response: web.StreamResponse) -> None:
        """Returns once it was taken, or its caller is gone. A small one is left to the server."""
        length = _length(response)
        if length <= SMALL:
            return
        self._untaken += length
        try:
            with contextlib.suppress(ConnectionError):
                await _send(request, response)
        finally:
            self._untaken -= length


def _length(response: web.StreamResponse) -> int:
    body = response.body if isinstance(response, web.Response) else None
    return len(body) if isinstance(body, bytes) else 0


async def _send(request: web.Request, response: web.StreamResponse) -> None:
    sending = asyncio.ensure_future(_write(request, response))
    waiting = _length(response)
    try:
        while not (await asyncio.wait([sending], timeout=PATIENCE))[0]:
            before, waiting = waiting, _waits(request)
            if waiting >= before:
                _log.warning("! a caller at %s reads no answer for %g s: cut off", request.remote, PATIENCE)
                if request.transport is not None:
                    request.transport.abort()  # the rest of the answer would wait for the same reader
                break
        await sending
    finally:
        sending.cancel()


async def _write(request: web.Request, response: web.StreamResponse) -> None:
    await response.prepare(request)
    await response.write_eof()


def _waits(request: web.Request) -> int:
    transport = request.transport
    return transport.get_write_buffer_size() if isinstance(transport, asyncio.WriteTransport) else 0
