"""What the parts of one node's core share. The parts call each other through it, never through globals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from nearnet.core.peer.handshake_table import PeerState
from nearnet.core.peer.peer import Outbox, Peer
from nearnet.core.runtime.actions import Close
from nearnet.core.runtime.timers import Timers
from nearnet.errors import PeerRefused
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import Disconnect

if TYPE_CHECKING:
    import random

    from nearnet.client import Client
    from nearnet.config import NetworkConfig
    from nearnet.core.gossip.announcements import Announcements
    from nearnet.core.peer.rates import MessageRates
    from nearnet.core.peer_manager.known_peers import PeerStore
    from nearnet.core.routed.route_back import RouteBack
    from nearnet.core.routing_table.table import RoutingTable
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.journal import Journal
    from nearnet.core.runtime.limits import LimitCounters
    from nearnet.errors import ReasonForBan
    from nearnet.keys import PeerId, SecretKey
    from nearnet.wire.dialect import Dialect
    from nearnet.wire.messages import GenesisId, SocketAddress

__all__ = ["Context", "DialectFor", "End", "plain_dialect"]


DialectFor: TypeAlias = "Callable[[Peer, str], Dialect]"
"""Returns what a connection reads and writes its frames with: the dialect of that name, or one around it."""


def plain_dialect(peer: Peer, name: str) -> Dialect:
    """Return the dialect of that name as it is."""
    return dialect_named(name)


class End(NamedTuple):
    """The end of a connection, and why."""

    peer: Peer
    reason: str


@dataclass(slots=True)
class Context:
    """One node's state and outputs, as its parts see them."""

    config: NetworkConfig
    key: SecretKey
    me: PeerId
    client: Client
    rng: random.Random
    genesis_id: GenesisId
    table: RoutingTable
    peer_store: PeerStore
    announcements: Announcements
    route_back: RouteBack
    limits: LimitCounters
    rates: MessageRates
    outbox: Outbox
    journal: Journal
    timers: Timers = field(default_factory=Timers)
    peers: dict[PeerId, Peer] = field(default_factory=dict)
    """The Ready ones."""
    connections: dict[int, Peer] = field(default_factory=dict)
    """All of them, by number."""
    counters: dict[tuple[str, str], int] = field(default_factory=dict)
    """Counts by (metric, label), for the metrics."""
    listen_address: SocketAddress | None = None
    """Where we listen, once we do."""
    dialect_for: DialectFor = plain_dialect
    """What a connection reads and writes its frames with; a traced node has it watched."""
    ends: list[End] = field(default_factory=list)
    """Connections that have ended in this input. The manager takes them when the input is done."""
    bans_changed: bool = False
    """Whether somebody was banned in this input."""

    def notify(self, kind: str, peer_id: PeerId | None = None, **data: Any) -> None:
        """Tell whoever watches; `data` must be JSON-able."""
        self.journal.notify(kind, peer_id, **data)

    def count(self, metric: str, label: str = "", count: int = 1) -> None:
        """So many more of that."""
        key = (metric, label)
        self.counters[key] = self.counters.get(key, 0) + count

    def unsupported_key(self, kind: str, count: int = 1) -> None:
        """Count what is skipped in messages of this kind for a key of a type that we do not use."""
        if count:
            self.limits.hit("unsupported_key", count)
            self.count("nearnet_unsupported_keys", kind, count)

    # --- ends of connections ---------------------------------------------------------------------

    def close(self, peer: Peer, reason: str, now: Now, flagged: bool = False) -> None:
        """End a connection: a protobuf peer is told, what is queued is sent, the socket closes.

        `flagged` asks a protobuf peer that dialed us not to come back (`behaviour.md` §10). Nothing of the connection
        counts from here on; what follows for the rest of the node is done when the input is done.
        """
        if peer.state is PeerState.CLOSED:
            return
        if peer.is_protobuf and peer.answered:
            peer.send(Disconnect(flagged and peer.direction == "inbound"))
        self.journal.add(Close(peer.id, reason))
        self.ended(peer, reason)

    def ended(self, peer: Peer, reason: str) -> None:
        """Take that a socket is gone, or will be once its queue is sent."""
        if peer.state is PeerState.CLOSED:
            return
        was_ready = peer.is_ready
        peer.state = PeerState.CLOSED
        peer.cancel_timers()
        peer.missed.clear()
        peer.missed_accounts.clear()
        peer.early.clear()
        self.connections.pop(peer.id, None)
        self.outbox.overflowed.pop(peer, None)
        self.count("nearnet_connections_closed", reason)
        if was_ready:
            self.peers.pop(peer.ready_id, None)
        self.ends.append(End(peer, reason if was_ready else f"handshake: {reason}"))

    def ban(self, peer_id: PeerId, reason: ReasonForBan, now: Now, seconds: float | None = None) -> None:
        """Ban a peer, for `ban_window` if no `seconds` are given, and close its connection at once."""
        if peer_id == self.me:
            raise PeerRefused(f"{peer_id} is this node itself")
        peer = self.peers.get(peer_id)
        self.peer_store.ban(peer_id, reason, now, seconds)
        window = self.config.network.ban_window if seconds is None else seconds
        self.notify("banned", peer_id, reason=reason.label, seconds=window)
        if peer is not None:
            self.limits.cool_down(peer.address.ip, now)
            self.close(peer, f"banned: {reason.label}", now, flagged=True)
        self.bans_changed = True

    def sync_delay(self, peer: Peer) -> float:
        """Seconds from Ready to the first table and question: none with protobuf peers (`behaviour.md` §2)."""
        return 0.0 if peer.is_protobuf else self.config.nearnet.timing.wait_for_sync_delay

    @property
    def outbound_count(self) -> int:
        """Ready connections that we dialed."""
        return sum(peer.direction == "outbound" for peer in self.peers.values())

    @property
    def told_address(self) -> SocketAddress | None:
        """Where we listen, unless that is every interface and so tells nothing."""
        address = self.listen_address
        return None if address is None or address.ip in ("0.0.0.0", "::") else address
