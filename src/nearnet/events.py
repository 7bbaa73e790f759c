"""What happens at a node, one documented class for each kind of event.

`Node.events` yields these objects, `Node.wait_for` waits for one, and `Node.recent_events` keeps the last of them:

    async for event in node.events(Connected, Disconnected):
        match event:
            case Connected(peer_id=peer_id, dialect=dialect):
                ...

Inside the program an event is told by its class. Only JSON (the RPC, the websocket, the log for machines) names it by
its `kind`, a fixed word: `KINDS` leads from the word to the class, and `NodeEvent.as_dict` makes the JSON object.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final

from nearnet.errors import ReasonForBan
from nearnet.keys import CryptoHash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nearnet.keys import PeerId

__all__ = [
    "KINDS",
    "Accepted",
    "AccountAnnounced",
    "AccountsDataAdded",
    "AnswerDropped",
    "BanDeferred",
    "Banned",
    "ClockAhead",
    "ClockAheadOver",
    "Connected",
    "CutOff",
    "CutOffOver",
    "Degraded",
    "DialFailed",
    "DialectRefused",
    "Disconnected",
    "EdgesAdded",
    "HandshakeFailed",
    "HandshakeRefused",
    "HandshakeRetried",
    "LoopStalled",
    "MessageMalformed",
    "NeighborBehind",
    "NetworkMovedOn",
    "NewerProtocol",
    "NewerProtocolOver",
    "NodeEvent",
    "Overflow",
    "PongReceived",
    "ReplyDropped",
    "RoutesChanged",
    "SnapshotHostsAdded",
    "Unbanned",
    "event_from",
]

_BASE: Final = frozenset({"seq", "time", "peer_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEvent:
    """The base of all events, and what all of them have."""

    kind: ClassVar[str] = ""
    """The word for this class in JSON."""

    seq: int
    """The number of the event at its node, from 1 on, without a gap."""
    time: float
    """When it happened, in unix seconds."""
    peer_id: PeerId | None
    """The peer that it concerns; None when it concerns none, or one that has not proved its id yet."""

    @property
    def data(self) -> dict[str, Any]:
        """The fields of this class alone as JSON values: hashes in base58, a reason for a ban by its label."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self) if one.name not in _BASE}

    def as_dict(self) -> dict[str, Any]:
        """Return the event as the RPC tells it: seq, time, kind, peer_id where there is one, and the fields."""
        who = {} if self.peer_id is None else {"peer_id": str(self.peer_id)}
        return {"seq": self.seq, "time": self.time, "kind": self.kind, **who, **self.data}


@dataclass(frozen=True, slots=True)
class Overflow:
    """The reader of a stream was too slow: it lost the `n` events before the next one."""

    kind: ClassVar[str] = "overflow"

    n: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as the websocket tells it."""
        return {"kind": self.kind, "n": self.n}


def _plain(value: object) -> object:
    match value:
        case ReasonForBan():
            return value.label
        case CryptoHash():
            return str(value)
        case _:
            return value


# --- connections -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(NodeEvent):
    """A TCP connection came in. Its handshake follows: `Connected`, `HandshakeRefused` or `HandshakeFailed`."""

    kind: ClassVar[str] = "accepted"

    address: str
    """The remote end, ``IP:PORT``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected(NodeEvent):
    """A handshake has succeeded: the peer is Ready and counts as a neighbor."""

    kind: ClassVar[str] = "connected"

    peer_id: PeerId
    address: str
    """The remote end, ``IP:PORT``."""
    direction: str
    """``"inbound"`` when the peer dialed, ``"outbound"`` when this node did."""
    dialect: str | None
    """``"borsh"`` or ``"protobuf"``."""
    connections: int
    """How many peers are Ready now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected(NodeEvent):
    """The connection to a peer that was Ready has ended."""

    kind: ClassVar[str] = "disconnected"

    peer_id: PeerId
    reason: str
    address: str
    """The remote end, ``IP:PORT``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialFailed(NodeEvent):
    """A dial led to no Ready connection. The peer is dialed again later, while it is needed."""

    kind: ClassVar[str] = "dial_failed"

    peer_id: PeerId
    reason: str
    address: str
    """Where the node dialed: ``IP:PORT`` or ``HOST:PORT``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectRefused(NodeEvent):
    """The peer did not read the dialect of this dial: the node dials again in the other dialect."""

    kind: ClassVar[str] = "dialect_refused"

    peer_id: PeerId
    reason: str
    address: str
    """The remote end, ``IP:PORT``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeFailed(NodeEvent):
    """A connection ended during its handshake, or the peer refused our handshake; `reason` says why."""

    kind: ClassVar[str] = "handshake_failed"

    reason: str
    address: str | None = None
    """The remote end, ``IP:PORT``; None when a peer that this node dialed refused the handshake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeRefused(NodeEvent):
    """This node refused a peer's handshake and told it why."""

    kind: ClassVar[str] = "handshake_refused"

    address: str
    """The remote end, ``IP:PORT``."""
    reason: str
    """``"ProtocolVersionMismatch"``, ``"GenesisMismatch"`` or ``"InvalidTarget"``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeRetried(NodeEvent):
    """The peer refused our protocol version, and the node offers another one on the same connection."""

    kind: ClassVar[str] = "handshake_retried"

    peer_id: PeerId
    reason: str
    version: int
    """The protocol version that is offered now."""


# --- conduct -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Banned(NodeEvent):
    """A peer is banned: its connection ends, and it is not dialed nor let in."""

    kind: ClassVar[str] = "banned"

    peer_id: PeerId
    reason: ReasonForBan
    seconds: float
    """How long the ban lasts, in seconds from `time`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbanned(NodeEvent):
    """A ban has ended, by its time or by a command."""

    kind: ClassVar[str] = "unbanned"

    peer_id: PeerId


