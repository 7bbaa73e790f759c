"""Both dialects at once: who speaks which, what each can express, and the bridge between them (`behaviour.md` §10)."""

import pytest
from network.cluster import Cluster, address, make_config, plain_search, visible

from nearnet.core.routing_table.edge import is_dated
from nearnet.errors import NearnetError
from nearnet.store.memory import MemoryStore

OLD, NEW = "borsh", "protobuf"

SHAPES = {
    "line of the old era": [(0, 1, OLD), (1, 2, OLD), (2, 3, OLD)],
    "line of today": [(0, 1, NEW), (1, 2, NEW), (2, 3, NEW)],
    "one bridge": [(0, 1, OLD), (1, 2, NEW)],
    "old behind old behind a bridge": [(0, 1, OLD), (1, 2, OLD), (2, 3, NEW), (3, 4, NEW)],
    "bridge of both ends": [(0, 1, NEW), (1, 2, OLD), (2, 3, NEW)],
    "square": [(0, 1, OLD), (1, 2, NEW), (2, 3, OLD), (3, 0, NEW)],
    "mesh of six": [(a, b, OLD if (a * b) % 3 else NEW) for a in range(6) for b in range(a)],
}


def expected(links, node):
    """Next hops by a plain search over what a node hears of, from where it stands."""
    return plain_search(visible(links, node), node)


async def form(cluster, links):
    """Nodes with these links; returns once all routes are as they must be."""
    count = 1 + max(max(a, b) for a, b, _ in links)
    for _ in range(count):
        await cluster.start()
    for dialer, target, dialect in links:
        await cluster.nodes[dialer].connect(address(cluster.nodes[target]), dialect)
    await cluster.routes_are({node: expected(links, node) for node in range(count)}, 20)


@pytest.mark.slow
@pytest.mark.interop("bridge", "fresh nonces", "nonces", "which dialect")
@pytest.mark.parametrize("shape", SHAPES)
async def test_everyone_reaches_what_the_dialects_can_express(shape):
    links = SHAPES[shape]
    async with Cluster() as cluster:
        await form(cluster, links)
        for node in range(len(cluster.nodes)):
            for target in expected(links, node):
                pong = await cluster.nodes[node].ping(cluster.nodes[target].peer_id)
                assert pong.peer_id == cluster.nodes[target].peer_id
        assert cluster.bans == []


@pytest.mark.slow
@pytest.mark.interop("bridge", "Routed")
async def test_pings_across_the_bridge_in_both_directions():
    """The way back is by the hash, so that today's node is answered by one that cannot see it."""
    async with Cluster() as cluster:
        await form(cluster, SHAPES["old behind old behind a bridge"])
        for source, target, hops in ((0, 4, 4), (0, 3, 3), (1, 4, 3), (4, 2, 2), (4, 1, 3)):
            assert (await cluster.nodes[source].ping(cluster.nodes[target].peer_id)).hops == hops
        with pytest.raises(NearnetError):
            await cluster.nodes[4].ping(cluster.nodes[0].peer_id)
        assert cluster.bans == []


@pytest.mark.slow
@pytest.mark.interop("bridge")
async def test_a_removal_is_seen_across_the_bridge():
    async with Cluster() as cluster:
        await form(cluster, [(0, 1, OLD), (1, 2, NEW), (2, 3, NEW)])
        await cluster.stop(cluster.nodes[0])
        await cluster.routes_are({1: {2: [2], 3: [2]}, 3: {2: [2], 1: [2]}}, 15)
        await cluster.stop(cluster.nodes[3])
        await cluster.routes_are({1: {2: [2]}, 2: {1: [1]}}, 15)


@pytest.mark.interop("which dialect")
async def test_auto_finds_the_dialect_and_remembers_it():
    async with Cluster() as cluster:
        store = MemoryStore()
        config = make_config(dialect="auto")
        await cluster.start(config, store=store)
        await cluster.start()
        await cluster.wire((0, 1))
        (peer,) = cluster.nodes[0].core.peers.values()
        assert peer.dialect.name == NEW, "all of ours speak both; today's is tried first"
        assert is_dated(peer.edge.nonce)


async def test_a_node_of_today_that_restarts_is_known_again():
    async with Cluster() as cluster:
        store = MemoryStore()
        await cluster.start(store=store, key="stays")
        await cluster.start()
        await cluster.nodes[1].connect(address(cluster.nodes[0]), NEW)
        await cluster.routes_are({0: {1: [1]}, 1: {0: [0]}})
        await cluster.stop(cluster.nodes[0])
        await cluster.routes_are({1: {}})
        await cluster.start(store=store, key="stays")
        await cluster.nodes[2].connect(address(cluster.nodes[1]), NEW)
        await cluster.routes_are({2: {1: [1]}, 1: {2: [2]}})
        assert cluster.bans == []
