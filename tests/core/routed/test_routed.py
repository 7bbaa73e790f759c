"""Routed messages through one node, M, with neighbors A and B; C lies behind B, nobody knows Z."""

from __future__ import annotations

from dataclasses import replace

import pytest
from peer_fakes import START, later

from nearnet.config import NetworkConfig
from nearnet.core.peer.handshake_table import PeerState
from nearnet.core.peer.peer import Outbox, Peer
from nearnet.core.peer.rates import MessageRates
from nearnet.core.routed.forwarding import SENT_THRICE, RoutedMessages
from nearnet.core.routed.route_back import RouteBack
from nearnet.core.routing_table.graph import shortest_paths
from nearnet.core.routing_table.table import RoutingTable
from nearnet.core.runtime.clock import Now
from nearnet.core.runtime.journal import Journal
from nearnet.core.runtime.limits import LimitCounters
from nearnet.errors import InvalidRoutedSignature, RouteNotFound
from nearnet.keys import CryptoHash, SecretKey, Signature, check_signatures
from nearnet.store.memory import MemoryStore
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.framing import Framer
from nearnet.wire.message_kinds import MOST_ROUTED, SMALL
from nearnet.wire.messages import Routed, RoutedMessage, SocketAddress
from nearnet.wire.protobuf.fields import delimited, write_timestamp
from nearnet.wire.routed_body import (
    UNVERIFIED_IN_2025,
    Opaque,
    Ping,
    Pong,
    TxStatusRequest,
    body_name,
    decode_body,
    encode_body,
)
from nearnet.wire.routed_frame import RoutedFrame, routed_bytes, routed_digest

KEYS = {name: SecretKey.from_seed(name) for name in "MABCZ"}
IDS = {name: key.public_key for name, key in KEYS.items()}
BORSH, PROTO = dialect_named("borsh"), dialect_named("protobuf")
TX_STATUS = encode_body(TxStatusRequest("alice.near", CryptoHash(bytes(32))))


def neighbor(number: int, name: str) -> Peer:
    peer = Peer(number, SocketAddress("127.0.0.1", number), Outbox(2**20), START)
    peer.peer_id, peer.dialect, peer.state = IDS[name], BORSH, PeerState.READY
    return peer


def taken(peer: Peer) -> list[Routed]:
    """What was sent to it since the last call."""
    framer, out = Framer(), []
    for chunk in peer.to_send():
        framer.feed(bytes(chunk))
    while (frame := framer.next_frame()) is not None:
        out.append(peer.dialect.decode(frame))
    return out


def take(peer: Peer) -> list[RoutedMessage]:
    """The messages of these."""
    return [routed.message for routed in taken(peer)]


class Node:
    def __init__(self, **changes):
        known = {"limits": NetworkConfig().nearnet.limits, "timing": NetworkConfig().nearnet.timing}
        sections = {
            section: {name: value for name, value in changes.items() if hasattr(known[section], name)}
            for section in known
        }
        config = NetworkConfig.model_validate({"nearnet": sections})
        self.a, self.b = neighbor(1, "A"), neighbor(2, "B")
        self.journal = Journal()
        self.table = RoutingTable(
            IDS["M"], config, MemoryStore(), self.journal, LimitCounters(dict(config.nearnet.limits))
        )
        self.learn("MB", "BC")
        self.route_back = RouteBack(IDS["M"])
        self.peers = {IDS["A"]: self.a, IDS["B"]: self.b}
        self.routed = RoutedMessages(KEYS["M"], config, self.table, self.route_back, self.peers, self.journal)

    def learn(self, *pairs):
        edges = [Edge.build(*sorted(IDS[name] for name in pair), 1, bytes(65), bytes(65)) for pair in pairs]
        self.table.add(edges, None, START)
        self.table.apply(shortest_paths(self.table.snapshot()), START)

    def receive(self, peer, message, now=START):
        return next(self.receive_run(peer, [message], now), None)

    def receive_run(self, peer, messages, now=START):
        return self.routed.receive(peer, [RoutedFrame(BORSH.encode(Routed(one)), 1) for one in messages], now)

    @property
    def drops(self):
        return self.routed.drops


