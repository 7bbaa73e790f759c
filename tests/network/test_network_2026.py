"""Raw protobuf peers with live nodes: the rules that nodes of 2026 added (`network-2026.md`)."""

from __future__ import annotations

import asyncio
import time

import pytest
from cluster import Cluster
from ml_dsa_keys import ODD_KEY, ODD_SIGNATURE, verifying
from raw_peer import PATIENCE, RawPeer, edge_between, ping, routed

from nearnet.core.routing_table.edge import unix_nonce
from nearnet.keys import CryptoHash, SecretKey
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import (
    AnnounceAccount,
    BlockHeadersRequest,
    Disconnect,
    Handshake,
    PeerInfo,
    PeersResponse,
    Routed,
    SocketAddress,
    SyncRoutingTable,
)
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.routed_body import PING, TIER1_BODIES

NEW = "protobuf"


def far(name: str, nonce: int) -> Edge:
    """An edge between two peers that nobody is connected to."""
    return edge_between(SecretKey.from_seed(f"{name} 1"), SecretKey.from_seed(f"{name} 2"), nonce)


async def edges_until(peer: RawPeer, wanted: set[bytes]) -> list[SyncRoutingTable]:
    """The tables that come until all of the wanted edges have."""
    tables: list[SyncRoutingTable] = []
    async with asyncio.timeout(PATIENCE):
        while not wanted <= {bytes(edge) for table in tables for edge in table.edges}:
            tables.append(await peer.receive_kind(SyncRoutingTable))
    return tables


@pytest.mark.slow
@pytest.mark.interop("SyncRoutingTable")
async def test_forty_pieces_of_news_of_eight_peers_come_in_few_tables():
    """Everything that one neighbor is told comes out of one bucket, and nothing is lost by that."""
    async with Cluster() as cluster:
        node = await cluster.start()
        watcher = await RawPeer.ready(node, "watcher", NEW)
        tellers = [await RawPeer.ready(node, f"teller {number}", NEW) for number in range(8)]
        news = [far(f"news {number}", unix_nonce(time.time())) for number in range(40)]
        for number, edge in enumerate(news):
            tellers[number % 8].tell(edge)
            await asyncio.sleep(0.1)  # They are spread over some seconds, so that one table cannot hold them.
        tables = await edges_until(watcher, {bytes(edge) for edge in news})
        assert len(tables) < len(news), "how many at most, tests/core/gossip/test_gossip.py counts in virtual time"
        assert cluster.bans == []


@pytest.mark.interop("edges ahead")
async def test_edges_over_five_minutes_ahead_are_neither_taken_nor_told():
    async with Cluster() as cluster:
        node = await cluster.start()
        watcher, teller = [await RawPeer.ready(node, name, NEW) for name in ("watcher", "teller")]
        now = int(time.time())
        near, ahead = far("near", now + 200 | 1), far("ahead", now + 420 | 1)
        teller.tell(ahead, near)
        tables = await edges_until(watcher, {bytes(near)})
        assert ahead not in [edge for table in tables for edge in table.edges]
        assert node.core.table.get(*ahead.key) is None
        assert await teller.answers() is not None
        assert cluster.bans == []


@pytest.mark.interop("edges ahead")
async def test_the_edge_of_a_handshake_far_ahead_is_not_told():
    async with Cluster() as cluster:
        node = await cluster.start()
        watcher = await RawPeer.ready(node, "watcher", NEW)
        ahead = await RawPeer.dial(node, "ahead", NEW)
        assert isinstance(await ahead.shake(nonce=int(time.time()) + 1140 | 1), Handshake)
        behind = await RawPeer.ready(node, "behind", NEW)
        edge = node.core.table.get(node.peer_id, behind.key.public_key)
        tables = await edges_until(watcher, {bytes(edge)})
        assert [one for table in tables for one in table.edges if one.involves(ahead.key.public_key)] == []
        watcher.send(ping(watcher.key, ahead.key.public_key, 5))
        assert await ahead.receive_kind(type(ping(watcher.key, node.peer_id, 1))) is not None, (
            "it is a neighbor all the same"
        )


# --- routed messages (§2) ----------------------------------------------------------------------------


def v3(peer: RawPeer, target: bytes, tier: int, index: int, body: bytes, signature: bytes | None) -> bytes:
    """A message in the form of field 37."""
    form = pb.RoutedMessageV3(
        target=pb.PeerIdOrHash(peer_id=pb.PublicKey(borsh=target)),
        author=pb.PublicKey(borsh=peer.key.public_key),
        ttl=100,
        borsh_body=bytes((tier - 1, index)) + body,
        signature=None if signature is None else pb.Signature(borsh=signature),
    )
    return pb.PeerMessage(routed_v3=form).SerializeToString()


@pytest.mark.threat(48)
@pytest.mark.interop("RoutedMessageV3", "routed signatures")
@pytest.mark.parametrize("index", [0, 5, 16])
async def test_field_37_without_a_signature_bans_and_goes_nowhere(index):
    async with Cluster() as cluster:
        node = await cluster.start()
        watcher, sender = [await RawPeer.ready(node, name, NEW) for name in ("watcher", "sender")]
        sender.send(v3(sender, watcher.key.public_key, 1, index, bytes(80), None))
        assert isinstance((await sender.rest())[-1], Disconnect)
        assert [one for one in await watcher.answers() if isinstance(one, Routed)] == []
        assert [event.peer_id for _, event in cluster.bans] == [sender.key.public_key]
        again = await RawPeer.dial(node, "sender", NEW)
        assert isinstance(await again.shake(nonce=int(time.time()) + 4 | 1), Disconnect)


