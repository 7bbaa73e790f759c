"""Notices that a peer's machine is gone: nothing tells it but silence (`threats.md` row 9).

The kernel's own limits count sendings, whose distances double: what is allowed 50 s may take 100. Here it is time that
counts. A peer that is alive but reads nothing is none of these: its kernel still answers.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nearnet.net.transport import PeerConnection

__all__ = ["LOOK_EVERY", "SILENCE", "HalfOpen", "Signs", "signs_of_life"]

SILENCE = 45.0
"""Seconds without a sign of life, though one was asked for, after which a connection is cut.

An idle one is asked each 20 s (`transport.KEEP_ALIVE`), so that a live one is never silent for so long.
"""

LOOK_EVERY = 5.0
"""Seconds between two looks at all connections, of some microseconds each: gone after 55 s at most."""

_TCP_INFO = struct.Struct("=3xB20xI24xII60xQ")
"""Of Linux: probes, segments under way, milliseconds since data and since an acknowledgement came, bytes with one."""

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: a cut is told at once, where the way there is open, and not behind data that nobody acknowledges."""


class Signs(NamedTuple):
    """What the kernel knows of a connection's other end."""

    silent: float = 0.0
    """Seconds since anything came from it; 0 while nothing is awaited."""
    acknowledged: int | None = None
    """Bytes of ours that it has acknowledged, while others are under way to it; else None."""


def signs_of_life(sock: socket.socket) -> Signs:
    """None awaited when the system cannot say."""
    try:
        told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        probes, under_way, since_data, since_acknowledged, acknowledged = _TCP_INFO.unpack(told)
    except (AttributeError, OSError, struct.error):
        return Signs()
    silent = min(since_data, since_acknowledged) / 1000 if probes or under_way else 0.0
    return Signs(silent, acknowledged if under_way else None)


class HalfOpen:
    """Looks at the connections of one node from its making until `stop`.

    Where only the way there is broken, what comes from there is no sign that anything of ours arrives: what is under
    way to a peer must be acknowledged in time as well.
    """

    def __init__(self, connections: Mapping[int, PeerConnection], loop: asyncio.AbstractEventLoop) -> None:
        self._connections = connections
        self._loop = loop
        self._waiting: dict[PeerConnection, tuple[int, float]] = {}
        """Of those with something under way: how much was acknowledged, and since when it has not become more."""
        self._timer = loop.call_later(LOOK_EVERY, self._look)

    def _look(self) -> None:
        before, self._waiting = self._waiting, {}
        for connection in tuple(self._connections.values()):
            sock = connection.sock
            if sock is None:
                continue
            silent, acknowledged = signs_of_life(sock)
            if acknowledged is not None:
                now = self._loop.time()
                last, since = before.get(connection, (None, now))
                since = since if last == acknowledged else now
                self._waiting[connection] = acknowledged, since
                silent = max(silent, now - since)
            if silent >= SILENCE:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                connection.abort(f"no sign of life for {SILENCE:.0f} s")
        self._timer = self._loop.call_later(LOOK_EVERY, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()
