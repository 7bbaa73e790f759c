"""Protocol versions over real sockets (`network-2026.md` §1): a network that has moved on, and nodes that have not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from network.cluster import QUICK, Cluster
from network.raw_peer import RawListener, RawPeer, framed

from nearnet import NetworkConfig, Node
from nearnet.api import views
from nearnet.api.network_metrics import network_metrics
from nearnet.errors import PeerRefused
from nearnet.keys import SecretKey
from nearnet.store.base import ADDRESS_VERSION
from nearnet.store.opening import open_store
from nearnet.wire.messages import Handshake, HandshakeFailure, PeerInfo, ProtocolVersionMismatch
from nearnet.wire.protobuf import network_pb2 as pb

NEW = "protobuf"


def config_of(**nearnet: Any) -> NetworkConfig:
    """A node that speaks protobuf and dials by command alone."""
    network = {"addr": "127.0.0.1:0", "experimental": {"network_config_overrides": {"outbound_disabled": True}}}
    own = {"dialect": NEW, "timing": QUICK, "limits": {"loop_stall": 60.0}, **nearnet}
    return NetworkConfig.model_validate({"chain_id": "test", "network": network, "nearnet": own})


def refuse(peer: RawPeer, version: int, oldest: int) -> None:
    peer.send(HandshakeFailure(PeerInfo(peer.key.public_key), ProtocolVersionMismatch(version, oldest)))


async def serve(listener: RawListener, version: int, oldest: int) -> list[tuple[int, int]]:
    """Speak these versions only on the next connection; each Handshake's version and oldest, up to the accepted one."""
    peer, hello = await listener.asked()
    seen = [(hello.protocol_version, hello.oldest_supported_version)]
    while not oldest <= hello.protocol_version <= version:
        refuse(peer, version, oldest)
        hello = await peer.receive_kind(Handshake)
        seen.append((hello.protocol_version, hello.oldest_supported_version))
    peer.send(peer.handshake(hello.partial_edge_info.nonce, hello.protocol_version, oldest))
    return seen


def metrics(node: Node) -> dict[str, float]:
    """The metrics without labels."""
    return {name: samples[0][1] for name, _, _, samples in network_metrics(node) if samples and not samples[0][0]}


@pytest.mark.interop("versions")
async def test_a_listener_of_119_to_120_is_followed_and_remembered_over_a_restart(tmp_path: Any) -> None:
    path, key = tmp_path / "data" / "nearnet.sqlite", SecretKey.from_seed("restarted")
    node = Node(config_of(store=str(path)), key=key)
    async with node:
        listener = RawListener(node, dialect=NEW)
        await listener.__aenter__()
        dial = asyncio.create_task(node.connect(listener.address))
        assert await serve(listener, 120, 119) == [(88, 80), (120, 80)]
        await dial
        (told,) = views.peers(node)
        assert (told["direction"], told["protocol_version"]) == ("outbound", 120)
        (moved,) = [event for event in node.recent_events if event.kind == "network_moved_on"]
        assert dict(moved.data) == {"version": 120, "oldest": 119, "own": 88}
        watched = views.status(node, None, 0.0, 1.0)["nearnet"]["protocol"]
        assert (watched["state"], watched["newest_announced"]) == ("warning", 120)
        assert metrics(node)["nearnet_newest_protocol_version"] == 120
        assert metrics(node)["nearnet_protocol_status"] == 1
        await node.stored()
    store = open_store(path, listener.target.genesis)
    assert dict(store.items(ADDRESS_VERSION)) == {f"127.0.0.1:{listener.port}".encode(): b"\x78\0\0\0"}
    store.close()
    async with Node(config_of(store=str(path)), key=key) as again:
        dial = asyncio.create_task(again.connect(listener.address))
        assert await serve(listener, 120, 119) == [(120, 80)], "no round trip more"
        await dial
    await listener.__aexit__(None, None, None)


