"""One connection (the document's PeerActor and ActivePeer, §2.3, §7.7): its state, its bytes in, its bytes out.

It decides nothing about the network; `core/peer_manager/` does. Bytes to send wait in `out` until the shell takes them
by `to_send`, once per read however many messages they are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from nearnet.core.peer.handshake_table import PeerState
from nearnet.core.runtime.histogram import exponential
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.message_kinds import SMALL, too_large

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nearnet.core.peer.rates import KindBuckets
    from nearnet.core.runtime.actions import CheckMessage, Dial
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.limits import TokenBucket
    from nearnet.core.runtime.timers import Timer
    from nearnet.keys import PeerId, PublicKey
    from nearnet.wire.dialect import Dialect
    from nearnet.wire.edge_bytes import Edge
    from nearnet.wire.messages import Message, PeerChainInfo, PeerInfo, SocketAddress

__all__ = ["FRAME_SIZES", "JOIN_BELOW", "Outbox", "Peer"]

JOIN_BELOW = 16 * 1024
"""A frame smaller than this is joined with its prefix: one chunk costs less than one copy."""

# To look up a member of an enum takes as long as to cut a message out of a buffer.
_READY: Final = PeerState.READY
_CLOSED: Final = PeerState.CLOSED

FRAME_SIZES = exponential(100, 10, 6)
"""Bytes: the bounds by which frames are counted in `Peer.received_sizes` (`conventions.md` §3.8)."""

_MANY_TIMERS = 16
"""More than a connection has armed at once: those that have run are let go."""


class Outbox:
    """What all peers of one node share on their way out: who has something to send, and who has too much."""

    __slots__ = ("dirty", "overflowed", "queue_bytes", "too_large")

    def __init__(self, queue_bytes: int) -> None:
        self.queue_bytes = queue_bytes
        """Limit of one peer (`threats.md`, send queue per peer)."""
        self.too_large: dict[str, int] = {}
        """Kind -> messages not sent because a protobuf peer takes no frame of that size; routed ones are not in it."""
        self.dirty: dict[Peer, None] = {}
        self.overflowed: dict[Peer, None] = {}


class Peer:
    """One TCP connection to exactly one peer."""

    __slots__ = (
        "account_key",
        "address",
        "answered",
        "behind",
        "body_rates",
        "chain_info",
        "checking",
        "connected_at",
        "dial",
        "dialect",
        "direction",
        "early",
        "edge",
        "forget_link",
        "frame_started",
        "framer",
        "frames_before_ready",
        "handshakes_sent",
        "id",
        "info",
        "last_kind",
        "last_peers_request",
        "last_ping_ms",
        "last_received",
        "local_port",
        "malformed",
        "missed",
        "missed_accounts",
        "out",
        "out_bytes",
        "outbox",
        "paused",
        "paused_at",
        "paused_for",
        "peer_id",
        "peers_requests",
        "proposed_nonce",
        "protocol_version",
        "rates",
        "received_by_type",
        "received_bytes",
        "received_sizes",
        "refresh",
        "refused_ml_dsa",
        "relay_rates",
        "resumed_at",
        "routed_cache",
        "sent_by_type",
        "sent_bytes",
        "sent_version",
        "stall",
        "state",
        "sync_cursor",
        "tables",
        "tables_sent",
        "telling",
        "timers",
        "unsent",
    )

    address: SocketAddress
    """The remote end of the socket (its listening port is told in the handshake: see `info`)."""
    dial: Dial | None
    """The attempt that made this connection, None when it was accepted."""
    peer_id: PeerId | None
    """Proved once Ready; before, whom we dialed."""
    local_port: int
    """Of our end of the socket: told as the listen port by a node without a listener (`wire.md` §6)."""
    protocol_version: int
    """The version that the peer announced in its handshake; 0 before that."""
    sent_version: int
    """The version of the last Handshake that we sent as the dialer; 0 before that."""
    last_kind: str
    """Message type of the frame that came in last: what was being handled when something went wrong."""
    account_key: PublicKey | None
    """Of the validator that owns this peer, where it proved one in the handshake."""
    answered: bool
    """Whether a frame came in that reads in the dialect spoken."""
    forget_link: bool
    """Whether its Disconnect asked that it be not dialed again."""
    stall: Timer | None
    """When the frame that is coming in is looked at, `threats.md` row 8."""
    refresh: Timer | None
    """Of `core/gossip/own_edges.py`: when our edge's nonce is looked at next."""
    refused_ml_dsa: int
    """Edges with a key of ML-DSA-65 that it told and that did not hold."""
    frame_started: float | None
    """When the frame that is still coming in started."""
    paused: dict[str, None]
    """Why its socket is not read, by name; empty when it is."""
    paused_at: float
    """Since when it is not read, while it is not."""
    paused_for: float
    """Seconds for which it was not read, earlier pauses since `frame_started` together."""
    resumed_at: float
    """When the last pause ended."""
    rates: KindBuckets | None
    """Of `core/peer/rates.py`: what it may send; None before Ready."""
    body_rates: KindBuckets | None
    """The same for routed messages; None where none of them is limited."""
    relay_rates: KindBuckets | None
    """What it takes by default, where it speaks protobuf: more is counted."""
    checking: dict[CheckMessage, str | None]
    """Of `core/peer/inbound.py`: messages that are being checked, in order, and outcomes that have to wait."""
    early: list[bytes]
    """Frames kept for Ready (`Step.KEEP_FOR_READY`)."""
    routed_cache: OrderedDict[bytes, float]
    """Of `core/routed/forwarding.py`: what came in lately, against duplicates."""
    sync_cursor: int | None
    """Of `core/gossip/telling.py`: the next slot of the first table, None when it is sent."""
    missed: dict[bytes, None]
    """Of `core/gossip/telling.py`: pairs of ids of edges that this peer could not be told yet."""
    missed_accounts: dict[str, None]
    """Of `core/gossip/telling.py`: accounts whose announcements this peer could not be told yet."""
    tables_sent: TokenBucket | None
    """Of `core/gossip/telling.py`: how many tables this peer takes; None where there is no limit."""
    telling: Timer | None
    """Of `core/gossip/telling.py`: when it goes on with this peer."""
    unsent: int
    """Bytes that the transport still holds; the shell tells."""
    sent_by_type: dict[str, list[int]]
    """Message type -> [messages, bytes]."""

    def __init__(self, number: int, address: SocketAddress, outbox: Outbox, now: Now, dial: Dial | None = None) -> None:
        self.id = number
        self.address = address
        self.outbox = outbox
        self.dial = dial
        self.direction = "outbound" if dial else "inbound"
        self.state = PeerState.DIALED if dial else PeerState.ACCEPTED
        self.peer_id = dial.peer.id if dial else None
        self.info: PeerInfo | None = dial.peer if dial else None
        self.dialect: Dialect | None = None
        self.account_key = self.sync_cursor = None
        self.answered = False
        self.forget_link = False
        self.refresh = self.stall = self.telling = None
        self.protocol_version = 0
        self.chain_info: PeerChainInfo | None = None
        self.edge: Edge | None = None
        self.local_port = 0
        self.proposed_nonce = 0
        self.handshakes_sent = 0
        self.sent_version = 0
        self.connected_at = self.last_received = now.mono
        self.last_ping_ms: float | None = None
        self.last_kind = ""
        self.last_peers_request: float | None = None
        self.framer = Framer()
        self.frame_started = None
        self.paused = {}
        self.paused_at = self.resumed_at = now.mono
        self.paused_for = 0.0
        self.rates = self.body_rates = self.relay_rates = None
        self.checking = {}
        self.early = []
        self.frames_before_ready = 0
        self.malformed: list[float] = []
        self.tables: TokenBucket | None = None
        self.peers_requests: TokenBucket | None = None
        self.routed_cache = OrderedDict()
        self.refused_ml_dsa = 0
        self.behind = False
        self.missed = {}
        self.missed_accounts = {}
        self.tables_sent = None
        self.timers: list[Timer] = []
        self.out: list[bytes | memoryview] = []
        self.out_bytes = 0
        self.unsent = 0
        self.sent_bytes = 0
        self.received_bytes = 0
        self.sent_by_type = {}
        self.received_by_type: dict[str, list[int]] = {}
        self.received_sizes = [0] * (len(FRAME_SIZES) + 1)

    def __repr__(self) -> str:
        return f"<Peer {self.id} {self.direction} {self.state.name} {self.peer_id or self.address}>"

    @property
    def is_ready(self) -> bool:
        """Whether the handshake is done and the connection lives."""
        return self.state is _READY

    @property
    def is_protobuf(self) -> bool:
        """Whether it speaks the dialect of protobuf nodes."""
        return self.dialect is not None and self.dialect.name == "protobuf"

    @property
    def dialect_name(self) -> str:
        """Of the dialect spoken; borsh until that is known."""
        return "borsh" if self.dialect is None else self.dialect.name

    @property
    def ready_id(self) -> PeerId:
        """The id that the handshake proved; for use when Ready only."""
        if self.peer_id is None:
            raise ValueError(f"{self!r} has no proved id yet")
        return self.peer_id

    @property
    def queued(self) -> int:
        """Bytes that wait to be sent, here and in the transport."""
        return self.out_bytes + self.unsent

    def send(self, message: Message) -> bool:
        """Queue a message in this connection's dialect; see `send_frame` for what comes back."""
        if self.dialect is None:
            return True
        return self.send_frame(self.dialect.encode(message), type(message).__name__)

    def send_frame(self, content: bytes | memoryview, kind: str, behind: Sequence[bytes | memoryview] = ()) -> bool:
        """Queue one frame's content, which may go on in pieces `behind`; return False when it is dropped.

        That is a routed message for which the queue has no room, or another message that is more than a protobuf peer
        takes of its kind: the second is counted here. Any other message that does not fit is the last one that is
        taken, and the manager closes the connection.
        """
        outbox = self.outbox
        if self.state is _CLOSED or (outbox.overflowed and self in outbox.overflowed):
            return True
        length = len(content)
        if behind:
            length += sum(map(len, behind))
        if length > SMALL and self.is_protobuf and too_large(kind, length):
            outbox.too_large[kind] = outbox.too_large.get(kind, 0) + 1
            return False
        if self.out_bytes + self.unsent + length + 4 > outbox.queue_bytes:
            if kind == "Routed":
                return False
            outbox.overflowed[self] = None
        if not self.out:
            outbox.dirty[self] = None
        if length < JOIN_BELOW:
            self.out.append(frame_prefix(length) + content)
        else:
            self.out.append(frame_prefix(length))
            self.out.append(content)
            self.out.extend(filter(None, behind))
        self.out_bytes += length + 4
        self.sent_bytes += length + 4
        try:
            counts = self.sent_by_type[kind]
        except KeyError:
            counts = self.sent_by_type[kind] = [0, 0]
        counts[0] += 1
        counts[1] += length
        return True

    def to_send(self) -> list[bytes | memoryview]:
        """Hand over all that is queued, for one write."""
        chunks, self.out, self.out_bytes = self.out, [], 0
        return chunks

    def count_received(self, kind: str, length: int) -> None:
        """One frame of that kind came in."""
        self.last_kind = kind
        try:
            counts = self.received_by_type[kind]
        except KeyError:
            counts = self.received_by_type[kind] = [0, 0]
        counts[0] += 1
        counts[1] += length
        self.received_sizes[bisect_left(FRAME_SIZES, length)] += 1

    def keep(self, timer: Timer) -> None:
        """Void this deadline when the connection ends."""
        if len(self.timers) >= _MANY_TIMERS:
            self.timers = [one for one in self.timers if one.armed]
        self.timers.append(timer)

    def cancel_timers(self) -> None:
        """Void every deadline of this connection."""
        for timer in (*self.timers, self.stall, self.refresh, self.telling):
            if timer is not None:
                timer.cancel()
        self.timers.clear()