def signed(author: str, target: str | CryptoHash, body: bytes, ttl: int = 100) -> RoutedMessage:
    to = target if isinstance(target, CryptoHash) else IDS[target]
    message = RoutedMessage(to, IDS[author], Signature(b""), ttl, body)
    return replace(message, signature=KEYS[author].sign(routed_digest(message)))


def opaque(number: int = 0, index: int = 0) -> bytes:
    return encode_body(Opaque(index, number.to_bytes(4, "big")))


# --- passing through -----------------------------------------------------------------------------


def test_a_message_goes_on_to_the_next_hop_with_a_ttl_one_less():
    node, message = Node(), signed("A", "C", opaque())
    assert node.receive(node.a, message) is None
    assert take(node.b) == [replace(message, ttl=99)]
    assert node.routed.forwarded == 1
    assert node.drops == {}
    assert len(node.route_back) == 0


def test_a_neighbor_is_its_own_next_hop_before_the_routes_say_so():
    node = Node()
    node.receive(node.a, signed("A", "B", opaque()))
    assert len(take(node.b)) == 1


def test_it_may_go_back_to_where_it_came_from():
    node, message = Node(), signed("A", "A", encode_body(Ping(7, IDS["A"])), ttl=2)
    node.receive(node.a, message)
    assert take(node.a) == [replace(message, ttl=1)]


@pytest.mark.threat(46)
@pytest.mark.parametrize("ttl", [0, 1])
def test_a_spent_ttl_drops_what_is_not_for_us(ttl):
    node = Node()
    node.receive(node.a, signed("A", "C", TX_STATUS, ttl))
    assert take(node.b) == []
    assert node.drops == {("TxStatusRequest", "TtlExpired"): 1}
    assert len(node.route_back) == 0
    assert node.receive(node.a, signed("A", "M", TX_STATUS, ttl)) is not None


def test_no_route():
    node = Node()
    node.receive(node.a, signed("A", "Z", opaque()))
    assert node.drops == {("BlockApproval", "NoRouteFound"): 1}


def test_a_next_hop_that_has_gone_is_replaced_by_another():
    node = Node()
    node.learn("MZ", "ZC")
    node.receive(node.a, signed("A", "C", opaque(1)))
    assert len(take(node.b)) == 1
    del node.peers[IDS["B"]]
    node.receive(node.a, signed("A", "C", opaque(2)))
    assert node.drops == {("BlockApproval", "NoRouteFound"): 1}


def test_unknown_bodies_are_passed_on():
    node = Node()
    node.receive(node.a, signed("A", "C", opaque(index=200)))
    assert len(take(node.b)) == 1


def test_bodies_that_protobuf_nodes_fall_over_never_reach_them():
    node = Node()
    node.b.dialect = PROTO
    node.receive(node.a, signed("A", "C", opaque(index=4)))
    assert node.drops == {("QueryRequest", "Unsupported"): 1}
    node.receive(node.a, signed("A", "C", opaque(index=0)))
    assert len(take(node.b)) == 1
    with pytest.raises(RouteNotFound) as error:
        node.routed.send(IDS["C"], opaque(index=4), START)
    assert error.value.reason == "Unsupported"


def test_a_peer_without_a_dialect_is_sent_nothing():
    node = Node()
    node.b.dialect = None
    node.receive(node.a, signed("A", "C", opaque()))
    assert node.drops == {("BlockApproval", "Unsupported"): 1}
    with pytest.raises(RouteNotFound):
        node.routed.send(IDS["C"], opaque(), START)