@dataclass(frozen=True, slots=True, kw_only=True)
class BanDeferred(NodeEvent):
    """The client asked for a ban that would leave too few peers, so the peer stays."""

    kind: ClassVar[str] = "ban_deferred"

    peer_id: PeerId
    reason: ReasonForBan
    min_peers_kept: int
    """`nearnet.min_peers_kept`: how many peers must remain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageMalformed(NodeEvent):
    """A message that does not decode was dropped. Too many of them within a minute end the connection."""

    kind: ClassVar[str] = "malformed"

    why: str
    address: str
    """The remote end of the connection that brought it, ``IP:PORT``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighborBehind(NodeEvent):
    """A neighbor reads slowly: gossip to it rests until it has read what waits."""

    kind: ClassVar[str] = "behind"

    peer_id: PeerId
    queued: int
    """Bytes that wait to be sent to it."""


# --- the network's graph, and what is known of others ------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgesAdded(NodeEvent):
    """The routing table took new edges, or newer states of known ones."""

    kind: ClassVar[str] = "edges"

    added: int
    total: int
    """Edges that the table holds now, removed ones included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutesChanged(NodeEvent):
    """The next hops were computed again: `Node.routes` tells the new ones."""

    kind: ClassVar[str] = "routes"

    reachable: int
    """How many peers a message can be sent to now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAnnounced(NodeEvent):
    """An announcement was accepted: the peer `peer_id` serves an account."""

    kind: ClassVar[str] = "announcement"

    peer_id: PeerId
    account_id: str
    epoch_id: CryptoHash


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsDataAdded(NodeEvent):
    """The neighbor `peer_id` told new `AccountData` of validators."""

    kind: ClassVar[str] = "accounts_data"

    peer_id: PeerId
    added: int
    total: int
    """Entries that are held now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotHostsAdded(NodeEvent):
    """The neighbor `peer_id` told of new hosts of state snapshots."""

    kind: ClassVar[str] = "snapshot_hosts"

    peer_id: PeerId
    added: int
    total: int
    """Hosts that are known now."""


# --- routed messages and the client's answers --------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PongReceived(NodeEvent):
    """A ping of this node was answered by `peer_id`."""

    kind: ClassVar[str] = "pong"

    peer_id: PeerId
    hash: CryptoHash
    """The hash of the ping."""
    nonce: int
    ttl: int
    """What is left of the pong's ttl of 100."""
    num_hops: int | None
    """Nodes that passed the pong on; None when it came by borsh, which does not count them."""
    milliseconds: float
    """From the ping to the pong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDropped(NodeEvent):
    """The client's answer to a message of the neighbor `peer_id` could not be sent."""

    kind: ClassVar[str] = "answer_dropped"

    peer_id: PeerId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyDropped(NodeEvent):
    """The client's reply to a routed message of `peer_id` could not be sent."""

    kind: ClassVar[str] = "reply_dropped"

    peer_id: PeerId
    reason: str
    """Why, as in `RouteNotFound.reason`."""
    hash: CryptoHash
    """The hash of the message that the reply belongs to."""


