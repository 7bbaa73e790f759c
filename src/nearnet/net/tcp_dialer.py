"""Outgoing connections: each `Dial` runs by itself; neither the loop nor another dial waits for a dead address."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from nearnet.errors import ConfigError
from nearnet.net.descriptors import spare_descriptors
from nearnet.net.transport import prepare_socket
from nearnet.wire.peer_text import parse_address

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from nearnet.config import NetworkConfig
    from nearnet.core.runtime.actions import Dial

__all__ = ["RESOLVE_TIMEOUT", "TcpDialer", "resolve"]

RESOLVE_TIMEOUT = 5.0
"""Seconds for a host name to become addresses."""

_MOST_ADDRESSES = 3
"""Addresses of one host name that are tried, one after the other."""


async def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    """The socket addresses of a host name, in the resolver's order; `OSError` when there are none, or `TimeoutError`.

    Each on a thread that nobody waits for: a name server that does not answer holds up neither a dial nor a stop.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Any]] = loop.create_future()

    def tell(result: list[Any] | OSError) -> None:
        if answer.done():
            return
        if isinstance(result, OSError):
            answer.set_exception(result)
        else:
            answer.set_result(result)

    def ask() -> None:
        try:
            result: list[Any] | OSError = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            result = error if isinstance(error, OSError) else OSError(f"{host!r} is no host name")
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=ask, name="nearnet-resolve", daemon=True).start()
    async with asyncio.timeout(RESOLVE_TIMEOUT):
        return [found[4] for found in await answer]


class TcpDialer:
    """Carries out `Dial`s. Ends each with exactly one call of `on_socket(dial, socket)` or `on_failure(dial, why)`."""

    def __init__(
        self,
        config: NetworkConfig,
        on_socket: Callable[[Dial, socket.socket], Coroutine[Any, Any, None]],
        on_failure: Callable[[Dial, str], None],
    ) -> None:
        self._config = config
        self._on_socket = on_socket
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, dial: Dial) -> None:
        """Begin; the outcome is told later."""
        task = asyncio.get_running_loop().create_task(self._dial(dial))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Let go of all dials that have not ended."""
        for task in tuple(self._tasks):
            task.cancel()

    async def _dial(self, dial: Dial) -> None:
        why = "the host name has no address"
        try:
            addresses = await self._addresses(dial)
        except TimeoutError:
            addresses, why = [], f"the host name did not resolve within {RESOLVE_TIMEOUT:g} s"
        except (OSError, ConfigError) as error:
            addresses, why = [], _words(error)
        for address in addresses[:_MOST_ADDRESSES]:
            try:
                sock = await self._connect(address, dial.timeout)
            except TimeoutError:
                why = f"no answer within {dial.timeout:g} s"
            except OSError as error:
                why = _words(error)
            else:
                await self._on_socket(dial, sock)
                return
        self._on_failure(dial, why)

    async def _addresses(self, dial: Dial) -> list[tuple[Any, ...]]:
        if dial.host is not None:
            return await resolve(*parse_address(dial.host))
        address = dial.peer.addr
        return [] if address is None else [(address.ip, address.port)]

    async def _connect(self, address: tuple[Any, ...], timeout: float) -> socket.socket:
        sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
        try:
            if spare_descriptors(sock) < 0:
                raise OSError("too many open files: raise the limit (ulimit -n)")
            prepare_socket(sock, self._config)
            async with asyncio.timeout(timeout):
                await asyncio.get_running_loop().sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        return sock


def _words(error: Exception) -> str:
    """The system's words for an error number: asyncio and uvloop each put their own around it."""
    if isinstance(error, socket.gaierror):
        return f"the host name does not resolve: {error.strerror}"
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number is not None else str(error) or type(error).__name__