@pytest.mark.threat(47)
def test_one_message_is_not_passed_on_for_ever():
    node, message = Node(loop_guard=3), signed("A", "C", opaque())
    for number in range(5):
        node.receive(node.a, replace(message, ttl=100), later(number))
    assert len(take(node.b)) == 3
    assert node.drops == {("BlockApproval", "Loop"): 2}


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.threat(49)
def test_the_same_message_within_50_ms_is_dropped_before_its_signature_is_looked_at():
    node, message = Node(), signed("A", "C", opaque())
    node.receive(node.a, message)
    assert node.receive(node.a, message, later(0.05)) is None
    node.receive(node.a, message, later(0.051))
    assert len(take(node.b)) == 2
    assert node.drops == {("BlockApproval", "Duplicate"): 1}
    node.receive(node.b, message, later(0.051))
    assert len(take(node.b)) == 1, "each connection has its own memory"


def test_another_ttl_is_still_a_duplicate():
    node, message = Node(), signed("A", "C", opaque())
    node.receive(node.a, message)
    node.receive(node.a, replace(message, ttl=50))
    assert len(take(node.b)) == 1


def test_the_memory_of_duplicates_is_bounded():
    node = Node(routed_message_cache_size=3)
    messages = [signed("A", "C", opaque(number)) for number in range(8)]
    for message in messages[:4]:
        node.receive(node.a, message)
    assert len(node.a.routed_cache) == 3
    node.receive(node.a, messages[1])
    assert node.drops == {("BlockApproval", "Duplicate"): 1}
    node.receive(node.a, messages[4], later(1))
    assert len(node.a.routed_cache) == 1, "all that is outdated leaves at once"


@pytest.mark.threat(48)
def test_a_forged_signature_bans_the_sender_and_passes_nothing_on():
    node, message = Node(), signed("A", "C", opaque())
    for forged in (replace(message, body=opaque(9)), replace(message, signature=signed("B", "C", opaque()).signature)):
        with pytest.raises(InvalidRoutedSignature):
            node.receive(node.a, forged)
        with pytest.raises(InvalidRoutedSignature):
            node.receive(node.b, forged)
    assert take(node.b) == []


def test_a_signature_that_only_libsodium_refuses_is_dropped_without_a_ban():
    node = Node()
    small_order = Signature(b"\0" + b"\1" + bytes(63))
    node.receive(node.a, replace(signed("A", "C", opaque()), signature=small_order))
    assert node.drops == {("BlockApproval", "StrictSignature"): 1}
    assert take(node.b) == []


def test_a_run_is_checked_together_and_duplicates_in_it_not_at_all():
    node, checked = Node(), []
    node.routed.check = lambda rows: checked.append(rows) or check_signatures(rows)
    run = [signed("A", "C", opaque(number)) for number in (1, 2, 1, 3)]
    assert list(node.receive_run(node.a, run)) == []
    (rows,) = checked
    assert [row[64:96] for row in rows] == [routed_digest(run[number]) for number in (0, 1, 3)]
    assert take(node.b) == [replace(run[number], ttl=99) for number in (0, 1, 3)]
    assert node.drops == {("BlockApproval", "Duplicate"): 1}


@pytest.mark.threat(48)
def test_of_a_run_what_came_before_a_forgery_counts_and_nothing_after_it():
    node = Node()
    run = [signed("A", "C", opaque(number)) for number in range(4)]
    run[2] = replace(run[2], body=opaque(9))
    with pytest.raises(InvalidRoutedSignature):
        list(node.receive_run(node.a, run))
    assert take(node.b) == [replace(message, ttl=99) for message in run[:2]]


def test_a_run_ends_with_its_connection():
    node = Node()
    received = node.receive_run(node.a, [signed("A", "M", opaque(1)), signed("A", "C", opaque(2))])
    assert next(received).body == opaque(1)
    node.a.state = PeerState.CLOSED  # as a client does that has the sender banned
    assert list(received) == []
    assert take(node.b) == []


