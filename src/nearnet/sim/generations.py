"""Nodes of other years: what a reference node of 2022, 2025 or 2026 does with what our nodes send it.

Such a node is our own core with the settings of its year, and a `Gate` between the wire and the core. The gate reads
the frames that the node receives and applies the reference's receive rules before the core sees them: it drops a
frame, or a part of it, closes the connection, or bans the sender (`network-2026.md` §2 to §5). It counts each case by
its rule. Only rules that can hurt our nodes are there; docs/simulator.md says which.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nearnet.core.peer.handshake_table import PeerState
from nearnet.core.routing_table.edge import next_nonce
from nearnet.errors import FrameTooLarge, NearnetError, ReasonForBan
from nearnet.keys import check_signatures
from nearnet.sim.reference_limits import BORSH_SIZES, RATES, most_bytes
from nearnet.sim.third_keys import has_third_key
from nearnet.wire.dialect import detect, dialect_named
from nearnet.wire.edge_layout import nonce_of
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.messages import (
    BlockHeadersRequest,
    Handshake,
    PeersResponse,
    RequestUpdateNonce,
    SyncRoutingTable,
    SyncSnapshotHosts,
    Transaction,
)
from nearnet.wire.routed_body import TIER1_BODIES, body_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nearnet.core.peer.peer import Peer
    from nearnet.core.peer_manager.manager import PeerManager
    from nearnet.core.runtime.clock import Now
    from nearnet.keys import PeerId
    from nearnet.sim.signatures import EdgePool
    from nearnet.wire.dialect import Dialect
    from nearnet.wire.messages import Message
    from nearnet.wire.routed_frame import RoutedFrame

__all__ = [
    "AHEAD",
    "GENERATIONS",
    "MOST_ACCOUNTS",
    "MOST_EDGES",
    "OUR_DUTY",
    "WINDOW",
    "Case",
    "Gate",
    "Generation",
]

AHEAD: Final = 300.0
"""Seconds by which the time in an edge's nonce may be ahead of the clock of a node of 2026."""

WINDOW: Final = 1200.0
"""Seconds by which the nonce of a RequestUpdateNonce may differ from the clock (strictly)."""

MOST_EDGES: Final = 50_000
MOST_ACCOUNTS: Final = 10_000
"""Edges and announcements that a node of 2026 takes in one SyncRoutingTable. It drops all of them when there are more.
"""

_MOST_HASHES: Final = 20
_MOST_PEERS: Final = 512
_MOST_DIRECT_PEERS: Final = 128
_MOST_SHARDS: Final = 128
_MOST_SNAPSHOT_SHARDS: Final = 512
_TRUSTED: Final = 1000
"""Rows of tier-1 signatures that a node of 2025 remembers as taken without a check. At most 40 wait at one time."""

_SHARED_RATES: Final = {
    "VersionedPartialEncodedStateWitness": "PartialEncodedStateWitness",
    "VersionedPartialEncodedStateWitnessForward": "PartialEncodedStateWitnessForward",
}
"""Bodies that share the bucket of another one."""

OUR_DUTY: Final = frozenset(
    {"table rate", "table edges", "table accounts", "rate", "size", "borsh size", "third key", "second handshake"}
)
"""Rules that a node of ours never makes another node apply, whatever the network does around it."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The nodes of one year."""

    year: int
    dialect: str
    nearnet: Mapping[str, Any] = field(default_factory=dict)
    """The fields of `nearnet` in its config."""
    third_keys: bool = False
    """Whether it decodes keys of the third type. Otherwise a table or a list of peers with one is lost."""
    verifies_tier1: bool = True
    bump: int | None = None
    """How far the nonce of a dialer's handshake may be above the next one; None: this year has another rule."""
    exact_version: bool = True
    """Whether a dialer closes unless the answer carries the version that it sent."""
    limits: bool = False
    """Whether the rules of 2026 apply: rates, sizes, lengths, times."""
    merges_tables: bool = True
    """Whether it sends as one SyncRoutingTable what our core cuts into pieces."""


_NEVER: Final = 10.0 * 365 * 86_400
"""Seconds: longer than any scenario lasts, and any edge is old."""

GENERATIONS: Final = {
    2022: Generation(
        2022,
        "borsh",
        # It neither looks at the time in a nonce nor renews one.
        {"dialect": "borsh", "timing": {"edge_expires_after": 100 * _NEVER, "nonce_refresh_interval": _NEVER}},
        bump=1000,
        exact_version=False,
    ),
    2025: Generation(
        2025,
        "protobuf",
        {"dialect": "protobuf", "protocol_versions": {"protobuf": [84, 80]}},
        verifies_tier1=False,
    ),
    2026: Generation(
        2026,
        "protobuf",
        {"dialect": "protobuf", "protocol_versions": {"protobuf": [87, 84]}},
        third_keys=True,
        limits=True,
        merges_tables=False,
    ),
}
"""By year."""


