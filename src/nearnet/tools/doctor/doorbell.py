"""Our port, held open for a while: does a boot node that we have visited dial us back?"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from typing import TYPE_CHECKING, Self

from nearnet.net.listener import Listener
from nearnet.tools.doctor.visit import messages_from
from nearnet.wire.dialect import detect, dialect_named
from nearnet.wire.messages import Handshake

if TYPE_CHECKING:
    import socket
    from types import TracebackType

    from nearnet.keys import PeerId
    from nearnet.wire.messages import SocketAddress

__all__ = ["Doorbell"]

_FIRST_WORD = 5.0
"""Seconds that a caller has for its handshake."""

_MOST_CALLERS = 64


class Doorbell:
    """An asynchronous context manager that listens; `callers` are those who shook hands, with their nonces.

    Entering raises `AlreadyRunning` or `ConfigError` when it cannot listen there.
    """

    def __init__(self, address: SocketAddress) -> None:
        self._address = address
        self._tasks: set[asyncio.Task[None]] = set()
        self._rang = asyncio.Event()
        self.callers: dict[PeerId, int] = {}

    async def __aenter__(self) -> Self:
        self._listener = Listener(self._address, self._accepted)
        self.address = self._listener.address
        self._listener.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def takes_connections(self) -> str | None:
        """Dial it ourselves: None when that works, else why not."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.address.ip, self.address.ip)
        try:
            async with asyncio.timeout(_FIRST_WORD):
                _, writer = await asyncio.open_connection(host, self.address.port)
        except TimeoutError:
            return os.strerror(errno.ETIMEDOUT)
        except OSError as error:
            return os.strerror(error.errno) if error.errno else str(error)
        writer.transport.abort()
        return None

    async def wait_for(self, wanted: set[PeerId], seconds: float) -> PeerId | None:
        """The first of these that calls, or has called."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not wanted & self.callers.keys():
                    self._rang.clear()
                    await self._rang.wait()
        return next((peer for peer in self.callers if peer in wanted), None)

    def _accepted(self, sock: socket.socket, address: SocketAddress) -> None:
        if len(self._tasks) >= _MOST_CALLERS:
            sock.close()
            return
        sock.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._answer(sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, sock: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=sock)
        try:
            async with asyncio.timeout(_FIRST_WORD):
                head = await reader.readexactly(5)
                replayed = asyncio.StreamReader()
                replayed.feed_data(head + await reader.read(65536))
                replayed.feed_eof()
                async for message in messages_from(replayed, dialect_named(detect(head[4]))):
                    if isinstance(message, Handshake):
                        self.callers[message.sender_peer_id] = message.partial_edge_info.nonce
                        self._rang.set()
        except (OSError, EOFError, TimeoutError):
            pass  # Not one that we wait for.
        finally:
            writer.transport.abort()
