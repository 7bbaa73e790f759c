"""Sockets as the core sees them: which are let in, what their bytes are, when they end (`threats.md`, limits).

Bytes become frames here, frames become messages; `on_message` and `on_routed` take them from there. A frame that comes
in slowly or is large has a deadline and a share of one budget. A large table is decoded in pieces, and a large routed
message is hashed and checked off the loop, so that neither holds up everybody else (row 72).
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from nearnet.core.peer.admission import refuse_socket
from nearnet.core.peer.handshake_table import PeerState, Step, step_for
from nearnet.core.peer.peer import Peer
from nearnet.core.runtime.actions import CheckMessage, PauseReading, ResumeReading
from nearnet.core.runtime.addresses import normalise
from nearnet.core.runtime.histogram import Histogram, exponential
from nearnet.errors import FrameTooLarge, Malformed, MissingSignature, ReasonForBan, UnknownMessage
from nearnet.wire.dialect import detect
from nearnet.wire.message_kinds import MOST_HASHES, MOST_TRACKED_SHARDS, MOST_TRANSACTION, SMALL, too_large_to_take
from nearnet.wire.messages import BlockHeadersRequest, Disconnect, Handshake, HandshakeFailure, LastEdge, Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from nearnet.core.context import Context
    from nearnet.core.peer.handshake import Handshaking
    from nearnet.core.peer.peer import Peer
    from nearnet.core.runtime.actions import Dial
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.histogram import Histogram
    from nearnet.wire.dialect import Dialect
    from nearnet.wire.messages import Message, SocketAddress, SyncRoutingTable
    from nearnet.wire.routed_frame import RoutedFrame

__all__ = [
    "DIALED_HANDSHAKE_FRAME",
    "EARLY_FRAMES",
    "EARLY_MESSAGES",
    "LARGE_MESSAGE",
    "LARGE_TABLE",
    "MOST_BEHIND",
    "MOST_BYTES",
    "MOST_CHECKED",
    "MOST_SECONDS",
    "STALL_RATE",
    "STALL_SECONDS",
    "Connections",
    "InboundBudget",
    "LargeMessages",
    "LargeTables",
    "StartedFrames",
    "TrafficTotals",
]


class InboundBudget:
    """Shares `total` bytes among connections, first come first served. Holders are connection numbers."""

    __slots__ = ("_held", "_large", "_total", "_waiting")

    def __init__(self, total: int, large: int) -> None:
        self._total = total
        self._large = large
        self._held: dict[int, int] = {}
        self._waiting: dict[int, int] = {}

    @property
    def used(self) -> int:
        """Bytes taken."""
        return sum(self._held.values())

    def take(self, holder: int, length: int) -> bool:
        """Whether `holder` may read a frame of `length` bytes now; False: wait for `release` to name it."""
        if length <= self._large or holder in self._held:
            return True
        share = min(length, self._total)
        if not self._waiting and self.used + share <= self._total:
            self._held[holder] = share
            return True
        self._waiting[holder] = share
        return False

    def release(self, holder: int) -> list[int]:
        """`holder` has its frame, or is gone. Returns who may read now, in the order of their asking."""
        if holder not in self._held and holder not in self._waiting:
            return []
        self._held.pop(holder, None)
        self._waiting.pop(holder, None)
        granted: list[int] = []
        for waiting, share in list(self._waiting.items()):
            if self.used + share > self._total:
                break
            del self._waiting[waiting]
            self._held[waiting] = share
            granted.append(waiting)
        return granted


_Totals = dict[str, dict[str, list[int]]]


class TrafficTotals:
    """``received`` and ``sent``, each: message type -> [messages, bytes]."""

    __slots__ = ("_ended",)

    def __init__(self) -> None:
        self._ended: _Totals = {"received": {}, "sent": {}}

    def add(self, peer: Peer) -> None:
        """Keep what a connection counted that is gone."""
        _add(self._ended, peer)

    def with_those(self, peers: Iterable[Peer]) -> _Totals:
        """A copy, with what these living connections have counted so far."""
        totals = {word: {kind: list(counts) for kind, counts in kinds.items()} for word, kinds in self._ended.items()}
        for peer in peers:
            _add(totals, peer)
        return totals


def _add(totals: _Totals, peer: Peer) -> None:
    for word, kinds in (("received", peer.received_by_type), ("sent", peer.sent_by_type)):
        for kind, (messages, size) in kinds.items():
            entry = totals[word].setdefault(kind, [0, 0])
            entry[0] += messages
            entry[1] += size


STALL_SECONDS = 60.0
"""A frame that takes longer than this must come in at `STALL_RATE` on average (`threats.md` row 8)."""

STALL_RATE = 4096
"""Bytes a second."""

MOST_SECONDS = 120.0
"""A frame of a protobuf connection must be whole by then, however fast it comes (`network-2026.md` §4). The time for
which the connection was not read does not count."""

_CLOSED: Final = PeerState.CLOSED


class StartedFrames:
    """Watches the frame that each connection is receiving."""

    __slots__ = ("_budget", "_connections", "_context", "latencies")

    def __init__(self, context: Context, connections: Connections) -> None:
        limits = context.config.nearnet.limits
        self._context = context
        self._connections = connections
        self._budget = InboundBudget(limits.inbound_budget_bytes, limits.large_frame_bytes)
        self.latencies = Histogram(exponential(0.001, 1.3, 35))
        """Seconds from the first bytes to the last, of frames that did not come in one read."""

    def watch(self, peer: Peer, now: Now) -> None:
        """All complete frames are taken: a part of one may be left."""
        if peer.state is _CLOSED:
            return
        if not peer.framer.buffered:
            self.let_go(peer, now)
            return
        length = peer.framer.pending_length
        if peer.frame_started is None:
            peer.frame_started = now.mono
            peer.paused_for = 0.0
            if peer.stall is None:
                self._look_again(peer, now.mono + STALL_SECONDS)
        if length is not None and not self._budget.take(peer.id, length):
            self._context.limits.hit("inbound_budget_bytes")
            self._connections.pause(peer, "budget")

    def whole(self, peer: Peer, started: float, now: Now) -> None:
        """The frame that began at this (monotonic) time is here."""
        self.latencies.observe(now.mono - started)
        self.let_go(peer, now)

    def let_go(self, peer: Peer, now: Now) -> None:
        """No frame of it is under way any more: others may have its share."""
        peer.frame_started = None
        for number in self._budget.release(peer.id):
            waiting = self._context.connections.get(number)
            if waiting is not None:
                self._connections.resume(waiting, "budget", now)

    def _look_again(self, peer: Peer, at: float) -> None:
        peer.stall = self._context.timers.at(at, lambda now: self._check(peer, now))

    def _check(self, peer: Peer, now: Now) -> None:
        peer.stall = None
        started = peer.frame_started
        if started is None or peer.state is _CLOSED:
            return
        elapsed = now.mono - started
        if peer.is_protobuf and not peer.paused and elapsed - peer.paused_for > MOST_SECONDS:
            self._context.close(peer, "a frame took too long", now)
            return
        if not peer.paused and elapsed >= STALL_SECONDS and peer.framer.buffered < STALL_RATE * elapsed:
            self._context.close(peer, "stalled", now)
            return
        self._look_again(peer, max(started + STALL_SECONDS, now.mono + 1.0))


LARGE_TABLE = 256 * 1024
"""Bytes from which a table is decoded in steps: about 1 200 edges, 1 to 4 ms."""


class LargeTables:
    """The tables that are being decoded, one per connection."""

    __slots__ = ("_connections", "_context", "_on_message")

    def __init__(
        self, context: Context, connections: Connections, on_message: Callable[[Peer, Message, Now], None]
    ) -> None:
        self._context = context
        self._connections = connections
        self._on_message = on_message

    def decode(self, peer: Peer, steps: Generator[None, None, SyncRoutingTable], now: Now) -> None:
        """Begin, and go on in later turns; `on_message` has the table when it is whole."""
        self._connections.pause(peer, "table")
        self._go_on(peer, steps, now)

    def _go_on(self, peer: Peer, steps: Generator[None, None, SyncRoutingTable], now: Now) -> None:
        if not peer.is_ready:
            return
        try:
            next(steps)
        except StopIteration as whole:
            self._on_message(peer, whole.value, now)
        except Malformed as error:
            self._connections.malformed(peer, str(error), now)
        else:
            self._context.timers.at(now.mono, lambda now: self._go_on(peer, steps, now))
            return
        self._connections.resume(peer, "table", now)


LARGE_MESSAGE = 128 * 1024
"""Bytes from which a message is large: to hash as many takes 0.1 ms."""

MOST_CHECKED = 8 * 2**20
"""Bytes of one connection's messages that are checked at the same time, but for one that is longer by itself.