class Case(NamedTuple):
    """What a gate counts: the rule, the kind of message, and who sent it (None before the handshake)."""

    rule: str
    kind: str
    sender: PeerId | None


class _Offense(Exception):
    """The frame ends the connection: by a ban for `ban`, or else for the reason in the text."""

    def __init__(self, rule: str, ban: ReasonForBan | None = None, flagged: bool = False) -> None:
        super().__init__(rule)
        self.rule = rule
        self.ban = ban
        self.flagged = flagged


class _Bucket:
    """`burst` tokens at first, `rate` more a second, never more than `burst`."""

    __slots__ = ("at", "burst", "rate", "tokens")

    def __init__(self, burst: float, rate: float, time: float) -> None:
        self.burst, self.rate, self.at = burst, rate, time
        self.tokens = burst

    def take(self, time: float) -> bool:
        """Return whether one token was there to take."""
        self.tokens = min(self.burst, self.tokens + (time - self.at) * self.rate)
        self.at = time
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


class _Link:
    """What a gate keeps for one connection."""

    __slots__ = ("buckets", "framer", "taken", "written")

    def __init__(self) -> None:
        self.framer = Framer()
        self.taken = 0
        """Bytes of the frames that came so far."""
        self.written = 0.0
        """When the last of them was written."""
        self.buckets: dict[str, _Bucket] = {}


