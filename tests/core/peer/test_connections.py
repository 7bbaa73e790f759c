"""Sockets, bytes and frames (`threats.md` rows 1-8, 22, 23, 27 and the limits)."""

import dataclasses

import pytest
from hand import ME, Core, edge_of, key_of

from nearnet.core.peer.handshake_table import PeerState
from nearnet.core.peer.inbound import EARLY_FRAMES, EARLY_MESSAGES, MOST_SECONDS, STALL_RATE, STALL_SECONDS
from nearnet.core.runtime.actions import PauseReading, ResumeReading
from nearnet.errors import ReasonForBan
from nearnet.keys import CryptoHash, Signature
from nearnet.wire.borsh.dialect import BorshDialect
from nearnet.wire.dialect import dialect_named
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.message_kinds import MOST_HASHES, MOST_TRACKED_SHARDS, MOST_TRANSACTION
from nearnet.wire.message_kinds import SMALL as SMALL_FRAME
from nearnet.wire.messages import (
    BlockHeadersRequest,
    BlockRequest,
    Disconnect,
    EpochSyncRequest,
    Handshake,
    HandshakeFailure,
    PeersRequest,
    PeersResponse,
    Routed,
    RoutedMessage,
    SocketAddress,
    SyncRoutingTable,
    Transaction,
)
from nearnet.wire.protobuf.fields import delimited
from nearnet.wire.routed_body import Ping, encode_body
from nearnet.wire.routed_frame import routed_digest

BORSH, PROTO = BorshDialect(), dialect_named("protobuf")
SMALL = {"large_frame_bytes": 100, "inbound_budget_bytes": 1000}


def small_core(**limits):
    return Core(nearnet={"limits": limits})


# --- who is let in ---------------------------------------------------------------------------------


@pytest.mark.threat(27)
@pytest.mark.scenario(29)
@pytest.mark.scenario(64)
def test_pending_sockets_are_bounded():
    core = Core(max_num_peers=10)
    accepted = [core.manager.accept(SocketAddress("127.0.0.1", port), core.now) for port in range(1, 101)]
    assert sum(peer is not None for peer in accepted) == 70
    assert core.manager.limits.hits("pending_connections") == 30
    first = next(peer for peer in accepted if peer)
    core.manager.lost(first, "gone", core.now)
    assert core.manager.accept(SocketAddress("127.0.0.1", 200), core.now) is not None


@pytest.mark.threat(27)
def test_one_address_has_four_pending_and_eight_connected():
    core = Core()
    pending = [core.manager.accept(SocketAddress("9.9.9.9", port), core.now) for port in range(5)]
    assert pending[4] is None
    assert core.manager.accept(SocketAddress("9.9.9.8", 1), core.now) is not None
    core = Core()
    for number in range(8):
        core.ready(f"peer {number}", "9.9.9.9")
    assert core.manager.accept(SocketAddress("9.9.9.9", 1), core.now) is None
    assert core.manager.limits.hits("connected_per_ip") == 1


@pytest.mark.threat(59)
def test_an_ipv4_address_over_ipv6_is_the_same():
    core = Core(blacklist=["9.9.9.9"])
    assert core.manager.accept(SocketAddress("::ffff:9.9.9.9", 1), core.now) is None
    assert core.manager.accept(SocketAddress("9.9.9.8", 1), core.now) is not None


@pytest.mark.threat(60)
def test_blacklisted_ips_are_closed_at_accept():
    core = Core(blacklist=["127.0.0.1"])
    assert core.manager.accept(SocketAddress("127.0.0.1", 1), core.now) is None


def test_inbound_may_be_disabled():
    core = Core(experimental={"inbound_disabled": True})
    assert core.manager.accept(SocketAddress("127.0.0.1", 1), core.now) is None


