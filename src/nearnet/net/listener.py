"""The listening socket: accepts, asks the core, and rests when the system has no descriptors left."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from typing import TYPE_CHECKING

from nearnet.errors import AlreadyRunning, ConfigError
from nearnet.net.descriptors import spare_descriptors
from nearnet.net.transport import remote_end
from nearnet.wire.messages import SocketAddress

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ACCEPT_PAUSE", "Listener"]

ACCEPT_PAUSE = 1.0
"""Seconds without accepting after the descriptors ran out (`threats.md` row 30)."""

_BACKLOG = 512
_AT_ONCE = 64
"""Accepted in one go, so that a flood of connections leaves the loop time for its peers."""

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_log = logging.getLogger("nearnet.node")


class Listener:
    """Listens at `address` and gives each new socket to `on_socket`, which owns it from then on."""

    def __init__(self, address: SocketAddress, on_socket: Callable[[socket.socket, SocketAddress], None]) -> None:
        """Takes the port at once (0: the system chooses). `AlreadyRunning` or `ConfigError` in words."""
        self._on_socket = on_socket
        self._loop = asyncio.get_running_loop()
        self._resume: asyncio.TimerHandle | None = None
        self._socket = _bound(address)
        self.address = SocketAddress(*remote_end(self._socket.getsockname()))
        """Where it listens, with the real port."""
        self.pauses = 0
        """How often the descriptors ran out."""

    def start(self) -> None:
        """Begin to accept."""
        self._loop.add_reader(self._socket.fileno(), self._accept)

    def close(self) -> None:
        """Accept no more, and free the port."""
        if self._resume is not None:
            self._resume.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                sock, name = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    _log.warning("! accept: %s", error)
                self._pause()
                return
            if spare_descriptors(sock) < 0:
                sock.close()
                self._pause()
                return
            self._on_socket(sock, SocketAddress(*remote_end(name)))

    def _pause(self) -> None:
        self.pauses += 1
        _log.warning("! no file descriptors left for peers: accepting rests for %g s (raise ulimit -n)", ACCEPT_PAUSE)
        self._loop.remove_reader(self._socket.fileno())
        self._resume = self._loop.call_later(ACCEPT_PAUSE, self._loop.add_reader, self._socket.fileno(), self._accept)


def _bound(address: SocketAddress) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.ip else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(f"cannot listen at {address}: no such addresses on this machine ({error.strerror})") from None
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # [::] takes both families; any other IPv6 address only its own.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((address.ip, address.port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise AlreadyRunning(
                f"cannot listen at {address}: the port is in use by another process; "
                "stop that one or choose another with network.addr"
            ) from None
        raise ConfigError(f"cannot listen at {address}: {error.strerror}; set network.addr") from None
    return sock
