"""What comes with keys of ML-DSA-65, whose type we do not use: skipped and counted, and the rest of its message kept
(`network-2026.md` §3)."""

import dataclasses

import pytest
from hand import ME, Core, edge_of, key_of
from ml_dsa_keys import ODD_KEY, ODD_SIGNATURE, MlDsaKey, edge_between, verifying
from world import make_config

from nearnet.config.values import parse_peers
from nearnet.core.gossip.exchange import REFUSED_ML_DSA
from nearnet.core.peer.handshake_table import UNSUPPORTED_KEY
from nearnet.core.peer.inbound import LARGE_MESSAGE
from nearnet.core.peer_manager.known_peers import KnownPeerState, PeerStatus, decode_known_peer, encode_known_peer
from nearnet.core.routing_table.edge import EdgeCheck, check_outcome, run_checks, unix_nonce, verify_edge
from nearnet.core.routing_table.edge_table import EdgeRoom, EdgeTable
from nearnet.core.runtime.actions import Write
from nearnet.errors import Malformed, PeerRefused, ReasonForBan, RouteNotFound
from nearnet.keys import CryptoHash, SecretKey, is_ml_dsa
from nearnet.store.base import PEERS
from nearnet.store.memory import MemoryStore
from nearnet.wire.borsh.dialect import decode_edges, encode_edges
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.edge_layout import ends_of, has_ml_dsa
from nearnet.wire.messages import (
    AnnounceAccount,
    Disconnect,
    Handshake,
    HandshakeFailure,
    InvalidTarget,
    OwnedAccount,
    PeerInfo,
    PeersResponse,
    Routed,
    RoutedMessage,
    SignedPayload,
    SocketAddress,
    SyncRoutingTable,
)
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.routed_body import Opaque, Ping, encode_body
from nearnet.wire.routed_frame import routed_digest
from nearnet.wire.signed_payload import sign_payload

BOTH = pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
EITHER_WAY = pytest.mark.parametrize("check", [None, lambda *_: True], ids=["without a library", "with one"])
A, B = MlDsaKey("a"), MlDsaKey("b")
HASH = CryptoHash(bytes(32))


def unsupported(core, kind):
    """How many were counted for messages of that kind."""
    hits = core.manager.context.limits.hits("unsupported_key")
    count = core.manager.context.counters.get(("nearnet_unsupported_keys", kind), 0)
    assert hits == sum(n for (name, _), n in core.manager.context.counters.items() if name.endswith("unsupported_keys"))
    return count


def nonce_for(core, dialect, removed=False):
    nonce = 1 if dialect == "borsh" else unix_nonce(core.now.wall)
    return nonce + 1 if removed else nonce


def spoiled(edge):
    """The same with another first signature of ML-DSA-65, or none of that type."""
    peer0, peer1, nonce, signature0, signature1, removal = edge.parts()
    wrong = [ODD_SIGNATURE if is_ml_dsa(one) else one for one in (signature0, signature1)]
    return Edge.build(peer0, peer1, nonce, *wrong, removal)


# --- edges -----------------------------------------------------------------------------------------


@pytest.mark.interop("ML-DSA-65")
@pytest.mark.threat(31)
@BOTH
def test_without_a_library_such_edges_are_skipped_and_the_others_taken(dialect):
    core = Core()
    hand = core.ready(dialect=dialect)
    nonce = nonce_for(core, dialect)
    x, y, z = key_of("x"), key_of("y"), key_of("z")
    odd = [edge_between(x, A, nonce), edge_between(A, B, nonce), edge_between(y, B, nonce + 1)]
    with verifying(None):
        hand.say(SyncRoutingTable((edge_of(x, y, nonce), *odd, spoiled(odd[0]), edge_of(y, z, nonce))))
        core.advance(2)
    table = core.manager.table
    assert unsupported(core, "SyncRoutingTable") == 4
    assert [table.get(*edge.key) for edge in odd] == [None] * 3
    assert table.get(x.public_key, y.public_key) == edge_of(x, y, nonce)
    assert table.get(y.public_key, z.public_key) == edge_of(y, z, nonce)
    assert core.manager.intake.verified_count == 4, "nothing is verified of those that are skipped"
    assert (hand.closed, hand.ban) == (None, None)


