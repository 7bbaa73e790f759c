"""The handshake carried out (`behaviour.md` §2; `threats.md` rows 11-26), by hand-played peers."""

import pytest
from hand import ME, Core, edge_of, key_of

from nearnet.core.peer.handshake import MAX_HANDSHAKES, describe_failure
from nearnet.core.routing_table.edge import sign_edge, sign_removal
from nearnet.errors import PeerRefused, ReasonForBan
from nearnet.keys import CryptoHash
from nearnet.wire.messages import (
    GenesisId,
    GenesisMismatch,
    Handshake,
    HandshakeFailure,
    InvalidTarget,
    LastEdge,
    PartialEdgeInfo,
    PeerChainInfo,
    PeerInfo,
    ProtocolVersionMismatch,
    SocketAddress,
)
from nearnet.wire.protobuf import network_pb2 as pb

OTHER_GENESIS = GenesisId("other", CryptoHash(bytes(32)))


@pytest.mark.scenario(32)
@pytest.mark.scenario(73)
def test_failures_in_order_then_success_on_one_socket():
    core = Core()
    hand = core.hand()
    (failure,) = hand.shake(protocol_version=49)
    assert failure.reason == ProtocolVersionMismatch(52, 50)
    assert failure.peer_info == PeerInfo(ME.public_key, SocketAddress("127.0.0.1", 24567))
    (failure,) = hand.shake(sender_chain_info=PeerChainInfo(OTHER_GENESIS))
    assert failure.reason == GenesisMismatch(core.manager.context.genesis_id)
    (failure,) = hand.shake(target_peer_id=key_of("x").public_key)
    assert failure.reason == InvalidTarget()
    (answer,) = hand.shake()
    assert isinstance(answer, Handshake)
    assert (answer.protocol_version, answer.partial_edge_info.nonce, answer.sender_listen_port) == (52, 1, 24567)
    assert (answer.sender_peer_id, answer.target_peer_id) == (ME.public_key, hand.id)
    assert hand.peer.is_ready
    assert hand.edge().nonce == 1


@pytest.mark.scenario(33)
@pytest.mark.threat(12)
@pytest.mark.parametrize("rest", [b"", b"x", bytes(31)])
def test_future_layouts_get_a_version_failure(rest):
    hand = Core().hand()
    hand.frame(b"\0\xff\xff\xff\xff" + rest)
    (failure,) = hand.read()
    assert failure.reason == ProtocolVersionMismatch(52, 50)
    assert hand.closed is None


@pytest.mark.parametrize("version", [50, 51, 52])
def test_the_answer_has_the_dialers_version(version):
    hand = Core().hand()
    (answer,) = hand.shake(protocol_version=version)
    assert answer.protocol_version == version
    assert hand.peer.protocol_version == version


@pytest.mark.threat(16)
def test_a_wrong_signature_closes_without_a_ban():
    core = Core()
    hand = core.hand(ip="9.9.9.9")
    assert hand.shake(partial_edge_info=sign_edge(key_of("x"), ME.public_key, 1)) == []
    assert hand.closed == "wrong handshake signature"
    assert not core.manager.peer_store.is_banned(hand.id)
    assert core.manager.accept(SocketAddress("9.9.9.9", 1), core.now) is None, "the address cools down"


@pytest.mark.threat(25)
def test_our_own_id_is_refused():
    core = Core()
    hand = core.hand(key=ME)
    hand.shake()
    assert hand.closed == "connected to ourselves"
    assert core.manager.context.counters["near_connected_to_myself", ""] == 1


@pytest.mark.threat(17)
@pytest.mark.threat(18)
@pytest.mark.scenario(35)
@pytest.mark.parametrize("nonce", [0, 2, 1000, 1001, 2**63 + 1, 2**64 - 1])
def test_nonces_that_are_refused(nonce):
    core = Core()
    hand = core.hand()
    assert hand.shake(nonce) == []
    assert hand.closed is not None
    assert core.manager.table.edge_count == 0


def test_no_listen_port():
    hand = Core().hand()
    hand.shake(sender_listen_port=None)
    assert hand.closed == "no listen port told"


def test_a_port_of_0_is_taken_and_not_told_on():
    hand = Core().hand()
    hand.shake(sender_listen_port=0)
    assert hand.peer.is_ready
    assert hand.peer.info.addr is None