@pytest.mark.threat(59)
def test_an_address_cools_down_after_a_ban():
    core = Core()
    hand = core.ready(ip="9.9.9.9")
    core.manager.ban(hand.id, ReasonForBan.ABUSIVE, core.now)
    core.act()
    assert core.manager.accept(SocketAddress("9.9.9.9", 1), core.now) is None
    core.advance(601)
    assert core.manager.accept(SocketAddress("9.9.9.9", 1), core.now) is not None


# --- before Ready ----------------------------------------------------------------------------------


@pytest.mark.threat(7)
def test_the_handshake_deadline_is_not_extended_by_bytes():
    core = Core()
    hand = core.hand()
    for _ in range(19):
        core.advance(1)
        hand.raw(b"\0")
    assert hand.closed is None
    core.advance(1.5)
    assert hand.closed == "handshake timeout"


def test_a_ready_peer_has_no_handshake_deadline():
    core = Core()
    hand = core.ready()
    core.advance(25)
    assert hand.closed is None


@pytest.mark.threat(2)
def test_a_large_frame_before_the_handshake():
    core = Core()
    hand = core.hand()
    hand.raw(frame_prefix(64 * 1024 + 1))
    assert hand.closed == "frame too large before the handshake"
    hand = core.dialed("b")
    hand.raw(frame_prefix(4 * 2**20))
    assert hand.closed is None
    hand = core.dialed("c", "10.0.0.2")
    hand.raw(frame_prefix(4 * 2**20 + 1))
    assert hand.closed is not None


def test_the_limit_is_judged_after_the_frames_before_it():
    core = Core()
    hand = core.hand()
    table = SyncRoutingTable(tuple(edge_of(key_of(f"e{n}"), key_of("f")) for n in range(400)))
    hand.say(hand.handshake(), table)
    assert hand.peer.is_ready
    assert hand.closed is None


@pytest.mark.threat(22)
def test_messages_before_the_handshake():
    hand = Core().hand()
    for _ in range(EARLY_MESSAGES):
        hand.say(PeersRequest())
    assert hand.closed is None
    assert hand.read() == []
    hand.say(Disconnect())
    assert hand.closed is None
    hand.say(PeersRequest())
    assert hand.closed == "messages before the handshake"


@pytest.mark.threat(22)
def test_what_a_dialed_peer_pushes_early_counts_when_ready():
    core = Core()
    hand = core.dialed("b")
    (proposed,) = hand.read()
    news = edge_of(key_of("x"), key_of("y"))
    hand.say(SyncRoutingTable((news,)))
    assert core.manager.table.edge_count == 0
    hand.say(hand.handshake(proposed.partial_edge_info.nonce))
    core.advance(0.1)
    assert core.manager.table.get(*news.key) == news


def test_early_frames_are_bounded():
    hand = Core().dialed("b")
    for _ in range(EARLY_FRAMES + 10):
        hand.say(PeersRequest())
    assert len(hand.peer.early) == EARLY_FRAMES
    assert hand.closed is None


def test_early_frames_end_with_the_connection():
    core = Core()
    hand = core.dialed("b")
    (proposed,) = hand.read()
    hand.frame(b"\x0d" + b"x")
    hand.say(PeersRequest(), PeersRequest())
    hand.peer.early[1:1] = [b"\x0e"]
    hand.say(hand.handshake(proposed.partial_edge_info.nonce))
    assert hand.closed == "disconnected by the peer"


# --- when Ready ------------------------------------------------------------------------------------


@pytest.mark.threat(23)
def test_what_is_too_late_is_ignored():
    core = Core()
    hand = core.ready()
    hand.say(hand.handshake(3))
    assert hand.told(Handshake) == []
    assert hand.closed is None
    assert core.manager.context.counters["nearnet_ignored_messages", "Handshake"] == 1


def test_a_disconnect_closes():
    hand = Core().ready()
    hand.say(Disconnect())
    assert hand.closed == "disconnected by the peer"
    assert hand.peer.state is PeerState.CLOSED
    hand.say(PeersRequest())
    assert hand.read() == []


