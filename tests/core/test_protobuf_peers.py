"""The core with neighbors of the protobuf dialect (`behaviour.md` §10): handshakes, ends, questions, relays.

The parts that only serve this dialect have test files of their own; this one holds what differs in the common parts.
"""

import dataclasses

import pytest
from graph_fakes import something_that_moves
from hand import ME, Core, edge_of, key_of

from nearnet.client import Ban
from nearnet.core.gossip import exchange
from nearnet.core.peer.handshake import OWNED_ACCOUNT_WINDOW
from nearnet.core.peer_manager.membership import ASKED_TOGETHER
from nearnet.core.routing_table.edge import NONCE_WINDOW, sign_edge, unix_nonce
from nearnet.errors import ReasonForBan
from nearnet.keys import CryptoHash, Signature
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import (
    Block,
    BlockHeadersRequest,
    BlockRequest,
    Disconnect,
    DistanceVector,
    EpochSyncFinalizationRequest,
    EpochSyncRequest,
    GenesisId,
    GenesisMismatch,
    Handshake,
    HandshakeFailure,
    InvalidTarget,
    LastEdge,
    OwnedAccount,
    PartialEdgeInfo,
    PeerChainInfo,
    PeerInfo,
    PeersRequest,
    PeersResponse,
    ProtocolVersionMismatch,
    RequestUpdateNonce,
    Routed,
    RoutedMessage,
    SignedPayload,
    SocketAddress,
    SyncRoutingTable,
)
from nearnet.wire.routed_frame import routed_digest
from nearnet.wire.signed_payload import sign_payload

NEW = "protobuf"
PROTO = dialect_named(NEW)
OTHER_GENESIS = GenesisId("other", CryptoHash(bytes(32)))


def protobuf_peer(core, name="today"):
    return core.ready(name, dialect=NEW)


def flags(hand):
    """Of the Disconnects that came now, the flags."""
    return [message.remove_from_connection_store for message in hand.told(Disconnect)]


def routed(author, target, body, ttl=100):
    message = RoutedMessage(target, author.public_key, Signature(b""), ttl, body)
    return dataclasses.replace(message, signature=author.sign(routed_digest(message)))


# --- handshakes ----------------------------------------------------------------------------------


@pytest.mark.scenario(73)
@pytest.mark.interop("Handshake", "HandshakeFailure")
def test_failures_in_order_then_success_on_one_socket():
    core = Core()
    hand = core.hand(dialect=NEW)
    (failure,) = hand.shake(protocol_version=79, sender_chain_info=PeerChainInfo(OTHER_GENESIS))
    assert failure.reason == ProtocolVersionMismatch(88, 80)
    (failure,) = hand.shake(sender_chain_info=PeerChainInfo(OTHER_GENESIS))
    assert failure.reason == GenesisMismatch(core.manager.context.genesis_id)
    (failure,) = hand.shake(target_peer_id=key_of("x").public_key)
    assert failure.reason == InvalidTarget()
    answer = hand.shake(protocol_version=83)[0]
    assert (answer.protocol_version, answer.sender_listen_port) == (83, 24567), "the version of the dialer"


@pytest.mark.scenario(68)
@pytest.mark.threat(17, 18)
@pytest.mark.interop("nonces", "Disconnect")
@pytest.mark.parametrize(
    ("nonce", "flag"),
    [
        (-86400, False),
        (86400, False),
        (-NONCE_WINDOW - 2, False),
        (NONCE_WINDOW + 2, False),
        (1, True),
        (2**63 - 1, False),
        (2**64 - 1, False),
        (253402300799, False),
    ],
)
def test_nonces_that_are_refused(nonce, flag):
    """By a Disconnect; with its flag for an even one of the present only."""
    core = Core()
    hand = core.hand(dialect=NEW)
    hand.say(hand.handshake(nonce if nonce > 10**9 else unix_nonce(core.now.wall) + nonce))
    assert flags(hand) == [flag]
    assert hand.closed is not None
    assert hand.ban is None


@pytest.mark.interop("LastEdge")
def test_a_nonce_that_is_not_newer_gets_the_last_edge():
    core = Core()
    first = protobuf_peer(core)
    nonce = first.edge().nonce
    core.manager.lost(first.peer, "gone", core.now)
    again = core.hand("today", dialect=NEW)
    (last,) = again.shake(nonce)
    assert (type(last), last.edge.nonce) == (LastEdge, nonce + 1)
    again.shake(nonce + 2)
    assert again.peer.is_ready


