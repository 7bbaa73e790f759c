"""The PeerManager (document §2.4): the core's front. Inputs in, actions out, every input with its time.

It composes the parts and passes each message to the part that decides about it. The shell (`net/`, `sim/`) calls an
input, then sends what `take_dirty` names and carries out `take_actions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.context import Context, plain_dialect
from nearnet.core.gossip.account_peers import AccountPeers
from nearnet.core.gossip.accounts_data import AccountsData
from nearnet.core.gossip.announcements import Announcements
from nearnet.core.gossip.exchange import EdgeIntake, TableExchange
from nearnet.core.gossip.own_edges import LocalEdges, NonceRefresh
from nearnet.core.gossip.snapshot_hosts import SnapshotHosts
from nearnet.core.gossip.telling import Gossip
from nearnet.core.peer.handshake import Handshaking
from nearnet.core.peer.inbound import Connections
from nearnet.core.peer.peer import Outbox, Peer
from nearnet.core.peer.rates import MessageRates
from nearnet.core.peer_manager.clock_watch import ClockWatch
from nearnet.core.peer_manager.dialing import Dialer
from nearnet.core.peer_manager.known_peers import PeerStore
from nearnet.core.peer_manager.membership import Membership
from nearnet.core.peer_manager.protocol_watch import ProtocolWatch
from nearnet.core.routed.delivery import ClientPort
from nearnet.core.routed.forwarding import RoutedMessages
from nearnet.core.routed.route_back import RouteBack
from nearnet.core.routing_table.edge import Verdict
from nearnet.core.routing_table.table import RoutingTable
from nearnet.core.runtime.actions import Action, CheckMessage, Close, Dial
from nearnet.core.runtime.journal import Journal
from nearnet.core.runtime.limits import LimitCounters
from nearnet.errors import InvalidRoutedSignature, PeerRefused, ReasonForBan, RouteNotFound
from nearnet.keys import CryptoHash, PeerId, check_signatures
from nearnet.wire.messages import (
    Disconnect,
    Message,
    PeerInfo,
    PeersRequest,
    PeersResponse,
    RequestUpdateNonce,
    ResponseUpdateNonce,
    SocketAddress,
    SyncAccountsData,
    SyncRoutingTable,
    SyncSnapshotHosts,
)
from nearnet.wire.routed_body import body_name

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from nearnet.client import Client
    from nearnet.config import NetworkConfig
    from nearnet.core.context import DialectFor
    from nearnet.core.routed.forwarding import Check
    from nearnet.core.routing_table.graph import Routes
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.store_reader import StoreReader
    from nearnet.keys import SecretKey
    from nearnet.wire.messages import AnnounceAccount
    from nearnet.wire.routed_frame import RoutedFrame

__all__ = ["PeerManager"]


class PeerManager:
    """One node's core. Not thread-safe: whoever drives it calls it from one place."""

    def __init__(
        self,
        config: NetworkConfig,
        key: SecretKey,
        client: Client,
        store: StoreReader,
        rng: random.Random,
        now: Now,
        check: Check = check_signatures,
        dialect_for: DialectFor = plain_dialect,
    ) -> None:
        """Compose a core; `now` is the time of its start.

        `check` verifies the signatures of routed messages, as `keys.check_signatures` does; a shell with threads gives
        its own. `dialect_for` returns what a connection reads and writes its frames with.
        """
        self.config = config
        self.peer_id = key.public_key
        self.context = context = _context(config, key, client, store, rng, now, dialect_for)
        self.table = context.table
        self.peer_store = context.peer_store
        self.announcements = context.announcements
        self.route_back = context.route_back
        self.limits = context.limits
        self.peers = context.peers
        self.dialer = Dialer(config, context.peer_store, store, context.journal, rng, now)
        self.gossip = Gossip(context, now)
        self.protocol_watch = ProtocolWatch(context)
        self.clock_watch = ClockWatch(context)
        self.local_edges = LocalEdges(context, self.gossip, self.clock_watch)
        self.refresh = NonceRefresh(context, self.local_edges)
        self.accounts_data = AccountsData(context)
        self.account_peers = AccountPeers(client, context.announcements, self.accounts_data)
        self.snapshot_hosts = SnapshotHosts(context)
        self.intake = EdgeIntake(context.table)
        self.routed = RoutedMessages(
            key, config, context.table, context.route_back, context.peers, context.journal, check
        )
        self.client_port = ClientPort(context, self.routed)
        watches = self.protocol_watch, self.clock_watch
        self.handshaking = Handshaking(context, self.dialer, self.local_edges, *watches, self._ready)
        self.connections = Connections(context, self.handshaking, self._message, self._routed, self.routed.admit)
        self.exchange = TableExchange(context, self.gossip, self.local_edges, self.intake, self.connections)
        self.membership = Membership(context, self.dialer, self.protocol_watch)

    # --- inputs ----------------------------------------------------------------------------------

    def start(self, now: Now) -> None:
        """Begin to look for peers; call it once the listener is up, or known to be absent."""
        self.membership.start(now)
        self.exchange.start(now)
        self._collect(now)

    def listening(self, address: SocketAddress | None) -> None:
        """Where the shell listens, with the real port; None without a listener."""
        self.context.listen_address = address
        if address is not None:
            self.peer_store.add_own_address(address)

    def accept(self, address: SocketAddress, now: Now) -> Peer | None:
        """A TCP connection came in; None: close it before any read."""
        return self.connections.accept(address, now)

    def dialed(self, dial: Dial, address: SocketAddress, now: Now, local_port: int) -> Peer:
        """A `Dial` succeeded; `local_port` is that of our end of the socket."""
        peer = self.connections.dialed(dial, address, now, local_port)
        self._collect(now)
        return peer

    def dial_failed(self, dial: Dial, why: str, now: Now) -> None:
        """A `Dial` did not."""
        self.membership.dial_failed(dial, why, now)
        self._collect(now)

    def receive(self, peer: Peer, data: bytes, now: Now) -> None:
        """Bytes came in from a socket."""
        self.connections.receive(peer, data, now)
        self._collect(now)

    def lost(self, peer: Peer, why: str, now: Now) -> None:
        """A socket ended by itself."""
        self.context.ended(peer, why)
        self._collect(now)

    def drained(self, peer: Peer, unsent: int, now: Now) -> None:
        """The transport holds `unsent` bytes of that peer's now; call it after each flush and when it drains."""
        peer.unsent = unsent
        is_long = peer.queued > self.config.nearnet.limits.queues_bytes // 128
        if is_long:
            self._shed(now)
        if self.gossip.drained(peer, now) or is_long:  # After most flushes nothing follows.
            self._collect(now)

    def verified(self, verdict: Verdict, now: Now) -> None:
        """The EdgeValidator's answer."""
        self.exchange.verified(verdict, now)
        self._collect(now)

    def checked(self, check: CheckMessage, outcome: str, now: Now) -> None:
        """The outcome of a `CheckMessage`. Its sender may have gone meanwhile: what it signed counts."""
        large = self.connections.large
        peer = large.sender_of(check)
        try:
            for frame, known in large.in_order(peer, check, outcome):
                message = self.routed.checked(peer, frame, known, now)
                if message is not None:
                    was_ready = peer.is_ready
                    self.client_port.routed(peer, message, now)
                    if was_ready and not peer.is_ready:  # Banned for it: nothing behind it counts.
                        peer.checking.clear()
        except InvalidRoutedSignature:
            peer.checking.clear()
            self.context.ban(peer.ready_id, ReasonForBan.INVALID_SIGNATURE, now)
        large.go_on(peer, now)
        self._collect(now)

    def routes_ready(self, routes: Routes, now: Now) -> None:
        """The outcome of a `Recompute`."""
        self.exchange.routes_ready(routes, now)
        self._collect(now)

    def persisted(self, token: int, error: str | None, now: Now) -> None:
        """The outcome of a `Persist` with a token; `error` in words when it failed."""
        self.table.persisted(token, error, now)
        self._collect(now)

    def client_answer(self, peer_id: PeerId, request: object, answer: object, now: Now) -> None:
        """An answer that the embedding program gave later: see `ClientPort.answer`."""
        self.client_port.answer(peer_id, request, answer, now)
        self._collect(now)

    def on_timer(self, now: Now) -> None:
        """Do what is due."""
        self.context.timers.run(now)
        self._collect(now)

    def next_timer(self) -> float | None:
        """When `on_timer` is to be called, in seconds of the monotonic clock; None: not until something happens."""
        return self.context.timers.next()

    # --- outputs ---------------------------------------------------------------------------------

    def take_actions(self) -> list[Action]:
        """What the shell is to do, in order."""
        return self.context.journal.take()

    def take_dirty(self) -> list[Peer]:
        """Peers with something to send, by `Peer.to_send`."""
        dirty, self.context.outbox.dirty = self.context.outbox.dirty, {}
        return list(dirty)

    # --- commands --------------------------------------------------------------------------------

    def connect(self, info: PeerInfo, now: Now, dialect: str | None = None, host: str | None = None) -> None:
        """Dial a peer at once; its end is told by the events connected, dial_failed or handshake_failed."""
        self._run(self.membership.connect, info, now, dialect, host)

    def disconnect(self, peer_id: PeerId, now: Now) -> None:
        """Close the connection to a peer; `NotConnected` when there is none."""
        self._run(self.membership.disconnect, peer_id, now)

    def ban(self, peer_id: PeerId, reason: ReasonForBan, now: Now, seconds: float | None = None) -> None:
        """Ban a peer, for `ban_window` unless told otherwise; `PeerRefused` when its ban would be shortened."""
        known = self.peer_store.get(peer_id)
        length = self.config.network.ban_window if seconds is None else seconds
        if known is not None and known.ban is not None and known.ban_ends > now.mono + length:
            why = known.ban.reason.label
            raise PeerRefused(f"{peer_id} is banned already, for {why}, and longer than that; unban it before")
        self._run(self.context.ban, peer_id, reason, now, seconds)

    def unban(self, peer_id: PeerId, now: Now) -> None:
        """End a ban; `NotConnected` when that peer is not banned."""
        self._run(self.membership.unban, peer_id, now)

    def ping(self, peer_id: PeerId, now: Now, ttl: int | None = None) -> CryptoHash:
        """Send a Ping; the event pong answers it. `RouteNotFound` when there is no way."""
        self.context.count("near_requests_count_by_type_total", "Ping")
        return self._routed_out(lambda: self.routed.ping(peer_id, now, ttl), now)

    def send_routed(
        self, target: PeerId | CryptoHash | str, body: bytes, now: Now, ttl: int | None = None
    ) -> CryptoHash:
        """Send a routed message to a peer, to the peer of an account (str), or back along the way of a hash."""
        if isinstance(target, str):
            found = self.account_peers.find(target)
            source = "AnnounceAccount" if found is None else found.source
            self.context.count("near_account_to_peer_lookups", source)
            if found is None:
                raise RouteNotFound("UnknownAccount", f"no peer is known for the account {target} yet")
            target = found.peer_id
        to = target
        self.context.count("near_requests_count_by_type_total", body_name(body[0]) if body else "Unknown")
        return self._routed_out(lambda: self.routed.send(to, body, now, ttl), now)

    def announce(self, announcement: AnnounceAccount, now: Now) -> None:
        """Tell the network which peer serves an account; `ConfigError` when it is known for that epoch."""
        self.context.count("near_requests_count_by_type_total", "AnnounceAccount")
        self._run(self.exchange.announce, announcement, now)

    def stop(self, now: Now) -> None:
        """A clean stop: Disconnect to all peers, every connection closed."""
        for peer in list(self.context.connections.values()):
            if peer.is_ready and not peer.is_protobuf:
                peer.send(Disconnect())
            self.context.close(peer, "stopping", now)
        self._end_connections(now)
        self.membership.stop(now)
        self._collect(now)

    def _run(self, command: Callable[..., None], *arguments: object) -> None:
        command(*arguments)
        now = next(argument for argument in arguments if hasattr(argument, "mono"))
        self._collect(now)  # type: ignore[arg-type]

    def _routed_out(self, send: Callable[[], CryptoHash], now: Now) -> CryptoHash:
        digest = send()
        self._collect(now)
        return digest

    # --- what comes in from a Ready peer ---------------------------------------------------------

    def _routed(self, peer: Peer, run: list[RoutedFrame], now: Now) -> None:
        try:
            for message in self.routed.receive(peer, run, now):
                self.client_port.routed(peer, message, now)
        except InvalidRoutedSignature:
            self.context.ban(peer.ready_id, ReasonForBan.INVALID_SIGNATURE, now)

    def _message(self, peer: Peer, message: Message, now: Now) -> None:
        match message:
            case SyncRoutingTable():
                self.exchange.received(peer, message, now)
            case RequestUpdateNonce(partial):
                self.local_edges.requested(peer, partial, now)
            case ResponseUpdateNonce(edge):
                self.local_edges.responded(peer, edge, now)
            case SyncAccountsData():
                self.accounts_data.received(peer, message, now)
            case SyncSnapshotHosts():
                self.snapshot_hosts.received(peer, message, now)
            case PeersRequest():
                self.membership.peers_requested(peer, message, now)
            case PeersResponse():
                self.membership.peers_told(peer, message, now)
            case _:
                self.client_port.message(peer, message, now)

    # --- beginnings and ends of connections ------------------------------------------------------

    def _ready(self, peer: Peer, now: Now) -> None:
        self.context.rates.begin(peer, now.mono)
        self.membership.ready(peer, now)
        self.snapshot_hosts.ready(peer, now)
        self.accounts_data.ready(peer, now)
        self.exchange.ready(peer, now)
        self.refresh.ready(peer, now)
        self.connections.replay_early(peer, now)

    def _end_connections(self, now: Now) -> None:
        """Draw what follows for the rest of the node from the connections that have ended."""
        context = self.context
        while context.ends:
            ends, context.ends = context.ends, []
            for peer, reason in ends:
                self.connections.forget(peer, now)
                self._closed(peer, reason, now)

    def _closed(self, peer: Peer, reason: str, now: Now) -> None:
        self.membership.closed(peer, reason, now)
        self.accounts_data.closed(peer)
        self.snapshot_hosts.closed(peer)
        if peer.edge is not None:
            self.local_edges.disconnected(peer.ready_id, now)
            if not peer.is_protobuf and self.peers:
                self.exchange.forget_counters(now)

    def _shed(self, now: Now) -> None:
        """All queues together over their limit: the fullest connection closes (`threats.md`, limits)."""
        limit = self.config.nearnet.limits.queues_bytes
        while sum(peer.queued for peer in self.context.connections.values()) > limit:
            fullest = max(self.context.connections.values(), key=lambda peer: peer.queued)
            self._overflow(fullest, "queues_bytes", now)

    def _overflow(self, peer: Peer, limit: str, now: Now) -> None:
        self.context.limits.hit(limit)
        peer.out.clear()
        self.context.journal.add(Close(peer.id, "queue overflow", flush=False))
        self.context.ended(peer, "queue overflow")

    def _collect(self, now: Now) -> None:
        """After every input: what the parts left to be done."""
        context = self.context
        while context.outbox.overflowed or context.ends:
            if context.outbox.overflowed:
                self._overflow(next(iter(context.outbox.overflowed)), "queue_bytes", now)
            self._end_connections(now)
        if context.bans_changed:
            context.bans_changed = False
            self.membership.rearm(now)
        self.exchange.collect(now)


def _context(
    config: NetworkConfig,
    key: SecretKey,
    client: Client,
    store: StoreReader,
    rng: random.Random,
    now: Now,
    dialect_for: DialectFor,
) -> Context:
    limits, timing = config.nearnet.limits, config.nearnet.timing
    overrides = config.network.experimental.network_config_overrides.received_messages_rate_limits
    me = key.public_key
    counters = LimitCounters(dict(limits))
    journal = Journal()
    return Context(
        config=config,
        key=key,
        me=me,
        client=client,
        rng=rng,
        genesis_id=client.chain_info().genesis_id,
        table=RoutingTable(me, config, store, journal, counters),
        peer_store=PeerStore(me, config, store, journal, rng, now),
        announcements=Announcements(store, journal, limits.announcements),
        route_back=RouteBack(me, limits.route_back_entries, timing.route_back_timeout, timing.route_back_evict),
        limits=counters,
        rates=MessageRates({} if overrides is None else overrides.rate_limits, limits.tables_per_second),
        outbox=Outbox(limits.queue_bytes),
        journal=journal,
        dialect_for=dialect_for,
    )
