"""What a node calls when it is traced; `tools/otel.py` is the OpenTelemetry side. Untraced, nothing here runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nearnet.core.peer.peer import Peer
    from nearnet.events import NodeEvent
    from nearnet.wire.dialect import Dialect

__all__ = ["Tracing"]


class Tracing(Protocol):
    """Watches the connections of one node."""

    def dialect_for(self, peer: Peer, name: str) -> Dialect:
        """What a new connection is to read and write its frames with: it sees them all."""

    def event(self, event: NodeEvent) -> None:
        """Something happened."""
