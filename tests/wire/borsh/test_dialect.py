"""Every golden message of the documented era, both ways, and what is none (`wire.md` §4, §5)."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearnet.errors import Malformed, UnknownMessage, Unsupported
from nearnet.keys import CryptoHash, PublicKey, Signature
from nearnet.wire import messages as m
from nearnet.wire.borsh.dialect import (
    STEP,
    BorshDialect,
    at_once,
    decode_announcement,
    decode_edges,
    encode_announcement,
    encode_edges,
    read_peer_info,
    write_peer_info,
)
from nearnet.wire.borsh.primitives import Reader, Writer
from nearnet.wire.edge_bytes import MIN_EDGE, Edge
from tests.vectors_file import vectors

DIALECT = BorshDialect()
MESSAGES = vectors("borsh")["messages"]
ROUTED = vectors("borsh")["routed"]


def by_name(name):
    return DIALECT.decode(bytes.fromhex(next(case["borsh"] for case in MESSAGES if case["name"] == name)))


@pytest.mark.parametrize("case", MESSAGES, ids=lambda case: case["name"])
def test_vectors(case):
    data = bytes.fromhex(case["borsh"])
    message = DIALECT.decode(data)
    assert DIALECT.encode(message) == data
    assert len(data) + 4 == case["frame_length"]
    name = case["name"].split()[0].lstrip("_")
    assert DIALECT.kind(data) == type(message).__name__ == name
    assert DIALECT.routed(data) is None


@pytest.mark.parametrize("case", ROUTED, ids=lambda case: f"{case['body']} {case['ttl']}")
def test_routed_vectors(case):
    data = bytes.fromhex(case["message"])
    message = DIALECT.decode(data)
    assert isinstance(message, m.Routed)
    routed = message.message
    assert str(routed.target) == (case["target_peer"] or case["target_hash"])
    assert isinstance(routed.target, PublicKey) == (case["target_peer"] is not None)
    assert (str(routed.author), str(routed.signature)) == (case["author"], case["signature"])
    assert (routed.ttl, routed.body.hex()) == (int(case["ttl"]), case["body_borsh"])
    assert DIALECT.encode(message) == data


def test_handshake_field_by_field():
    case = next(case for case in MESSAGES if case["name"] == "Handshake ed25519")
    message = DIALECT.decode(bytes.fromhex(case["borsh"]))
    debug = case["debug"]
    assert isinstance(message, m.Handshake)
    assert f"protocol_version: {message.protocol_version}," in debug
    assert f"oldest_supported_version: {message.oldest_supported_version}," in debug
    assert f"sender_peer_id: {message.sender_peer_id}," in debug
    assert f"target_peer_id: {message.target_peer_id}," in debug
    assert f"sender_listen_port: Some({message.sender_listen_port})" in debug
    chain = message.sender_chain_info
    assert f'chain_id: "{chain.genesis_id.chain_id}", hash: `{chain.genesis_id.hash}`' in debug
    assert f"height: {chain.height}, tracked_shards: {list(chain.tracked_shards)}, archival: true" in debug
    assert f"nonce: {message.partial_edge_info.nonce}, signature: {message.partial_edge_info.signature}" in debug
    assert by_name("Handshake no port, default chain").sender_listen_port is None


def test_failures_field_by_field():
    assert by_name("HandshakeFailure version").reason == m.ProtocolVersionMismatch(52, 50)
    assert isinstance(by_name("HandshakeFailure genesis").reason, m.GenesisMismatch)
    assert by_name("HandshakeFailure target").reason == m.InvalidTarget()


@pytest.mark.parametrize("case", [c for c in MESSAGES if "Request" in c["name"] or "Peers" in c["name"]], ids=str)
def test_hashes_and_peers_are_those_of_the_text(case):
    message = DIALECT.decode(bytes.fromhex(case["borsh"]))
    told = re.findall(r"`(\w{43,44})`", case["debug"])
    match message:
        case m.BlockHeadersRequest(hashes):
            assert [str(one) for one in hashes] == told
        case m.BlockRequest(value) | m.EpochSyncRequest(value) | m.EpochSyncFinalizationRequest(value):
            assert [str(value)] == told
        case m.PeersResponse(peers):
            assert [str(peer.id) for peer in peers] == re.findall(r"id: (\w+:\w+)", case["debug"])


@pytest.mark.parametrize("case", vectors("borsh")["announcements"], ids=lambda case: case["account_id"])
def test_announcements(case):
    data = bytes.fromhex(case["borsh"])
    announcement = decode_announcement(data)
    assert announcement.account_id == case["account_id"]
    assert str(announcement.peer_id) == case["peer_id"]
    assert str(announcement.epoch_id) == case["epoch_id"]
    assert str(announcement.signature) == case["signature"]
    assert encode_announcement(announcement) == data
    account_key = PublicKey.from_text(case["account_public_key"])
    assert account_key.verify(bytes.fromhex(case["hash"]), announcement.signature)


@pytest.mark.parametrize("case", vectors("borsh")["peer_infos"], ids=lambda case: case["text"][:20])
def test_peer_infos(case):
    data = bytes.fromhex(case["borsh"])
    info = read_peer_info(Reader(data))
    assert str(info) == case["text"]
    writer = Writer()
    write_peer_info(writer, info)
    assert writer.getvalue() == data


def test_component_edges():
    case = vectors("borsh")["component_edges"]
    data = bytes.fromhex(case["borsh"])
    edges = decode_edges(data)
    assert len(edges) == case["edges"]
    assert encode_edges(edges) == data


@pytest.mark.threat(4)
def test_every_cut_of_every_message():
    """Opaque messages run to the end of the frame, so that a cut of theirs is another message of the kind."""
    opaque = {"BlockHeaders", "Block", "Transaction", "Challenge"}
    for case in MESSAGES:
        data = bytes.fromhex(case["borsh"])
        if DIALECT.kind(data) in opaque:
            continue
        step = max(1, len(data) // 400)
        for end in range(1, len(data), step):
            with pytest.raises(Malformed):
                DIALECT.decode(data[:end])
        with pytest.raises(Malformed, match="left over"):
            DIALECT.decode(data + b"z")


@pytest.mark.threat(4)
def test_every_cut_of_a_routed_header():
    for case in ROUTED[::5]:
        data = bytes.fromhex(case["message"])
        header = len(data) - len(case["body_borsh"]) // 2 + 1
        for end in range(1, header):
            with pytest.raises(Malformed):
                DIALECT.decode(data[:end])


@pytest.mark.threat(3)
@pytest.mark.parametrize("index", [3, 7, 8])
def test_count_beyond_the_frame(index):
    with pytest.raises(Malformed, match="4294967295"):
        DIALECT.decode(bytes((index,)) + b"\xff\xff\xff\xff" + bytes(40))


@pytest.mark.threat(3)
def test_counts_inside():
    with pytest.raises(Malformed, match="4294967295"):
        DIALECT.decode(b"\3\0\0\0\0\xff\xff\xff\xff" + bytes(40))
    handshake = bytearray.fromhex(next(case["borsh"] for case in MESSAGES if case["name"] == "Handshake ed25519"))
    at = handshake.index(b"\3\0\0\0" + bytes(8), 100)
    handshake[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(Malformed, match="4294967295"):
        DIALECT.decode(bytes(handshake))


def test_unknown():
    for frame in (b"\x15", b"\xc8abc", b"\x14"[:0] + b"\xff"):
        assert DIALECT.kind(frame) == "Unknown"
        with pytest.raises(UnknownMessage):
            DIALECT.decode(frame)
    assert DIALECT.kind(b"") == "Unknown"


def test_epoch_sync_answers():
    for message in (m.EpochSyncResponse(b"abc"), m.EpochSyncFinalizationResponse(b""), m.Challenge(b"x")):
        assert DIALECT.decode(DIALECT.encode(message)) == message
    assert DIALECT.encode(m.EpochSyncRequest()) == b"\x11" + bytes(32)


@pytest.mark.threat(12)
def test_version_is_read_before_the_rest():
    assert DIALECT.peek_handshake_version(b"\0\xff\xff\xff\xffwhatever") == 2**32 - 1
    assert DIALECT.peek_handshake_version(b"\0\xff\xff") is None
    assert DIALECT.peek_handshake_version(b"\1\xff\xff\xff\xff") is None


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (b"\1" + bytes(33) + b"\0\0" + b"\3", "no reason"),
        (b"\1" + b"\3" + bytes(40), "type of a public key"),
        (b"\1" + bytes(33) + b"\1\2" + bytes(20), "no IP version"),
        (b"\1" + bytes(33) + b"\2", "no bool"),
        (b"\1" + bytes(33) + b"\0\1\1\0\0\0A\2", "no account id"),
        (b"\4" + bytes(8) + b"\3" + bytes(70), "type of a signature"),
        (b"\4" + bytes(8) + b"\0" + b"\xff" * 64, "top three bits"),
    ],
)
def test_bad_fields(frame, words):
    with pytest.raises(Malformed, match=words):
        DIALECT.decode(frame)


def test_forwarding_changes_the_ttl_alone():
    case = next(case for case in ROUTED if case["ttl"] in (100, "100"))
    data = bytes.fromhex(case["message"])
    routed = DIALECT.routed(data)
    forwarded = DIALECT.forward(routed)
    assert len(forwarded) == len(data)
    assert [at for at in range(len(data)) if data[at] != forwarded[at]] == [routed.ttl_at]
    assert forwarded[routed.ttl_at] == 99
    from nearnet.wire.routed_frame import RoutedFrame

    assert DIALECT.forward(RoutedFrame(b"wrapped" + data[1:], 7)) == forwarded


KEYS = st.one_of(
    st.binary(min_size=32, max_size=32).map(lambda data: PublicKey(b"\0" + data)),
    st.binary(min_size=64, max_size=64).map(lambda data: PublicKey(b"\1" + data)),
)
SIGNATURES = st.one_of(
    st.binary(min_size=63, max_size=63).map(lambda data: Signature(b"\0" + data + b"\x0f")),
    st.binary(min_size=65, max_size=65).map(lambda data: Signature(b"\1" + data)),
)
HASHES = st.binary(min_size=32, max_size=32).map(CryptoHash)
U64 = st.integers(0, 2**64 - 1)
ADDRESSES = st.builds(
    m.SocketAddress,
    st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)),
    st.integers(0, 65535),
)
INFOS = st.builds(m.PeerInfo, KEYS, st.none() | ADDRESSES, st.none() | st.sampled_from(["near", "a-b_c.d", "10-4.8-2"]))
CHAINS = st.builds(
    m.PeerChainInfo,
    st.builds(m.GenesisId, st.text(max_size=30), HASHES),
    U64,
    st.lists(U64, max_size=5).map(tuple),
    st.booleans(),
)
PARTIALS = st.builds(m.PartialEdgeInfo, U64, SIGNATURES)
U32 = st.integers(0, 2**32 - 1)
ANY = st.one_of(
    st.builds(m.Handshake, U32, U32, KEYS, KEYS, st.none() | st.integers(0, 65535), CHAINS, PARTIALS),
    st.builds(m.RequestUpdateNonce, PARTIALS),
    st.builds(m.PeersResponse, st.lists(INFOS, max_size=5).map(tuple)),
    st.builds(
        m.SyncRoutingTable,
        st.just(()),
        st.lists(st.builds(m.AnnounceAccount, st.just("alice.near"), KEYS, HASHES, SIGNATURES), max_size=3).map(tuple),
    ),
    st.builds(
        m.Routed,
        st.builds(
            m.RoutedMessage, st.one_of(KEYS, HASHES), KEYS, SIGNATURES, st.integers(0, 255), st.binary(min_size=1)
        ),
    ),
)


@given(ANY)
def test_round_trip(message):
    assert DIALECT.decode(DIALECT.encode(message)) == message


@given(st.binary(max_size=400))
def test_garbage_is_malformed_or_unknown(data):
    try:
        message = DIALECT.decode(data)
    except (Malformed, UnknownMessage):
        return
    assert DIALECT.encode(message) == data


@pytest.mark.parametrize(
    "message",
    [
        replace(by_name("Handshake ed25519"), tier=1),
        m.Routed(m.RoutedMessage(PublicKey(bytes(33)), PublicKey(bytes(33)), Signature(b""), 1, b"\0")),
        m.SyncAccountsData(),
        m.SyncSnapshotHosts(),
        m.DistanceVector(PublicKey(bytes(33))),
        m.StateRequestHeader(1, CryptoHash(bytes(32))),
        m.StateRequestPart(1, CryptoHash(bytes(32)), 2),
        m.StateResponse(b""),
        m.OptimisticBlock(b"", Signature(bytes(65)), CryptoHash(bytes(32))),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_the_documented_era_has_no_form_of(message):
    assert not DIALECT.can_encode(message)
    with pytest.raises(Unsupported):
        DIALECT.encode(message)


def test_borsh_names_no_trace():
    trace = m.TraceContext(bytes(16), bytes(8))
    assert DIALECT.encode(m.Disconnect(), trace) == DIALECT.encode(m.Disconnect())
    assert DIALECT.trace_context(DIALECT.encode(m.Disconnect())) is None


def test_a_table_in_steps():
    frame = bytes.fromhex(next(case["borsh"] for case in MESSAGES if case["name"] == "SyncRoutingTable"))
    steps = DIALECT.table_in_steps(frame)
    next(steps)
    assert at_once(steps) == DIALECT.decode(frame)


def test_a_table_of_all_kinds_of_edges_and_no_step_too_long():
    """Runs of plain edges, read at once, between others; one that looks plain behind them is not counted in."""
    kinds = [Edge(bytes.fromhex(case["borsh"])) for case in vectors("borsh")["edges"]]
    plain = next(edge for edge in kinds if len(edge) == MIN_EDGE)
    table = [plain] * (STEP - 1) + kinds + [plain] * (2 * STEP) + kinds[::-1] + [plain]
    frame = DIALECT.encode(m.SyncRoutingTable(tuple(table)))
    assert list(DIALECT.decode(frame).edges) == table
    assert len(list(DIALECT.table_in_steps(frame))) >= len(table) // STEP
    behind = encode_edges([plain]) + plain
    with pytest.raises(Malformed):
        decode_edges(behind)