class Gate:
    """The receive rules of one simulated node. It lives as long as the node; `attach` it to each new core."""

    def __init__(self, generation: Generation, pool: EdgePool) -> None:
        self.generation = generation
        self.counts: dict[Case, int] = {}
        """How often each rule was applied. Of edges, each one counts."""
        self.changes = 0
        """How often `counts` has changed."""
        self.dialect: Dialect = pool.dialect(dialect_named(generation.dialect))
        self._links: dict[int, _Link] = {}
        self._trusted: dict[bytes, None] = {}
        self._core: PeerManager

    def attach(self, core: PeerManager) -> None:
        """Stand before this core from now on: its node has just started."""
        self._core = core
        self._links.clear()
        self._trusted.clear()

    def total(self, *rules: str, sender: PeerId | None = None) -> int:
        """Return how often these rules were applied, to everybody or to one sender."""
        return sum(
            count
            for case, count in self.counts.items()
            if case.rule in rules and (sender is None or case.sender == sender)
        )

    # --- bytes in --------------------------------------------------------------------------------

    def receive(self, peer: Peer, data: bytes, written: Callable[[int], float], now: Now) -> None:
        """Give the core what it may see of these bytes, and end the connection where a rule says so.

        `written` tells when the sender wrote so many bytes of this connection, in seconds of any one clock. Rates are
        judged by that time: after a stall of the network all comes at once, which no sender can prevent.
        """
        link = self._link(peer)
        link.framer.feed(data)
        passed: list[bytes] = []
        kind = ""
        try:
            while peer.state is not PeerState.CLOSED and (frame := link.framer.next_frame()) is not None:
                kind = self.dialect.kind(frame) if frame else ""
                link.taken += 4 + len(frame)
                link.written = written(link.taken)
                if kind == "Handshake":
                    self._pass(peer, passed, now)  # What follows is judged by the state that comes of this.
                content = self._judge(link, peer, kind, frame, now)
                if content is not None:
                    passed.append(frame_prefix(len(content)) + content)
                if kind == "Handshake":
                    self._pass(peer, passed, now)
        except _Offense as offense:
            self._pass(peer, passed, now)
            self._end(peer, kind, offense, now)
        except FrameTooLarge:
            self._pass(peer, passed, now)
            self._end(peer, "", _Offense("frame length", ReasonForBan.ABUSIVE), now)
        else:
            self._pass(peer, passed, now)

    def _link(self, peer: Peer) -> _Link:
        link = self._links.get(peer.id)
        if link is None:
            alive = self._core.context.connections
            self._links = {number: one for number, one in self._links.items() if number in alive}
            link = self._links[peer.id] = _Link()
        return link

    def _pass(self, peer: Peer, passed: list[bytes], now: Now) -> None:
        if passed and peer.state is not PeerState.CLOSED:
            self._core.receive(peer, b"".join(passed), now)
        passed.clear()

    def _end(self, peer: Peer, kind: str, offense: _Offense, now: Now) -> None:
        if peer.state is PeerState.CLOSED:
            return
        self._count(offense.rule, kind, peer)
        if offense.ban is not None and peer.is_ready:
            self._core.ban(peer.ready_id, offense.ban, now)
        else:
            self._core.context.close(peer, offense.rule, now, flagged=offense.flagged)
            self._core.receive(peer, b"", now)  # Every input has the core collect what follows from it.

    def _count(self, rule: str, kind: str, peer: Peer, count: int = 1) -> None:
        case = Case(rule, kind, peer.peer_id)
        self.counts[case] = self.counts.get(case, 0) + count
        self.changes += 1

    # --- one frame -------------------------------------------------------------------------------

    def _judge(self, link: _Link, peer: Peer, kind: str, frame: bytes, now: Now) -> bytes | None:
        """Return what the core is to see of a frame, None for nothing; `_Offense` ends the connection."""
        generation = self.generation
        if frame and detect(frame[0]) != generation.dialect:
            return self._drop("foreign dialect", kind, peer)
        if not generation.third_keys and has_third_key(generation.dialect, kind, frame):
            return self._drop("third key", kind, peer)
        if kind == "Handshake" and generation.exact_version and peer.state is PeerState.DIALED:
            version = self.dialect.peek_handshake_version(frame)
            if version != peer.sent_version:
                raise _Offense("answer of another version")
        if kind == "Handshake" and generation.bump is not None and peer.state is PeerState.ACCEPTED:
            self._counted_nonce(frame, generation.bump)
        if kind == "Routed" and peer.is_ready:
            return self._routed(link, peer, frame)
        return self._limited(link, peer, kind, frame, now) if generation.limits else frame

    def _counted_nonce(self, frame: bytes, bump: int) -> None:
        """Refuse a nonce that is a time, unless it follows one: a node that forgot its edges takes small ones only."""
        try:
            handshake = self.dialect.decode(frame)
        except NearnetError:
            return
        if isinstance(handshake, Handshake):
            me, sender, table = self._core.peer_id, handshake.sender_peer_id, self._core.table
            known = table.get(me, sender) or table.components.edge_between(me, sender)
            if handshake.partial_edge_info.nonce >= next_nonce(0 if known is None else known.nonce) + bump:
                raise _Offense("nonce too far")

    def _drop(self, rule: str, kind: str, peer: Peer) -> bytes | None:
        """Count a frame that the core does not see; return what it sees instead: nothing."""
        self._count(rule, kind, peer)
        return None

    def _routed(self, link: _Link, peer: Peer, frame: bytes) -> bytes | None:
        try:
            rf = self.dialect.routed(frame)
        except NearnetError:
            return frame  # The core judges these as every year does.
        if rf is None:
            return frame
        if not self.generation.verifies_tier1:
            self._trust(rf)
            return frame
        if not self.generation.limits:
            return frame
        kind = body_name(rf.body_index)
        if rf.end - rf.start > BORSH_SIZES["Routed"]:
            return self._drop("borsh size", kind, peer)
        if not self._is_within_limits(link, peer, kind, frame):
            return None
        if check_signatures([rf.signature_row()])[0] == "forged":
            raise _Offense("forged", ReasonForBan.INVALID_SIGNATURE)
        return frame

    def _trust(self, rf: RoutedFrame) -> None:
        """Remember a tier-1 body of field 17 as one whose signature is not checked."""
        if rf.body_index in TIER1_BODIES and rf.body_index != _FORWARDED_CHUNK and not rf.is_v3:
            if len(self._trusted) >= _TRUSTED:
                self._trusted.pop(next(iter(self._trusted)))
            self._trusted[rf.signature_row()] = None

    def check(self, rows: Sequence[bytes]) -> Sequence[str]:
        """Stand in for the core's check of signatures: a generation that does not verify a body counts it as valid."""
        outcomes = check_signatures(rows)
        if not self._trusted:
            return outcomes
        return ["valid" if row in self._trusted else one for row, one in zip(rows, outcomes, strict=True)]

    # --- the rules of 2026 -----------------------------------------------------------------------

    def _limited(self, link: _Link, peer: Peer, kind: str, frame: bytes, now: Now) -> bytes | None:
        if kind == "Handshake" and peer.is_ready:
            raise _Offense("second handshake", flagged=True)
        if not self._is_within_limits(link, peer, kind, frame):
            return None
        if kind not in _READ or (not peer.is_ready and kind not in ("Handshake", "SyncRoutingTable")):
            return frame
        try:
            message = self.dialect.decode(frame)
        except NearnetError:
            # A key of the third type reads at a node of 2026, whatever our own codec makes of it.
            return frame if has_third_key(self.dialect.name, kind, frame) else self._drop("malformed", kind, peer)
        if isinstance(message, SyncRoutingTable):
            return self._table(peer, message, frame, now)
        return frame if self._is_taken(peer, message, now) else None

    def _is_within_limits(self, link: _Link, peer: Peer, kind: str, frame: bytes) -> bool:
        """Return whether size and rate of a message are within what its kind may have; count it otherwise."""
        if kind == "Transaction" and self._is_large_transaction(frame):
            self._count("borsh size", kind, peer)
            return False
        if len(frame) > most_bytes(kind):
            self._count("size", kind, peer)
            return False
        name = _SHARED_RATES.get(kind, kind)
        if name in RATES:
            bucket = link.buckets.get(name)
            if bucket is None:
                bucket = link.buckets[name] = _Bucket(*RATES[name], link.written)
            if not bucket.take(link.written):
                self._count("table rate" if kind == "SyncRoutingTable" else "rate", kind, peer)
                return False
        return True

    def _is_large_transaction(self, frame: bytes) -> bool:
        most = BORSH_SIZES["Transaction"]
        if len(frame) <= most:
            return False
        try:
            message = self.dialect.decode(frame)
        except NearnetError:
            return False
        return isinstance(message, Transaction) and len(message.data) > most

    def _table(self, peer: Peer, message: SyncRoutingTable, frame: bytes, now: Now) -> bytes | None:
        edges, accounts = message.edges, message.accounts
        if len(edges) > MOST_EDGES:
            self._count("table edges", "SyncRoutingTable", peer)
            edges = ()
        if len(accounts) > MOST_ACCOUNTS:
            self._count("table accounts", "SyncRoutingTable", peer)
            accounts = ()
        limit = now.wall + AHEAD
        taken = tuple(edge for edge in edges if nonce_of(edge) <= limit)
        if len(taken) != len(edges):
            self._count("edge ahead", "SyncRoutingTable", peer, len(edges) - len(taken))
        if (len(taken), len(accounts)) == (len(message.edges), len(message.accounts)):
            return frame
        return self.dialect.encode(SyncRoutingTable(taken, accounts)) if taken or accounts else None

    def _is_taken(self, peer: Peer, message: Message, now: Now) -> bool:
        """Return whether the core sees this message; `_Offense` for what a node of 2026 bans."""
        match message:
            case Handshake(sender_chain_info=chain) if len(chain.tracked_shards) > _MOST_SHARDS:
                self._count("shards", "Handshake", peer)
                return False
            case RequestUpdateNonce(partial):
                ahead = partial.nonce - now.wall
                if abs(ahead) >= WINDOW:
                    raise _Offense("nonce out of range", ReasonForBan.INVALID_EDGE)
                if ahead > AHEAD:
                    self._count("nonce ahead", "RequestUpdateNonce", peer)
                    return False
            case BlockHeadersRequest(hashes) if len(hashes) > _MOST_HASHES:
                raise _Offense("hashes", ReasonForBan.ABUSIVE)
            case PeersResponse(peers, direct):
                if len(peers) > _MOST_PEERS or len(direct) > _MOST_DIRECT_PEERS:
                    raise _Offense("peers", ReasonForBan.ABUSIVE)
            case SyncSnapshotHosts(hosts):
                if any(len(host.shards) > _MOST_SNAPSHOT_SHARDS for host in hosts):
                    self._count("shards", "SyncSnapshotHosts", peer)
                    return False
        return True

    # --- bytes out -------------------------------------------------------------------------------

    def sent(self, data: bytes) -> bytes:
        """Return what the node writes in place of what its core wrote at one time: one table in place of its pieces."""
        if not self.generation.merges_tables or not data:
            return data
        framer = Framer()
        framer.feed(data)
        frames: list[bytes] = []
        tables: list[int] = []
        while (frame := framer.next_frame()) is not None:
            if self.dialect.kind(frame) == "SyncRoutingTable":
                tables.append(len(frames))
            frames.append(frame)
        if len(tables) < 2:
            return data
        messages = [self.dialect.decode(frames[number]) for number in tables]
        edges = tuple(edge for one in messages if isinstance(one, SyncRoutingTable) for edge in one.edges)
        accounts = tuple(account for one in messages if isinstance(one, SyncRoutingTable) for account in one.accounts)
        frames[tables[0]] = self.dialect.encode(SyncRoutingTable(edges, accounts))
        rest = frozenset(tables[1:])
        return b"".join(frame_prefix(len(frame)) + frame for number, frame in enumerate(frames) if number not in rest)


_FORWARDED_CHUNK: Final = 18
"""PartialEncodedChunkForward, which nodes of 2025 count to tier 2 and verify."""

_READ: Final = frozenset(
    {"BlockHeadersRequest", "Handshake", "PeersResponse", "RequestUpdateNonce", "SyncRoutingTable", "SyncSnapshotHosts"}
)
"""Kinds of messages whose content a node of 2026 judges."""