Seven of 1 MiB: they go on in their order, so of only three one is often done and waits for its turn while a thread
has nothing to do.
"""

MOST_BEHIND = 2 * 2**20
"""Bytes read of what comes behind those that are being checked, but for a large one that may be checked too: what lies
long in memory has left the processor's caches."""


class LargeMessages:
    """Those that are being checked: in each connection's `Peer.checking`, with the outcomes that are known."""

    __slots__ = ("_admit", "_connections", "_context", "_senders")

    def __init__(
        self, context: Context, connections: Connections, admit: Callable[[Peer, RoutedFrame, float], bool]
    ) -> None:
        """`admit`: whether a message is worth a check, as `RoutedMessages.admit`."""
        self._context = context
        self._connections = connections
        self._admit = admit
        self._senders: dict[CheckMessage, Peer] = {}
        """Who sent what is being checked, also when the connection has ended meanwhile."""

    def takes(self, peer: Peer, message: RoutedFrame) -> bool:
        """Whether this one is to be dealt with here, by `begin`: it is large, or comes behind one that is."""
        return bool(peer.checking) or (message.end - message.start >= LARGE_MESSAGE)

    def lets_pass(self, peer: Peer) -> bool:
        """Whether the next frame may be looked at while others are being checked: a large one, if they are few."""
        length = peer.framer.pending_length
        if length is None or length < LARGE_MESSAGE:
            return False
        return length + sum(check.message.end - check.message.start for check in peer.checking) <= MOST_CHECKED

    def begin(self, peer: Peer, message: RoutedFrame, now: Now) -> None:
        """Ask for its check, which ends with `in_order` and `go_on`."""
        if not self._admit(peer, message, now.mono):
            return
        check = CheckMessage(peer.id, message)
        peer.checking[check] = None
        self._senders[check] = peer
        self._context.journal.add(check)

    def more_came(self, peer: Peer) -> None:
        """Bytes behind those that are being checked: enough is enough."""
        if self._is_enough(peer):
            self._connections.pause(peer, "check")

    def _is_enough(self, peer: Peer) -> bool:
        return peer.framer.buffered > MOST_BEHIND and not self.lets_pass(peer)

    def sender_of(self, check: CheckMessage) -> Peer:
        """Return who sent what has been checked; to be asked once for each check."""
        return self._senders.pop(check)

    def in_order(self, peer: Peer, check: CheckMessage, outcome: str) -> Iterator[tuple[RoutedFrame, str]]:
        """Take that one is checked; yield those, with their outcomes, before which no outcome is missing."""
        checking = peer.checking
        if check not in checking:  # One before it was forged, and nothing behind that counts.
            return
        checking[check] = outcome
        while checking:
            first = next(iter(checking))
            known = checking[first]
            if known is None:
                return
            del checking[first]
            yield first.message, known

    def go_on(self, peer: Peer, now: Now) -> None:
        """What could be dealt with is: more may be checked, or read."""
        if "check" not in peer.paused:
            self._connections.process(peer, now)
        elif not peer.checking or not self._is_enough(peer):
            self._connections.resume(peer, "check", now)


