"""Sockets as the core sees them: which are let in, what their bytes are, when they end (`threats.md`, limits).

Bytes become frames here, frames become messages; `on_message` and `on_routed` take them from there.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from nearnet.core.actions import Close, PauseReading, ResumeReading
from nearnet.core.addresses import normalise
from nearnet.core.admission import refuse_socket
from nearnet.core.handshake import PeerState, Step, step_for
from nearnet.core.large_messages import LargeMessages
from nearnet.core.large_tables import LARGE_TABLE, LargeTables
from nearnet.core.peer import Peer
from nearnet.core.started_frames import StartedFrames
from nearnet.core.traffic_totals import TrafficTotals
from nearnet.errors import FrameTooLarge, Malformed, MissingSignature, ReasonForBan, UnknownMessage
from nearnet.wire.dialect import detect
from nearnet.wire.message_kinds import MOST_HASHES, MOST_TRACKED_SHARDS, MOST_TRANSACTION, SMALL, too_large_to_take
from nearnet.wire.messages import BlockHeadersRequest, Disconnect, Handshake, HandshakeFailure, LastEdge, Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.core.actions import Dial
    from nearnet.core.clock import Now
    from nearnet.core.context import Context
    from nearnet.core.handshaking import Handshaking
    from nearnet.core.histogram import Histogram
    from nearnet.wire.dialect import Dialect
    from nearnet.wire.messages import Message, SocketAddress
    from nearnet.wire.routed_frame import RoutedFrame

__all__ = [
    "DIALLED_HANDSHAKE_FRAME",
    "EARLY_FRAMES",
    "EARLY_MESSAGES",
    "MOST_BYTES",
    "Connections",
]

EARLY_FRAMES = 64
"""Frames kept until Ready on a connection we dialled (`threats.md` row 22)."""

EARLY_MESSAGES = 8
"""Messages ignored before the handshake on one we accepted; the next closes."""

DIALLED_HANDSHAKE_FRAME = 4 * 2**20
"""Largest frame before Ready on a connection we dialled: a table may come first."""

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
_CLOSED: Final = PeerState.CLOSED


class Connections:
    """All connections of one node, from accept or dial to their end."""

    __slots__ = (
        "_context",
        "_handshaking",
        "_numbers",
        "_on_closed",
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
        on_closed: Callable[[Peer, str, Now], None],
    ) -> None:
        self._context = context
        self._handshaking = handshaking
        self._on_message = on_message
        self._on_routed = on_routed
        self._on_closed = on_closed
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

    def dialled(self, dial: Dial, address: SocketAddress, now: Now, local_port: int) -> Peer:
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
            self.close(peer, f"no answer in {peer.dial.dialect if peer.dial else ''}", now)

    def _open(self, peer: Peer, now: Now) -> Peer:
        context = self._context
        context.connections[peer.id] = peer
        deadline = now.mono + context.config.network.handshake_timeout
        peer.keep(context.timers.at(deadline, lambda now: self._handshake_timeout(peer, now)))
        return peer

    def _handshake_timeout(self, peer: Peer, now: Now) -> None:
        if peer.state in (PeerState.ACCEPTED, PeerState.DIALLED):
            self.close(peer, "handshake timeout", now)

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
        if peer.state is PeerState.DIALLED:
            limit = DIALLED_HANDSHAKE_FRAME
        length = peer.framer.pending_length
        if length is None or length <= limit:
            return False
        self._context.limits.hit("handshake_frame_bytes")
        self.close(peer, "frame too large before the handshake", now)
        return True

    def _abuse(self, peer: Peer, now: Now) -> None:
        self._context.limits.hit("frame_bytes")
        if peer.is_ready:
            self._context.ban(peer.ready_id, ReasonForBan.ABUSIVE, now)
        else:
            self.close(peer, "frame too large", now, flagged=True)

    def pause(self, peer: Peer, why: str) -> None:
        """Read no more from it until `resume` for the same reason."""
        if not peer.paused:
            peer.paused_at = max(peer.last_received, peer.resumed_at)
            self._context.actions.append(PauseReading(peer))
        peer.paused[why] = None

    def resume(self, peer: Peer, why: str, now: Now) -> None:
        """The reason is gone: read on, what is buffered first."""
        if why not in peer.paused:
            return
        del peer.paused[why]
        if not peer.paused:
            peer.resumed_at = now.mono
            peer.paused_for += now.mono - peer.paused_at
            self._context.actions.append(ResumeReading(peer))
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
            if len(frame) > SMALL and peer.is_today and too_large_to_take(kind, len(frame)):
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
            case Step.JUDGE_AS_LISTENER | Step.JUDGE_AS_DIALLER | Step.TAKE_FAILURE | Step.TAKE_LAST_EDGE:
                self._shake_hands(peer, dialect, frame, now)
            case Step.TAKE_DISCONNECT:
                peer.forget_link = dialect.decode(frame, self._skipped) == Disconnect(True)
                self.close(peer, "disconnected by the peer", now)
            case Step.REFUSE_TIER:
                self.close(peer, "a tier not served here", now, flagged=True)
            case Step.REFUSE_AGAIN if peer.is_today:
                self.close(peer, "a second handshake", now, flagged=True)
            case Step.KEEP_FOR_READY:
                if len(peer.early) < EARLY_FRAMES:
                    peer.early.append(frame)
            case Step.IGNORE_AND_COUNT:
                peer.frames_before_ready += 1
                if peer.frames_before_ready > EARLY_MESSAGES:
                    self.close(peer, "messages before the handshake", now)
            case _:
                if len(frame) <= self._context.config.nearnet.limits.handshake_frame_bytes:
                    dialect.decode(frame, self._skipped)  # What does not read counts as that all the same.
                self._context.count("nearnet_ignored_messages", kind)

    def _dispatch(self, peer: Peer, message: Message, now: Now) -> None:
        """Hand over a message of a Ready peer, unless it has more in it than a protobuf node takes."""
        context = self._context
        if peer.is_today and isinstance(message, Transaction) and len(message.data) > MOST_TRANSACTION:
            context.count("nearnet_oversized_messages", "Transaction")
        elif peer.is_today and isinstance(message, BlockHeadersRequest) and len(message.hashes) > MOST_HASHES:
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
            if peer.is_today and isinstance(message, Handshake):
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
            self.close(peer, "decode", now)

    # --- ends ------------------------------------------------------------------------------------

    def close(self, peer: Peer, reason: str, now: Now, flagged: bool = False) -> None:
        """End it: today's peers are told, what is queued is sent, the socket closes."""
        if peer.state is PeerState.CLOSED:
            return
        if peer.is_today and peer.answered:
            peer.send(Disconnect(flagged and peer.direction == "inbound"))
        self._context.actions.append(Close(peer, reason))
        self.ended(peer, reason, now)

    def ended(self, peer: Peer, reason: str, now: Now) -> None:
        """The socket is gone, or will be once its queue is sent."""
        if peer.state is PeerState.CLOSED:
            return
        was_ready = peer.is_ready
        peer.state = PeerState.CLOSED
        peer.cancel_timers()
        peer.missed.clear()
        peer.missed_accounts.clear()
        peer.early.clear()
        context = self._context
        context.connections.pop(peer.id, None)
        self._traffic.add(peer)
        context.outbox.overflowed.pop(peer, None)
        self._started.let_go(peer, now)
        context.count("nearnet_connections_closed", reason)
        if was_ready:
            context.peers.pop(peer.ready_id, None)
        self._on_closed(peer, reason if was_ready else f"handshake: {reason}", now)


def _check_shards(handshake: Handshake) -> None:
    """Raise `Malformed` for more tracked shards than a protobuf node takes (`network-2026.md` §4)."""
    shards = len(handshake.sender_chain_info.tracked_shards)
    if shards > MOST_TRACKED_SHARDS:
        raise Malformed(f"a handshake with {shards} tracked shards: expected at most {MOST_TRACKED_SHARDS}")