@pytest.mark.threat(4)
def test_malformed_messages_are_dropped_and_too_many_close():
    core = Core()
    hand = core.ready()
    for _ in range(8):
        hand.frame(b"\2\0\1")
    core.advance(61)
    for _ in range(8):
        hand.frame(b"\6zz")
    assert hand.closed is None
    hand.frame(b"\6zz")
    assert hand.closed == "decode"
    assert not core.manager.peer_store.is_banned(hand.id)


@pytest.mark.threat(4, 23)
@pytest.mark.parametrize("kind", [b"\0", b"\1", b"\2"], ids=["Handshake", "HandshakeFailure", "LastEdge"])
def test_what_is_ignored_when_ready_is_malformed_when_it_does_not_read(kind):
    core = Core()
    hand = core.ready()
    hand.say(hand.handshake(3))
    for _ in range(8):
        hand.frame(kind + b"\0\1")
        hand.frame(kind + bytes(2**16))  # Longer than any: not looked at.
    assert hand.closed is None
    assert core.manager.context.counters["nearnet_malformed_messages", ""] == 8
    hand.frame(kind + b"\0\1")
    assert hand.closed == "decode"


def routed_ping(hand, forged=False):
    body = encode_body(Ping(1, hand.id))
    message = RoutedMessage(ME.public_key, hand.id, Signature(b""), 9, body)
    signature = (ME if forged else hand.key).sign(routed_digest(message))
    return BORSH.encode(Routed(dataclasses.replace(message, signature=signature)))


def together(*frames):
    return b"".join(frame_prefix(len(frame)) + frame for frame in frames)


@pytest.mark.parametrize("following", [b"\6zz", b"\x1eabc", b"\6", b""])
def test_routed_messages_are_answered_before_what_follows_them(following):
    core = Core()
    hand = core.ready()
    hand.raw(together(routed_ping(hand), following))
    assert isinstance(hand.read()[0], Routed)
    assert hand.closed is None


@pytest.mark.threat(48)
@pytest.mark.parametrize("following", [together(b"\6zz"), together(b"\6"), frame_prefix(2**29 + 1), together(b"\x0d")])
def test_after_a_forged_message_nothing_counts(following):
    core = Core()
    hand = core.ready()
    hand.raw(together(routed_ping(hand, forged=True)) + following)
    assert core.manager.peer_store.get(hand.id).ban.reason is ReasonForBan.INVALID_SIGNATURE
    assert "malformed" not in core.kinds()
    assert core.manager.limits.hits("frame_bytes") == 0
    assert hand.read() == []


@pytest.mark.threat(4)
def test_unknown_and_empty_frames_are_skipped():
    core = Core()
    hand = core.ready()
    for _ in range(50):
        hand.frame(b"\x1eabc")
        hand.frame(b"")
    assert hand.closed is None
    counters = core.manager.context.counters
    assert counters["nearnet_skipped_frames", "unknown"] == counters["nearnet_skipped_frames", "empty"] == 50


@pytest.mark.threat(1)
@pytest.mark.scenario(51)
def test_an_abusive_length():
    core = Core()
    hand = core.ready()
    hand.raw(frame_prefix(2**29 + 1))
    assert core.manager.peer_store.get(hand.id).ban.reason is ReasonForBan.ABUSIVE
    assert hand.closed == "banned: Abusive"
    fresh = core.hand("fresh")
    fresh.shake(protocol_version=1)
    fresh.peer.framer = Framer(10)
    fresh.raw(frame_prefix(11))
    assert fresh.closed == "frame too large"