@pytest.mark.scenario(13)
def test_a_blacklisted_port():
    hand = Core(blacklist=["127.0.0.1:24568"]).hand()
    hand.shake()
    assert hand.closed == "blacklisted"


@pytest.mark.scenario(63)
def test_a_banned_peer():
    core = Core()
    hand = core.hand()
    core.manager.ban(hand.id, ReasonForBan.ABUSIVE, core.now)
    hand.shake()
    assert hand.closed == "banned"


@pytest.mark.threat(26)
@pytest.mark.scenario(72)
def test_the_same_id_twice():
    core = Core()
    first, second = core.ready("twin"), core.hand("twin")
    second.shake(3)
    assert second.closed == "already connected"
    assert first.closed is None


@pytest.mark.scenario(16)
def test_a_full_table():
    core = Core(max_num_peers=1)
    core.ready("one")
    second = core.hand("two")
    second.shake()
    assert second.closed == "connection limit exceeded"


def test_an_old_nonce_gets_the_last_edge_and_its_successor_is_taken():
    core = Core()
    first = core.ready()
    core.manager.lost(first.peer, "gone", core.now)
    again = core.hand()
    (last,) = again.shake(1)
    assert isinstance(last, LastEdge)
    assert (last.edge.nonce, last.edge.removal[0]) == (2, ME.public_key < again.id)
    (answer,) = again.shake(3)
    assert answer.partial_edge_info.nonce == 3


# --- as the dialer --------------------------------------------------------------------------------


def ready_answer(hand):
    (proposed,) = hand.read()
    assert isinstance(proposed, Handshake)
    return hand.handshake(proposed.partial_edge_info.nonce)


def test_a_dial_that_succeeds():
    hand = Core().dialed("b")
    hand.say(ready_answer(hand))
    assert hand.peer.is_ready
    assert hand.peer.direction == "outbound"


def test_a_node_without_a_listener_tells_the_local_port():
    core = Core()
    core.manager.listening(None)
    (proposed,) = core.dialed("b").read()
    assert proposed.sender_listen_port == 50_000


def test_every_interface_is_no_address_to_tell():
    core = Core()
    core.manager.listening(SocketAddress("0.0.0.0", 24567))
    (failure,) = core.hand().shake(protocol_version=1)
    assert failure.peer_info.addr is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"protocol_version": 40}, "answered with another version"),
        ({"sender_chain_info": PeerChainInfo(OTHER_GENESIS)}, "answered with GenesisMismatch"),
        ({"target_peer_id": key_of("x").public_key}, "answered with InvalidTarget"),
        ({"nonce": 3}, "answered with another nonce"),
        ({"partial_edge_info": PartialEdgeInfo(1, sign_edge(key_of("x"), ME.public_key, 1).signature)}, "wrong"),
    ],
)
def test_answers_that_end_a_dial(changes, reason):
    hand = Core().dialed("b")
    hand.read()
    hand.say(hand.handshake(**changes))
    assert hand.closed.startswith(reason)


def failed(reason, peer="b", addr=None):
    return HandshakeFailure(PeerInfo(key_of(peer).public_key, addr), reason)


@pytest.mark.threat(13)
def test_version_ping_pong_ends():
    core = Core()
    hand = core.dialed("b")
    versions = []
    for _ in range(MAX_HANDSHAKES):
        versions += [message.protocol_version for message in hand.read()]
        hand.say(failed(ProtocolVersionMismatch(51, 40)))
    assert versions == [52, 51, 51]
    assert hand.closed == "it speaks versions 40 to 51"


def versions_sent(core, listener_range, name="b"):
    """The versions of our Handshakes to a listener that takes those of `listener_range`, and the end of the dial."""
    own, oldest = listener_range
    hand, sent = core.dialed(name, dialect="protobuf"), []
    while hand.closed is None and not hand.peer.is_ready:
        (ours,) = hand.told(Handshake)
        assert ours.oldest_supported_version == 80
        sent.append(ours.protocol_version)
        if oldest <= ours.protocol_version <= own:
            hand.say(hand.handshake(ours.partial_edge_info.nonce, protocol_version=ours.protocol_version))
        else:
            hand.say(failed(ProtocolVersionMismatch(own, oldest)))
    return sent, hand


