"""What a node knows at one moment, as values that stay as they are: edges, routes, known peers, bans.

The connections are `ConnectedPeer` of `nearnet.net.network_info`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nearnet.core.peer_manager.known_peers import PeerStatus

if TYPE_CHECKING:
    from nearnet.core.peer_manager.manager import PeerManager
    from nearnet.core.runtime.clock import Now
    from nearnet.errors import ReasonForBan
    from nearnet.keys import PeerId
    from nearnet.wire.messages import SocketAddress

__all__ = ["BannedPeer", "GraphEdge", "KnownPeer", "Route", "bans", "edges", "known_peers", "routes"]


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """One edge of the network's graph: two peers, and whether they are connected."""

    peer0: PeerId
    """The smaller of the two ids, by their bytes."""
    peer1: PeerId
    nonce: int
    """The version of the edge: it grows with each connection and disconnection of the two peers."""
    active: bool
    """True while the two are connected; False once one of them has told that the connection is gone."""


@dataclass(frozen=True, slots=True)
class Route:
    """The shortest ways to one peer."""

    peer_id: PeerId
    distance: int
    """Connections on the way; 1 for a neighbor."""
    next_hops: tuple[PeerId, ...]
    """The neighbors that a shortest way begins with; never empty."""


@dataclass(frozen=True, slots=True)
class KnownPeer:
    """One entry of the peer store."""

    peer_id: PeerId
    address: SocketAddress | None
    """Where it listens, as far as that is known."""
    host: str | None
    """``HOST:PORT`` as the operator gave it, when it is a name; it is resolved at each dial."""
    account_id: str | None
    status: str
    """``"Unknown"`` (never connected), ``"NotConnected"``, ``"Connected"`` or ``"Banned"``."""
    trust: str
    """How its address is known: ``"Indirect"``, ``"Direct"`` or ``"Signed"``, the best one last."""
    first_seen: float
    """Unix seconds."""
    last_seen: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class BannedPeer:
    """One ban that holds."""

    peer_id: PeerId
    address: SocketAddress | None
    """Where it listens, as far as that is known."""
    reason: ReasonForBan
    since: float
    """Unix seconds."""
    until: float
    """Unix seconds."""


def edges(core: PeerManager) -> tuple[GraphEdge, ...]:
    """Return every edge that the routing table holds, removed ones too."""
    return tuple(GraphEdge(edge.peer0, edge.peer1, edge.nonce, edge.is_active) for edge in core.table.edges())


def routes(core: PeerManager, peer: PeerId | None) -> tuple[Route, ...]:
    """Return the route to each reachable peer, or to `peer` alone; nothing for a peer without one."""
    table = core.table
    asked = table.peers() if peer is None else [peer]
    found = ((one, table.distance(one), tuple(table.next_hops(one))) for one in asked)
    return tuple(Route(one, distance, hops) for one, distance, hops in found if hops and distance is not None)


def known_peers(core: PeerManager) -> tuple[KnownPeer, ...]:
    """Return all entries of the peer store, the longest untouched first."""
    return tuple(
        KnownPeer(
            peer_id=peer.id,
            address=peer.addr,
            host=peer.host,
            account_id=peer.account_id,
            status=peer.status.label,
            trust=peer.trust.name.capitalize(),
            first_seen=peer.first_seen / 1e9,
            last_seen=peer.last_seen / 1e9,
        )
        for peer in core.peer_store.peers()
    )


def bans(core: PeerManager, now: Now) -> tuple[BannedPeer, ...]:
    """Return the bans that hold at `now`."""
    return tuple(
        BannedPeer(
            peer_id=peer.id,
            address=peer.addr,
            reason=peer.ban.reason,
            since=peer.last_seen / 1e9,
            until=now.wall + peer.ban_ends - now.mono,
        )
        for peer in core.peer_store.bans()
        if peer.ban is not None and peer.status is PeerStatus.BANNED
    )
