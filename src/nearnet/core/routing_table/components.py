"""Edges of unreachable peers, kept on disk in components (document §12.1; `behaviour.md` §9)."""

from __future__ import annotations

import struct
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from nearnet.core.runtime.actions import Write
from nearnet.keys import PeerId
from nearnet.wire.borsh.dialect import decode_edges, encode_edges
from nearnet.wire.edge_layout import ends_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nearnet.core.runtime.store_reader import StoreReader
    from nearnet.wire.edge_bytes import Edge

__all__ = ["Component", "Components"]

_NONCE = struct.Struct("<Q")
_EDGES, _PEERS, _LAST = "ComponentEdges", "PeerComponent", "LastComponentNonce"


class Component(NamedTuple):
    """Peers that were unreachable at the same time, with every edge that has one of them."""

    nonce: bytes
    peers: tuple[PeerId, ...]
    """Those whose last component this is; its edges may have other peers too."""
    edges: list[Edge]

    def stored(self) -> list[Write]:
        """The rows that keep it."""
        rows = [Write(_EDGES, self.nonce, encode_edges(self.edges)), Write(_LAST, b"", self.nonce)]
        return rows + [Write(_PEERS, peer, self.nonce) for peer in self.peers]

    def dropped(self) -> list[Write]:
        """The rows that forget it."""
        return [Write(_EDGES, self.nonce, None), *(Write(_PEERS, peer, None) for peer in self.peers)]


class Components:
    """Numbers new components, the first 0, and reads stored ones. Writes nothing itself.

    Every peer that turns up is looked for, so a store that has no component is not asked: while all cores are busy each
    look waits several milliseconds for the interpreter's lock, which SQLite lets go.
    """

    __slots__ = ("_none_stored", "_store")

    def __init__(self, store: StoreReader) -> None:
        """`store` gets its components from here alone from now on."""
        self._store = store
        self._none_stored = store.is_empty(_PEERS)

    def new(self, peers: Iterable[PeerId], edges: list[Edge]) -> Component:
        """A component of the next nonce, to be stored by the caller."""
        self._none_stored = False
        last = self._store.get(_LAST, b"")
        nonce = 0 if last is None else _NONCE.unpack(last)[0] + 1
        return Component(_NONCE.pack(nonce), tuple(peers), edges)

    def edge_between(self, one: PeerId, other: PeerId) -> Edge | None:
        """Their edge, when it is in the component of `other`."""
        component = self.of(other)
        edges = () if component is None else component.edges
        return next((edge for edge in edges if edge.involves(one) and edge.involves(other)), None)

    def of(self, peer: PeerId) -> Component | None:
        """The last component of this peer; None when it has none."""
        nonce = None if self._none_stored else self._store.get(_PEERS, peer)
        if nonce is None:
            return None
        stored = self._store.get(_EDGES, nonce)
        edges = [] if stored is None else list(decode_edges(stored))
        ends = dict.fromkeys(chain((peer,), *map(ends_of, edges)))
        return Component(nonce, tuple(PeerId(end) for end in ends if self._store.get(_PEERS, end) == nonce), edges)