@pytest.mark.parametrize(
    ("listener", "first", "later"),
    [
        ((120, 119), [88, 120], [120]),
        ((84, 80), [88, 84], [84]),
        ((88, 84), [88], [88]),
        ((2**32 - 1, 2**32 - 1), [88, 2**32 - 1], [2**32 - 1]),
    ],
)
def test_the_version_that_worked_is_sent_at_once_later(listener, first, later):
    core = Core()
    sent, hand = versions_sent(core, listener)
    assert (sent, hand.peer.protocol_version) == (first, first[-1])
    core.manager.lost(hand.peer, "gone", core.now)
    core.act()
    core.advance(2)
    assert versions_sent(core, listener)[0] == later
    restarted = Core(core.store)
    assert versions_sent(restarted, listener)[0] == later


def test_a_remembered_version_that_no_longer_works_is_replaced():
    core = Core()
    versions_sent(core, (120, 119))
    moved_on = Core(core.store)
    assert versions_sent(moved_on, (131, 130))[0] == [120, 131], "refused again, it is followed again"
    back = Core(core.store)
    assert versions_sent(back, (88, 84))[0] == [131, 88]
    assert dict(core.store.items("AddressVersion")) == {}, "our own version is not kept"
    assert versions_sent(Core(core.store), (88, 84))[0] == [88]


@pytest.mark.parametrize(
    ("remembered", "pinned", "sent"),
    [(120, [88, 80], 88), (84, [88, 80], 84), (84, [90, 85], 90), (84, [84, 80], 84), (120, "auto", 120)],
)
def test_a_pinned_range_holds_for_remembered_versions_too(remembered, pinned, sent):
    core = Core()
    versions_sent(core, (remembered, remembered))
    again = Core(core.store, nearnet={"protocol_versions": {"protobuf": pinned}})
    (ours,) = again.dialed("b", dialect="protobuf").told(Handshake)
    assert ours.protocol_version == sent


@pytest.mark.threat(13)
def test_a_listener_that_refuses_every_version_is_not_remembered():
    core = Core()
    hand, sent = core.dialed("b", dialect="protobuf"), []
    for version in range(200, 210):
        sent += [ours.protocol_version for ours in hand.told(Handshake)]
        if hand.closed is None:
            hand.say(failed(ProtocolVersionMismatch(version, version)))
    assert sent == [88, 200], "one resend with a version of theirs"
    assert hand.closed.startswith("it speaks versions 201 to 201, above our own 88")
    assert dict(core.store.items("AddressVersion")) == {}


@pytest.mark.threat(13)
def test_a_listener_that_always_names_another_version_gets_three_handshakes():
    hand, sent = Core().dialed("b", dialect="protobuf"), []
    for version in (120, 87, 86, 85):
        sent += [ours.protocol_version for ours in hand.told(Handshake)]
        if hand.closed is None:
            hand.say(failed(ProtocolVersionMismatch(version, version)))
    assert sent == [88, 120, 87]
    assert hand.closed == "it speaks versions 86 to 86"


def test_a_last_edge_keeps_the_version():
    hand = Core().dialed("b", dialect="protobuf")
    hand.read()
    hand.say(failed(ProtocolVersionMismatch(120, 119)))
    (second,) = hand.told(Handshake)
    nonce = second.partial_edge_info.nonce + 100
    hand.say(LastEdge(edge_of(ME, hand.key, nonce)))
    (third,) = hand.told(Handshake)
    assert (second.protocol_version, third.protocol_version) == (120, 120)
    assert third.partial_edge_info.nonce > nonce
    hand.say(hand.handshake(third.partial_edge_info.nonce, protocol_version=120))
    assert hand.peer.is_ready


@pytest.mark.parametrize("version", [80, 84, 88, 99, 2**32 - 1])
def test_a_listener_takes_newer_versions_unless_they_are_pinned(version):
    hand = Core().hand(dialect="protobuf")
    (answer, *_) = hand.shake(protocol_version=version, oldest_supported_version=min(version, 99))
    assert (answer.protocol_version, hand.peer.protocol_version) == (version, version)
    pinned = Core(nearnet={"protocol_versions": {"protobuf": [88, 80]}}).hand(dialect="protobuf")
    (answer, *_) = pinned.shake(protocol_version=version)
    assert pinned.peer.is_ready == (version <= 88)
    if version > 88:
        assert answer.reason == ProtocolVersionMismatch(88, 80)
        assert pinned.closed is None