@pytest.mark.parametrize("changes", [{"sender_listen_port": None}, {"sender_peer_id": ME.public_key}])
def test_refusals_are_flagged(changes):
    core = Core()
    hand = core.hand(dialect=NEW)
    hand.say(hand.handshake(**changes))
    assert flags(hand) == [True]


@pytest.mark.scenario(67)
@pytest.mark.parametrize("wrong", ["key", "source", "target"])
def test_partial_edges_that_are_signed_wrongly(wrong):
    core = Core()
    hand = core.hand(dialect=NEW)
    nonce = unix_nonce(core.now.wall)
    signers = {"key": key_of("x"), "source": hand.key, "target": hand.key}
    others = {"key": ME.public_key, "source": key_of("y").public_key, "target": hand.id}
    partial = (
        sign_edge(signers[wrong], others[wrong], nonce)
        if wrong != "target"
        else PartialEdgeInfo(nonce, hand.key.sign(bytes(32)))
    )
    hand.say(hand.handshake(partial_edge_info=partial))
    assert flags(hand) == [True]
    assert hand.ban is None, "the id proved nothing"


@pytest.mark.interop("tier 1 and 3 handshakes")
@pytest.mark.parametrize("tier", [1, 3])
@pytest.mark.parametrize("ready", [False, True])
def test_other_tiers_are_refused_politely(tier, ready):
    core = Core()
    hand = protobuf_peer(core) if ready else core.hand(dialect=NEW)
    hand.say(hand.handshake(tier=tier))
    assert flags(hand) == [True]
    assert hand.closed == "a tier not served here"
    assert hand.ban is None


def owned(core, hand, account="validator", seconds=0, peer=None, signer=None):
    key = key_of(account)
    made = OwnedAccount(key.public_key, peer or hand.id, (int(core.now.wall) + seconds, 0))
    return sign_payload(made, signer or key)


@pytest.mark.scenario(66)
@pytest.mark.interop("owned account")
def test_an_owned_account_is_of_one_connection():
    core = Core()
    first = core.hand("a", dialect=NEW)
    first.shake(owned_account=owned(core, first))
    assert first.peer.account_key == key_of("validator").public_key
    second = core.hand("b", dialect=NEW)
    second.say(second.handshake(owned_account=owned(core, second)))
    assert second.closed == "account already connected"
    assert core.manager.context.counters["near_already_connected_account", ""] == 1
    third = core.hand("c", dialect=NEW)
    third.shake(owned_account=owned(core, third, "another"))
    assert third.peer.is_ready


@pytest.mark.scenario(66)
@pytest.mark.interop("owned account")
@pytest.mark.parametrize("wrong", ["peer", "time", "signature", "content"])
def test_owned_accounts_that_are_refused(wrong):
    core = Core()
    hand = core.hand(dialect=NEW)
    payload = {
        "peer": owned(core, hand, peer=key_of("x").public_key),
        "time": owned(core, hand, seconds=OWNED_ACCOUNT_WINDOW + 1),
        "signature": owned(core, hand, signer=key_of("x")),
        "content": SignedPayload(b"", Signature(b"\0" + bytes(64))),
    }[wrong]
    hand.say(hand.handshake(owned_account=payload))
    if wrong == "content":
        assert core.manager.context.counters["nearnet_malformed_messages", ""] == 1
    else:
        assert flags(hand) == [True]
    assert not hand.peer.is_ready


# --- which dialect -------------------------------------------------------------------------------


def auto():
    return Core(nearnet={"dialect": "auto"})


@pytest.mark.interop("which dialect")
def test_silence_to_today_is_answered_by_the_other_dialect():
    core = auto()
    hand = core.dialed("b", dialect=None)
    assert hand.dialect.name == NEW
    core.advance(3.9)
    assert hand.closed is None
    core.advance(0.2)
    assert hand.closed == "no answer in protobuf"
    assert flags(hand) == [], "who did not understand us gets no more of it"
    assert core.dials[-1].dialect == "borsh"
    assert "dialect_refused" in core.kinds()
    assert "dial_failed" not in core.kinds()
    other = core.hand("b", "10.0.0.1", core.dials[-1])
    (ours,) = other.told(Handshake)
    other.shake(ours.partial_edge_info.nonce)
    assert other.peer.is_ready
    core.manager.lost(other.peer, "gone", core.now)
    core.advance(2)
    assert core.dialed("b", dialect=None).dialect.name == "borsh", "remembered"
    assert dict(core.store.items("PeerDialect")) == {other.id: b"borsh"}


