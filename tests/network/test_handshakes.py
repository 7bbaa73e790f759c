"""Handshakes of a raw client with a live node (`scenarios.md` 32-35; `threats.md` rows 11-23, 25, 26)."""

import asyncio
import random
import time

import pytest
from network.cluster import Cluster, address, make_config
from network.raw_peer import LISTEN_PORT, RawListener, RawPeer, Target, edge_between, ping

from nearnet.core.routing_table.edge import sign_edge
from nearnet.errors import PeerRefused
from nearnet.keys import CryptoHash, SecretKey
from nearnet.wire.messages import (
    GenesisId,
    GenesisMismatch,
    Handshake,
    HandshakeFailure,
    InvalidTarget,
    LastEdge,
    PeerInfo,
    PeersRequest,
    PeersResponse,
    ProtocolVersionMismatch,
    RequestUpdateNonce,
    ResponseUpdateNonce,
    Routed,
    SocketAddress,
)

STRANGER = SecretKey.from_seed("stranger").public_key
OTHER_GENESIS = GenesisId("other", CryptoHash(bytes(32)))


@pytest.mark.threat(11, 12, 14)
@pytest.mark.scenario(32, 73)
async def test_one_socket_through_every_failure_to_ready():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.dial(node) as raw:
            told = await raw.shake(version=49, oldest=40)
            assert told == HandshakeFailure(PeerInfo(node.peer_id, node.addr), ProtocolVersionMismatch(52, 50))
            assert (await raw.shake(version=53, oldest=53)).reason == ProtocolVersionMismatch(52, 50)
            assert (await raw.shake(genesis=OTHER_GENESIS)).reason == GenesisMismatch(node.core.context.genesis_id)
            assert (await raw.shake(target=STRANGER)).reason == InvalidTarget()
            assert node.core.peers == {}
            assert len(node.core.peer_store) == 0
            answer = await raw.shake()
            assert (answer.sender_peer_id, answer.target_peer_id) == (node.peer_id, raw.key.public_key)
            assert (answer.protocol_version, answer.partial_edge_info.nonce) == (52, 1)
            assert answer.sender_listen_port == node.addr.port
            assert list(node.core.peers) == [raw.key.public_key]
        assert cluster.bans == []


@pytest.mark.threat(12)
@pytest.mark.scenario(33)
async def test_a_future_version_with_random_bytes_behind_it():
    async with Cluster() as cluster:
        node = await cluster.start()
        chance = random.Random(33)
        async with await RawPeer.dial(node) as raw:
            for length in range(1, 33):
                raw.send(b"\0" + (2**32 - 1).to_bytes(4, "little") + chance.randbytes(length))
                assert isinstance((await raw.receive()).reason, ProtocolVersionMismatch)
            assert isinstance(await raw.shake(), Handshake)


@pytest.mark.scenario(34)
async def test_the_ports_told_are_those_they_listen_at():
    async with Cluster() as cluster:
        node = await cluster.start()
        a = await RawPeer.ready(node, "a", port=12345)
        b = await RawPeer.ready(node, "b", port=12346)
        async with a, b:
            b.send(PeersRequest())
            told = await b.receive_kind(PeersResponse)
            assert PeerInfo(a.key.public_key, SocketAddress("127.0.0.1", 12345)) in told.peers


@pytest.mark.threat(17, 18)
@pytest.mark.scenario(35)
@pytest.mark.parametrize("nonce", [0, 2, 1000, 1001, 2**62 + 1, 2**63 - 1, 2**64 - 1, 2**64 - 2])
async def test_nonces_that_close_without_a_reply(nonce):
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.dial(node) as raw:
            raw.send(raw.handshake(nonce=nonce))
            assert await raw.rest() == []
        assert (node.core.peers, list(node.core.table.edges())) == ({}, [])
        async with await RawPeer.dial(node) as raw:
            assert isinstance(await raw.shake(nonce=999), Handshake), "the last one allowed"


@pytest.mark.threat(16)
async def test_a_forged_handshake_bans_nobody():
    async with Cluster() as cluster:
        node = await cluster.start()
        innocent = SecretKey.from_seed("innocent")
        async with await RawPeer.dial(node, innocent) as raw:
            raw.send(raw.handshake(signer=SecretKey.from_seed("forger")))
            assert await raw.rest() == []
        async with await RawPeer.ready(node, innocent):
            assert list(node.core.peers) == [innocent.public_key]
        assert cluster.bans == []


