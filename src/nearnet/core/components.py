"""Edges of unreachable peers, kept on disk in components (document §12.1; `behaviour.md` §9)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from nearnet.core.actions import Write
from nearnet.wire.borsh_dialect import decode_edges, encode_edges

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nearnet.keys import PeerId
    from nearnet.store.base import StoreReader
    from nearnet.wire.edge_bytes import Edge

__all__ = ["Components"]

_NONCE = struct.Struct("<Q")
_EDGES, _PEERS, _LAST = "ComponentEdges", "PeerComponent", "LastComponentNonce"


class Components:
    """Reads components from the store and makes the rows that change them."""

    __slots__ = ("_next", "_store")

    def __init__(self, store: StoreReader) -> None:
        self._store = store
        last = store.get(_LAST, b"")
        self._next = 0 if last is None else int(_NONCE.unpack(last)[0]) + 1

    def stow(self, peers: Iterable[PeerId], edges: list[Edge]) -> list[Write]:
        """The rows that keep these edges as one new component of these peers."""
        nonce = _NONCE.pack(self._next)
        self._next += 1
        rows = [Write(_EDGES, nonce, encode_edges(edges)), Write(_LAST, b"", nonce)]
        rows.extend(Write(_PEERS, peer, nonce) for peer in peers)
        return rows

    def load(self, peer: PeerId) -> tuple[list[Edge], list[Write]]:
        """The edges of the peer's last component, and the rows that drop it; nothing when it has none."""
        nonce = self._store.get(_PEERS, peer)
        if nonce is None:
            return [], []
        stored = self._store.get(_EDGES, nonce)
        rows = [Write(_PEERS, peer, None)]
        if stored is None:
            return [], rows
        edges = list(decode_edges(stored))
        members = dict.fromkeys(member for edge in edges for member in edge.key)
        rows.extend(
            Write(_PEERS, member, None)
            for member in members
            if member != peer and self._store.get(_PEERS, member) == nonce
        )
        rows.append(Write(_EDGES, nonce, None))
        return edges, rows
