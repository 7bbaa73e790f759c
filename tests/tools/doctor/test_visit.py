"""Visits to real nodes, and to what is none."""

from __future__ import annotations

import asyncio
import time

import pytest
from doctor_home import KEY, boot_node, place
from network.raw_peer import RawListener, Target

from nearnet import NetworkConfig
from nearnet.config import parse_peer
from nearnet.keys import CryptoHash, SecretKey
from nearnet.tools.doctor.visit import Visit, Visitor
from nearnet.wire.messages import (
    GenesisId,
    Handshake,
    HandshakeFailure,
    PeerInfo,
    ProtocolVersionMismatch,
    SocketAddress,
)

STRANGER = SecretKey.from_seed("stranger")


async def visit(place: str, dialect: str = "auto", key: SecretKey = KEY, **nearnet: object) -> Visit:
    config = NetworkConfig.model_validate({"chain_id": "test", "nearnet": {"dialect": dialect, **nearnet}})
    return await Visitor(config, key, 1, time.time()).visit(parse_peer(place))


@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
async def test_again_and_again_as_the_same(dialect: str) -> None:
    """The node remembers the edge of the last time, and says LastEdge: that is taken up."""
    async with boot_node() as node:
        for _ in range(3):
            seen = await visit(place(node), dialect)
            assert seen.handshake is not None
            assert (seen.dialect, seen.failure, seen.addresses) == (dialect, None, ["127.0.0.1"])
        events = node.events()
        async with asyncio.timeout(10):
            while node.core.peers:
                await anext(events)
        reasons = {event.data.get("reason") for event in node.recent_events if event.kind == "disconnected"}
    assert reasons == {"disconnected by the peer"}, "it said goodbye"


async def test_a_host_name() -> None:
    async with boot_node() as node:
        assert node.addr is not None
        seen = await visit(f"{node.peer_id}@localhost:{node.addr.port}")
    assert seen.handshake is not None
    assert "127.0.0.1" in seen.addresses


async def test_the_operators_word_on_one_peer() -> None:
    async with boot_node() as node:
        seen = await visit(place(node), "auto", peers={str(node.peer_id): {"dialect": "borsh"}})
    assert seen.dialect == "borsh"


@pytest.mark.parametrize(
    ("theirs", "versions", "sent"),
    [
        ((120, 119), "auto", [88, 120]),
        ((84, 80), "auto", [88, 84]),
        ((88, 84), "auto", [88]),
        ((120, 119), [88, 80], [88]),
        ((60, 50), "auto", [88]),
    ],
)
async def test_it_goes_on_with_another_version_as_a_node_does(
    theirs: tuple[int, int], versions: object, sent: list[int]
) -> None:
    seen_versions = []
    target = Target(KEY.public_key, SocketAddress("127.0.0.1", 1), GenesisId("test", CryptoHash(bytes(32))))
    listener = RawListener(target, STRANGER, "protobuf")

    async def answer() -> None:
        peer, hello = await listener.asked()
        while True:
            seen_versions.append(hello.protocol_version)
            if theirs[1] <= hello.protocol_version <= theirs[0]:
                peer.send(peer.handshake(hello.partial_edge_info.nonce, hello.protocol_version))
            else:
                peer.send(HandshakeFailure(PeerInfo(STRANGER.public_key), ProtocolVersionMismatch(*theirs)))
            hello = await peer.receive_kind(Handshake)

    async with listener:
        serving = asyncio.create_task(answer())
        found = await visit(listener.address, "protobuf", protocol_versions={"protobuf": versions})
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert seen_versions == sent
    works = theirs[1] <= sent[-1] <= theirs[0]
    assert (found.handshake is not None, found.failure is None) == (works, works)
    assert not works or found.handshake.protocol_version == sent[-1]


async def test_a_listener_that_refuses_every_version_is_left_after_three() -> None:
    target = Target(KEY.public_key, SocketAddress("127.0.0.1", 1), GenesisId("test", CryptoHash(bytes(32))))
    listener, sent = RawListener(target, STRANGER, "protobuf"), []

    async def answer() -> None:
        peer = await listener.peer()
        for version in (120, 87, 86, 85):
            sent.append((await peer.receive_kind(Handshake)).protocol_version)
            peer.send(HandshakeFailure(PeerInfo(STRANGER.public_key), ProtocolVersionMismatch(version, version)))

    async with listener:
        serving = asyncio.create_task(answer())
        found = await visit(listener.address, "protobuf")
        await asyncio.gather(serving, return_exceptions=True)
    assert sent == [88, 120, 87]
    assert found.failure is not None
    assert found.failure.reason == ProtocolVersionMismatch(86, 86)


async def test_what_is_no_node() -> None:
    """It answers in no dialect, and more than a frame may hold; the visit ends all the same."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"\xff" * 1000)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        seen = await visit(f"{STRANGER.public_key}@127.0.0.1:{port}")
    assert (seen.connected, seen.dialect, seen.handshake) == (True, None, None)
