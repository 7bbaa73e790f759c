"""Rules of the threat table that hold for whatever is drawn, each against the rule in its plainest words."""

from __future__ import annotations

import ipaddress
from array import array

import nacl.bindings
import nacl.exceptions
import pytest
from graph_fakes import Table, edge
from hand import Core, key_of
from hypothesis import given, settings
from hypothesis import strategies as st
from peer_fakes import peer_id

from nearnet.core.gossip.exchange import EdgeIntake
from nearnet.core.routing_table.edge import (
    EdgeCheck,
    NonceJudgement,
    build_edge,
    judge_nonce,
    sign_edge,
    sign_removal,
    verify_edge,
    well_formed,
)
from nearnet.core.routing_table.graph import MAX_NEXT_HOPS, Snapshot, shortest_paths
from nearnet.core.runtime.addresses import may_tell
from nearnet.keys import CryptoHash, SecretKey, check_signature
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import PartialEdgeInfo, RequestUpdateNonce, Routed, RoutedMessage, SocketAddress
from nearnet.wire.routed_body import Opaque, encode_body

U64 = st.integers(0, 2**64 - 1)
BYTES32 = st.binary(min_size=32, max_size=32)
ORDER = 2**252 + 27742317777372353535851937790883648493
A, B = sorted((SecretKey.from_seed(name) for name in "ab"), key=lambda key: key.public_key)
TELLER = Core().ready().peer


@pytest.mark.threat(17, 19)
@given(U64, U64, st.floats(1e9, 3e9))
def test_no_nonce_is_taken_that_leaves_an_edge_without_a_future(nonce, last, wall):
    """Neither a neighbor's Handshake nor its RequestUpdateNonce pushes one far: a counter's jump, or the present."""
    if judge_nonce("borsh", nonce, last, wall, 1000) is NonceJudgement.TAKE:
        assert nonce % 2 == 1
        assert nonce > last
        assert nonce <= last + 1002 or abs(nonce - wall) < 1200


@pytest.mark.threat(19)
@settings(max_examples=40)
@given(U64)
def test_we_never_sign_what_we_would_not_take(nonce):
    core = Core()
    hand = core.ready()
    signed = sign_edge(hand.key, core.manager.peer_id, nonce)
    hand.say(RequestUpdateNonce(PartialEdgeInfo(nonce, signed.signature)))
    core.advance(1)
    edges = [one for one in core.manager.table.edges() if one.involves(hand.id)]
    taken = judge_nonce("borsh", nonce, 1, core.now.wall, 1000) is NonceJudgement.TAKE
    assert {one.nonce for one in edges if one.is_active} <= {1, nonce if taken else 1}
    assert hand.closed is None or nonce % 2 == 0, "a nonce out of range is no offense"


@pytest.mark.threat(32, 34)
@given(
    st.booleans(),
    st.integers(0, 6),
    st.booleans(),
    st.sampled_from(["none", "by peer0", "by peer1", "by another"]),
    st.booleans(),
)
def test_an_edge_holds_only_in_its_one_form(is_sorted, nonce, right_nonce, removal, right_flag):
    first, second = (A, B) if is_sorted else (B, A)
    active = nonce - 1 if nonce % 2 == 0 and nonce else nonce
    signed = active if right_nonce else active + 2
    halves = [sign_edge(one, other.public_key, signed).signature for one, other in ((first, second), (second, first))]
    third = None
    if removal != "none":
        signer = {"by peer0": first, "by peer1": second, "by another": key_of("c")}[removal]
        whole = sign_removal(signer, build_edge(A, B.public_key, max(nonce - 1, 0), halves[0]))
        by_peer0 = (removal == "by peer0") == right_flag
        third = (by_peer0, whole.removal[1])
    made = Edge.build(first.public_key, second.public_key, nonce, *halves, third)
    form = is_sorted and nonce > 0 and (nonce % 2 == 0) == (removal != "none")
    assert well_formed(made) == form
    by_an_end = removal == "none" or (removal in ("by peer0", "by peer1") and right_flag)
    assert verify_edge(made) == (form and right_nonce and by_an_end)