EARLY_FRAMES = 64
"""Frames kept until Ready on a connection we dialed (`threats.md` row 22)."""

EARLY_MESSAGES = 8
"""Messages ignored before the handshake on one we accepted; the next closes."""

DIALED_HANDSHAKE_FRAME = 4 * 2**20
"""Largest frame before Ready on a connection we dialed: a table may come first."""

MOST_BYTES: Final = {
    "BlockHeadersRequest": 2**20,
    "PeersRequest": 2**10,
    "PeersResponse": 2 * 2**20,
    "SyncAccountsData": 4 * 2**20,
    "SyncSnapshotHosts": 12 * 2**20,
}
"""Of one message, by class: a longer one holds more than anybody needs, and reading it would hold up everybody.

It is dropped and counted. A peer takes 2100 bytes at most, of which its key has 1953, so 640 of them take 1.3 MiB. A
snapshot host takes 1953 bytes for its key, 3310 for its signature and up to 5 KiB for 512 shards, so 1000 of them take
10 MiB. 128 accounts take 1.3 MB; a million bytes of hashes are 30 000.
"""

_RETIRED: Final = "DistanceVector"
"""Message of field 28, which is reserved: its number means nothing any more (`network-2026.md` §7)."""

# To look up a member of an enum takes as long as to cut a message out of a buffer.
_READY: Final = PeerState.READY