@pytest.mark.interop("ML-DSA-65")
@BOTH
def test_with_a_library_such_edges_are_verified_and_taken(dialect):
    core = Core()
    hand = core.ready(dialect=dialect)
    nonce = nonce_for(core, dialect)
    x = key_of("x")
    odd = [edge_between(hand.key, A, nonce), edge_between(A, B, nonce), edge_between(x, B, nonce + 1, B)]
    hand.say(SyncRoutingTable((*odd, edge_of(hand.key, x, nonce))))
    core.advance(2)
    table = core.manager.table
    assert [table.get(*edge.key) for edge in odd] == odd
    assert table.ml_dsa_count == 3
    assert table.next_hops(B.public_key) == (hand.id,)
    assert unsupported(core, "SyncRoutingTable") == 0
    assert hand.closed is None


@pytest.mark.threat(31)
@EITHER_WAY
def test_such_an_edge_that_does_not_hold_is_dropped_without_a_ban(check):
    core = Core()
    hand = core.ready()
    x, y = key_of("x"), key_of("y")
    good = edge_between(x, A)
    wrong_ed25519 = Edge.build(*good.key, 1, key_of("z").sign(bytes(32)), good.signature1)
    turned = Edge.build(good.peer1, good.peer0, 1, good.signature1, good.signature0)
    some = (spoiled(good), wrong_ed25519, turned, edge_of(x, y))
    if check is None:
        hand.say(SyncRoutingTable(some))
    else:
        with verifying(lambda *_: False):
            hand.say(SyncRoutingTable((good, *some)))
    core.advance(2)
    assert core.manager.table.get(*good.key) is None
    assert core.manager.table.get(x.public_key, y.public_key) == edge_of(x, y)
    assert (hand.closed, hand.ban) == (None, None)


@pytest.mark.threat(35)
def test_a_neighbor_whose_edges_do_not_hold_has_no_more_of_them_checked():
    core = Core()
    hand, honest = core.ready(), core.ready("honest")
    some = tuple(spoiled(edge_between(key_of(f"x {n}"), A)) for n in range(REFUSED_ML_DSA + 20))
    checked = []
    with verifying(lambda *_: checked.append(1)):
        for edge in some:
            hand.say(SyncRoutingTable((edge, edge_of(key_of("x"), key_of("y")))))
            core.advance(0.1)
    assert len(checked) == REFUSED_ML_DSA
    assert unsupported(core, "SyncRoutingTable") == 20
    assert core.manager.table.get(key_of("x").public_key, key_of("y").public_key) is not None
    good = edge_between(key_of("x"), B)
    hand.say(SyncRoutingTable((good,)))
    core.advance(1)
    assert core.manager.table.get(*good.key) is None
    honest.say(SyncRoutingTable((good,)))
    core.advance(1)
    assert core.manager.table.get(*good.key) == good, "others are not concerned"
    assert (hand.closed, hand.ban) == (None, None)


@pytest.mark.threat(31)
@EITHER_WAY
def test_a_forged_edge_beside_such_edges_still_bans(check):
    core = Core()
    hand = core.ready()
    x, y = key_of("x"), key_of("y")
    forged = Edge.build(*sorted((x.public_key, y.public_key)), 1, x.sign(bytes(32)), y.sign(bytes(32)))
    with verifying(check):
        hand.say(SyncRoutingTable((edge_between(x, A), forged, edge_between(x, B))))
        core.advance(1)
    assert hand.ban is ReasonForBan.INVALID_EDGE


@pytest.mark.threat(31)
@BOTH
def test_a_signature_of_such_a_key_on_an_edge_of_others_is_forged(dialect):
    core = Core()
    hand = core.ready(dialect=dialect)
    x, y = key_of("x"), key_of("y")
    good = edge_of(x, y, nonce_for(core, dialect))
    hand.say(SyncRoutingTable((Edge.build(*good.key, good.nonce, ODD_SIGNATURE, good.signature1),)))
    core.advance(1)
    assert hand.ban is ReasonForBan.INVALID_EDGE
    assert unsupported(core, "SyncRoutingTable") == 0


