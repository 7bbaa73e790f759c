"""Hostile clients against one core, byte by byte and second by second (`threats.md`)."""

from __future__ import annotations

import pytest
from replay import CLOSED, Replay, load

from nearnet.core.routing_table.edge import build_edge, edge_digest, sign_edge
from nearnet.keys import CryptoHash, PublicKey, SecretKey
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import (
    GenesisId,
    Handshake,
    HandshakeFailure,
    LastEdge,
    Message,
    PeerChainInfo,
    PeerInfo,
    PeersResponse,
    ProtocolVersionMismatch,
    SocketAddress,
    SyncRoutingTable,
)

BORSH = dialect_named("borsh")
RECORDING = load("transcripts-borsh.json.gz")
NODE = SecretKey.from_seed(RECORDING["node_seed"])
ME = NODE.public_key
KEY = SecretKey.from_seed("hostile")


def _handshake(key: SecretKey = KEY, nonce: int = 1, version: int = 52) -> bytes:
    info = PeerChainInfo(GenesisId(RECORDING["chain_id"], CryptoHash(bytes(32))), 1, (), False)
    return BORSH.encode(Handshake(version, version, key.public_key, ME, 30_000, info, sign_edge(key, ME, nonce)))


def _edge(a: SecretKey, b: SecretKey, nonce: int) -> Edge:
    return build_edge(a, b.public_key, nonce, b.sign(edge_digest(a.public_key, b.public_key, nonce)))


@pytest.fixture
def node() -> Replay:
    return Replay(RECORDING)


def _ready(node: Replay, number: int = 0, key: SecretKey = KEY) -> None:
    node.open(number)
    node.send(number, _handshake(key))
    assert isinstance(_told(node, number)[0], Handshake)


def _dialed(node: Replay, number: int = 0) -> None:
    node.core.connect(PeerInfo(KEY.public_key, SocketAddress("127.0.0.1", 30_000)), node.now, "borsh")
    node.advance(node.now.mono)
    node.answer_dial(number)


def _told(node: Replay, number: int) -> list[Message]:
    return [BORSH.decode(frame) for frame in node.answers[number] if frame != CLOSED]


@pytest.mark.threat(7)
def test_a_slow_handshake_ends_at_the_timeout(node: Replay) -> None:
    node.open(0)
    begun = node.now.mono
    data = len(_handshake()).to_bytes(4, "little") + _handshake()
    for second in range(19):
        node.advance(begun + second)
        node.send_bytes(0, data[second : second + 1])
    node.advance(begun + 19.9)
    assert node.closed == {}
    node.advance(begun + 20.1)
    assert list(node.closed) == [0]


@pytest.mark.threat(8)
def test_a_frame_that_trickles_in_stalls(node: Replay) -> None:
    _ready(node)
    begun = node.now.mono
    node.send_bytes(0, (100_000).to_bytes(4, "little"))
    for second in range(1, 60):
        node.advance(begun + second)
        node.send_bytes(0, b"\x0b")
    assert node.closed == {}
    node.advance(begun + 62)
    assert node.closed == {0: "stalled"}


@pytest.mark.threat(13)
def test_a_listener_answers_every_version_until_the_timeout(node: Replay) -> None:
    node.open(0)
    for _ in range(30):
        node.send(0, _handshake(version=49))
    assert [type(message) for message in _told(node, 0)] == [HandshakeFailure] * 30
    node.advance(node.now.mono + 21)
    assert list(node.closed) == [0]


@pytest.mark.threat(13)
def test_a_dialer_tries_twice_more(node: Replay) -> None:
    _dialed(node)
    failure = HandshakeFailure(PeerInfo(KEY.public_key), ProtocolVersionMismatch(51, 50))
    for _ in range(10):
        node.send(0, BORSH.encode(failure))
    assert [type(message) for message in _told(node, 0)] == [Handshake] * 3
    assert list(node.closed) == [0]


@pytest.mark.threat(20)
@pytest.mark.parametrize(
    "edge",
    [
        pytest.param(_edge(KEY, SecretKey.from_seed("another"), 10**6 + 1), id="another pair"),
        pytest.param(build_edge(KEY, ME, 2**62 + 1, KEY.sign(bytes(32))), id="forged"),
    ],
)
def test_a_crafted_last_edge_closes(node: Replay, edge: Edge) -> None:
    _dialed(node)
    node.send(0, BORSH.encode(LastEdge(edge)))
    assert len(_told(node, 0)) == 1, "no nonce of theirs is signed"
    assert list(node.closed) == [0]


@pytest.mark.threat(21)
def test_a_recorded_handshake_is_refused(node: Replay) -> None:
    _ready(node)
    node.end(0)
    node.open(1)
    node.send(1, _handshake())
    assert [type(message) for message in _told(node, 1)] == [LastEdge]


@pytest.mark.threat(43)
def test_an_edge_of_ours_without_a_connection_is_removed(node: Replay) -> None:
    _ready(node)
    node.advance(node.now.mono + 3)
    stranger = SecretKey.from_seed("stranger")
    node.send(0, BORSH.encode(SyncRoutingTable((_edge(NODE, stranger, 7),))))
    told = node.now.mono

    def removals() -> list[Edge]:
        tables = [message for message in _told(node, 0) if isinstance(message, SyncRoutingTable)]
        return [edge for table in tables for edge in table.edges if edge.involves(stranger.public_key)]

    node.advance(told + 5.9)
    assert removals() == []
    node.advance(told + 7)
    assert [edge.nonce for edge in removals()] == [8]


@pytest.mark.threat(56)
def test_a_huge_list_of_peers_bans_and_is_not_taken(node: Replay) -> None:
    _ready(node)
    known = len(node.core.peer_store)
    peers = [PeerInfo(PublicKey(b"\0" + n.to_bytes(32, "big")), SocketAddress("127.0.0.1", n)) for n in range(1, 514)]
    node.send(0, BORSH.encode(PeersResponse(tuple(peers))))
    assert list(node.closed) == [0]
    assert node.core.peer_store.is_banned(KEY.public_key)
    assert len(node.core.peer_store) == known


@pytest.mark.threat(53)
def test_requests_for_peers_are_answered_three_times(node: Replay) -> None:
    _ready(node)
    for _ in range(10):
        node.send(0, b"\x06")
    assert sum(isinstance(message, PeersResponse) for message in _told(node, 0)) == 3
    node.advance(node.now.mono + 10)
    node.send(0, b"\x06")
    assert sum(isinstance(message, PeersResponse) for message in _told(node, 0)) == 4
