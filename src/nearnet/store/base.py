"""What the node needs of a database (`behaviour.md` §9): columns of bytes, and batches that are all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from nearnet.core.runtime.store_reader import StoreReader
from nearnet.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nearnet.core.runtime.actions import Write

__all__ = [
    "ACCOUNT_ANNOUNCEMENTS",
    "ADDRESS_VERSION",
    "COLUMNS",
    "COMPONENT_EDGES",
    "LAST_COMPONENT_NONCE",
    "PEERS",
    "PEER_COMPONENT",
    "PEER_DIALECT",
    "RECENT_OUTBOUND_CONNECTIONS",
    "Store",
    "known_column",
]

PEERS: Final = "Peers"
ACCOUNT_ANNOUNCEMENTS: Final = "AccountAnnouncements"
PEER_COMPONENT: Final = "PeerComponent"
COMPONENT_EDGES: Final = "ComponentEdges"
LAST_COMPONENT_NONCE: Final = "LastComponentNonce"
RECENT_OUTBOUND_CONNECTIONS: Final = "RecentOutboundConnections"
PEER_DIALECT: Final = "PeerDialect"
ADDRESS_VERSION: Final = "AddressVersion"

COLUMNS: Final = (
    PEERS,
    ACCOUNT_ANNOUNCEMENTS,
    PEER_COMPONENT,
    COMPONENT_EDGES,
    LAST_COMPONENT_NONCE,
    RECENT_OUTBOUND_CONNECTIONS,
    PEER_DIALECT,
    ADDRESS_VERSION,
)
"""All of them; keys and values of each in `store/schema.py`."""


def known_column(column: str) -> str:
    """The column itself, or `StoreError`: so that no batch is held up for good by a row that never fits."""
    if column not in COLUMNS:
        raise StoreError(f"the store has no column {column!r}; it has {', '.join(COLUMNS)}")
    return column


class Store(StoreReader, Protocol):
    """A database. One writer at a time."""

    def commit(self, writes: Sequence[Write]) -> None:
        """All of them, in order, in one transaction; `StoreError`, and none of them, when that fails."""

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
