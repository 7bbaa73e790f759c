"""Routed messages (document §11; `behaviour.md` §5): pass them on, take our own out, send ours.

`RoutedMessages.receive` is the hot path of a node. A message that passes through is read by its offsets only, costs one
signature check, and leaves no object behind but the frame in the next hop's queue. `LoopGuard` ends a message that goes
round and round; `Pings` limits the pings that come in and keeps the round trips of our own.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from nearnet.core.peer.inbound import LARGE_MESSAGE
from nearnet.core.runtime.histogram import Histogram, exponential
from nearnet.core.runtime.limits import LruDict, TokenBucket
from nearnet.errors import InvalidRoutedSignature, Malformed, RouteNotFound
from nearnet.keys import CryptoHash, PeerId, PublicKey, Signature, check_signatures, is_ml_dsa
from nearnet.wire.message_kinds import SMALL, body_number, routed_too_large
from nearnet.wire.messages import Routed, RoutedMessage
from nearnet.wire.routed_body import (
    BODY_NAMES,
    EXPECTS_RESPONSE,
    FORWARD_TX,
    NEVER_TO_PROTOBUF,
    PONG,
    TX_STATUS_REQUEST,
    TX_STATUS_RESPONSE,
    UNVERIFIED_IN_2025,
    Body,
    Ping,
    Pong,
    body_name,
    decode_body,
    encode_body,
)
from nearnet.wire.routed_frame import routed_bytes, routed_digest

if TYPE_CHECKING:
    from collections import OrderedDict
    from collections.abc import Callable, Iterator, Sequence

    from nearnet.config import NetworkConfig
    from nearnet.core.peer.peer import Peer
    from nearnet.core.routed.route_back import RouteBack
    from nearnet.core.routing_table.table import RoutingTable
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.journal import Journal
    from nearnet.keys import CryptoHash, PeerId, SecretKey
    from nearnet.wire.routed_body import Pong
    from nearnet.wire.routed_frame import RoutedFrame

__all__ = [
    "LATENCY_BOUNDS",
    "SENT_THRICE",
    "Check",
    "LoopGuard",
    "Pings",
    "PongResult",
    "RoutedMessages",
]


class LoopGuard:
    """Lets one message pass at most `limit` times in `window` seconds from its first; `limit` 0 turns it off.

    It remembers at most `capacity` hashes, and always the last half of that, of the last window: hashes are kept in
    two generations, so that forgetting costs nothing per message. At most 210 bytes each, 14 MB; half of that
    where many come at once.
    """

    __slots__ = ("_began", "_half", "_limit", "_old", "_once", "_window", "_young")

    def __init__(self, limit: int, window: float = 60.0, capacity: int = 65_536) -> None:
        self._limit = limit
        self._window = window
        self._half = capacity // 2
        self._young: dict[bytes, tuple[float, ...]] = {}
        """Hash -> (when it passed first, how often since)."""
        self._old: dict[bytes, tuple[float, ...]] = {}
        self._once: tuple[float, ...] = (0.0, 1.0)
        """What most hashes have: one object for all messages of a moment. A tuple whose length mypyc knows it would
        make anew each time."""
        self._began = 0.0
        """When the first of the younger ones came."""

    def allow(self, digest: bytes, mono: float) -> bool:
        """Whether this message may pass (once more) at `mono`, in seconds of the monotonic clock; counts it when so."""
        if not self._limit:
            return True
        young = self._young
        entry = young.get(digest) or self._old.pop(digest, None)
        if entry is None or mono - entry[0] >= self._window:
            if self._once[0] != mono:
                self._once = (mono, 1.0)
            entry = self._once
        elif entry[1] >= self._limit:
            young[digest] = entry
            return False
        else:
            entry = (entry[0], entry[1] + 1.0)
        if len(young) >= self._half or mono - self._began >= self._window:
            self._old = young
            self._young = young = {}
            self._began = mono
        young[digest] = entry
        return True

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


_HOPS = 256
"""Previous hops whose rate is kept: twice the most connections, so that none in use is forgotten."""

_OUTSTANDING = 10_000
"""Our pings that may still be answered, about 300 bytes each: 3 MB; the oldest leave first."""


class PongResult(NamedTuple):
    """The answer to one of our pings."""

    source: PeerId
    hash: CryptoHash
    """Of the ping, as `RoutedMessages.ping` returned it."""
    nonce: int
    ttl: int
    """What is left of the pong's 100."""
    num_hops: int | None
    """As counted on the way; None when it came by borsh."""
    milliseconds: float