@pytest.mark.interop("RoutedMessageV3", "routed signatures")
async def test_field_37_with_a_signature_goes_on_as_field_17():
    async with Cluster() as cluster:
        node = await cluster.start()
        watcher, sender = [await RawPeer.ready(node, name, NEW) for name in ("watcher", "sender")]
        body = bytes((TIER1_BODIES[0],)) + bytes(80)
        message = routed(sender.key, watcher.key.public_key, body).message
        sender.send(v3(sender, watcher.key.public_key, 1, 0, body[1:], message.signature))
        passed = await watcher.receive_kind(Routed)
        assert (passed.message.body, passed.message.signature, passed.message.ttl) == (body, message.signature, 99)
        assert cluster.bans == []


@pytest.mark.threat(40, 48)
@pytest.mark.interop("routed signatures")
@pytest.mark.parametrize(("version", "banned"), [(84, False), (85, True)])
async def test_a_forged_tier_1_message_of_somebody_else_is_never_passed_on(version, banned):
    """A node of 2025 may have been deceived, so it stays; later ones verify what they pass on."""
    async with Cluster() as cluster:
        node = await cluster.start()
        watcher, relay = [await RawPeer.ready(node, name, NEW, version=version) for name in ("watcher", "relay")]
        forged = routed(SecretKey.from_seed("author"), watcher.key.public_key, bytes(81))
        forged = Routed(
            forged.message.__class__(
                forged.message.target, forged.message.author, relay.key.sign(bytes(32)), 100, forged.message.body
            )
        )
        relay.send(forged)
        if banned:
            assert isinstance((await relay.rest())[-1], Disconnect)
        else:
            assert await relay.answers() is not None
        assert [one for one in await watcher.answers() if isinstance(one, Routed)] == []
        assert len(cluster.bans) == banned


# --- keys of a type that is not used (§3) --------------------------------------------------------------


@pytest.mark.interop("ML-DSA-65")
@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
async def test_entries_with_ml_dsa_keys_cost_nothing_but_themselves(dialect):
    with verifying(None):
        async with Cluster() as cluster:
            node = await cluster.start()
            teller = await RawPeer.ready(node, "teller", dialect)
            nonce = unix_nonce(time.time())
            odd = Edge.build(teller.key.public_key, ODD_KEY, nonce, bytes(65), ODD_SIGNATURE)
            plain, known = far("plain", nonce), SecretKey.from_seed("known").public_key
            accounts = tuple(
                AnnounceAccount(name, peer, CryptoHash(bytes(32)), signature)
                for name, peer, signature in (
                    ("odd.near", ODD_KEY, teller.key.sign(bytes(32))),
                    ("signed.near", known, ODD_SIGNATURE),
                    ("plain.near", known, teller.key.sign(bytes(32))),
                )
            )
            teller.send(SyncRoutingTable((odd, plain, odd), accounts))
            here = SocketAddress("127.0.0.1", 24567)
            teller.send(PeersResponse((PeerInfo(ODD_KEY, here), PeerInfo(known, SocketAddress("127.0.0.1", 24568)))))
            await cluster.until(lambda: node.core.table.get(*plain.key) is not None)
            await teller.answers()
            assert node.core.table.get(*odd.key) is None
            assert [one.account_id for one in node.core.announcements.all()] == ["plain.near"]
            assert (node.core.peer_store.get(known) is not None, node.core.peer_store.get(ODD_KEY)) == (True, None)
            assert node.core.limits.hits("unsupported_key") == 5
            assert cluster.bans == []


@pytest.mark.interop("ML-DSA-65")
async def test_a_dialer_with_an_ml_dsa_key_is_refused_politely():
    async with Cluster() as cluster:
        node = await cluster.start()
        peer = await RawPeer.dial(node, "a key", NEW)
        hello = peer.handshake()
        content = pb.PeerMessage.FromString(peer.dialect.encode(hello))
        content.tier2_handshake.sender_peer_id.borsh = ODD_KEY
        peer.send(content.SerializeToString())
        assert isinstance((await peer.rest())[-1], Disconnect)
        assert cluster.bans == []
        assert node.core.limits.hits("unsupported_key") == 1


# --- what costs a connection (§4) ---------------------------------------------------------------------


@pytest.mark.interop("BlockHeadersRequest")
@pytest.mark.parametrize(("count", "banned"), [(20, False), (21, True)])
async def test_hashes_of_headers(count, banned):
    async with Cluster() as cluster:
        node = await cluster.start()
        peer = await RawPeer.ready(node, "asker", NEW)
        peer.send(BlockHeadersRequest((CryptoHash(bytes(32)),) * count))
        if banned:
            assert isinstance((await peer.rest())[-1], Disconnect)
            assert [event.data["reason"] for _, event in cluster.bans] == ["Abusive"]
        else:
            assert await peer.answers() is not None
            assert cluster.bans == []


@pytest.mark.threat(23)
@pytest.mark.interop("second handshake")
async def test_a_second_handshake():
    async with Cluster() as cluster:
        node = await cluster.start()
        old, new = await RawPeer.ready(node, "old", "borsh"), await RawPeer.ready(node, "new", NEW)
        old.send(old.handshake(3))
        assert await old.answers() is not None
        new.send(new.handshake(int(time.time()) + 4 | 1))
        assert (await new.rest())[-1] == Disconnect(remove_from_connection_store=True)
        assert cluster.bans == []
        again = await RawPeer.dial(node, "new", NEW)
        assert isinstance(await again.shake(nonce=int(time.time()) + 8 | 1), Handshake)
        again.send(ping(again.key, node.peer_id, 7))
        assert (await again.receive_kind(Routed)).message.body[0] == PING + 1