@pytest.mark.threat(55)
def test_forwarded_transactions_between_two_blocks():
    node = Node(max_transactions_per_block_message=2)
    forward_tx = [signed("A", "C", opaque(number, index=1)) for number in range(9)]
    for message in forward_tx[:4]:
        node.receive(node.a, message)
    assert len(take(node.b)) == 2
    assert node.drops == {("ForwardTx", "TransactionsPerBlockExceeded"): 2}
    node.receive(node.a, signed("A", "C", opaque()))
    assert len(take(node.b)) == 1, "other bodies are not counted"
    node.routed.block_received(later(0.5))
    for message in forward_tx[4:7]:
        node.receive(node.a, message, later(0.5))
    assert len(take(node.b)) == 2
    node.receive(node.a, forward_tx[7], later(1.4))
    assert take(node.b) == []
    node.receive(node.a, forward_tx[8], later(1.5))
    assert len(take(node.b)) == 1


# --- ways back -----------------------------------------------------------------------------------


@pytest.mark.threat(52)
def test_a_reply_takes_the_way_of_its_request_once():
    node, request = Node(), signed("A", "C", TX_STATUS)
    node.receive(node.a, request)
    take(node.b)
    reply = signed("C", routed_digest(request), opaque(index=3))
    node.receive(node.b, reply)
    assert take(node.a) == [replace(reply, ttl=99)]
    node.receive(node.b, reply, later(1))
    assert take(node.a) == []
    assert node.drops == {("TxStatusResponse", "NoRouteFound"): 1}


def test_a_reply_to_one_who_has_gone_is_dropped():
    node, request = Node(), signed("A", "C", TX_STATUS)
    node.receive(node.a, request)
    del node.peers[IDS["A"]]
    node.receive(node.b, signed("C", routed_digest(request), opaque(index=3)))
    assert node.drops == {("TxStatusResponse", "NoRouteFound"): 1}


def test_a_reply_to_our_own_request_is_ours():
    node = Node()
    request = node.routed.send(IDS["C"], TX_STATUS, START)
    for number in range(2):
        reply = signed("C", request, opaque(number, index=3))
        assert node.receive(node.b, reply, later(number)) == reply
    assert node.routed.delivered == {"TxStatusResponse": 2}


@pytest.mark.interop("Routed")
@pytest.mark.interop("TxStatusResponse")
def test_the_status_of_a_transaction_is_taken_from_the_peer_that_was_asked():
    node = Node()
    request = node.routed.send(IDS["C"], TX_STATUS, START)
    other = node.routed.send(IDS["C"], opaque(index=11), START)
    for number, reply in enumerate(
        (
            signed("B", request, opaque(1, index=3)),
            signed("C", other, opaque(2, index=3)),
            signed("C", "M", opaque(3, index=3)),
        )
    ):
        assert node.receive(node.b, reply, later(number)) is None
    assert node.drops == {("TxStatusResponse", "Unsolicited"): 3}


@pytest.mark.parametrize("index", sorted(SENT_THRICE))
def test_what_validators_wait_for_goes_over_several_next_hops(index):
    node = Node()
    node.learn("MA", "AC")
    for peer in (node.a, node.b):
        take(peer)
    node.routed.send(IDS["C"], opaque(index=index), START)
    assert [message.body[0] for peer in (node.a, node.b) for message in take(peer)] == [index, index]
    node.routed.send(IDS["C"], opaque(index=1), START)
    assert len(take(node.a) + take(node.b)) == 1, "all others go once"
    node.routed.send(IDS["A"], opaque(index=index), START)
    assert (len(take(node.a)), len(take(node.b))) == (1, 0), "to a neighbor it goes once"


def test_a_second_copy_over_the_only_next_hop_would_be_dropped():
    node = Node()
    node.routed.send(IDS["C"], opaque(index=0), START)
    assert (len(take(node.a)), len(take(node.b))) == (0, 1)