@pytest.mark.threat(8)
def test_a_frame_that_stalls():
    core = Core()
    slow, steady, done = core.ready("slow"), core.ready("steady"), core.ready("done")
    for hand in (slow, steady):
        hand.raw(frame_prefix(10**6))
    done.raw(frame_prefix(8))
    done.raw(b"\x1e1234567")
    for _ in range(int(STALL_SECONDS) + 5):
        core.advance(1)
        slow.raw(b"x")
        steady.raw(bytes(5000))
    assert slow.closed == "stalled"
    assert steady.closed is None
    assert done.closed is None
    core.advance(200)
    assert steady.closed == "stalled", "it sent nothing more"


@pytest.mark.threat(8)
@pytest.mark.interop("frame time")
def test_a_frame_of_two_minutes_closes_a_protobuf_connection():
    core = Core()
    new, old = core.ready("new", dialect="protobuf"), core.ready("old")
    for hand in (new, old):
        hand.raw(frame_prefix(10**8))
    for second in range(int(MOST_SECONDS)):
        core.advance(1)
        for hand in (new, old):
            assert hand.closed is None, second
            hand.raw(bytes(2 * STALL_RATE))
    core.advance(1.5)
    assert new.closed == "a frame took too long"
    assert new.ban is None
    assert old.closed is None
    core.advance(STALL_SECONDS)
    assert old.closed is None


def test_the_time_for_which_a_connection_is_not_read_does_not_count():
    core = Core()
    hand = core.ready(dialect="protobuf")
    connections = core.manager.connections
    hand.raw(frame_prefix(10**8) + bytes(2**20))
    core.advance(30)
    hand.raw(bytes(2**20))
    connections.pause(hand.peer, "tables")
    core.advance(100)
    connections.resume(hand.peer, "tables", core.now)
    core.advance(10)
    hand.raw(bytes(2**20))
    connections.pause(hand.peer, "tables")
    core.advance(500)
    assert hand.closed is None, "paused"
    connections.resume(hand.peer, "tables", core.now)
    hand.raw(bytes(2**20))
    core.advance(MOST_SECONDS - 40 - 1)
    assert hand.closed is None
    hand.raw(bytes(2**20))
    core.advance(2.5)
    assert hand.closed == "a frame took too long"


def test_a_pause_before_a_frame_gives_it_no_more_time():
    core = Core()
    hand = core.ready(dialect="protobuf")
    core.manager.connections.pause(hand.peer, "tables")
    core.advance(300)
    core.manager.connections.resume(hand.peer, "tables", core.now)
    hand.raw(frame_prefix(10**8) + bytes(2**20))
    core.advance(MOST_SECONDS + 1.5)
    assert hand.closed == "a frame took too long"


def test_a_paused_peer_does_not_stall():
    core = small_core(**SMALL)
    holder, waiting = core.ready("holder"), core.ready("waiting")
    holder.raw(frame_prefix(900) + bytes(100))
    waiting.raw(frame_prefix(800) + bytes(100))
    assert waiting.peer.paused
    holder.raw(bytes(500))
    core.advance(STALL_SECONDS + 1)
    assert holder.closed == "stalled"
    assert not waiting.peer.paused


def test_large_frames_share_a_budget():
    core = small_core(**SMALL)
    first, second = core.ready("first"), core.ready("second")
    first.raw(frame_prefix(900) + bytes(100))
    second.raw(frame_prefix(800) + bytes(100))
    assert PauseReading(second.peer.id) in core.others
    assert core.manager.limits.hits("inbound_budget_bytes") == 1
    first.raw(b"\x1e" + bytes(799))
    assert ResumeReading(second.peer.id) in core.others
    second.raw(bytes(700))
    assert second.peer.framer.buffered == 0


def test_who_waits_for_the_budget_may_go():
    core = small_core(**SMALL)
    first, second = core.ready("first"), core.ready("second")
    first.raw(frame_prefix(900) + bytes(100))
    second.raw(frame_prefix(800) + bytes(100))
    core.manager.lost(second.peer, "gone", core.now)
    core.manager.lost(first.peer, "gone", core.now)
    assert core.manager.connections._started._budget.used == 0