def test_checks_of_edges_in_order():
    x, y, secp = key_of("x"), key_of("y"), SecretKey.from_seed("s", "secp256k1")
    plain, mixed, both, removed = edge_of(x, y), edge_between(secp, A), edge_between(A, B), edge_between(A, B, 2)
    forged = Edge.build(*plain.key, 1, x.sign(bytes(32)), y.sign(bytes(32)))
    no_edge = Edge.build(mixed.peer1, mixed.peer0, 1, mixed.signature1, mixed.signature0)

    def outcomes(*edges):
        return run_checks(1, [EdgeCheck(edge) for edge in edges]).outcomes

    assert outcomes(mixed, plain, both, removed) == ("valid",) * 4
    assert outcomes(spoiled(mixed), plain, no_edge, both) == ("strict", "valid", "strict", "valid")
    assert outcomes(both, forged, both, plain) == ("valid", "forged")
    assert outcomes(plain, spoiled(both)) == ("valid", "strict")
    active = Edge.build(*removed.key, 1, *removed.signatures)
    assert check_outcome(EdgeCheck(removed, active)) == check_outcome(EdgeCheck(removed, both)) == "valid"
    assert [EdgeCheck(removed, known).signature_count for known in (active, both)] == [1, 3]
    with verifying(None):
        assert outcomes(mixed, plain, both) == ("strict", "valid", "strict")
        assert not verify_edge(both)
    assert [EdgeCheck(edge).signature_count for edge in (mixed, both, removed, no_edge)] == [2, 2, 3, 0]
    checked = []
    with verifying(lambda *_: not checked.append(1)):
        assert outcomes(Edge.build(*mixed.key, 1, secp.sign(bytes(32)), mixed.signature1)) == ("strict",)
    assert checked == [], "the cheap signature is looked at first"


# --- how many edges --------------------------------------------------------------------------------


def test_the_table_knows_how_many_it_holds():
    table = EdgeTable(ME.public_key)
    odd, plain = edge_between(A, B), edge_of(key_of("x"), key_of("y"))
    slots = [table.insert(edge, ends_of(edge)) for edge in (odd, plain)]
    assert table.ml_dsa_count == 1
    assert table.replace(slots[0], edge_between(A, B, 3))
    assert table.ml_dsa_count == 1
    table.remove(slots[1])
    assert table.ml_dsa_count == 1
    table.remove(slots[0])
    assert table.ml_dsa_count == 0


def test_room_for_such_edges():
    core = Core()
    limits, counters = core.manager.context.config.nearnet.limits, core.manager.context.limits
    assert limits.ml_dsa_edges == 5000
    table = EdgeTable(ME.public_key)
    room = EdgeRoom(limits.model_copy(update={"ml_dsa_edges": 1}), table, counters)
    odd, plain = edge_between(A, B), edge_of(key_of("x"), key_of("y"))
    assert room.for_key_type(odd)
    assert room.for_key_type(plain)
    slot = table.insert(odd, ends_of(odd))
    assert not room.for_key_type(edge_between(key_of("x"), A))
    assert room.for_key_type(plain)
    assert counters.hits("ml_dsa_edges") == 1
    table.remove(slot)
    assert room.for_key_type(odd)


def test_beyond_the_limit_they_are_skipped_until_some_have_gone():
    core = Core(nearnet={"limits": {"ml_dsa_edges": 2}})
    hand = core.ready()
    spokes = [edge_between(key_of(f"spoke {n}"), A) for n in range(4)]
    hand.say(SyncRoutingTable((*spokes, edge_of(key_of("x"), key_of("y")))))
    core.advance(2)
    table = core.manager.table
    assert [table.get(*edge.key) is not None for edge in spokes] == [True, True, False, False]
    assert table.get(key_of("x").public_key, key_of("y").public_key) is not None
    assert core.manager.context.limits.hits("ml_dsa_edges") == 2
    newer = edge_between(key_of("spoke 0"), A, 3)
    hand.say(SyncRoutingTable((newer, spokes[3])))
    core.advance(1)
    assert table.get(*newer.key) == newer, "one that is held may be replaced"
    assert core.manager.context.limits.hits("ml_dsa_edges") == 3, "the other was not even verified"
    assert core.manager.intake.verified_count == 4 * 2 + 2 + 2
    table.forget(range(len(table.slots)), lambda edge: not has_ml_dsa(edge))
    assert table.ml_dsa_count == 0
    hand.say(SyncRoutingTable((spokes[3],)))
    core.advance(1)
    assert table.get(*spokes[3].key) == spokes[3]
    assert hand.closed is None