@pytest.mark.interop("versions")
async def test_a_listener_that_keeps_refusing_gets_three_handshakes_at_most() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(config_of())
        async with RawListener(node, dialect=NEW) as listener:
            dial = asyncio.create_task(node.connect(listener.address))
            raw = await listener.peer()
            sent = []
            for version in (120, 87, 86):
                sent.append((await raw.receive_kind(Handshake)).protocol_version)
                refuse(raw, version, version)
            assert not any(isinstance(message, Handshake) for message in await raw.rest())
            assert sent == [88, 120, 87]
            with pytest.raises(PeerRefused, match="versions 86 to 86"):
                await dial


async def test_a_pinned_pair_never_follows_and_says_what_to_do() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(config_of(protocol_versions={NEW: [88, 80]}))
        async with RawListener(node, dialect=NEW) as listener:
            dial = asyncio.create_task(node.connect(listener.address))
            raw = await listener.peer()
            assert (await raw.receive_kind(Handshake)).protocol_version == 88
            refuse(raw, 120, 119)
            assert not any(isinstance(message, Handshake) for message in await raw.rest())
            with pytest.raises(
                PeerRefused, match=r'119 to 120, above our own 88.*set nearnet.protocol_versions to "auto"'
            ):
                await dial
        watched = views.status(node, None, 0.0, 1.0)["nearnet"]["protocol"]
        assert watched["state"] == "error"
        assert 'set nearnet.protocol_versions to "auto", or upgrade nearnet' in watched["sentence"]
        assert metrics(node)["nearnet_protocol_status"] == 2
        async with await RawPeer.ready(node, "old", NEW):
            assert views.status(node, None, 0.0, 1.0)["nearnet"]["protocol"]["state"] == "ok"
            assert metrics(node)["nearnet_protocol_status"] == 0


@pytest.mark.parametrize("pinned", [False, True])
@pytest.mark.interop("versions")
async def test_dialers_of_any_newer_version_unless_pinned(pinned: bool) -> None:
    async with Cluster() as cluster:
        node = await cluster.start(config_of(**({"protocol_versions": {NEW: [88, 80]}} if pinned else {})))
        for version in (84, 88, 99, 2**32 - 1):
            async with await RawPeer.dial(node, f"dialer {version}", NEW) as raw:
                answer = await raw.shake(version=version)
                if pinned and version > 88:
                    assert answer.reason == ProtocolVersionMismatch(88, 80)
                    answer = await raw.shake(version=88)
                    version = 88
                assert isinstance(answer, Handshake)
                assert answer.protocol_version == version


async def test_an_undecodable_handshake_of_an_unknown_version_leaves_the_connection_usable() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(config_of())
        async with await RawPeer.dial(node, dialect=NEW) as raw:
            strange = pb.PeerMessage.FromString(raw.dialect.encode(raw.handshake(version=200)))
            strange.tier2_handshake.partial_edge_info.Clear()
            raw.send_bytes(framed(strange.SerializeToString()))
            assert (await raw.receive()).reason == ProtocolVersionMismatch(88, 80)
            assert isinstance(await raw.shake(version=84), Handshake)


async def test_our_clock_is_ahead(caplog: pytest.LogCaptureFixture) -> None:
    async with Cluster() as cluster:
        node = await cluster.start(config_of())
        begun = node.driver.now().wall
        nonce = int(begun) - 400 | 1
        async with await RawPeer.ready(node, "a", NEW, nonce=nonce):
            watched = views.status(node, None, 0.0, 1.0)["nearnet"]["clock"]
            assert watched["state"] == "warning"
            most = node.driver.now().wall - nonce  # The nonce was looked at between these two moments.
            assert begun - nonce - 1 <= watched["ahead_seconds"] <= most + 1
            assert begun - nonce - 1 <= metrics(node)["nearnet_clock_ahead_seconds"] <= most + 1
    (line,) = [record for record in caplog.records if "our clock is" in record.message]
    assert line.levelname == "WARNING"
    assert "set the clock" in line.message