@pytest.mark.interop("which dialect")
def test_a_close_without_an_answer_tries_the_other_at_once_and_once():
    core = auto()
    hand = core.dialed("b", dialect=None)
    core.manager.lost(hand.peer, "closed by the peer", core.now)
    core.advance(0.01)
    assert [dial.dialect for dial in core.dials] == [NEW, "borsh"]
    again = core.hand("b", "10.0.0.1", core.dials[-1])
    core.manager.lost(again.peer, "closed by the peer", core.now)
    core.advance(0.5)
    assert len(core.dials) == 2, "both fell short: a failed attempt with its back-off"
    assert "dial_failed" in core.kinds()


@pytest.mark.interop("which dialect")
def test_an_answer_that_reads_settles_the_dialect():
    core = auto()
    hand = core.dialed("b", dialect=None)
    (ours,) = hand.told(Handshake)
    core.advance(1.5)
    hand.say(HandshakeFailure(PeerInfo(hand.id), GenesisMismatch(OTHER_GENESIS)))
    assert hand.closed is not None
    core.advance(0.5)
    assert [dial.dialect for dial in core.dials] == [NEW]
    late = core.dialed("c", dialect=None)
    (ours,) = late.told(Handshake)
    late.shake(ours.partial_edge_info.nonce)
    core.advance(5)
    assert late.peer.is_ready


@pytest.mark.interop("which dialect")
@pytest.mark.scenario(71)
@pytest.mark.threat(24)
@pytest.mark.parametrize("dialect", ["borsh", NEW])
def test_a_tie_is_broken_by_ids_whatever_is_spoken(dialect):
    """The connection that the lower id dialed stays: ours here, in its second dialect if need be."""
    core = auto()
    name = next(f"high {n}" for n in range(100) if key_of(f"high {n}").public_key > ME.public_key)
    core.dialed(name, dialect=None)
    theirs = core.hand(name, dialect=dialect)
    theirs.say(theirs.handshake())
    assert theirs.closed == "tie break"
    core.advance(4.1)
    assert core.dials[-1].dialect == "borsh"


def test_no_second_try_for_who_has_connected_meanwhile():
    core = auto()
    name = next(f"low {n}" for n in range(100) if key_of(f"low {n}").public_key < ME.public_key)
    dialed = core.dialed(name, dialect=None)
    theirs = core.hand(name)
    theirs.shake()
    assert theirs.peer.is_ready
    core.advance(4.1)
    assert dialed.closed == "no answer in protobuf"
    assert len(core.dials) == 1


# --- ends ----------------------------------------------------------------------------------------


@pytest.mark.interop("Disconnect", "recent connections")
@pytest.mark.scenario(88)
@pytest.mark.parametrize("flag", [False, True])
def test_a_disconnect_is_answered_and_its_flag_forgets_the_link(flag):
    core = Core()
    hand = core.dialed("b", dialect=NEW)
    (ours,) = hand.told(Handshake)
    hand.shake(ours.partial_edge_info.nonce)
    core.advance(700)
    assert hand.id in core.manager.dialer.links
    hand.read()
    hand.say(Disconnect(flag))
    assert flags(hand) == [False]
    assert hand.closed == "disconnected by the peer"
    assert (hand.id in core.manager.dialer.links) is not flag


def test_who_was_banned_is_no_link_to_come_back_to():
    core = Core()
    hand = core.dialed("b", dialect=NEW)
    (ours,) = hand.told(Handshake)
    hand.shake(ours.partial_edge_info.nonce)
    core.advance(700)
    core.manager.ban(hand.id, ReasonForBan.ABUSIVE, core.now)
    assert hand.id not in core.manager.dialer.links
    assert flags(hand) == [False], "we dialed: the flag is the other side's to set"


def test_a_disconnect_before_ready_is_ignored():
    core = Core()
    hand = core.hand(dialect=NEW)
    hand.say(Disconnect(True))
    hand.shake()
    assert hand.peer.is_ready


def test_a_clean_stop_disconnects():
    core = Core()
    hand, old = protobuf_peer(core), core.ready("old")
    core.manager.stop(core.now)
    assert flags(hand) == flags(old) == [False]


# --- questions -----------------------------------------------------------------------------------