@pytest.mark.threat(21)
async def test_replayed_bytes_are_refused():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node) as raw:
            captured = raw.sent
        await cluster.until(lambda: not node.core.peers)
        async with await RawPeer.dial(node, "thief") as thief:
            thief.send_bytes(captured)
            answer = await thief.receive()
            assert isinstance(answer, LastEdge)
            assert answer.edge.nonce == 2, "the removal of the edge that those bytes had made"
        assert node.core.peers == {}


@pytest.mark.threat(22)
async def test_messages_before_the_handshake():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.dial(node) as raw:
            raw.send(*[PeersRequest()] * 8)
            assert isinstance(await raw.shake(), Handshake), "eight are passed over in silence"
        async with await RawPeer.dial(node, "another") as raw:
            raw.send(*[PeersRequest()] * 9, raw.handshake())
            assert await raw.rest() == []


@pytest.mark.threat(23)
async def test_a_second_handshake_is_ignored():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node) as raw:
            raw.send(raw.handshake(nonce=3), raw.handshake(version=1), raw.handshake(genesis=OTHER_GENESIS))
            assert not [one for one in await raw.answers() if isinstance(one, Handshake | HandshakeFailure)]
            assert node.core.table.get(node.peer_id, raw.key.public_key).nonce == 1


@pytest.mark.threat(26)
@pytest.mark.scenario(72)
async def test_the_same_id_twice():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node) as first, await RawPeer.dial(node) as second:
            second.send(second.handshake(nonce=3))
            assert await second.rest() == []
            assert await first.answers() is not None
            assert node.core.table.get(node.peer_id, first.key.public_key).nonce == 1


@pytest.mark.threat(25)
@pytest.mark.scenario(65)
async def test_a_dial_that_ends_at_ourselves():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(outbound=True))
        with pytest.raises(PeerRefused):
            await node.connect(f"{STRANGER}@{node.addr}")
        known = node.core.peer_store.get(STRANGER)
        assert known is None or known.info.addr is None, "nobody else lives at our address"
        async with await RawPeer.dial(node, node.key) as copy:
            copy.send(copy.handshake(target=node.peer_id))
            assert await copy.rest() == []
        assert (node.core.peers, cluster.bans) == ({}, [])


@pytest.mark.threat(13)
async def test_a_dialer_gives_up_after_three_handshakes():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with RawListener(node) as listener:
            dial = asyncio.create_task(node.connect(listener.address))
            raw = await listener.peer()
            for _ in range(3):
                assert isinstance(await raw.receive(), Handshake)
                raw.send(HandshakeFailure(PeerInfo(listener.key.public_key), ProtocolVersionMismatch(51, 50)))
            assert await raw.rest() == []
            with pytest.raises(PeerRefused, match="versions 50 to 51"):
                await dial


@pytest.mark.threat(11)
async def test_a_dialer_that_hears_of_another_genesis_closes():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with RawListener(node) as listener:
            dial = asyncio.create_task(node.connect(listener.address))
            raw = await listener.peer()
            assert isinstance(await raw.receive(), Handshake)
            raw.send(HandshakeFailure(PeerInfo(listener.key.public_key), GenesisMismatch(OTHER_GENESIS)))
            assert await raw.rest() == []
            with pytest.raises(PeerRefused, match="its genesis is other"):
                await dial
        assert cluster.bans == []


@pytest.mark.threat(15)
async def test_an_invalid_target_moves_the_dialed_address_only():
    async with Cluster() as cluster:
        node = await cluster.start()
        victim = await RawPeer.ready(node, "victim", port=4444)
        liar = SecretKey.from_seed("liar").public_key
        async with victim, RawListener(node) as listener:
            claim = PeerInfo(liar, SocketAddress("127.0.0.1", 4444))
            async with await RawPeer.dial(node, "uninvited") as uninvited:
                uninvited.send(HandshakeFailure(claim, InvalidTarget()))
                uninvited.send(uninvited.handshake())
                assert isinstance(await uninvited.receive(), Handshake), "from an accepted socket it says nothing"
            assert node.core.peer_store.get(liar) is None
            dial = asyncio.create_task(node.connect(listener.address))
            raw = await listener.peer()
            await raw.receive()
            raw.send(HandshakeFailure(claim, InvalidTarget()))
            with pytest.raises(PeerRefused, match="another peer lives there"):
                await dial
            assert node.core.peer_store.get(liar).info.addr == SocketAddress("127.0.0.1", listener.port)
            assert node.core.peer_store.get(victim.key.public_key).info.addr.port == 4444