def test_what_comes_back_from_disk_finds_room_too():
    core, table, (a, b) = stored_component(("A", "B"))
    assert table.ml_dsa_count == 0
    extra = edge_between(key_of("w"), a)
    with verifying(lambda *_: True):
        core.ready("w").say(SyncRoutingTable((extra,)))
        core.advance(1)
    assert table.ml_dsa_count == 1
    assert table.get(a.public_key, b.public_key) is not None, "it has come back"
    assert table.get(*extra.key) is None, "and left no room for what brought it back"
    assert core.manager.context.limits.hits("ml_dsa_edges") == 1


def test_what_comes_back_from_disk_and_finds_no_room_is_let_go():
    core, table, (a, b) = stored_component(("A", "B"))
    table.add([edge_between(key_of("w"), MlDsaKey("C"))], key_of("w").public_key, core.now)
    assert table.ml_dsa_count == 1
    table.add([edge_of(key_of("w"), key_of("v"))], None, core.now)
    plain_end = edge_between(key_of("v"), a)
    table.add([plain_end], key_of("w").public_key, core.now)
    assert table.ml_dsa_count == 1
    assert table.get(a.public_key, b.public_key) is None
    assert core.manager.context.limits.hits("ml_dsa_edges") == 2


def stored_component(names):
    """A core with room for one such edge, whose disk has the edge of two keys of these names."""
    one, two = (MlDsaKey(name) for name in names)
    core = Core(nearnet={"limits": {"ml_dsa_edges": 1}})
    table = core.manager.table
    table.add([edge_between(one, two)], None, core.now)
    core.advance(8000)
    assert table.get(one.public_key, two.public_key) is None
    assert table.components.edge_between(one.public_key, two.public_key) is not None
    return core, table, (one, two)


# --- announcements, peers --------------------------------------------------------------------------


@pytest.mark.interop("ML-DSA-65")
@EITHER_WAY
@BOTH
def test_announcements_with_such_a_key_are_skipped(dialect, check):
    core = Core()
    hand = core.ready(dialect=dialect)
    signature = key_of("v").sign(bytes(32))
    good = AnnounceAccount("good.near", key_of("x").public_key, HASH, signature)
    odd = (
        AnnounceAccount("odd.near", A.public_key, HASH, signature),
        AnnounceAccount("signed.near", key_of("x").public_key, HASH, ODD_SIGNATURE),
    )
    with verifying(check):
        hand.say(SyncRoutingTable((), (*odd, good)))
    assert core.manager.announcements.all() == [good]
    assert unsupported(core, "SyncRoutingTable") == 2
    assert hand.peer.is_ready


@pytest.mark.interop("ML-DSA-65")
@BOTH
def test_peers_with_such_a_key_are_skipped(dialect):
    core = Core(nearnet={"limits": {"allow_private": True}})
    hand = core.ready(dialect=dialect)
    good = PeerInfo(key_of("x").public_key, SocketAddress("10.0.0.9", 24567))
    hand.say(PeersResponse((PeerInfo(ODD_KEY, SocketAddress("10.0.0.8", 24567)), good, PeerInfo(A.public_key))))
    store = core.manager.peer_store
    assert store.get(good.id) is not None
    assert store.get(ODD_KEY) is store.get(A.public_key) is None
    assert unsupported(core, "PeersResponse") == 2
    assert hand.peer.is_ready


def test_the_peer_store_takes_none_and_dials_none():
    core = Core(outbound_disabled=False)
    store, address = core.manager.peer_store, SocketAddress("10.0.0.8", 24567)
    info = PeerInfo(ODD_KEY, address)
    assert store.add_indirect([info], "10.0.0.1", core.now) == 0
    assert not store.add_direct(info, core.now)
    core.manager.ban(ODD_KEY, ReasonForBan.ABUSIVE, core.now)
    core.manager.unban(ODD_KEY, core.now)
    known = store.get(ODD_KEY)
    assert known.status is PeerStatus.NOT_CONNECTED
    known.host = "example.org:24567"
    assert not store.may_dial(known)