@pytest.mark.interop("PeersRequest")
def test_peers_are_asked_for_at_once_and_every_minute():
    core = Core()
    hand = core.hand(dialect=NEW)
    asked = [message for message in hand.shake() if isinstance(message, PeersRequest)]
    assert asked == []
    for _ in range(190):
        core.advance(1)
        asked += hand.told(PeersRequest)
    assert asked == [PeersRequest(512, 128)] * 4


def test_neighbors_that_are_due_at_about_the_same_time_are_asked_together():
    core = Core()
    hands = [protobuf_peer(core, "first")]
    for name, seconds in (("soon after", 2), ("later", ASKED_TOGETHER)):
        core.advance(seconds)
        hands.append(protobuf_peer(core, name))
    started = core.now.mono - 2 - ASKED_TOGETHER
    core.advance(0)
    assert [len(hand.told(PeersRequest)) for hand in hands] == [1, 1, 1]
    asked = [[], [], []]
    for _ in range(280):
        core.advance(0.5)
        for hand, moments in zip(hands, asked, strict=True):
            moments += [core.now.mono - started] * len(hand.told(PeersRequest))
    assert asked == [[62.0, 127.0], [62.0, 127.0], [67.0, 127.0]], "never within a minute of the time before"


def test_who_has_gone_is_asked_no_more():
    core = Core()
    first, second = protobuf_peer(core, "first"), protobuf_peer(core, "second")
    core.advance(1)
    assert len(first.told(PeersRequest)) == len(second.told(PeersRequest)) == 1
    core.manager.lost(first.peer, "gone", core.now)
    core.advance(61)
    assert (first.told(PeersRequest), len(second.told(PeersRequest))) == ([], 1)
    core.manager.lost(second.peer, "gone", core.now)
    core.advance(61)
    assert core.manager.membership._asking is None


def test_a_node_that_stops_asks_no_more():
    core = Core()
    hand = protobuf_peer(core)
    core.advance(1)
    hand.read()
    core.manager.stop(core.now)
    core.advance(200)
    assert hand.told(PeersRequest) == []


@pytest.mark.interop("PeersResponse")
@pytest.mark.scenario(34)
def test_the_answer_keeps_the_limits_and_tells_who_is_connected():
    core = Core()
    hands = [protobuf_peer(core, f"peer {n}") for n in range(3)]
    hands[0].say(PeersRequest(2, 2))
    (answer,) = hands[0].told(PeersResponse)
    assert len(answer.peers) <= 2
    assert answer.direct_peers == tuple(PeerInfo(hand.id, SocketAddress("127.0.0.1", 24568)) for hand in hands[:2]), (
        "the asker too, with the address that we see"
    )


@pytest.mark.interop("RequestUpdateNonce", "ResponseUpdateNonce")
def test_a_nonce_request_is_answered_by_a_table():
    core = Core()
    hand = protobuf_peer(core)
    nonce = unix_nonce(core.now.wall) + 4
    hand.say(RequestUpdateNonce(sign_edge(hand.key, ME.public_key, nonce)))
    (table,) = hand.told(SyncRoutingTable)
    assert [edge.nonce for edge in table.edges] == [nonce]
    assert hand.peer.edge.nonce == nonce
    hand.say(RequestUpdateNonce(sign_edge(hand.key, ME.public_key, nonce - 2)))
    (table,) = hand.told(SyncRoutingTable)
    assert [edge.nonce for edge in table.edges] == [nonce], "one that is not above ours is no offence"


@pytest.mark.threat(19)
@pytest.mark.parametrize("nonce", [2**63 + 1, 5, unix_nonce(1) + 10**9])
def test_a_nonce_of_another_time_is_never_signed(nonce):
    core = Core()
    hand = protobuf_peer(core)
    hand.say(RequestUpdateNonce(sign_edge(hand.key, ME.public_key, max(nonce, hand.edge().nonce + 1202 | 1))))
    assert (hand.ban, hand.told(SyncRoutingTable)) == (None, [])
    assert hand.edge().nonce < 2**40