class Connections:
    """All connections of one node, from accept or dial to their end."""

    __slots__ = (
        "_context",
        "_handshaking",
        "_numbers",
        "_on_message",
        "_on_routed",
        "_started",
        "_tables",
        "_traffic",
        "large",
    )

    def __init__(
        self,
        context: Context,
        handshaking: Handshaking,
        on_message: Callable[[Peer, Message, Now], None],
        on_routed: Callable[[Peer, list[RoutedFrame], Now], None],
        admit: Callable[[Peer, RoutedFrame, float], bool],
    ) -> None:
        self._context = context
        self._handshaking = handshaking
        self._on_message = on_message
        self._on_routed = on_routed
        self._started = StartedFrames(context, self)
        self._numbers = count(1)
        self._tables = LargeTables(context, self, on_message)
        self._traffic = TrafficTotals()
        self.large = LargeMessages(context, self, admit)

    @property
    def read_latencies(self) -> Histogram:
        """Seconds that frames took to come in, of those that did not come in one read."""
        return self._started.latencies

    def traffic(self) -> dict[str, dict[str, list[int]]]:
        """Of all connections since the start: ``received`` and ``sent``, message type -> [messages, bytes]."""
        return self._traffic.with_those(self._context.connections.values())

    # --- beginnings ------------------------------------------------------------------------------

    def accept(self, address: SocketAddress, now: Now) -> Peer | None:
        """A TCP connection came in; None: close it before any read."""
        address = normalise(address)
        refusal = refuse_socket(self._context, address, now)
        if refusal is not None:
            self._context.limits.hit(refusal)
            return None
        peer = self._open(Peer(next(self._numbers), address, self._context.outbox, now), now)
        self._context.notify("accepted", None, address=str(address))
        return peer

    def dialed(self, dial: Dial, address: SocketAddress, now: Now, local_port: int) -> Peer:
        """Our dial has a TCP connection: say hello."""
        peer = Peer(next(self._numbers), address, self._context.outbox, now, dial)
        peer.dialect = self._context.dialect_for(peer, dial.dialect)
        peer.local_port = local_port
        self._open(peer, now)
        if dial.probe is not None:
            peer.keep(self._context.timers.at(now.mono + dial.probe, lambda now: self._probed(peer, now)))
        self._handshaking.propose(peer, now)
        return peer

    def _probed(self, peer: Peer, now: Now) -> None:
        if not peer.answered:
            self._context.close(peer, f"no answer in {peer.dial.dialect if peer.dial else ''}", now)

    def _open(self, peer: Peer, now: Now) -> Peer:
        context = self._context
        context.connections[peer.id] = peer
        deadline = now.mono + context.config.network.handshake_timeout
        peer.keep(context.timers.at(deadline, lambda now: self._handshake_timeout(peer, now)))
        return peer

    def _handshake_timeout(self, peer: Peer, now: Now) -> None:
        if peer.state in (PeerState.ACCEPTED, PeerState.DIALED):
            self._context.close(peer, "handshake timeout", now)

    # --- bytes in --------------------------------------------------------------------------------

    def receive(self, peer: Peer, data: bytes, now: Now) -> None:
        """Bytes from a socket, any split."""
        if peer.state is PeerState.CLOSED:
            return
        peer.received_bytes += len(data)
        peer.last_received = now.mono
        completes_a_frame = len(data) >= peer.framer.missing
        peer.framer.feed(data)
        if peer.checking:
            self.large.more_came(peer)
        if completes_a_frame:
            self.process(peer, now)

    def process(self, peer: Peer, now: Now) -> None:
        """Take the frames that are complete, while the peer may be read.

        Routed messages that come one after the other are handled together, before whatever follows them.
        """
        framer = peer.framer
        run: list[RoutedFrame] = []
        try:
            while peer.state is not _CLOSED and not peer.paused and (not peer.checking or self.large.lets_pass(peer)):
                if peer.state is not _READY and self._too_large_to_start(peer, now):
                    return
                frame = framer.next_frame()
                if frame is None:
                    break
                self._frame(peer, frame, run, now)
        except FrameTooLarge:
            if self._end_run(peer, run, now):
                self._abuse(peer, now)
            return
        self._end_run(peer, run, now)
        self._started.watch(peer, now)

    def _end_run(self, peer: Peer, run: list[RoutedFrame], now: Now) -> bool:
        """Hand over the routed messages that came so far; whether the connection is still open after them."""
        if run:
            self._on_routed(peer, run.copy(), now)
            run.clear()
        return peer.state is not PeerState.CLOSED

    def _too_large_to_start(self, peer: Peer, now: Now) -> bool:
        limit = self._context.config.nearnet.limits.handshake_frame_bytes
        if peer.state is PeerState.DIALED:
            limit = DIALED_HANDSHAKE_FRAME
        length = peer.framer.pending_length
        if length is None or length <= limit:
            return False
        self._context.limits.hit("handshake_frame_bytes")
        self._context.close(peer, "frame too large before the handshake", now)
        return True

    def _abuse(self, peer: Peer, now: Now) -> None:
        self._context.limits.hit("frame_bytes")
        if peer.is_ready:
            self._context.ban(peer.ready_id, ReasonForBan.ABUSIVE, now)
        else:
            self._context.close(peer, "frame too large", now, flagged=True)

    def pause(self, peer: Peer, why: str) -> None:
        """Read no more from it until `resume` for the same reason."""
        if not peer.paused:
            peer.paused_at = max(peer.last_received, peer.resumed_at)
            self._context.journal.add(PauseReading(peer.id))
        peer.paused[why] = None

    def resume(self, peer: Peer, why: str, now: Now) -> None:
        """The reason is gone: read on, what is buffered first."""
        if why not in peer.paused:
            return
        del peer.paused[why]
        if not peer.paused:
            peer.resumed_at = now.mono
            peer.paused_for += now.mono - peer.paused_at
            self._context.journal.add(ResumeReading(peer.id))
            self.process(peer, now)

    # --- frames ----------------------------------------------------------------------------------

    def _frame(self, peer: Peer, frame: bytes, run: list[RoutedFrame], now: Now) -> None:
        if peer.frame_started is not None:
            self._started.whole(peer, peer.frame_started, now)
        if not frame:
            self._context.count("nearnet_skipped_frames", "empty")
            return
        dialect = peer.dialect
        if dialect is None:
            dialect = peer.dialect = self._context.dialect_for(peer, detect(frame[0]))
        try:
            if peer.state is _READY:
                routed = dialect.routed(frame, self._skipped)
                if routed is not None:
                    peer.count_received("Routed", len(frame))
                    if not self.large.takes(peer, routed):
                        run.append(routed)
                    elif self._end_run(peer, run, now):
                        self.large.begin(peer, routed, now)
                    return
                if not self._end_run(peer, run, now):
                    return
            kind = dialect.kind(frame)
            peer.answered = peer.answered or kind != "Unknown"
            peer.count_received(kind, len(frame))
            if len(frame) > SMALL and peer.is_protobuf and too_large_to_take(kind, len(frame)):
                self._context.count("nearnet_oversized_messages", kind)
            else:
                self._step(peer, dialect, kind, frame, now)
        except UnknownMessage:
            self._context.count("nearnet_skipped_frames", "unknown")
        except MissingSignature:
            if self._end_run(peer, run, now):
                self._context.ban(peer.ready_id, ReasonForBan.INVALID_SIGNATURE, now)
        except Malformed as error:
            if self._end_run(peer, run, now):
                self.malformed(peer, str(error), now)

    def _is_wanted(self, peer: Peer, kind: str, length: int, now: Now) -> bool:
        """Return whether a message is worth decoding: of a known kind and a sensible length, and not one too many."""
        context = self._context
        if kind == _RETIRED:
            raise UnknownMessage("field 28 is reserved")
        if length <= MOST_BYTES.get(kind, length):
            return context.rates.allow(peer, kind, now.mono)
        context.count("nearnet_oversized_messages", kind)
        return False

    def _skipped(self, fields: int) -> None:
        self._context.count("nearnet_skipped_fields", count=fields)

    def _step(self, peer: Peer, dialect: Dialect, kind: str, frame: bytes, now: Now) -> None:
        match step_for(peer.state, kind):
            case Step.DISPATCH:
                if not self._is_wanted(peer, kind, len(frame), now):
                    return
                if kind == "SyncRoutingTable" and len(frame) >= LARGE_TABLE and not peer.paused:
                    self._tables.decode(peer, dialect.table_in_steps(frame), now)
                else:
                    self._dispatch(peer, dialect.decode(frame, self._skipped), now)
            case Step.JUDGE_AS_LISTENER | Step.JUDGE_AS_DIALER | Step.TAKE_FAILURE | Step.TAKE_LAST_EDGE:
                self._shake_hands(peer, dialect, frame, now)
            case Step.TAKE_DISCONNECT:
                peer.forget_link = dialect.decode(frame, self._skipped) == Disconnect(True)
                self._context.close(peer, "disconnected by the peer", now)
            case Step.REFUSE_TIER:
                self._context.close(peer, "a tier not served here", now, flagged=True)
            case Step.REFUSE_AGAIN if peer.is_protobuf:
                self._context.close(peer, "a second handshake", now, flagged=True)
            case Step.KEEP_FOR_READY:
                if len(peer.early) < EARLY_FRAMES:
                    peer.early.append(frame)
            case Step.IGNORE_AND_COUNT:
                peer.frames_before_ready += 1
                if peer.frames_before_ready > EARLY_MESSAGES:
                    self._context.close(peer, "messages before the handshake", now)
            case _:
                if len(frame) <= self._context.config.nearnet.limits.handshake_frame_bytes:
                    dialect.decode(frame, self._skipped)  # What does not read counts as that all the same.
                self._context.count("nearnet_ignored_messages", kind)

    def _dispatch(self, peer: Peer, message: Message, now: Now) -> None:
        """Hand over a message of a Ready peer, unless it has more in it than a protobuf node takes."""
        context = self._context
        if peer.is_protobuf and isinstance(message, Transaction) and len(message.data) > MOST_TRANSACTION:
            context.count("nearnet_oversized_messages", "Transaction")
        elif peer.is_protobuf and isinstance(message, BlockHeadersRequest) and len(message.hashes) > MOST_HASHES:
            context.ban(peer.ready_id, ReasonForBan.ABUSIVE, now)
        else:
            self._on_message(peer, message, now)

    def _shake_hands(self, peer: Peer, dialect: Dialect, frame: bytes, now: Now) -> None:
        """Look at a Handshake's version first: the layout behind a version that is not ours may differ (`wire.md` §5).

        A version above our own is tried where it is accepted. What does not decode then is a version mismatch.
        """
        handshaking = self._handshaking
        versions = handshaking.versions(peer)
        version = dialect.peek_handshake_version(frame)
        if version is not None and not versions.oldest <= version <= handshaking.newest_accepted(peer):
            handshaking.version_mismatch(peer, now)
            return
        try:
            message = dialect.decode(frame, self._skipped)
            if peer.is_protobuf and isinstance(message, Handshake):
                _check_shards(message)
        except Malformed:
            if version is None or version <= versions.own:
                raise
            handshaking.version_mismatch(peer, now)
            return
        match message:
            case Handshake() as handshake:
                self._handshaking.received(peer, handshake, now)
            case HandshakeFailure() as failure:
                self._handshaking.failed(peer, failure, now)
            case LastEdge(edge):
                self._handshaking.last_edge(peer, edge, now)

    def replay_early(self, peer: Peer, now: Now) -> None:
        """The peer is Ready: what it had pushed before counts now."""
        early, peer.early = peer.early, []
        run: list[RoutedFrame] = []
        for frame in early:
            if peer.is_ready:
                self._frame(peer, frame, run, now)
        self._end_run(peer, run, now)

    def malformed(self, peer: Peer, why: str, now: Now) -> None:
        """Dropped whole; too many within a minute close (`threats.md`, limits: undecodable)."""
        context = self._context
        context.count("nearnet_malformed_messages")
        peer.malformed = [moment for moment in peer.malformed if now.mono - moment < 60.0]
        peer.malformed.append(now.mono)
        context.notify("malformed", peer.peer_id, why=why, address=str(peer.address))
        if len(peer.malformed) > context.config.nearnet.limits.malformed_per_minute:
            context.limits.hit("malformed_per_minute")
            self._context.close(peer, "decode", now)

    # --- ends ------------------------------------------------------------------------------------

    def forget(self, peer: Peer, now: Now) -> None:
        """Take that a connection has ended: its counts are kept, and its share of memory is for others."""
        self._traffic.add(peer)
        self._started.let_go(peer, now)


def _check_shards(handshake: Handshake) -> None:
    """Raise `Malformed` for more tracked shards than a protobuf node takes (`network-2026.md` §4)."""
    shards = len(handshake.sender_chain_info.tracked_shards)
    if shards > MOST_TRACKED_SHARDS:
        raise Malformed(f"a handshake with {shards} tracked shards: expected at most {MOST_TRACKED_SHARDS}")