def test_pause_and_resume_by_reason():
    core = Core()
    hand = core.ready()
    connections = core.manager.connections
    connections.resume(hand.peer, "tables", core.now)
    connections.pause(hand.peer, "tables")
    connections.pause(hand.peer, "budget")
    core.act()
    hand.say(PeersRequest())
    assert hand.told(PeersResponse) == []
    connections.resume(hand.peer, "tables", core.now)
    core.act()
    assert hand.told(PeersResponse) == []
    connections.resume(hand.peer, "budget", core.now)
    core.act()
    assert len(hand.told(PeersResponse)) == 1
    assert [type(action) for action in core.others] == [PauseReading, ResumeReading]


def test_closing_twice_is_once():
    core = Core()
    hand = core.ready()
    core.manager.context.close(hand.peer, "first", core.now)
    core.manager.context.close(hand.peer, "second", core.now)
    core.manager.lost(hand.peer, "third", core.now)
    core.act()
    assert hand.closed == "first"
    assert core.kinds().count("disconnected") == 1


def test_traffic_outlives_connections():
    core = Core()
    hand = core.ready()
    hand.say(EpochSyncRequest(bytes(32)))
    before = core.manager.connections.traffic()
    assert before["received"]["Handshake"][0] == 1
    assert before["received"]["EpochSyncRequest"] == [1, 33]
    core.manager.lost(hand.peer, "gone", core.now)
    again = core.ready("another")
    again.read()
    assert core.manager.connections.traffic()["received"]["Handshake"][0] == 2
    assert core.manager.connections.traffic()["received"]["EpochSyncRequest"] == [1, 33]


def test_a_peer_of_today_is_told_that_it_goes():
    """Its dialect is not borsh: Disconnect comes before every close of ours (`behaviour.md` §10)."""
    core = Core()
    hand = core.ready(dialect="protobuf")
    core.manager.ban(hand.id, ReasonForBan.ABUSIVE, core.now)
    assert hand.read() == [Disconnect(remove_from_connection_store=True)]
    assert ME.public_key == core.manager.peer_id


def test_a_share_for_who_is_gone_wakes_nobody():
    core = small_core(**SMALL)
    first = core.ready("first")
    first.raw(frame_prefix(900) + bytes(100))
    assert not core.manager.connections._started._budget.take(999, 900)
    core.manager.lost(first.peer, "gone", core.now)
    assert ResumeReading(first.peer.id) not in core.others


def test_a_dialect_that_reads_another_message_than_it_named():
    class Odd:
        name = "borsh"

        def kind(self, frame):
            return "LastEdge"

        def peek_handshake_version(self, frame):
            return None

        def decode(self, frame, skipped):
            return PeersRequest()

    hand = Core().dialed("b")
    hand.peer.dialect = Odd()
    hand.frame(b"x")
    assert hand.closed is None


@pytest.mark.threat(5)
@pytest.mark.scenario(70)
@pytest.mark.parametrize("first", [32, 34, 255])
def test_garbage_that_looks_like_the_protobuf_dialect_closes(first):
    core = Core()
    hand = core.hand()
    for _ in range(8):
        hand.frame(bytes([first]) + b"garbage")
        assert hand.closed is None
    hand.frame(bytes([first]) + b"garbage")
    assert hand.closed in ("decode", "messages before the handshake")


def test_how_long_frames_take_to_come_in():
    """Of those in several reads; one that never ends is none."""
    core = Core()
    hand = core.ready()
    content = BORSH.encode(PeersRequest())
    data = frame_prefix(len(content)) + content
    hand.raw(data)
    hand.raw(data[:2])
    core.advance(0.5)
    hand.raw(data[2:] + data[:2])
    core.manager.lost(hand.peer, "gone", core.now)
    latencies = core.manager.connections.read_latencies
    assert (sum(latencies.counts), latencies.total) == (1, pytest.approx(0.5))