@pytest.mark.threat(12)
@pytest.mark.parametrize("version", [89, 2**32 - 1])
def test_an_undecodable_handshake_of_an_unknown_version_leaves_the_connection_usable(version):
    core = Core()
    hand = core.hand(dialect="protobuf")
    good = pb.PeerMessage.FromString(hand.dialect.encode(hand.handshake(protocol_version=version)))
    good.tier2_handshake.partial_edge_info.Clear()
    hand.frame(good.SerializeToString())
    (failure,) = hand.read()
    assert failure.reason == ProtocolVersionMismatch(88, 80)
    assert core.manager.context.counters.get(("nearnet_malformed_messages", ""), 0) == 0
    good.tier2_handshake.protocol_version = 88
    hand.frame(good.SerializeToString())
    assert hand.read() == []
    assert core.manager.context.counters["nearnet_malformed_messages", ""] == 1, "of a known version it is malformed"
    hand.shake()
    assert hand.peer.is_ready


def test_no_common_version():
    hand = Core().dialed("b")
    hand.say(failed(ProtocolVersionMismatch(60, 53)))
    assert hand.closed == "it speaks versions 53 to 60"


@pytest.mark.threat(11)
def test_a_genesis_failure_closes_at_once():
    hand = Core().dialed("b")
    hand.say(failed(GenesisMismatch(OTHER_GENESIS)))
    assert hand.closed.startswith("its genesis is other")


@pytest.mark.threat(14)
@pytest.mark.threat(15)
def test_an_invalid_target_moves_the_dialed_address():
    core = Core()
    hand = core.dialed("b")
    hand.say(failed(InvalidTarget(), "c", SocketAddress("6.6.6.6", 6)))
    store = core.manager.peer_store
    assert hand.closed.startswith("another peer lives there")
    assert store.get(key_of("c").public_key).addr == hand.peer.address
    assert describe_failure(failed(InvalidTarget())).startswith("another peer lives there")


@pytest.mark.threat(20)
def test_a_last_edge_is_followed():
    core = Core()
    hand = core.dialed("b")
    hand.read()
    hand.say(LastEdge(edge_of(ME, hand.key, 5)))
    (again,) = hand.read()
    assert again.partial_edge_info.nonce == 7
    hand.say(LastEdge(sign_removal(hand.key, edge_of(ME, hand.key, 7))))
    (again,) = hand.read()
    assert again.partial_edge_info.nonce == 9
    hand.say(LastEdge(edge_of(ME, hand.key, 11)))
    assert hand.closed == "LastEdge that is not ours or not newer", "two on a connection are enough"


@pytest.mark.threat(20)
@pytest.mark.parametrize("which", ["another pair", "forged"])
def test_crafted_last_edges(which):
    hand = Core().dialed("b")
    good = edge_of(ME, hand.key, 5)
    edge = edge_of(key_of("x"), hand.key, 99) if which == "another pair" else type(good)(good[:-10] + b"\1" + good[-9:])
    hand.say(LastEdge(edge))
    assert hand.closed.startswith("LastEdge")


@pytest.mark.threat(24)
@pytest.mark.scenario(71)
def test_tie_break():
    """The connection dialed by the higher id loses."""
    core = Core()
    low, high = sorted((key_of(f"tie {n}") for n in range(50)), key=lambda key: key.public_key)[::49]
    assert low.public_key < ME.public_key < high.public_key
    for key, survives in ((low, True), (high, False)):
        address = SocketAddress("10.0.0.9", 24567)
        core.manager.connect(PeerInfo(key.public_key, address), core.now, "borsh")
        core.act()
        inbound = core.hand(key=key)
        inbound.shake()
        assert inbound.peer.is_ready == survives
    assert core.closed[inbound.peer.id] == "tie break"


def test_tie_break_once_the_dial_has_its_socket():
    core = Core()
    high = max((key_of(f"tie {n}") for n in range(50)), key=lambda key: key.public_key)
    core.manager.connect(PeerInfo(high.public_key, SocketAddress("10.0.0.9", 24567)), core.now, "borsh")
    core.act()
    outbound = core.hand(dial=core.dials[-1], key=high)
    inbound = core.hand(key=high)
    inbound.shake()
    assert inbound.closed == "tie break"
    outbound.say(ready_answer(outbound))
    assert outbound.peer.is_ready


@pytest.mark.scenario(65)
def test_no_dial_to_ourselves():
    core = Core()
    with pytest.raises(PeerRefused, match="this node itself"):
        core.manager.connect(PeerInfo(ME.public_key, SocketAddress("127.0.0.1", 1)), core.now)