def test_our_reply_goes_back_by_the_hash():
    node, request = Node(), signed("A", "M", TX_STATUS)
    assert node.receive(node.a, request) == request
    digest = routed_digest(request)
    node.routed.send(digest, opaque(index=3), START)
    [reply] = take(node.a)
    assert (reply.target, reply.author, reply.ttl) == (digest, IDS["M"], 100)
    with pytest.raises(RouteNotFound) as error:
        node.routed.send(digest, opaque(index=3), START)
    assert error.value.reason == "NoRouteFound"
    assert node.drops == {("TxStatusResponse", "NoRouteFound"): 1}


# --- for us --------------------------------------------------------------------------------------


def test_a_message_for_us_is_handed_over_and_needs_no_way_back():
    node, message = Node(), signed("A", "M", opaque())
    assert node.receive(node.a, message) == message
    assert len(node.route_back) == 0
    assert node.routed.delivered == {"BlockApproval": 1}
    assert node.routed.hops == {}


def test_hops_are_counted_where_they_are_told():
    node, frame = Node(), BORSH.encode(Routed(signed("A", "M", opaque())))
    for number in (3, 3, 70):
        rf = RoutedFrame(frame, 1, None, number)
        for peer in (node.a, node.b):
            list(node.routed.receive(peer, [rf], later(number)))
    assert node.routed.hops == {("BlockApproval", "3"): 2, ("BlockApproval", "20"): 2}


def test_the_way_here_is_timed_where_its_start_is_told():
    node, frame = Node(), BORSH.encode(Routed(signed("A", "M", opaque())))
    wall = int(START.wall)
    for created_at in ((wall - 1, 500_000_000), (wall + 60, 0), None):
        for peer in (node.a, node.b):
            stamp = None if created_at is None else write_timestamp(created_at)
            list(node.routed.receive(peer, [RoutedFrame(frame, 1, stamp, 0)], START))
            peer.routed_cache.clear()
    latency = node.routed.latencies["BlockApproval"]
    assert sum(latency.counts) == 4
    assert latency.total == pytest.approx(2 * (START.wall - wall + 0.5)), "a clock ahead of ours counts as none"


@pytest.mark.parametrize("index", [7, 19, 200])
def test_unknown_bodies_for_us_are_dropped_and_counted(index):
    node = Node()
    assert node.receive(node.a, signed("A", "M", opaque(index=index))) is None
    [(_, reason)] = node.drops
    assert reason == "Unsupported"


def test_a_body_for_us_that_does_not_read_is_dropped_and_counted():
    node = Node()
    assert node.receive(node.a, signed("A", "M", TX_STATUS[:-1])) is None
    assert node.drops == {("TxStatusRequest", "Malformed"): 1}


def test_a_ping_is_answered_along_its_hash():
    node, ping = Node(), signed("C", "M", encode_body(Ping(7, IDS["C"])), ttl=1)
    node.b.dialect = PROTO  # which tells hops and time
    assert node.receive(node.b, ping) is None
    [routed] = taken(node.b)
    assert routed.message == signed("M", routed_digest(ping), encode_body(Pong(7, IDS["M"])), ttl=100)
    assert routed.num_hops == 0
    assert routed.created_at == (1_700_000_000, 500_000_000)
    assert node.routed.delivered == {"Ping": 1}


@pytest.mark.threat(54)
def test_pings_for_us_are_answered_at_a_bounded_rate():
    node = Node(pings_per_second=2)
    for number in range(3):
        node.receive(node.a, signed("A", "M", encode_body(Ping(number, IDS["A"]))))
    assert len(take(node.a)) == 2
    assert node.drops == {("Ping", "PingRate"): 1}


# --- our own -------------------------------------------------------------------------------------


