"""Large tables are decoded a piece at a time, so that one of a million edges does not hold up everybody else (row 72).

Their sender is not read meanwhile: what it sent afterwards waits for its turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from nearnet.core.clock import Now
    from nearnet.core.connections import Connections
    from nearnet.core.context import Context
    from nearnet.core.peer import Peer
    from nearnet.wire.messages import Message, SyncRoutingTable

__all__ = ["LARGE_TABLE", "LargeTables"]

LARGE_TABLE = 256 * 1024
"""Bytes from which a table is decoded in steps: about 1 200 edges, 1 to 4 ms."""


class LargeTables:
    """The tables that are being decoded, one per connection."""

    __slots__ = ("_connections", "_context", "_on_message")

    def __init__(
        self, context: Context, connections: Connections, on_message: Callable[[Peer, Message, Now], None]
    ) -> None:
        self._context = context
        self._connections = connections
        self._on_message = on_message

    def decode(self, peer: Peer, steps: Generator[None, None, SyncRoutingTable], now: Now) -> None:
        """Begin, and go on in later turns; `on_message` has the table when it is whole."""
        self._connections.pause(peer, "table")
        self._go_on(peer, steps, now)

    def _go_on(self, peer: Peer, steps: Generator[None, None, SyncRoutingTable], now: Now) -> None:
        if not peer.is_ready:
            return
        try:
            next(steps)
        except StopIteration as whole:
            self._on_message(peer, whole.value, now)
        except Malformed as error:
            self._connections.malformed(peer, str(error), now)
        else:
            self._context.timers.at(now.mono, lambda now: self._go_on(peer, steps, now))
            return
        self._connections.resume(peer, "table", now)