def test_sizes_are_those_of_frames_received_not_sent():
    core = Core()
    hand = core.ready()
    content = BORSH.encode(PeersRequest())
    for _ in range(10):
        hand.raw(frame_prefix(len(content)) + content)
    received = sum(messages for messages, _ in hand.peer.received_by_type.values())
    sent = sum(messages for messages, _ in hand.peer.sent_by_type.values())
    assert sum(hand.peer.received_sizes) == received != sent


# --- what a protobuf peer may send -----------------------------------------------------------------


def taken_by_client(core):
    """The messages that the chain client is given from now on."""
    given = []
    core.manager.context.client.on_message = lambda message, peer: given.append(message)
    return given


def padded(content, length):
    """A protobuf frame made longer by an unknown field."""
    for head in range(3, 8):
        field = delimited(100, bytes(length - len(content) - head))
        if len(content) + len(field) == length:
            return content + field
    raise AssertionError("no field makes it that long")


@pytest.mark.threat(72)
@pytest.mark.interop("rates by kind")
@pytest.mark.interop("frame sizes")
def test_a_frame_over_the_size_of_its_kind_is_dropped_and_not_read():
    core = Core()
    given, hand = taken_by_client(core), core.ready(dialect="protobuf")
    content = PROTO.encode(BlockRequest(CryptoHash(bytes(32))))
    hand.frame(padded(content, SMALL_FRAME))
    assert len(given) == 1
    hand.frame(padded(content, SMALL_FRAME + 1))
    hand.frame(delimited(14, b"\xff" * SMALL_FRAME))
    assert len(given) == 1
    counters = core.manager.context.counters
    assert counters["nearnet_oversized_messages", "BlockRequest"] == 2
    assert ("nearnet_malformed_messages", "") not in counters
    assert (hand.closed, hand.ban) == (None, None)


def test_sizes_by_kind_hold_before_the_handshake_too():
    core = Core()
    hand = core.dialed("b", dialect="protobuf")
    hand.frame(delimited(4, bytes(SMALL_FRAME)))
    assert core.manager.context.counters["nearnet_oversized_messages", "Handshake"] == 1
    assert hand.closed is None


@pytest.mark.interop("rates by kind")
@pytest.mark.parametrize(("dialect", "most"), [("protobuf", MOST_TRANSACTION), ("borsh", None)])
def test_the_largest_transaction(dialect, most):
    core = Core()
    given, hand = taken_by_client(core), core.ready(dialect=dialect)
    hand.say(Transaction(bytes(MOST_TRANSACTION)), Transaction(bytes(MOST_TRANSACTION + 1)))
    assert len(given) == (1 if most else 2)
    oversized = core.manager.context.counters.get(("nearnet_oversized_messages", "Transaction"), 0)
    assert oversized == (1 if most else 0)
    assert hand.closed is None


@pytest.mark.threat(53)
@pytest.mark.interop("Block and other messages of the chain")
@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
@pytest.mark.interop("BlockHeadersRequest")
def test_who_asks_for_too_many_headers_is_banned_where_that_is_a_rule(dialect):
    core = Core()
    given, hand = taken_by_client(core), core.ready(dialect=dialect)
    hand.say(BlockHeadersRequest((CryptoHash(bytes(32)),) * MOST_HASHES))
    assert (len(given), hand.ban) == (1, None)
    hand.say(BlockHeadersRequest((CryptoHash(bytes(32)),) * (MOST_HASHES + 1)))
    assert (len(given), hand.ban) == ((2, None) if dialect == "borsh" else (1, ReasonForBan.ABUSIVE))