@pytest.mark.threat(53)
@pytest.mark.scenario(78)
@pytest.mark.interop("EpochSyncRequest", "rates by kind", "Block and other messages of the chain")
def test_rates_by_kind_and_what_the_client_gets():
    given = []
    rates = {
        "rate_limits": {"Block": {"maximum_size": 2, "refill_rate": 0}, "Ping": {"maximum_size": 1, "refill_rate": 0}}
    }
    overrides = {"received_messages_rate_limits": rates, "outbound_disabled": True}
    core = Core(experimental={"network_config_overrides": overrides})
    core.manager.context.client.on_message = lambda message, peer: given.append(type(message).__name__)
    hand = protobuf_peer(core)
    for _ in range(3):
        hand.say(EpochSyncRequest(), Block(b"x"), BlockRequest(CryptoHash(bytes(32))))
    hand.say(DistanceVector(hand.id))
    assert given == ["EpochSyncRequest", "Block", "BlockRequest", "Block", "BlockRequest", "BlockRequest"]
    assert core.manager.context.rates.refused == {"EpochSyncRequest": 2, "Block": 1}
    for n in range(3):
        hand.say(Routed(routed(hand.key, ME.public_key, b"\x0e" + bytes([n]) + bytes(7) + hand.id)))
    assert len(hand.told(Routed)) == 1
    assert hand.peer.is_ready


@pytest.mark.interop("DistanceVector")
def test_distance_vectors_are_unknown_messages():
    core = Core()
    hand = protobuf_peer(core)
    hand.say(DistanceVector(hand.id, ((ME.public_key, 1),), (edge_of(hand.key, key_of("x")),)))
    hand.frame(b"\xe2\x01\x01\xff")  # Field 28, and what it holds does not read.
    counters = core.manager.context.counters
    assert counters["nearnet_skipped_frames", "unknown"] == 2
    assert ("nearnet_malformed_messages", "") not in counters
    assert core.manager.table.edge_count == 1


@pytest.mark.threat(56, 72)
@pytest.mark.parametrize("dialect", ["borsh", NEW])
def test_what_nobody_needs_so_much_of_is_not_read(dialect):
    core = Core()
    hand = core.ready("a", dialect=dialect)
    hand.say(BlockHeadersRequest((CryptoHash(bytes(32)),) * 40_000))
    assert core.manager.context.counters["nearnet_oversized_messages", "BlockHeadersRequest"] == 1
    assert hand.peer.is_ready
    hand.say(PeersResponse((PeerInfo(key_of("x").public_key),) * 60_000))
    assert core.manager.context.counters["nearnet_oversized_messages", "PeersResponse"] == 1
    assert hand.ban is None, "its size alone is no abuse"
    hand.say(PeersResponse(tuple(PeerInfo(key_of(f"{n}").public_key) for n in range(513))))
    assert hand.ban is ReasonForBan.ABUSIVE


@pytest.mark.interop("unknown messages and fields")
def test_unknown_fields_and_messages_are_skipped_and_counted():
    core = Core()
    hand = protobuf_peer(core)
    hand.frame(b"\xea\x04\x05\n\x03abc")
    counters = core.manager.context.counters
    assert counters["nearnet_skipped_frames", "unknown"] == 1
    hand.frame(PROTO.encode(Disconnect(False)).replace(b"\x92\x01\x00", b"\x92\x01\x02\x10\x05"))
    assert counters["nearnet_skipped_fields", ""] >= 1
    assert hand.closed == "disconnected by the peer"


# --- what passes through -------------------------------------------------------------------------


@pytest.mark.interop("retired bodies", "Routed")
@pytest.mark.parametrize(("index", "passes"), [(0, True), (4, False), (13, False), (26, False), (99, True)])
def test_retired_bodies_pass_to_the_old_era_only(index, passes):
    core = Core()
    source, old, new = core.ready("a"), core.ready("b"), protobuf_peer(core, "c")
    core.advance(2)
    for hand, expected in ((old, True), (new, passes)):
        hand.read()
        source.say(Routed(routed(source.key, hand.id, bytes([index]) + b"x")))
        told = hand.told(Routed)
        assert len(told) == expected
        if expected:
            assert told[0].message.ttl == 99
    assert source.peer.is_ready


@pytest.mark.threat(48)
@pytest.mark.interop("Routed")
def test_hops_and_the_time_of_making_across_the_bridge():
    core = Core()
    old, new, other = core.ready("a"), protobuf_peer(core, "b"), protobuf_peer(core, "c")
    core.advance(2)
    for hand in (old, new, other):
        hand.read()
    new.say(Routed(routed(new.key, other.id, b"\0x"), (5, 7), 3))
    old.say(Routed(routed(old.key, other.id, b"\0y")))
    first, second = other.told(Routed)
    assert (first.created_at, first.num_hops) == ((5, 7), 4)
    assert (second.created_at, second.num_hops) == (None, 1)
    new.say(Routed(routed(new.key, other.id, b"\0z"), (5, 7), 2**32 - 1))
    (third,) = other.told(Routed)
    assert third.num_hops == 2**32 - 2, "protobuf nodes fall over the overflow"


