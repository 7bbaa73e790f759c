"""File descriptors kept back for the store, the RPC and the program itself (`threats.md` row 30)."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

__all__ = ["RESERVED", "spare_descriptors"]

RESERVED = 32
"""Descriptors that peers never get."""


def spare_descriptors(sock: socket.socket) -> int:
    """How many may still be opened for peers after `sock`, at least; negative when it should be given back.

    The system hands out the lowest free number, so nothing needs to be counted.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return RESERVED
    return soft - RESERVED - 1 - sock.fileno()
