"""Ports for what a test starts, or that nobody shall answer at."""

from __future__ import annotations

import socket
from collections import deque

__all__ = ["free_port"]

_held: deque[socket.socket] = deque(maxlen=128)


def free_port() -> int:
    """A port of loopback at which nobody listens, chosen by the system and kept for whoever asked.

    The socket stays bound, for as long as a test may last, and never listens: the system gives the port to no other
    program and to no outgoing connection, refuses who connects to it, and lets a server that sets `SO_REUSEADDR`, as
    ours and asyncio's do, listen there.
    """
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", 0))
    if len(_held) == _held.maxlen:
        _held.popleft().close()
    _held.append(one)
    return int(one.getsockname()[1])