def test_a_command_to_dial_such_a_peer_is_refused():
    core = Core()
    with pytest.raises(PeerRefused, match=r"cannot dial ml-dsa-65:.*: expected a key of ed25519 or secp256k1"):
        core.manager.connect(PeerInfo(ODD_KEY, SocketAddress("10.0.0.8", 24567)), core.now)
    assert core.dials == []


def test_such_boot_nodes_are_a_config_error():
    text = f"{ODD_KEY}@10.0.0.8:24567"
    for field in ("boot_nodes",):
        with pytest.raises(Exception, match="cannot dial ml-dsa-65"):
            make_config(**{field: text})
    with pytest.raises(Exception, match="cannot dial ml-dsa-65"):
        make_config(nearnet={"persistent_peers": text})
    assert parse_peers(text, need_place=False)[0].info.id == ODD_KEY, "a list of whom to let in may name it"


# --- handshakes ------------------------------------------------------------------------------------


@pytest.mark.interop("ML-DSA-65")
@EITHER_WAY
@BOTH
def test_a_handshake_of_such_a_sender_is_refused_without_a_ban(dialect, check):
    core = Core()
    hand = core.hand(ip="9.9.9.9", dialect=dialect)
    with verifying(check):
        told = hand.shake(sender_peer_id=A.public_key)
    assert told == ([Disconnect(True)] if dialect == "protobuf" else [])
    assert hand.closed == UNSUPPORTED_KEY
    assert unsupported(core, "Handshake") == 1
    assert core.manager.peer_store.get(A.public_key) is None
    assert core.manager.accept(SocketAddress("9.9.9.9", 1), core.now) is not None, "the address does not cool down"


@BOTH
def test_a_signature_of_such_a_key_does_not_make_a_handshake(dialect):
    core = Core()
    hand = core.hand(dialect=dialect)
    partial = dataclasses.replace(hand.handshake().partial_edge_info, signature=ODD_SIGNATURE)
    hand.shake(partial_edge_info=partial)
    assert hand.closed == "wrong handshake signature"


@pytest.mark.interop("ML-DSA-65")
@pytest.mark.parametrize("place", ["account_key", "peer_id", "signature"])
def test_an_owned_account_with_such_a_key_is_ignored(place):
    core = Core()
    hand = core.hand(dialect="protobuf")
    account = key_of("account")
    owned = OwnedAccount(account.public_key, hand.id, (int(core.now.wall), 0))
    if place != "signature":
        owned = dataclasses.replace(owned, **{place: ODD_KEY})
    signed = sign_payload(owned, account)
    if place == "signature":
        signed = SignedPayload(signed.payload, ODD_SIGNATURE)
    assert any(isinstance(one, Handshake) for one in hand.shake(owned_account=signed))
    assert hand.peer.is_ready
    assert hand.peer.account_key is None
    assert unsupported(core, "Handshake") == 1


@BOTH
def test_a_failure_that_names_such_a_peer_is_not_stored(dialect):
    core = Core()
    hand = core.dialed("a", dialect=dialect)
    hand.say(HandshakeFailure(PeerInfo(ODD_KEY, SocketAddress("10.0.0.8", 24567)), InvalidTarget()))
    assert hand.closed is not None
    assert core.manager.peer_store.get(ODD_KEY) is None
    assert unsupported(core, "HandshakeFailure") == 1


# --- routed messages -------------------------------------------------------------------------------


def in_field_37(message):
    """A frame; a Ping is body 5 of tier 2."""
    target = pb.PeerIdOrHash(peer_id=pb.PublicKey(borsh=message.target))
    routed = pb.RoutedMessageV3(
        target=target,
        author=pb.PublicKey(borsh=message.author),
        ttl=message.ttl,
        borsh_body=b"\1\5" + message.body[1:],
        signature=pb.Signature(borsh=message.signature),
    )
    return pb.PeerMessage(routed_v3=routed).SerializeToString()


