"""Which peers this node is connected to (document §5, §7.1 to §7.3; `behaviour.md` §2, §6).

It dials, drops and bans, and takes what peers tell of other peers. `choose_to_drop` picks the connection to drop when
there are too many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.runtime.addresses import is_loopback, source_group
from nearnet.core.runtime.limits import TokenBucket
from nearnet.errors import ConfigError, NotConnected, PeerRefused, ReasonForBan
from nearnet.keys import is_ml_dsa
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import PeerInfo, PeersRequest, PeersResponse
from nearnet.wire.peer_text import why_not_dialed

if TYPE_CHECKING:
    import random
    from collections.abc import Collection

    from nearnet.config import NetworkConfig
    from nearnet.core.context import Context
    from nearnet.core.peer.peer import Peer
    from nearnet.core.peer_manager.dialing import Dialer
    from nearnet.core.peer_manager.protocol_watch import ProtocolWatch
    from nearnet.core.runtime.actions import Dial
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.timers import Timer
    from nearnet.keys import PeerId

__all__ = [
    "ASKED_TOGETHER",
    "MAX_DIRECT_PEERS",
    "Membership",
    "choose_to_drop",
    "safe_set",
]


def safe_set(peers: list[Peer], config: NetworkConfig, now: Now) -> dict[Peer, None]:
    """The connections never dropped by choice: outbound ones when few, archival ones when needed, then the
    longest-standing recent ones up to `safe_set_size`."""
    network = config.network
    safe: dict[Peer, None] = {}
    outbound = [peer for peer in peers if peer.direction == "outbound"]
    if len(outbound) <= network.minimum_outbound_peers:
        safe.update(dict.fromkeys(outbound))
    if config.archive:
        archival = [peer for peer in peers if peer.chain_info is not None and peer.chain_info.archival]
        if len(archival) <= network.archival_peer_connections_lower_bound:
            safe.update(dict.fromkeys(archival))
    for peer in sorted(peers, key=lambda peer: (peer.connected_at, peer.id)):
        if len(safe) >= network.safe_set_size:
            break
        if now.mono - peer.last_received <= network.peer_recent_time_window:
            safe[peer] = None
    return safe


def choose_to_drop(
    peers: list[Peer], persistent: Collection[PeerId], config: NetworkConfig, rng: random.Random, now: Now
) -> Peer | None:
    """One to close, or None: outside the safe set the newest of the most crowded /16; on loopback a random one."""
    if len(peers) <= config.network.ideal_connections_hi:
        return None
    safe = safe_set(peers, config, now)
    candidates = [peer for peer in peers if peer not in safe and peer.peer_id not in persistent]
    if not candidates:
        return None
    if all(is_loopback(peer.address.ip) for peer in candidates):
        return rng.choice(candidates)
    crowd: dict[object, list[Peer]] = {}
    for peer in candidates:
        crowd.setdefault(source_group(peer.address.ip), []).append(peer)
    largest = max(crowd.values(), key=len)
    return max(largest, key=lambda peer: (peer.connected_at, peer.id))


ASKED_TOGETHER = 5.0
"""Seconds for which one of protobuf neighbors, due to be asked for peers, waits for others: all are asked at once."""

MAX_DIRECT_PEERS = 128
"""Connected peers in one answer, and the most that a peer may ask for (`behaviour.md` §10)."""


class Membership:
    """Keeps enough connections, and no more than that."""

    __slots__ = ("_asking", "_context", "_dialer", "_encoded", "_protocol_watch", "_timer", "rounds")

    def __init__(self, context: Context, dialer: Dialer, protocol_watch: ProtocolWatch) -> None:
        self._context = context
        self._dialer = dialer
        self._protocol_watch = protocol_watch
        self._timer: Timer | None = None
        self._asking: Timer | None = None
        self._encoded: dict[tuple[str, str], tuple[PeersRequest | PeersResponse, bytes]] = {}
        """By dialect and kind, the last one sent: message and frame."""
        self.rounds = 0
        """How often monitor_peers has run."""

    # --- looking for peers -----------------------------------------------------------------------

    def start(self, now: Now) -> None:
        """Begin monitor_peers."""
        self._monitor(now)

    def stop(self, now: Now) -> None:
        """Look for nobody any more."""
        for timer in (self._timer, self._asking):
            if timer is not None:
                timer.cancel()

    def _monitor(self, now: Now) -> None:
        """monitor_peers: dial when more peers are needed, drop one when there are too many, forget the old."""
        context = self._context
        self.rounds += 1
        context.peer_store.expire(now)
        context.route_back.expire(now)
        for banned in context.peer_store.end_bans(now):
            context.notify("unbanned", banned)
        context.journal.add(*self._dialer.due(now, context.peers, context.outbound_count, self._pending()))
        self._drop_one(now)
        self._ask_for_peers(now)
        self.rearm(now)

    def _pending(self) -> dict[PeerId, None]:
        """Peers that an open connection is trying to reach."""
        return {
            peer.peer_id: None
            for peer in self._context.connections.values()
            if peer.peer_id is not None and not peer.is_ready
        }

    def rearm(self, now: Now) -> None:
        """Wake at the dialer's next moment."""
        if self._timer is not None:
            self._timer.cancel()
        due = self._dialer.next_timer(now)
        ban_end = self._context.peer_store.next_ban_end()
        if ban_end is not None:
            due = min(due, ban_end)
        self._timer = self._context.timers.at(due, self._monitor)

    def _drop_one(self, now: Now) -> None:
        context = self._context
        persistent = context.peer_store.persistent_ids
        peer = choose_to_drop(list(context.peers.values()), persistent, context.config, context.rng, now)
        if peer is not None:
            self._context.close(peer, "over ideal_connections_hi", now)

    def _ask_for_peers(self, now: Now) -> None:
        """Only when more are needed and nobody is left to dial (`behaviour.md` §2)."""
        context = self._context
        if not self._dialer.needs_peers(context.peers, context.outbound_count):
            return
        interval = context.config.nearnet.timing.request_peers_interval
        for peer in context.peers.values():
            asked = peer.last_peers_request
            if not peer.is_protobuf and asked is not None and now.mono - asked >= interval:
                self._request_peers(peer, now)

    def _begin_asking(self, peer: Peer, now: Now) -> None:
        self._request_peers(peer, now)
        self._arm_asking()

    def _arm_asking(self) -> None:
        """Protobuf neighbors are asked again and again (`behaviour.md` §10), together where the moments are near."""
        due = self._due_to_ask()
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        if due:
            latest = min(due.values()) + ASKED_TOGETHER
            moment = max(moment for moment in due.values() if moment <= latest)
            self._asking = self._context.timers.at(moment, self._ask_again)

    def _ask_again(self, now: Now) -> None:
        for peer, moment in self._due_to_ask().items():
            if moment <= now.mono:
                self._request_peers(peer, now)
        self._arm_asking()

    def _due_to_ask(self) -> dict[Peer, float]:
        """When each of protobuf neighbors that was asked may be asked again."""
        interval = self._context.config.nearnet.timing.request_peers_interval
        return {
            peer: peer.last_peers_request + interval
            for peer in self._context.peers.values()
            if peer.is_protobuf and peer.last_peers_request is not None
        }

    def _request_peers(self, peer: Peer, now: Now) -> None:
        peer.last_peers_request = now.mono
        self._send(peer, PeersRequest(self._context.config.network.max_send_peers, MAX_DIRECT_PEERS))

    # --- beginnings and ends ---------------------------------------------------------------------

    def ready(self, peer: Peer, now: Now) -> None:
        """A handshake is done."""
        context = self._context
        info = peer.info or PeerInfo(peer.ready_id)
        context.peer_store.connected(info, now)
        if peer.dial is not None:
            self._dialer.succeeded(peer.dial, now, peer.sent_version)
        self._protocol_watch.ready(peer, now)
        rate = context.config.nearnet.limits.peers_requests
        peer.peers_requests = TokenBucket(rate.per_second, rate.burst, now.mono)
        due = now.mono + context.sync_delay(peer)
        peer.keep(context.timers.at(due, lambda now: self._begin_asking(peer, now)))
        context.notify(
            "connected",
            peer.peer_id,
            address=str(peer.address),
            direction=peer.direction,
            dialect=peer.dialect.name if peer.dialect is not None else None,
            connections=len(context.peers),
        )
        self.rearm(now)

    def closed(self, peer: Peer, reason: str, now: Now) -> None:
        """A connection has ended, before or after its handshake."""
        context = self._context
        if peer.edge is not None:
            context.peer_store.disconnected(peer.ready_id, now)
            self._dialer.lost(peer, now)
            self._protocol_watch.closed(now)
            if peer.forget_link or context.peer_store.is_banned(peer.ready_id):
                self._dialer.links.forget(peer.ready_id)
            context.notify("disconnected", peer.peer_id, reason=reason, address=str(peer.address))
        elif peer.dial is not None:
            again = self._dialer.failed(peer.dial, reason, now, silent=not peer.answered)
            if again:
                self._protocol_watch.dialect_refused(peer)
            else:
                self._protocol_watch.dial_failed(peer, now)
            kind = "dialect_refused" if again else "dial_failed"
            context.notify(kind, peer.peer_id, reason=reason, address=str(peer.address))
        else:
            context.notify("handshake_failed", None, reason=reason, address=str(peer.address))
        self.rearm(now)

    def dial_failed(self, dial: Dial, why: str, now: Now) -> None:
        """No TCP connection came of a dial."""
        self._dialer.failed(dial, why, now)
        self._context.notify("dial_failed", dial.peer.id, reason=why, address=dial.host or str(dial.peer.addr))
        self.rearm(now)

    # --- commands --------------------------------------------------------------------------------

    def connect(self, info: PeerInfo, now: Now, dialect: str | None = None, host: str | None = None) -> None:
        """Dial at once, also when outbound is disabled; nothing when connected or already dialing."""
        context = self._context
        if dialect is not None:
            dialect_named(dialect)
        if info.id == context.me:
            raise PeerRefused(f"{info.id} is this node itself")
        refusal = why_not_dialed(info.id)
        if refusal is not None:
            raise PeerRefused(refusal)
        if info.id in context.peers or self._dialer.is_dialing(info.id) or info.id in self._pending():
            return
        if context.peer_store.is_banned(info.id):
            raise PeerRefused(f"{info.id} is banned here; nearnet unban ends that")
        if info.addr is None and host is None:
            known = context.peer_store.get(info.id)
            if known is None or known.info.addr is None:
                raise ConfigError(f"no address is known for {info.id}; give it as KEY@HOST:PORT")
            info = known.info
        context.journal.add(self._dialer.dial_now(info, now, dialect, host))

    def disconnect(self, peer_id: PeerId, now: Now) -> None:
        """Close the connection to a peer."""
        peer = self._context.peers.get(peer_id)
        if peer is None:
            raise NotConnected(f"{peer_id} is not connected")
        self._context.close(peer, "by command", now)

    def set_blacklist(self, blacklist: tuple[tuple[str, int | None], ...], now: Now) -> None:
        """The operator changed it: connections to whom it names end."""
        store = self._context.peer_store
        store.set_blacklist(blacklist)
        for peer in list(self._context.connections.values()):
            told = peer.info.addr if peer.info is not None else None
            if store.is_blacklisted_ip(peer.address.ip) or (told is not None and store.is_blacklisted(told)):
                self._context.close(peer, "blacklisted", now, flagged=True)

    def unban(self, peer_id: PeerId, now: Now) -> None:
        """End a ban."""
        if not self._context.peer_store.unban(peer_id, now):
            raise NotConnected(f"{peer_id} is not banned")
        self._context.notify("unbanned", peer_id)
        self.rearm(now)

    # --- peers told ------------------------------------------------------------------------------

    def peers_requested(self, peer: Peer, request: PeersRequest, now: Now) -> None:
        """A neighbor asks whom we know: at most 3 at once, then one per 10 s."""
        context = self._context
        if peer.peers_requests is not None and not peer.peers_requests.take(now.mono):
            context.limits.hit("peers_requests")
            return
        most = context.config.network.max_send_peers
        asked = most if request.max_peers is None else min(most, request.max_peers)
        direct = MAX_DIRECT_PEERS if request.max_direct_peers is None else request.max_direct_peers
        connected = [one.info for one in context.peers.values() if one.info is not None]
        answer = PeersResponse(
            context.peer_store.peers_for_response(asked, context.rng),
            tuple(connected[: min(direct, MAX_DIRECT_PEERS)]),
        )
        self._send(peer, answer)

    def _send(self, peer: Peer, message: PeersRequest | PeersResponse) -> None:
        """In the peer's dialect, encoded once for all while nothing changes."""
        dialect, kind = peer.dialect or dialect_named(peer.dialect_name), type(message).__name__
        last = self._encoded.get((dialect.name, kind))
        if last is None or last[0] != message:
            last = self._encoded[dialect.name, kind] = (message, dialect.encode(message))
        peer.send_frame(last[1], kind)

    def peers_told(self, peer: Peer, message: PeersResponse, now: Now) -> None:
        """A neighbor's answer; too long a list is abuse and none of it is taken (`threats.md` row 56)."""
        context = self._context
        if len(message.peers) > context.config.network.max_send_peers or len(message.direct_peers) > MAX_DIRECT_PEERS:
            context.ban(peer.ready_id, ReasonForBan.ABUSIVE, now)
            return
        told = (*message.peers, *message.direct_peers)
        usable = [info for info in told if not is_ml_dsa(info.id)]
        context.unsupported_key("PeersResponse", len(told) - len(usable))
        if context.peer_store.add_indirect(usable, peer.address.ip, now):
            self.rearm(now)