@pytest.mark.threat(38)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(5, 7), st.integers(1, 9)), max_size=30))
def test_of_each_pair_only_the_newest_is_verified(told):
    intake = EdgeIntake(Table().routing)
    newest: dict[tuple[int, int], int] = {}
    for one, other, nonce in told:
        newest[one, other] = max(nonce, newest.get((one, other), 0))
    request = intake.offer([edge(*one) for one in told], TELLER)
    checked = sorted((check.edge.key, check.edge.nonce) for check in (request.checks if request else ()))
    assert checked == sorted(((peer_id(a), peer_id(b)), nonce) for (a, b), nonce in newest.items())
    assert intake.verified_count == sum(EdgeCheck(edge(*pair, nonce)).signature_count for pair, nonce in newest.items())


@pytest.mark.threat(39)
@given(
    st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.sampled_from(["", "s+l", "r", "key"])
)
def test_our_answer_is_libsodiums_but_for_one_word(seed, digest, harm):
    public, secret = nacl.bindings.crypto_sign_seed_keypair(seed)
    signature = bytearray(nacl.bindings.crypto_sign(digest, secret)[:64])
    if harm == "s+l":
        raised = int.from_bytes(signature[32:], "little") + ORDER
        signature[32:] = raised.to_bytes(32, "little")
    elif harm == "r":
        signature[0] ^= 1
    elif harm == "key":
        public = bytes((public[0] ^ 1,)) + public[1:]
    try:
        nacl.bindings.crypto_sign_open(bytes(signature) + digest, public)
        theirs = True
    except nacl.exceptions.BadSignatureError:
        theirs = False
    outcome = check_signature(b"\0" + public, b"\0" + bytes(signature), digest)
    assert (outcome == "valid") == theirs == (harm == "")


@pytest.mark.threat(41)
@given(st.integers(1, 200), st.integers(0, 3))
def test_next_hops_are_at_most_128_neighbors(neighbors, beyond):
    pairs = [(0, one) for one in range(1, neighbors + 1)]
    pairs += [(one, neighbors + 1 + extra) for extra in range(beyond) for one in range(1, neighbors + 1)]
    first, second = (array("I", end) for end in zip(*pairs, strict=True))
    routes = shortest_paths(Snapshot(first, second, bytes([1]) * len(pairs), neighbors + beyond + 1))
    for peer in range(1, neighbors + beyond + 1):
        assert len(routes.next_hops(peer)) <= MAX_NEXT_HOPS == 128
    for extra in range(beyond):
        assert len(routes.next_hops(neighbors + 1 + extra)) == min(neighbors, MAX_NEXT_HOPS)


@pytest.mark.threat(55)
@given(st.integers(0, 36), st.binary(max_size=80), st.integers(0, 255), st.booleans())
def test_a_look_at_the_kind_is_what_the_whole_message_says(index, data, ttl, to_hash):
    target = A.sign(bytes(32))[1:33] if to_hash else A.public_key
    body = encode_body(Opaque(index, data))
    to = CryptoHash(target) if to_hash else target
    message = Routed(RoutedMessage(to, B.public_key, B.sign(bytes(32)), ttl, body))
    dialect = dialect_named("borsh")
    frame = dialect.encode(message)
    peeked = dialect.routed(frame)
    whole = dialect.decode(frame).message
    assert dialect.kind(frame) == "Routed"
    assert (peeked.body_index, peeked.ttl, peeked.target) == (whole.body[0], whole.ttl, whole.target)


@pytest.mark.threat(57)
@given(st.ip_addresses(), st.integers(0, 65535), st.ip_addresses(), st.sampled_from(["auto", True, False]))
def test_no_address_is_taken_that_the_teller_could_not_reach_itself(told, port, teller, allow_private):
    taken = may_tell(SocketAddress(str(told), port), str(teller), allow_private)
    plain = getattr(told, "ipv4_mapped", None) or told
    origin = getattr(teller, "ipv4_mapped", None) or teller
    if port == 0 or plain.is_unspecified or plain.is_multicast:
        assert not taken
    elif allow_private == "auto" and not origin.is_loopback and plain.is_loopback:
        assert not taken, "only our own machine tells of itself"
    elif allow_private is False and isinstance(plain, ipaddress.IPv4Address) and plain.is_private:
        assert not taken
    elif isinstance(plain, ipaddress.IPv4Address) and plain.is_global and not plain.is_reserved:
        assert taken, "a public one from anybody"