# --- warnings to the operator ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkMovedOn(NodeEvent):
    """A peer accepts newer protocol versions only, and this node follows with the peer's version: upgrade."""

    kind: ClassVar[str] = "network_moved_on"

    version: int
    """The peer's own protocol version."""
    oldest: int
    """The oldest one that the peer accepts."""
    own: int
    """This node's own protocol version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewerProtocol(NodeEvent):
    """A connected peer announced a protocol version above our own: upgrade before peers stop accepting ours."""

    kind: ClassVar[str] = "newer_protocol"

    version: int
    own: int
    """This node's own protocol version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewerProtocolOver(NodeEvent):
    """No connected peer announces a protocol version above our own any more."""

    kind: ClassVar[str] = "newer_protocol_over"

    own: int
    """This node's own protocol version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff(NodeEvent):
    """Every recent dial failed because peers no longer accept our protocol version."""

    kind: ClassVar[str] = "cut_off"

    own: int
    """This node's own protocol version."""
    version: int
    """The newest protocol version that any peer announced."""
    advice: str
    """What to do, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOffOver(NodeEvent):
    """Peers no longer refuse our protocol version."""

    kind: ClassVar[str] = "cut_off_over"

    own: int
    """This node's own protocol version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAhead(NodeEvent):
    """Our clock is ahead of the peers' clocks: they drop our edges. Set the clock."""

    kind: ClassVar[str] = "clock_ahead"

    seconds: int
    """By how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAheadOver(NodeEvent):
    """Our clock is not ahead of the peers' clocks any more."""

    kind: ClassVar[str] = "clock_ahead_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStalled(NodeEvent):
    """One input held the event loop for longer than `nearnet.limits.loop_stall`."""

    kind: ClassVar[str] = "stalled"

    input: str
    """What was being handled, such as ``"received"`` or ``"timer"``."""
    seconds: float
    """For how long it held the loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Degraded(NodeEvent):
    """A part of the node does not work, or works again."""

    kind: ClassVar[str] = "degraded"

    part: str
    """``"storage"``."""
    why: str | None
    """What failed, in words; None when the part works again."""


_CLASSES: Final[tuple[type[NodeEvent], ...]] = (
    Accepted,
    Connected,
    Disconnected,
    DialFailed,
    DialectRefused,
    HandshakeFailed,
    HandshakeRefused,
    HandshakeRetried,
    Banned,
    Unbanned,
    BanDeferred,
    MessageMalformed,
    NeighborBehind,
    EdgesAdded,
    RoutesChanged,
    AccountAnnounced,
    AccountsDataAdded,
    SnapshotHostsAdded,
    PongReceived,
    AnswerDropped,
    ReplyDropped,
    NetworkMovedOn,
    NewerProtocol,
    NewerProtocolOver,
    CutOff,
    CutOffOver,
    ClockAhead,
    ClockAheadOver,
    LoopStalled,
    Degraded,
)

KINDS: Final[dict[str, type[NodeEvent]]] = {one.kind: one for one in _CLASSES}
"""The word for each class in JSON -> the class. `Overflow` is no event of a node, but a gap in one reader's stream."""

_REASONS: Final = {reason.label: reason for reason in ReasonForBan}

_READ: Final[dict[tuple[str, str], Callable[[Any], object]]] = {
    ("banned", "reason"): _REASONS.__getitem__,
    ("ban_deferred", "reason"): _REASONS.__getitem__,
    ("announcement", "epoch_id"): CryptoHash.from_text,
    ("pong", "hash"): CryptoHash.from_text,
    ("reply_dropped", "hash"): CryptoHash.from_text,
}
"""(Kind, field) -> what makes the field from its JSON value; all other fields are JSON values themselves."""


def event_from(kind: str, data: Mapping[str, Any], *, seq: int, time: float, peer_id: PeerId | None) -> NodeEvent:
    """Return the event of that kind; `data` has its fields as JSON values.

    Raises `KeyError` for an unknown kind and `TypeError` for fields that do not belong to it: faults of whoever tells
    the event, which `tests/test_events.py` looks for.
    """
    values = {name: _READ[kind, name](value) if (kind, name) in _READ else value for name, value in data.items()}
    return KINDS[kind](seq=seq, time=time, peer_id=peer_id, **values)