class Pings:
    """Both sides of pinging. Times are seconds of the monotonic clock."""

    __slots__ = ("_buckets", "_nonce", "_outstanding", "_per_second")

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._buckets: LruDict[PeerId, TokenBucket] = LruDict(_HOPS)
        self._outstanding: LruDict[int, tuple[PeerId, CryptoHash, float]] = LruDict(_OUTSTANDING)
        """Nonce -> (whom we asked, the ping's hash, when)."""
        self._nonce = 0

    def next_nonce(self) -> int:
        """A nonce that no ping of ours had."""
        self._nonce += 1
        return self._nonce

    def sent(self, nonce: int, target: PeerId, digest: CryptoHash, now: Now) -> None:
        """Our ping left; the first right pong of that nonce ends its round trip."""
        self._outstanding.put(nonce, (target, digest, now.mono))

    def allow(self, previous_hop: PeerId, now: Now) -> bool:
        """Whether a ping for us from that neighbor is answered (`threats.md` row 54)."""
        bucket = self._buckets.get(previous_hop)
        if bucket is None:
            bucket = TokenBucket(self._per_second, self._per_second, now.mono)
            self._buckets.put(previous_hop, bucket)
        return bucket.take(now.mono)

    def answered(self, frame: RoutedFrame, pong: Pong, now: Now) -> PongResult | None:
        """Take a pong for us; None when we asked its author nothing of that nonce (or have the answer already)."""
        asked = self._outstanding.get(pong.nonce)
        if asked is None or asked[0] != frame.author:
            return None
        self._outstanding.pop(pong.nonce)
        target, digest, since = asked
        milliseconds = (now.mono - since) * 1000
        return PongResult(target, digest, pong.nonce, frame.ttl, frame.num_hops, milliseconds)


Check: TypeAlias = "Callable[[Sequence[bytes]], Sequence[str]]"
"""Outcomes of `signature_row`s, in order: as `keys.check_signatures`."""

LATENCY_BOUNDS: Final = exponential(0.0001, 1.6, 20)
"""Seconds."""

_PONG_TTL: Final = 100
_MOST_HOPS: Final = 20
"""Hops from here on share one metric label (`conventions.md` §3.8)."""

_FORWARD_TX_RESET: Final = 1.0
"""Seconds after which the ForwardTx count starts again when no block came."""

_UNUSED: Final = 7

SENT_THRICE: Final = frozenset({0, 16})
"""Indices of BlockApproval and VersionedPartialEncodedChunk: validators wait for these."""

_COPIES: Final = 3

_ASKED: Final = 10_000
"""TxStatusRequests of ours that may still be answered, at about 300 bytes each: 3 MB; the oldest leave first."""
_TOO_LARGE: Final = "TooLargeForType"
_QUEUE_FULL: Final = "OutgoingQueueLimitExceeded"
"""Reasons of drops, by the reference's names (`network-2026.md` §7)."""

_MOST_AROUND: Final = 16 * 1024
"""Bytes that a frame has at most besides its body: two keys, a signature and a few lengths."""

_LAST_UNVERIFYING: Final = 84
"""Newest protocol version of a node that may forward tier-1 bodies unverified."""