@pytest.mark.interop("bridge")
def test_nothing_that_a_dialect_has_no_form_of_is_sent():
    class Client:
        answer: object = None

        def on_message(self, message, peer):
            return self.answer

    core, client = Core(), Client()
    core.manager.context.client.on_message = client.on_message
    old, new = core.ready("a"), protobuf_peer(core, "b")
    for hand, answer in (
        (old, DistanceVector(ME.public_key)),
        (new, EpochSyncFinalizationRequest(CryptoHash(bytes(32)))),
    ):
        client.answer = answer
        hand.read()
        hand.say(Block(b"x"))
        assert hand.told(type(answer)) == []
    assert core.kinds().count("answer_dropped") == 2
    client.answer = Ban(ReasonForBan.BAD_BLOCK)
    new.say(Block(b"x"))
    assert flags(new) == [True]


@pytest.mark.interop("bridge", "expiry of edges")
def test_counters_are_forgotten_with_the_last_neighbor_of_their_era():
    """Nobody would tell their end any more."""
    core = Core()
    old, new = core.ready("a"), protobuf_peer(core, "b")
    counters = tuple(edge_of(key_of("hub"), key_of(f"spoke {n}")) for n in range(30))
    time = edge_of(new.key, key_of("x"), unix_nonce(core.now.wall))
    old.say(SyncRoutingTable((*counters, time)))
    core.advance(1)
    table = core.manager.table
    moving, table._moving = table._moving, something_that_moves()
    core.manager.lost(old.peer, "gone", core.now)
    core.act()
    assert table.get(*counters[0].key) is not None, "what moves to disk comes first"
    table._moving = moving
    core.advance(2)
    assert [table.get(*edge.key) for edge in counters] == [None] * 30
    assert table.get(*time.key) == time
    assert table.next_hops(key_of("x").public_key) == (new.id,)
    assert table.get(*sorted((ME.public_key, old.id))) is not None, "our own stays: it has the last nonce"


@pytest.mark.parametrize("back", [False, True])
def test_a_large_table_is_forgotten_in_pieces_unless_one_comes_back(back, monkeypatch):
    monkeypatch.setattr(exchange, "EXPIRE_AT_ONCE", 7)
    core = Core()
    old, new = core.ready("a"), protobuf_peer(core, "b")
    counters = tuple(edge_of(key_of("hub"), key_of(f"spoke {n}")) for n in range(30))
    old.say(SyncRoutingTable(counters))
    core.advance(1)
    core.manager.lost(old.peer, "gone", core.now)
    core.act()
    if back:
        core.ready("c")
    core.advance(0.01)
    held = sum(core.manager.table.get(*edge.key) is not None for edge in counters)
    assert (held > 20) if back else (held == 0)
    assert new.peer.is_ready


@pytest.mark.interop("SyncRoutingTable", "expiry of edges", "announcements")
def test_counters_stay_in_the_old_era_and_times_go_everywhere():
    core = Core()
    old, new = core.ready("a"), protobuf_peer(core, "b")
    wall = unix_nonce(core.now.wall)
    x, y, z = (key_of(name) for name in "xyz")
    counter, time, late = edge_of(x, y, 7), edge_of(x, z, wall), edge_of(y, z, wall - 1900)
    for hand in (old, new):
        hand.read()
    old.say(SyncRoutingTable((counter, time, late)))
    core.advance(1.5)
    told = [edge for table in new.told(SyncRoutingTable) for edge in table.edges]
    assert time in told
    assert counter not in told
    assert late not in told
    assert core.manager.table.get(*counter.key) == counter
    new.say(SyncRoutingTable((edge_of(x, z, wall + 1, z),)))
    core.advance(1.5)
    told = [edge.nonce for table in old.told(SyncRoutingTable) for edge in table.edges]
    assert wall + 1 in told
    checked, late = core.manager.intake.verified_count, edge_of(x, key_of("w"), 9)
    new.say(SyncRoutingTable((late,)))
    assert core.manager.table.get(*late.key) is None, "of fifty years ago, to who speaks in times"
    assert core.manager.intake.verified_count == checked
    new.say(SyncRoutingTable((edge_of(x, x, 9),)))
    assert new.ban is ReasonForBan.INVALID_EDGE
