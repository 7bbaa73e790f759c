"""A node with much to check, with numba: it comes to check many signatures at once, and judges as before."""

import asyncio
import itertools

import pytest
from network.cluster import Cluster
from network.raw_peer import RawPeer, edge_between

from nearnet import keys
from nearnet.keys import SecretKey, use_check
from nearnet.net import edge_validator
from nearnet.wire.edge_bytes import Edge

KEYS = sorted((SecretKey.from_seed(f"many {number}") for number in range(12)), key=lambda key: key.public_key)
PAIRS = list(itertools.combinations(KEYS, 2))


@pytest.fixture
def soon_busy(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(edge_validator, "BUSY_FROM", len(PAIRS))
    before = use_check(None)
    yield
    use_check(*before)


@pytest.mark.threat(31)
async def test_a_busy_node_checks_many_at_once_and_finds_the_forged_one(soon_busy):
    async with Cluster() as cluster:
        node = await cluster.start()
        table = node.core.table

        def all_have(nonce):
            edges = [table.get(a.public_key, b.public_key) for a, b in PAIRS]
            return all(edge is not None and edge.nonce == nonce for edge in edges)

        async with await RawPeer.ready(node, "teller") as teller:
            teller.tell(*(edge_between(a, b, 1) for a, b in PAIRS))
            await cluster.until(lambda: all_have(1))
            async with asyncio.timeout(30):  # The first time on a machine it is compiled.
                while keys.many_checks() is None:
                    await asyncio.sleep(0.02)
            teller.tell(*(edge_between(a, b, 3) for a, b in PAIRS))
            await cluster.until(lambda: all_have(3))
            *right, last = (edge_between(a, b, 5) for a, b in PAIRS)
            peer0, peer1, nonce, signature0, *_ = last.parts()
            teller.tell(*right, Edge.build(peer0, peer1, nonce, signature0, signature0))
            await cluster.until(lambda: bool(cluster.bans))
            assert [event.data["reason"] for _, event in cluster.bans] == ["InvalidEdge"]
            assert table.get(peer0, peer1).nonce == 3