class RoutedMessages:
    """What one node does with routed messages. `peers` are its Ready connections, as they change."""

    __slots__ = (
        "_asked",
        "_cache_size",
        "_duplicate_period",
        "_forward_tx",
        "_forward_tx_max",
        "_forward_tx_since",
        "_journal",
        "_key",
        "_loop_guard",
        "_me",
        "_peers",
        "_pings",
        "_route_back",
        "_table",
        "_ttl",
        "check",
        "delivered",
        "drops",
        "forwarded",
        "hops",
        "latencies",
    )

    def __init__(
        self,
        key: SecretKey,
        config: NetworkConfig,
        table: RoutingTable,
        route_back: RouteBack,
        peers: dict[PeerId, Peer],
        journal: Journal,
        check: Check = check_signatures,
    ) -> None:
        limits, timing = config.nearnet.limits, config.nearnet.timing
        self._key = key
        self._me = key.public_key
        self._table = table
        self._route_back = route_back
        self._peers = peers
        self._journal = journal
        self._ttl = config.network.routed_message_ttl
        self._cache_size = timing.routed_message_cache_size
        self._duplicate_period = timing.drop_duplicated_messages_period
        self._forward_tx_max = timing.max_transactions_per_block_message
        self._forward_tx = 0
        self._forward_tx_since = float("-inf")
        self._loop_guard = LoopGuard(limits.loop_guard)
        self._pings = Pings(limits.pings_per_second)
        self._asked: LruDict[CryptoHash, PeerId] = LruDict(_ASKED)
        """Our requests for the status of a transaction: hash -> the peer that was asked."""
        self.check = check
        """Checks signatures, as `keys.check_signatures`."""
        self.drops: dict[tuple[str, str], int] = {}
        """(body's name, reason) -> messages dropped."""
        self.forwarded = 0
        """Messages passed on."""
        self.delivered: dict[str, int] = {}
        """Body's name -> messages that were for us, pings and pongs with them."""
        self.hops: dict[tuple[str, str], int] = {}
        """(body's name, hops on the way here) -> messages; only protobuf counts hops."""
        self.latencies: dict[str, Histogram] = {}
        """Body's name -> seconds from its making to its arrival here, as the clocks of both ends have it."""

    # --- in --------------------------------------------------------------------------------------

    def receive(self, peer: Peer, run: Sequence[RoutedFrame], now: Now) -> Iterator[RoutedMessage]:
        """Routed messages came from a neighbor, one after the other; yields those that the chain client is to have.

        Their signatures are checked together, so that `check` may use threads. `InvalidRoutedSignature` when that
        neighbor is to be banned: nothing after the forged one counts. Whatever else is wrong is counted in `drops`.
        """
        admitted = [rf for rf in run if self.admit(peer, rf, now.mono)]
        outcomes = self.check([rf.signature_row() for rf in admitted])
        for rf, outcome in zip(admitted, outcomes, strict=True):
            message = self.checked(peer, rf, outcome, now)
            if message is not None:
                yield message
                if not peer.is_ready:
                    return

    def checked(self, peer: Peer, rf: RoutedFrame, outcome: str, now: Now) -> RoutedMessage | None:
        """One whose signature has been checked; the rest is as with `receive`."""
        if outcome == "valid":
            return self._route(peer, rf, now)
        if outcome == "strict":
            self._drop(rf.body_index, "StrictSignature")
        elif _may_be_deceived(peer, rf):
            self._drop(rf.body_index, "InvalidSignature")
        else:
            raise InvalidRoutedSignature(f"a routed message of {rf.author} has a forged signature")
        return None

    def admit(self, peer: Peer, rf: RoutedFrame, mono: float) -> bool:
        """Whether one that came from `peer` is worth a signature check; counted when not.

        It is not when it is larger than its kind may be, over the rate of its kind, or has a key of a type that we do
        not use (without a penalty: `network-2026.md` §3), nor when the same target, author and signature just came by
        this connection.
        """
        index = rf.body_index
        if len(rf.frame) > SMALL and _too_large(peer, rf, len(rf.frame)):
            self._drop(index, _TOO_LARGE)
            return False
        if rf.has_ml_dsa:
            self._drop(index, "UnsupportedKey")
            return False
        rates = peer.body_rates
        if rates is not None and not rates.take(body_number(index), mono):
            return False
        seen, header = peer.routed_cache, rf.header
        since = seen.get(header)
        if since is not None and mono - since <= self._duplicate_period:
            self._drop(index, "Duplicate")
            return False
        if since is not None:
            del seen[header]
        elif len(seen) >= self._cache_size:
            self._forget(seen, mono)
        seen[header] = mono
        if index == FORWARD_TX and not self._take_forward_tx(mono):
            self._drop(index, "TransactionsPerBlockExceeded")
            return False
        return True

    def _route(self, peer: Peer, rf: RoutedFrame, now: Now) -> RoutedMessage | None:
        """One that is right: for us, or for a next hop."""
        target = rf.target
        towards = self._route_back.take(target, now) if isinstance(target, CryptoHash) else target
        if towards == self._me:
            return self._deliver(peer, rf, now)
        if rf.ttl <= 1:
            self._drop(rf.body_index, "TtlExpired")
            return None
        if towards is None:
            next_hop = None
        else:
            next_hop = self._next_hop(towards) if towards is target else self._peers.get(towards)
        if next_hop is None:
            self._drop(rf.body_index, "NoRouteFound")
        elif not self._loop_guard.allow(rf.digest(), now.mono):
            self._drop(rf.body_index, "Loop")
        else:
            if rf.body_index in EXPECTS_RESPONSE:
                self._route_back.insert(CryptoHash(rf.digest()), peer.ready_id, now)
            self._forward(next_hop, rf, now.mono)
        return None

    def _forward(self, next_hop: Peer, rf: RoutedFrame, mono: float) -> None:
        dialect = next_hop.dialect
        if dialect is None or not dialect.carries(rf):
            self._drop(rf.body_index, "Unsupported")
            return
        if len(rf.frame) < LARGE_MESSAGE:
            taken = next_hop.send_frame(dialect.forward(rf), "Routed")
        else:
            head, *behind = dialect.forward_in_pieces(rf)
            if _too_large(next_hop, rf, len(head) + sum(map(len, behind))):
                self._drop(rf.body_index, _TOO_LARGE)
                return
            taken = next_hop.send_frame(head, "Routed", behind)
        if not taken:
            self._drop(rf.body_index, _QUEUE_FULL)
            return
        rates = next_hop.relay_rates
        if rates is not None:
            rates.take(body_number(rf.body_index), mono)  # It goes all the same: nodes of 2025 have no such limits.
        self.forwarded += 1

    def _forget(self, seen: OrderedDict[bytes, float], mono: float) -> None:
        """All that is too old to matter (the oldest come first), at least one: this is seldom, or one at a time."""
        seen.popitem(last=False)
        while seen and mono - seen[next(iter(seen))] > self._duplicate_period:
            seen.popitem(last=False)

    def _take_forward_tx(self, mono: float) -> bool:
        if mono - self._forward_tx_since >= _FORWARD_TX_RESET:
            self._forward_tx = 0
            self._forward_tx_since = mono
        if self._forward_tx >= self._forward_tx_max:
            return False
        self._forward_tx += 1
        return True

    def block_received(self, now: Now) -> None:
        """A block came: as many transactions may be forwarded again (`threats.md` row 55)."""
        self._forward_tx = 0
        self._forward_tx_since = now.mono

    def _drop(self, index: int, reason: str) -> None:
        key = (body_name(index), reason)
        self.drops[key] = self.drops.get(key, 0) + 1

    # --- for us ----------------------------------------------------------------------------------

    def _deliver(self, peer: Peer, rf: RoutedFrame, now: Now) -> RoutedMessage | None:
        index, digest = rf.body_index, CryptoHash(rf.digest())
        message = rf.message()
        try:
            body = decode_body(message.body)
        except Malformed:
            self._drop(index, "Malformed")
            return None
        if index not in BODY_NAMES or index == _UNUSED:
            self._drop(index, "Unsupported")
        elif isinstance(body, Ping) and not self._pings.allow(peer.ready_id, now):
            self._drop(index, "PingRate")
        elif not self._is_solicited(rf, body, now):
            self._drop(index, "Unsolicited")
        else:
            self._count_delivered(rf, now)
            if isinstance(body, Ping):
                pong = encode_body(Pong(body.nonce, self._me))
                if not peer.send(self._signed(digest, pong, now, _PONG_TTL)[0]):
                    self._drop(PONG, _QUEUE_FULL)
            elif not isinstance(body, Pong):
                if index in EXPECTS_RESPONSE:
                    self._route_back.insert(digest, peer.ready_id, now)
                return message
        return None

    def _is_solicited(self, rf: RoutedFrame, body: Body, now: Now) -> bool:
        """Return whether it is no answer, or one that we asked its author for (`network-2026.md` §4)."""
        if isinstance(body, Pong):
            return self._take_pong(self._pings.answered(rf, body, now))
        if rf.body_index != TX_STATUS_RESPONSE:
            return True
        request = rf.target
        return isinstance(request, CryptoHash) and self._asked.get(request) == rf.author

    def _count_delivered(self, rf: RoutedFrame, now: Now) -> None:
        name = body_name(rf.body_index)
        self.delivered[name] = self.delivered.get(name, 0) + 1
        if rf.num_hops is not None:
            hops = (name, str(min(rf.num_hops, _MOST_HOPS)))
            self.hops[hops] = self.hops.get(hops, 0) + 1
        if rf.created_at is not None:
            seconds, nanoseconds = rf.created_at
            latency = self.latencies.get(name)
            if latency is None:
                latency = self.latencies[name] = Histogram(LATENCY_BOUNDS)
            latency.observe(max(0.0, now.wall - seconds - nanoseconds / 1e9))

    # --- our own ---------------------------------------------------------------------------------

    def send(self, target: PeerId | CryptoHash, body: bytes, now: Now, ttl: int | None = None) -> CryptoHash:
        """Send a borsh body to a peer, or back along the way of a hash; return the message's hash.

        Bodies of `SENT_THRICE` go to a peer that is not a neighbor over up to three next hops (`network-2026.md` §6): a
        next hop would drop a second copy. Raises `RouteNotFound` when it cannot go.
        """
        if not body:
            raise RouteNotFound("Unsupported", "a routed message has a body of at least one byte")
        if target == self._me:
            raise RouteNotFound("Self", "a node sends no routed message to itself")
        if isinstance(target, PublicKey) and is_ml_dsa(target):
            self._drop(body[0], "UnsupportedKey")
            raise RouteNotFound("UnsupportedKey", "nearnet sends nothing to a peer with a key of ml-dsa-65")
        next_hop = self._next_hop(target) if isinstance(target, PublicKey) else self._way_back(target, now)
        if next_hop is None or next_hop.dialect is None:
            self._drop(body[0], "NoRouteFound")
            raise RouteNotFound("NoRouteFound", f"no way is known to {target}")
        if next_hop.is_protobuf and body[0] in NEVER_TO_PROTOBUF:
            self._drop(body[0], "Unsupported")
            raise RouteNotFound("Unsupported", f"protobuf nodes cannot read a {body_name(body[0])}")
        routed, digest = self._signed(target, body, now, self._ttl if ttl is None else ttl)
        if body[0] in EXPECTS_RESPONSE:
            self._route_back.insert(digest, self._me, now)
        if body[0] == TX_STATUS_REQUEST and isinstance(target, PublicKey):
            self._asked.put(digest, target)
        self._hand_over(next_hop, routed)
        if body[0] in SENT_THRICE and isinstance(target, PublicKey):
            for other in self._other_hops(target, next_hop):
                with suppress(RouteNotFound):  # One copy has gone; a drop of this one is counted.
                    self._hand_over(other, routed)
        return digest

    def _other_hops(self, target: PeerId, first: Peer) -> list[Peer]:
        """Return up to two more neighbors on shortest paths that take the message, beside the one that was chosen."""
        if first.peer_id == target:
            return []
        hops = [self._peers[hop] for hop in self._table.next_hops(target) if hop in self._peers]
        at = hops.index(first) if first in hops else 0
        return [hop for hop in hops[at:] + hops[:at] if hop is not first and hop.dialect is not None][: _COPIES - 1]

    def _hand_over(self, next_hop: Peer, routed: Routed) -> None:
        """Queue one of our own; `RouteNotFound` when it is larger than that peer takes, or its queue has no room."""
        body, dialect = routed.message.body, next_hop.dialect
        if len(body) > SMALL - _MOST_AROUND and next_hop.is_protobuf and dialect is not None:
            length = len(dialect.encode(routed))
            if routed_too_large(body[0], length, len(routed_bytes(routed.message))):
                self._drop(body[0], _TOO_LARGE)
                what = f"a {body_name(body[0])} of {len(body)} bytes"
                raise RouteNotFound(
                    _TOO_LARGE, f"{what} is more than nodes of the protobuf network take: make it smaller"
                )
        if not next_hop.send(routed):
            self._drop(body[0], _QUEUE_FULL)
            raise RouteNotFound(
                _QUEUE_FULL, f"too much waits to be sent to {next_hop.ready_id} already: try again later"
            )

    def ping(self, target: PeerId, now: Now, ttl: int | None = None) -> CryptoHash:
        """Send a Ping; its hash, which its `PongResult` has too. `RouteNotFound` when it cannot go."""
        nonce = self._pings.next_nonce()
        digest = self.send(target, encode_body(Ping(nonce, self._me)), now, ttl)
        self._pings.sent(nonce, target, digest, now)
        return digest

    def _take_pong(self, pong: PongResult | None) -> bool:
        """Tell that one of our pings was answered; False when it was none of ours."""
        if pong is None:
            return False
        peer = self._peers.get(pong.source)
        if peer is not None:
            peer.last_ping_ms = pong.milliseconds
        self._journal.notify(
            "pong",
            pong.source,
            hash=str(pong.hash),
            nonce=pong.nonce,
            ttl=pong.ttl,
            num_hops=pong.num_hops,
            milliseconds=pong.milliseconds,
        )
        return True

    def _signed(self, target: PeerId | CryptoHash, body: bytes, now: Now, ttl: int) -> tuple[Routed, CryptoHash]:
        message = RoutedMessage(target, self._me, Signature(b""), ttl, body)
        digest = routed_digest(message)
        created_at = divmod(now.unix_ns, 1_000_000_000)
        return Routed(replace(message, signature=self._key.sign(digest)), created_at, 0), digest

    # --- ways ------------------------------------------------------------------------------------

    def _next_hop(self, target: PeerId) -> Peer | None:
        """A neighbor is its own next hop, even before the routes say so; else the least used one that is connected."""
        peers = self._peers
        peer = peers.get(target)
        if peer is None:
            hop = self._table.find_next_hop(target)
            if hop is None:
                return None
            peer = peers.get(hop)
            if peer is None:  # Its connection has just ended; the routes do not know yet.
                hops = self._table.next_hops(target)
                peer = next((peers[hop] for hop in hops if hop in peers), None)
        return peer

    def _way_back(self, request: CryptoHash, now: Now) -> Peer | None:
        holder = self._route_back.take(request, now)
        return None if holder is None else self._peers.get(holder)


def _too_large(peer: Peer, rf: RoutedFrame, length: int) -> bool:
    """Return whether a frame of `length` bytes, from `peer` or for it, is more than its kind may have."""
    return peer.is_protobuf and routed_too_large(rf.body_index, length, rf.end - rf.start)


def _may_be_deceived(peer: Peer, rf: RoutedFrame) -> bool:
    """Return whether an honest neighbor may have passed on a forged message: such a one is not banned.

    Nodes up to 2.10.5, which announce version 84 at most, forward tier-1 bodies without a check of the signature. They
    write field 17, and they sign what they make themselves (`network-2026.md` §2).
    """
    return (
        peer.is_protobuf
        and peer.protocol_version <= _LAST_UNVERIFYING
        and not rf.is_v3
        and rf.body_index in UNVERIFIED_IN_2025
        and rf.author != peer.peer_id
    )
