"""What the parts of one node's core share. The parts call each other through it, never through globals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nearnet.core.peer.peer import Outbox, Peer
from nearnet.core.runtime.actions import Action, Event, Notify, Persist, Write
from nearnet.core.runtime.timers import Timers
from nearnet.wire.dialect import dialect_named

if TYPE_CHECKING:
    import random

    from nearnet.client import Client
    from nearnet.config import NetworkConfig
    from nearnet.core.gossip.announcements import Announcements
    from nearnet.core.peer.rates import MessageRates
    from nearnet.core.peer_manager.known_peers import PeerStore
    from nearnet.core.routed.route_back import RouteBack
    from nearnet.core.routing_table.table import RoutingTable
    from nearnet.core.runtime.limits import LimitCounters
    from nearnet.keys import PeerId, SecretKey
    from nearnet.wire.dialect import Dialect
    from nearnet.wire.messages import GenesisId, SocketAddress

__all__ = ["Context"]


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
    timers: Timers = field(default_factory=Timers)
    peers: dict[PeerId, Peer] = field(default_factory=dict)
    """The Ready ones."""
    connections: dict[int, Peer] = field(default_factory=dict)
    """All of them, by number."""
    actions: list[Action] = field(default_factory=list)
    counters: dict[tuple[str, str], int] = field(default_factory=dict)
    """Counts by (metric, label), for the metrics."""
    listen_address: SocketAddress | None = None
    """Where we listen, once we do."""
    dialect_for: Callable[[Peer, str], Dialect] = lambda peer, name: dialect_named(name)
    """What a connection reads and writes its frames with; a traced node has it watched."""
    close: Callable[..., None] = lambda *_, **__: None
    """`close(peer, reason, now, flagged=False)`: ends a connection; set by the manager."""
    ban: Callable[..., None] = lambda *_: None
    """`ban(peer_id, reason, now, seconds=None)`: bans a peer and closes its connection; set by the manager."""

    def notify(self, kind: str, peer_id: PeerId | None = None, **data: Any) -> None:
        """Tell whoever watches; `data` must be JSON-able."""
        self.actions.append(Notify(Event(kind, peer_id, data)))

    def persist(self, writes: list[Write], urgent: bool = False) -> None:
        """Have rows committed; nothing for none."""
        if writes:
            self.actions.append(Persist(tuple(writes), urgent))

    def count(self, metric: str, label: str = "", count: int = 1) -> None:
        """So many more of that."""
        key = (metric, label)
        self.counters[key] = self.counters.get(key, 0) + count

    def unsupported_key(self, kind: str, count: int = 1) -> None:
        """Count what is skipped in messages of this kind for a key of a type that we do not use."""
        if count:
            self.limits.hit("unsupported_key", count)
            self.count("nearnet_unsupported_keys", kind, count)

    def sync_delay(self, peer: Peer) -> float:
        """Seconds from Ready to the first table and question: none with today's peers (`behaviour.md` §2)."""
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