@pytest.mark.interop("ML-DSA-65")
@EITHER_WAY
@pytest.mark.parametrize("form", ["borsh", "field 17", "field 37"])
@pytest.mark.parametrize("place", ["author", "target", "both", "author, for us"])
def test_routed_messages_with_such_a_key_are_dropped_without_a_penalty(form, place, check):
    core = Core()
    hand = core.ready(dialect="borsh" if form == "borsh" else "protobuf")
    other = core.ready("other", dialect=hand.dialect.name)
    author = A if place != "target" else hand.key
    target = {"author": other.id, "author, for us": ME.public_key}.get(place, B.public_key)
    unsigned = RoutedMessage(target, author.public_key, ODD_SIGNATURE, 9, encode_body(Ping(1, author.public_key)))
    message = dataclasses.replace(unsigned, signature=author.sign(routed_digest(unsigned)))
    wrong = dataclasses.replace(message, signature=author.sign(bytes(32)))
    with verifying(check):
        for one in (message, wrong, message):
            hand.frame(in_field_37(one) if form == "field 37" else hand.dialect.encode(Routed(one)))
    assert core.manager.routed.drops == {("Ping", "UnsupportedKey"): 3}
    assert other.told(Routed) == hand.told(Routed) == []
    assert core.manager.routed.delivered == {}
    assert hand.peer.is_ready
    assert len(hand.peer.routed_cache) == 0, "its long header is not remembered"


def test_large_routed_messages_with_such_a_key_are_dropped_too():
    core = Core()
    hand = core.ready()
    body = encode_body(Opaque(16, bytes(LARGE_MESSAGE)))
    hand.say(Routed(RoutedMessage(ME.public_key, A.public_key, ODD_SIGNATURE, 9, body)))
    core.advance(1)
    assert core.manager.routed.drops == {("VersionedPartialEncodedChunk", "UnsupportedKey"): 1}
    assert hand.peer.is_ready


@BOTH
def test_a_signature_of_such_a_key_on_a_routed_message_of_another_is_forged(dialect):
    core = Core()
    hand = core.ready(dialect=dialect)
    body = encode_body(Ping(1, hand.id))
    hand.say(Routed(RoutedMessage(ME.public_key, hand.id, ODD_SIGNATURE, 9, body)))
    assert hand.ban is ReasonForBan.INVALID_SIGNATURE


def test_nothing_is_sent_to_such_a_peer():
    core = Core()
    with pytest.raises(RouteNotFound, match="ml-dsa-65"):
        core.manager.routed.send(ODD_KEY, encode_body(Ping(1, ME.public_key)), core.now)
    assert core.manager.routed.drops == {("Ping", "UnsupportedKey"): 1}


# --- the store -------------------------------------------------------------------------------------


def test_stored_rows_with_such_keys_read():
    info = PeerInfo(ODD_KEY, SocketAddress("10.0.0.8", 24567))
    state = KnownPeerState(info, PeerStatus.UNKNOWN, 10**9, 2 * 10**9)
    row = encode_known_peer(state)
    assert decode_known_peer(row) == state
    for end in range(len(row)):
        with pytest.raises(Malformed):
            decode_known_peer(row[:end])
    edges = (edge_between(A, B), edge_between(key_of("x"), A, 2))
    data = encode_edges(edges)
    assert decode_edges(data) == edges
    for end in range(0, len(data), 7):
        with pytest.raises(Malformed):
            decode_edges(data[:end])


def test_a_stored_peer_with_such_a_key_is_not_dialed():
    store = MemoryStore()
    info = PeerInfo(ODD_KEY, SocketAddress("10.0.0.8", 24567))
    now = int(Core().now.wall * 1e9)
    good = PeerInfo(key_of("x").public_key, SocketAddress("10.0.0.9", 24567))
    for one in (info, good):
        row = encode_known_peer(KnownPeerState(one, PeerStatus.NOT_CONNECTED, now, now))
        store.commit([Write(PEERS, one.id, row)])
    core = Core(store=store, outbound_disabled=False)
    core.advance(60)
    assert {dial.peer.id for dial in core.dials} == {good.id}
