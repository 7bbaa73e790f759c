"""Saturation: large tables of valid edges against a live node (`scenarios.md` 40; `threats.md` rows 36, 72)."""

import asyncio
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import pytest
from network.cluster import Cluster, make_config
from network.raw_peer import BORSH, RawPeer, Target, framed, ping

from nearnet.core.routing_table.edge import edge_digest
from nearnet.keys import SecretKey
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import Routed, SyncRoutingTable

IDENTITIES = 300
EDGES = IDENTITIES * (IDENTITIES - 1) // 2
NONCES = (1, 3, 5)


def signed(pair: tuple[SecretKey, SecretKey], nonce: int) -> Edge:
    a, b = pair
    digest = edge_digest(a.public_key, b.public_key, nonce)
    return Edge.build(a.public_key, b.public_key, nonce, a.sign(digest), b.sign(digest))


@pytest.fixture(scope="session")
def tables() -> list[bytes]:
    """Three frames, each the full mesh of 300 identities: 9.2 MB, the next nonce each time."""
    keys = sorted((SecretKey.from_seed(f"load {n}") for n in range(IDENTITIES)), key=lambda key: key.public_key)
    pairs = list(combinations(keys, 2))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        made = [tuple(threads.map(lambda pair, n=nonce: signed(pair, n), pairs, chunksize=1000)) for nonce in NONCES]
    return [framed(BORSH.encode(SyncRoutingTable(edges))) for edges in made]


def flood(target: Target, key: SecretKey, tables: list[bytes], pause: float) -> socket.socket:
    """A peer on a thread of its own: it writes one table after the other, and never reads."""
    hello = RawPeer(target, None, None, key).handshake()
    client = socket.create_connection((target.addr.ip, target.addr.port))
    client.sendall(framed(BORSH.encode(hello)))
    for table in tables:
        client.sendall(table)
        time.sleep(pause)  # "One second apart" is the scenario.
    return client


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.threat(36, 72)
@pytest.mark.scenario(40)
async def test_three_tables_of_44850_edges(tables):
    """The loop is never taken for the whole of a table: pings are answered while its edges come in, piece by piece.

    That a piece has at most `EDGES_AT_ONCE` edges is held by `tests/core/gossip/test_table_exchange.py`; what an edge
    costs, and how often the loop was held for long, is measured by `benchmarks/ingest.py`.
    """
    assert {len(table) for table in tables} == {4 + 1 + 4 + 4 + 205 * EDGES}
    async with Cluster() as cluster:
        node = await cluster.start(make_config(limits={"pings_per_second": 10_000}))
        table, intake = node.core.table, node.core.intake
        stages: set[int] = set()
        async with await RawPeer.ready(node, "good") as good:
            sender = asyncio.create_task(
                asyncio.to_thread(flood, Target.of(node), SecretKey.from_seed("flood"), tables, 1.0)
            )
            asked = 0
            while not (sender.done() and table.edge_count >= EDGES and intake.in_progress == 0):
                good.send(ping(good.key, node.peer_id, asked))
                await good.receive_kind(Routed, 30)
                asked += 1
                if 1 < table.edge_count < EDGES:
                    stages.add(table.edge_count)
                await asyncio.sleep(0.01)
            newest = sum(edge.nonce == NONCES[-1] for edge in table.edges())
            assert newest == EDGES, "every edge, and its newest form"
            assert len(node.core.peers) == 2
            (await sender).close()
        assert len(stages) >= 10, f"stages of the first table at which a ping was answered; in all {asked} were"
        assert cluster.bans == []