@pytest.mark.threat(20)
async def test_last_edges_told_to_a_dialer():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with RawListener(node) as listener:
            pair = edge_between(node.key, listener.key, 7)
            crafted = edge_between(listener.key, SecretKey.from_seed("accomplice"), 2**62 + 1)
            for edge, expected in ((pair, [1, 9]), (crafted, [1])):
                dial = asyncio.create_task(node.connect(listener.address))
                raw = await listener.peer()
                nonces = []
                try:
                    while True:
                        nonces.append((await raw.receive()).partial_edge_info.nonce)
                        raw.send(LastEdge(edge))
                except EOFError:
                    pass
                assert nonces == expected, "a nonce is signed only above an edge that is ours"
                with pytest.raises(PeerRefused):
                    await dial


@pytest.mark.threat(19)
@pytest.mark.parametrize("nonce", [1005, 2**62 + 1])
async def test_a_nonce_too_far_is_never_signed_and_costs_no_ban(nonce):
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node) as raw:
            raw.send(RequestUpdateNonce(sign_edge(raw.key, node.peer_id, nonce)))
            assert not [one for one in await raw.answers() if isinstance(one, ResponseUpdateNonce)]
            assert node.core.table.get(node.peer_id, raw.key.public_key).nonce == 1
        assert cluster.bans == []


@pytest.mark.threat(19)
async def test_an_even_nonce_is_never_signed():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.ready(node) as raw:
            raw.send(RequestUpdateNonce(sign_edge(raw.key, node.peer_id, 3)))
            assert (await raw.receive_kind(ResponseUpdateNonce)).edge.nonce == 3
            raw.send(RequestUpdateNonce(sign_edge(raw.key, node.peer_id, 6)))
            assert not [one for one in await raw.rest() if isinstance(one, ResponseUpdateNonce)]
        await cluster.until(lambda: bool(cluster.bans))
        assert cluster.bans[0][1].data["reason"] == "InvalidEdge"
        assert node.core.table.get(node.peer_id, raw.key.public_key).nonce == 4, "its removal"


@pytest.mark.threat(7)
async def test_a_slow_handshake_ends_in_time():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(handshake_timeout=1.0))
        async with await RawPeer.dial(node) as raw:

            async def trickle() -> None:
                raw.send_bytes(b"\x80")
                while True:
                    raw.send_bytes(b"\0")
                    await asyncio.sleep(0.05)  # A byte now and then is what this peer is made of.

            task = asyncio.create_task(trickle())
            assert await raw.rest() == [], "the node ends it, as the trickle never does"
            task.cancel()
        assert node.core.context.counters["nearnet_connections_closed", "handshake timeout"] == 1
        assert len(node.core.context.connections) == 0


@pytest.mark.threat(41)
async def test_the_129th_neighbor_is_refused():
    async with Cluster() as cluster:
        node = await cluster.start(make_config(max_num_peers=128, ideal_connections_hi=128))
        peers = [await RawPeer.ready(node, f"neighbor {number}") for number in range(128)]
        async with await RawPeer.dial(node, "one more") as more:
            more.send(more.handshake())
            assert await more.rest() == []
        assert len(node.core.peers) == 128
        for peer in peers:
            peer.cut()
        await cluster.until(lambda: not node.core.peers)


async def test_listen_ports_must_be_told():
    async with Cluster() as cluster:
        node = await cluster.start()
        async with await RawPeer.dial(node) as raw:
            raw.send(raw.handshake(port=None))
            assert await raw.rest() == []
        async with await RawPeer.ready(node, port=LISTEN_PORT) as raw:
            assert node.core.peers[raw.key.public_key].info.addr.port == LISTEN_PORT
        with pytest.raises(PeerRefused):
            await node.connect(address(node))


@pytest.mark.scenario(79)
async def test_a_raw_peer_pings_in_order_and_a_raw_listener_is_dialed():
    async with Cluster() as cluster:
        node = await cluster.start()
        fresh = int(time.time()) | 1
        async with await RawPeer.ready(node, nonce=fresh) as raw:
            raw.send(*(ping(raw.key, node.peer_id, number, ttl=2) for number in range(4)))
            pongs = [(await raw.receive_kind(Routed)).message.body for _ in range(4)]
            assert [int.from_bytes(body[1:9], "little") for body in pongs] == [0, 1, 2, 3]
        async with RawListener(node, "boot node") as listener:
            dialer = await cluster.start(make_config(outbound=True, boot_nodes=listener.address))
            listener.target = Target.of(dialer)
            peer = await listener.peer()
            asked = await peer.receive()
            assert (asked.sender_peer_id, asked.target_peer_id) == (dialer.peer_id, listener.key.public_key)
            peer.send(peer.handshake(nonce=asked.partial_edge_info.nonce))
            await cluster.until(lambda: listener.key.public_key in dialer.core.peers)
