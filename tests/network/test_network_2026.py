"""Raw protobuf peers with live nodes: the rules that nodes of 2026 added (`network-2026.md`)."""

from __future__ import annotations

import asyncio
import time

import pytest
from cluster import Cluster
from raw_peer import PATIENCE, RawPeer, edge_between, ping

from nearnet.core.gossip import TABLE_INTERVAL, TABLES_SENT_BURST
from nearnet.core.nonces import unix_nonce
from nearnet.keys import SecretKey
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import Handshake, SyncRoutingTable

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
        begun = time.monotonic()
        tellers = [await RawPeer.ready(node, f"teller {number}", NEW) for number in range(8)]
        news = [far(f"news {number}", unix_nonce(time.time())) for number in range(40)]
        for number, edge in enumerate(news):
            tellers[number % 8].tell(edge)
            await asyncio.sleep(0.1)  # They are spread over some seconds, so that one table cannot hold them.
        tables = await edges_until(watcher, {bytes(edge) for edge in news})
        elapsed = time.monotonic() - begun
        assert len(tables) <= TABLES_SENT_BURST + elapsed / TABLE_INTERVAL
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