def test_our_ping_and_its_pong():
    node = Node()
    digest = node.routed.ping(IDS["C"], START, ttl=2)
    [ping] = take(node.b)
    assert routed_digest(ping) == digest
    assert (ping.target, ping.author, ping.ttl) == (IDS["C"], IDS["M"], 2)
    pong = signed("C", digest, encode_body(Pong(decode_body(ping.body).nonce, IDS["C"])), ttl=99)
    assert node.receive(node.b, pong, later(0.5)) is None
    [notify] = node.journal.take()
    told = notify.event
    assert (told.kind, told.peer_id, told.data["hash"]) == ("pong", IDS["C"], str(digest))
    assert (told.data["ttl"], told.data["milliseconds"]) == (99, 500.0)
    assert node.receive(node.b, pong, later(1)) is None
    assert node.journal.take() == []
    assert node.drops == {("Pong", "Unsolicited"): 1}


def test_our_pings_all_differ():
    node = Node()
    assert node.routed.ping(IDS["C"], START) != node.routed.ping(IDS["C"], START)


def test_our_message_has_the_configured_ttl_and_a_right_signature():
    node = Node()
    digest = node.routed.send(IDS["B"], opaque(), START)
    [message] = take(node.b)
    assert message == signed("M", "B", opaque())
    assert digest == routed_digest(message)
    assert len(node.route_back) == 0


@pytest.mark.parametrize(
    ("target", "body", "reason"),
    [("M", opaque(), "Self"), ("C", b"", "Unsupported"), ("Z", opaque(), "NoRouteFound")],
)
def test_what_cannot_be_sent(target, body, reason):
    with pytest.raises(RouteNotFound) as error:
        Node().routed.send(IDS[target], body, START)
    assert error.value.reason == reason


# --- every signature is verified (`network-2026.md` §2) ---------------------------------------------

APPROVAL, FORWARD = 0, 18


def from_protobuf(node, message, version=84, is_v3=False):
    """As `Node.receive`, for a message by protobuf from neighbor A, which announced `version`."""
    node.a.dialect, node.a.protocol_version = PROTO, version
    rf = PROTO.routed(PROTO.encode(Routed(message, (5, 0), 3)))
    rf.is_v3 = is_v3
    return next(node.routed.receive(node.a, [rf], START), None)


def forged(author, index=APPROVAL, target="C"):
    message = signed(author, target, opaque(index=index))
    return replace(message, signature=KEYS["Z"].sign(routed_digest(message)))


@pytest.mark.threat(31, 48)
@pytest.mark.interop("Routed")
@pytest.mark.parametrize("index", sorted(UNVERIFIED_IN_2025))
@pytest.mark.parametrize("target", ["C", "M"])
@pytest.mark.interop("routed signatures")
def test_a_node_of_2025_is_not_banned_for_a_forged_tier_1_message_of_somebody_else(index, target):
    node = Node()
    assert from_protobuf(node, forged("B", index, target)) is None
    assert (take(node.b), node.routed.delivered) == ([], {})
    assert node.drops == {(body_name(index), "InvalidSignature"): 1}


@pytest.mark.threat(31, 48)
@pytest.mark.parametrize(
    ("author", "index", "version", "is_v3"),
    [
        ("A", APPROVAL, 84, False),
        ("B", FORWARD, 84, False),
        ("B", 2, 84, False),
        ("B", APPROVAL, 85, False),
        ("B", APPROVAL, 88, False),
        ("B", APPROVAL, 84, True),
    ],
    ids=["its author", "body 18", "tier 2", "announced 85", "announced 88", "field 37"],
)
@pytest.mark.interop("routed signatures")
def test_all_others_are_banned_for_a_forged_message(author, index, version, is_v3):
    node = Node()
    with pytest.raises(InvalidRoutedSignature):
        from_protobuf(node, forged(author, index), version, is_v3)
    assert take(node.b) == []


