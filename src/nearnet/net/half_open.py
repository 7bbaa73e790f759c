"""Notices that a peer's machine is gone: nothing tells it but silence (`threats.md` row 9).

The kernel's own limits count sendings, whose distances double: what is allowed 50 s may take 100. Here it is time that
counts. A peer that is alive but reads nothing is none of these: its kernel still answers.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nearnet.core.peer import Peer
    from nearnet.net.transport import PeerConnection

__all__ = ["LOOK_EVERY", "SILENCE", "HalfOpen", "unanswered"]

SILENCE = 45.0
"""Seconds without a sign of life, though one was asked for, after which a connection is cut.

An idle one is asked each 20 s (`transport.KEEP_ALIVE`), so that a live one is never silent for so long.
"""

LOOK_EVERY = 5.0
"""Seconds between two looks at all connections, of some microseconds each: gone after 50 s at most."""

_TCP_INFO = struct.Struct("=3xB20xI24xII")
"""Of Linux: probes, segments without acknowledgement; milliseconds since data came and since an acknowledgement did."""


def unanswered(sock: socket.socket) -> float:
    """Seconds since its peer gave a sign of life, 0 when none is awaited (or the system cannot say)."""
    try:
        told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        probes, waiting, since_data, since_acknowledged = _TCP_INFO.unpack(told)
    except (AttributeError, OSError, struct.error):
        return 0.0
    return min(since_data, since_acknowledged) / 1000 if probes or waiting else 0.0


class HalfOpen:
    """Looks at the connections of one node from its making until `stop`."""

    def __init__(self, connections: Mapping[Peer, PeerConnection], loop: asyncio.AbstractEventLoop) -> None:
        self._connections = connections
        self._loop = loop
        self._timer = loop.call_later(LOOK_EVERY, self._look)

    def _look(self) -> None:
        for connection in tuple(self._connections.values()):
            sock = connection.sock
            if sock is not None and unanswered(sock) >= SILENCE:
                connection.abort(f"no sign of life for {SILENCE:.0f} s")
        self._timer = self._loop.call_later(LOOK_EVERY, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()