@pytest.mark.interop("Handshake")
@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
@pytest.mark.interop("Handshake")
def test_a_handshake_with_too_many_shards_does_not_read(dialect):
    core = Core()
    most, over = (tuple(range(MOST_TRACKED_SHARDS + more)) for more in (0, 1))

    def shaken(name, shards, **changes):
        hand = core.hand(name, dialect=dialect)
        chain = dataclasses.replace(hand.handshake().sender_chain_info, tracked_shards=shards)
        return hand, hand.shake(sender_chain_info=chain, **changes)

    assert shaken("right", most)[0].peer.is_ready
    hand, answer = shaken("over", over)
    assert hand.peer.is_ready == (dialect == "borsh")
    if dialect == "protobuf":
        assert (answer, hand.closed) == ([], None)
        assert core.manager.context.counters["nearnet_malformed_messages", ""] == 1
        _, answer = shaken("newer", over, protocol_version=200)
        assert isinstance(answer[0], HandshakeFailure), "as any other that does not read"


@pytest.mark.threat(23)
@pytest.mark.interop("Handshake")
@pytest.mark.parametrize("inbound", [False, True])
@pytest.mark.interop("second handshake")
def test_a_second_handshake_closes(inbound):
    core = Core()
    if inbound:
        hand = core.ready("hand", dialect="protobuf")
    else:
        hand = core.dialed("hand", dialect="protobuf")
        (ours,) = hand.told(Handshake)
        hand.shake(ours.partial_edge_info.nonce)
    assert hand.peer.is_ready
    hand.read()
    hand.say(hand.handshake())
    assert hand.closed == "a second handshake"
    assert [message.remove_from_connection_store for message in hand.told(Disconnect)] == [inbound]
    assert hand.ban is None


@pytest.mark.threat(72)
@pytest.mark.interop("Routed")
@pytest.mark.interop("frame sizes")
def test_a_routed_message_over_the_size_of_its_kind_is_dropped_unchecked():
    core = Core()
    hand = core.ready(dialect="protobuf")
    frame = PROTO.encode(Routed(RoutedMessage(ME.public_key, hand.id, hand.key.sign(bytes(32)), 9, bytes([24]))))
    hand.frame(padded(frame, SMALL_FRAME + 1))
    assert core.manager.routed.drops == {("VersionedChunkEndorsement", "TooLargeForType"): 1}
    assert hand.ban is None
    hand.frame(padded(frame, SMALL_FRAME))
    assert hand.ban is ReasonForBan.INVALID_SIGNATURE, "one byte less, and its signature was looked at"


@pytest.mark.threat(49)
@pytest.mark.interop("RoutedMessageV3")
def test_a_routed_message_without_a_signature_bans():
    hand = Core().ready(dialect="protobuf")
    target = delimited(1, delimited(1, delimited(1, ME.public_key)))
    body = delimited(4, bytes([1, 5]) + encode_body(Ping(1, hand.id))[1:])
    unsigned = delimited(37, target + delimited(2, delimited(1, hand.id)) + b"\x18\x05" + body)
    hand.frame(unsigned)
    assert hand.ban is ReasonForBan.INVALID_SIGNATURE
    core = Core()
    hand = core.ready(dialect="protobuf")
    forged = PROTO.encode(Routed(RoutedMessage(ME.public_key, hand.id, hand.key.sign(bytes(32)), 9, b"\x01")))
    hand.raw(frame_prefix(len(forged)) + forged + frame_prefix(len(unsigned)) + unsigned)
    assert core.kinds().count("banned") == 1


@pytest.mark.threat(53)
@pytest.mark.interop("rates by kind")
def test_a_protobuf_peer_over_a_rate_loses_the_excess_and_nothing_else():
    core = Core()
    given, new, old = taken_by_client(core), core.ready("new", dialect="protobuf"), core.ready("old")
    for hand in (new, old):
        hand.say(*[BlockRequest(CryptoHash(bytes(32)))] * 12)
        assert (hand.closed, hand.ban) == (None, None)
    assert len(given) == 10 + 12
    assert core.manager.context.rates.refused == {"BlockRequest": 2}
    core.advance(0.1)
    new.say(BlockRequest(CryptoHash(bytes(32))))
    assert len(given) == 23