@pytest.mark.threat(31, 48)
@pytest.mark.interop("routed signatures")
def test_by_borsh_a_forged_tier_1_message_bans():
    node = Node()
    with pytest.raises(InvalidRoutedSignature):
        node.receive(node.a, forged("B"))


@pytest.mark.parametrize("index", sorted(UNVERIFIED_IN_2025))
@pytest.mark.interop("routed signatures")
def test_a_signed_tier_1_message_goes_on_and_is_delivered(index):
    node, message = Node(), signed("A", "C", opaque(index=index))
    assert from_protobuf(node, message, is_v3=True) is None
    assert take(node.b) == [replace(message, ttl=99)]
    own = signed("A", "M", opaque(index=index))
    assert from_protobuf(node, own) == own


# --- sizes, rates and full queues ----------------------------------------------------------------


def framed(message: RoutedMessage, length: int) -> RoutedFrame:
    """What came by protobuf in a frame of that length, made longer by an unknown field."""
    content = PROTO.encode(Routed(message))
    for head in range(3, 8):
        field = delimited(100, bytes(length - len(content) - head))
        if len(content) + len(field) == length:
            rf = PROTO.routed(content + field)
            assert rf is not None
            return rf
    raise AssertionError("no field makes it that long")


def fitting(author: str, index: int, length: int, hops: int, stamp: tuple[int, int] | None) -> bytes:
    """A body with which a message to C, written for a protobuf peer, is a frame of that length."""
    body = bytes([index]) + bytes(length - 400)
    missing = length - len(PROTO.encode(Routed(signed(author, "C", body), stamp, hops)))
    return body + bytes(missing)


def numbered(index: int, count: int) -> list[RoutedMessage]:
    """Messages of A to C that all differ; nobody has signed them."""
    numbers = [number.to_bytes(2, "big") for number in range(count)]
    message = signed("A", "C", bytes([index]))
    return [
        replace(message, signature=Signature(bytes(1) + number + bytes(62)), body=message.body + number)
        for number in numbers
    ]


ENDORSEMENT, WITNESS, ACCESSES = 24, 22, 28


@pytest.mark.threat(72)
@pytest.mark.interop("Routed")
def test_a_frame_over_the_size_of_its_kind_is_dropped_before_its_signature_is_looked_at():
    node = Node()
    node.a.dialect = PROTO
    message = signed("A", "C", bytes([ENDORSEMENT]))
    for length, taken_in in ((SMALL + 1, False), (SMALL, True)):
        assert node.routed.admit(node.a, framed(message, length), START.mono) is taken_in
    assert node.drops == {("VersionedChunkEndorsement", "TooLargeForType"): 1}
    assert node.routed.admit(node.b, framed(message, SMALL + 1), START.mono), "borsh has no such limits"


def test_the_borsh_form_of_a_routed_message_has_a_limit_of_its_own():
    node = Node()
    node.a.dialect = PROTO
    for number, (more, taken_in) in enumerate(((0, True), (1, False))):
        message = signed("A", "C", bytes([WITNESS, number]))
        missing = MOST_ROUTED - len(routed_bytes(message)) + more
        rf = PROTO.routed(PROTO.encode(Routed(replace(message, body=message.body + bytes(missing)))))
        assert rf is not None
        assert rf.end - rf.start == MOST_ROUTED + more
        assert node.routed.admit(node.a, rf, START.mono) is taken_in
    assert node.drops == {("PartialEncodedStateWitness", "TooLargeForType"): 1}


