"""Values with keys of ML-DSA-65: their lengths and each cut of their bytes, in both dialects (`network-2026.md` §3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ml_dsa_keys import ODD_KEY, ODD_SIGNATURE
from protobuf_values import accounts, addresses, hashes, u64

from nearnet.errors import Malformed, WireError
from nearnet.keys import CryptoHash, PublicKey, SecretKey, Signature
from nearnet.wire.borsh.dialect import decode_announcement, encode_announcement, read_peer_info
from nearnet.wire.borsh.keys import read_public_key, read_signature
from nearnet.wire.borsh.primitives import KEY, SIGNATURE, Reader
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge, read_edge
from nearnet.wire.edge_layout import MIN_EDGE, ends_of, has_ml_dsa, involves, nonce_of, pair_of
from nearnet.wire.messages import (
    AnnounceAccount,
    HandshakeFailure,
    InvalidTarget,
    PeerInfo,
    PeersResponse,
    Routed,
    RoutedMessage,
    SocketAddress,
    SyncRoutingTable,
)
from nearnet.wire.protobuf.structures import _kept_peer, read_peer, write_peer
from nearnet.wire.routed_body import Ping, Pong, decode_body, encode_body
from nearnet.wire.routed_frame import RoutedFrame, routed_bytes, routed_digest

ED25519, SECP256K1 = SecretKey.from_seed("a"), SecretKey.from_seed("a", "secp256k1")
KEYS = (ED25519.public_key, SECP256K1.public_key, ODD_KEY)
SIGNATURES = (ED25519.sign(bytes(32)), SECP256K1.sign(bytes(32)), ODD_SIGNATURE)
DIALECTS = [dialect_named(name) for name in ("borsh", "protobuf")]
HASH = CryptoHash(bytes(range(32)))
MIXED = [
    Edge.build(a, b, 3, s0, s1, removal)
    for a, b, s0, s1, removal in (
        (KEYS[0], ODD_KEY, SIGNATURES[0], ODD_SIGNATURE, None),
        (ODD_KEY, ODD_KEY, ODD_SIGNATURE, ODD_SIGNATURE, (True, ODD_SIGNATURE)),
        (KEYS[1], ODD_KEY, SIGNATURES[0], SIGNATURES[0], (False, SIGNATURES[1])),
        (KEYS[0], KEYS[1], ODD_SIGNATURE, SIGNATURES[1], None),
    )
]

keys = st.sampled_from(KEYS)
signatures = st.sampled_from(SIGNATURES)
edges = st.builds(Edge.build, keys, keys, u64, signatures, signatures, st.none() | st.tuples(st.booleans(), signatures))
infos = st.builds(PeerInfo, keys, st.none() | addresses, st.none() | accounts)
announcements = st.builds(AnnounceAccount, accounts, keys, hashes, signatures)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_lengths(index):
    assert read_public_key(Reader(KEYS[index])) == KEYS[index]
    assert read_signature(Reader(SIGNATURES[index])) == SIGNATURES[index]
    assert (KEY[index], SIGNATURE[index]) == (len(KEYS[index]), len(SIGNATURES[index]))


@pytest.mark.parametrize("tag", [3, 255])
def test_other_tags_are_malformed(tag):
    data = bytes((tag,)) + bytes(9000)
    for read in (read_public_key, read_signature):
        with pytest.raises(Malformed, match="type of a"):
            read(Reader(data))
    with pytest.raises(Malformed):
        read_edge(data, 0)
    with pytest.raises(Malformed):
        read_edge(ODD_KEY + data, 0)
    with pytest.raises(Malformed):
        RoutedFrame(b"\0" + data, 0)


@given(edges)
def test_edges(edge):
    read, end = read_edge(b"head" + edge + b"tail", 4)
    assert (read, end) == (edge, 4 + len(edge))
    peer0, peer1, nonce, signature0, signature1, removal = edge.parts()
    assert Edge.build(peer0, peer1, nonce, signature0, signature1, removal) == edge
    assert (peer0, peer1) == ends_of(edge) == edge.key
    assert (signature0, signature1) == edge.signatures
    assert (removal, nonce) == (edge.removal, nonce_of(edge))
    assert has_ml_dsa(edge) == has_ml_dsa(pair_of(edge)) == (ODD_KEY in (peer0, peer1))
    assert involves(edge, peer1)


def test_plain_edges_stay_the_only_ones_of_their_length():
    found = [Edge.build(a, b, 1, s0, s1) for a in KEYS for b in KEYS for s0 in SIGNATURES for s1 in SIGNATURES]
    assert [edge.parts()[:2] for edge in found if len(edge) == MIN_EDGE] == [(KEYS[0], KEYS[0])]


@given(st.lists(edges, max_size=5).map(tuple), st.lists(announcements, max_size=3).map(tuple))
def test_tables(some, accounts_told):
    table = SyncRoutingTable(some, accounts_told)
    for dialect in DIALECTS:
        assert dialect.decode(dialect.encode(table)) == table


@given(st.lists(infos, max_size=5).map(tuple))
def test_peer_lists(some):
    for dialect in DIALECTS:
        assert dialect.decode(dialect.encode(PeersResponse(some))) == PeersResponse(some)
    for info in some:
        assert read_peer(write_peer(info)) == info
        failure = HandshakeFailure(info, InvalidTarget())
        assert all(dialect.decode(dialect.encode(failure)) == failure for dialect in DIALECTS)


@given(announcements)
def test_announcements(one):
    assert decode_announcement(encode_announcement(one)) == one


@pytest.mark.threat(4)
@pytest.mark.parametrize("edge", MIXED, ids=["one end", "both ends", "other signatures", "a signature"])
def test_every_cut_of_an_edge(edge):
    for end in range(len(edge)):
        with pytest.raises(Malformed):
            read_edge(edge[:end], 0)


@pytest.mark.threat(4)
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize(
    "message",
    [
        SyncRoutingTable((MIXED[0],), (AnnounceAccount("a.near", ODD_KEY, HASH, ODD_SIGNATURE),)),
        PeersResponse((PeerInfo(ODD_KEY, SocketAddress("1.2.3.4", 5), "a.near"),)),
        Routed(RoutedMessage(ODD_KEY, ODD_KEY, ODD_SIGNATURE, 9, encode_body(Ping(7, ODD_KEY)))),
    ],
    ids=["table", "peers", "routed"],
)
def test_every_cut_of_a_message(dialect, message):
    frame = dialect.encode(message)
    assert dialect.decode(frame) == (message if not isinstance(message, Routed) else dialect.decode(frame))
    for end in range(1, len(frame)):
        try:
            read = dialect.decode(frame[:end])
        except WireError:
            continue
        # A routed message's body fills what is left of its frame, so a cut of it still reads in borsh.
        assert isinstance(message, Routed)
        assert read.message.body != message.message.body


@pytest.mark.parametrize("target", [*KEYS, HASH])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_routed_messages(target, index):
    body = encode_body(Ping(1, ODD_KEY))
    message = RoutedMessage(target, KEYS[index], SIGNATURES[index], 5, body)
    rf = RoutedFrame(b"\x0d" + routed_bytes(message), 1)
    assert rf.message() == message
    assert rf.digest() == routed_digest(message)
    assert rf.has_ml_dsa == (ODD_KEY in (target, KEYS[index]))
    hashed = RoutedMessage(CryptoHash(b"\2" * 32), KEYS[0], SIGNATURES[2], 5, body)
    assert not RoutedFrame(routed_bytes(hashed), 0).has_ml_dsa, "neither a hash nor a signature is a key"


@pytest.mark.parametrize("kind", [Ping, Pong])
def test_sources_of_pings(kind):
    body = kind(7, ODD_KEY)
    assert decode_body(encode_body(body)) == body
    with pytest.raises(Malformed):
        decode_body(encode_body(body)[:-1])


def test_forms_of_peers_with_such_a_key_are_not_kept():
    info = PeerInfo(ODD_KEY, SocketAddress("1.2.3.4", 5), "a.near")
    data = write_peer(info)
    _kept_peer.cache_clear()
    kept = 0
    assert read_peer(data) == info == read_peer_info(Reader(data))
    assert _kept_peer.cache_info().currsize == kept
    longest = PeerInfo(SECP256K1.public_key, SocketAddress("::1", 5), "a" * 64)
    assert read_peer(write_peer(longest)) == longest
    assert _kept_peer.cache_info().currsize == kept + 1


def test_keys_are_values():
    assert isinstance(MIXED[0].peer1, PublicKey)
    assert isinstance(MIXED[0].signature1, Signature)
    assert MIXED[0].other(ODD_KEY) == KEYS[0]