@pytest.mark.interop("bridge")
@pytest.mark.parametrize(("dialect", "passes"), [(BORSH, True), (PROTO, False)], ids=["borsh", "protobuf"])
def test_nothing_is_passed_on_that_is_too_large_for_a_protobuf_peer(dialect, passes):
    node = Node()
    node.b.dialect = dialect
    body = fitting("A", ENDORSEMENT, SMALL, hops=1, stamp=None)  # Borsh names no time, so none is passed on.
    node.receive(node.a, signed("A", "C", body))
    assert node.routed.forwarded == 1
    assert dialect is BORSH or sum(map(len, node.b.out)) == 4 + SMALL
    node.b.to_send()
    node.receive(node.a, signed("A", "C", body + b"1"))
    assert node.routed.forwarded == (2 if passes else 1)
    assert node.drops == ({} if passes else {("VersionedChunkEndorsement", "TooLargeForType"): 1})
    assert node.a.state is PeerState.READY


def test_nothing_of_ours_is_sent_that_is_too_large_for_a_protobuf_peer():
    node = Node()
    now = Now(START.mono, 5.0)
    body = fitting("M", ENDORSEMENT, SMALL, hops=0, stamp=(5, 0))
    node.b.dialect = PROTO
    node.routed.send(IDS["C"], body, now)
    assert sum(map(len, node.b.to_send())) == 4 + SMALL
    with pytest.raises(RouteNotFound, match="more than nodes of the protobuf network take") as caught:
        node.routed.send(IDS["C"], body + b"1", now)
    assert caught.value.reason == "TooLargeForType"
    assert node.b.to_send() == []
    node.b.dialect = BORSH
    node.routed.send(IDS["C"], body + b"1", now)
    assert node.drops == {("VersionedChunkEndorsement", "TooLargeForType"): 1}


def rated(node: Node) -> MessageRates:
    rates = MessageRates({}, NetworkConfig().nearnet.limits.tables_per_second)
    for peer in (node.a, node.b):
        peer.dialect = PROTO
        rates.begin(peer, START.mono)
    node.routed.check = lambda rows: ["valid"] * len(rows)
    return rates


@pytest.mark.threat(53)
@pytest.mark.interop("rates by kind")
def test_routed_messages_over_the_rate_of_their_kind_are_dropped_unchecked():
    node, checks = Node(), []
    rates = rated(node)
    node.routed.check = lambda rows: checks.extend(rows) or ["valid"] * len(rows)
    assert list(node.receive_run(node.a, numbered(ACCESSES, 1010))) == []
    assert (len(checks), node.routed.forwarded) == (1000, 1000)
    assert rates.refused == {"ChunkContractAccesses": 10}
    assert node.drops == {}
    assert list(node.receive_run(node.a, numbered(ENDORSEMENT, 1011)[-1:])) == []
    assert node.routed.forwarded == 1001, "each kind has its own"


def test_what_is_passed_on_above_the_rate_is_counted_and_goes():
    node = Node()
    rates = rated(node)
    node.a.dialect, node.a.body_rates = BORSH, None
    assert list(node.receive_run(node.a, numbered(ACCESSES, 1003))) == []
    assert node.routed.forwarded == 1003
    assert rates.above == {"ChunkContractAccesses": 3}


@pytest.mark.threat(10)
def test_a_full_queue_drops_the_message_and_not_the_connection():
    node = Node()
    node.b.unsent = 2**20 - 100
    node.receive(node.a, signed("A", "C", opaque()))
    assert node.drops == {("BlockApproval", "OutgoingQueueLimitExceeded"): 1}
    assert node.routed.forwarded == 0
    with pytest.raises(RouteNotFound, match="try again later") as caught:
        node.routed.send(IDS["C"], opaque(), START)
    assert caught.value.reason == "OutgoingQueueLimitExceeded"
    node.receive(node.b, signed("B", "M", encode_body(Ping(1, IDS["B"]))))
    assert node.drops == {
        ("BlockApproval", "OutgoingQueueLimitExceeded"): 2,
        ("Pong", "OutgoingQueueLimitExceeded"): 1,
    }
    assert (node.b.out, node.b.outbox.overflowed) == ([], {})
    node.b.unsent = 0
    node.receive(node.a, signed("A", "C", opaque(1)))
    assert node.routed.forwarded == 1
