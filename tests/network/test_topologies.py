"""Routing tables of real nodes against a plain search (`scenarios.md` 1-12), ed25519 and secp256k1 mixed."""

import pytest
from network.cluster import Cluster, plain_search

from nearnet.errors import NoAnswer, RouteNotFound
from nearnet.keys import Signature
from nearnet.wire.messages import Routed, RoutedMessage
from nearnet.wire.routed_body import Ping, encode_body
from nearnet.wire.routed_frame import routed_digest

SHAPES = {
    "pair": [(0, 1)],
    "line": [(0, 1), (1, 2), (2, 3)],
    "square": [(0, 1), (1, 2), (2, 3), (3, 0)],
    "star": [(1, 0), (2, 0), (3, 0), (4, 0)],
    "mesh of six": [(a, b) for a in range(6) for b in range(a)],
}


@pytest.mark.scenario(1)
@pytest.mark.scenario(3, 56)
@pytest.mark.parametrize("shape", SHAPES)
async def test_tables_are_those_of_a_plain_search(shape):
    pairs = SHAPES[shape]
    count = 1 + max(max(pair) for pair in pairs)
    async with Cluster() as cluster:
        for _ in range(count):
            await cluster.start()
        await cluster.wire(*pairs)
        await cluster.routes_are({node: plain_search(pairs, node) for node in range(count)})
        assert cluster.bans == []


@pytest.mark.scenario(4)
async def test_a_shorter_way_replaces_the_longer():
    async with Cluster() as cluster:
        for _ in range(3):
            await cluster.start()
        await cluster.wire((0, 1), (1, 2))
        await cluster.routes_are({0: {1: [1], 2: [1]}, 1: {0: [0], 2: [2]}, 2: {1: [1], 0: [1]}})
        await cluster.wire((0, 2))
        await cluster.routes_are({0: {1: [1], 2: [2]}, 1: {0: [0], 2: [2]}, 2: {1: [1], 0: [0]}})


@pytest.mark.scenario(5)
async def test_two_pairs_become_a_square():
    async with Cluster() as cluster:
        for _ in range(4):
            await cluster.start()
        await cluster.wire((0, 1), (2, 3))
        await cluster.routes_are({0: {1: [1]}, 3: {2: [2]}})
        await cluster.wire((0, 2), (3, 1))
        await cluster.routes_are({0: {1: [1], 2: [2], 3: [1, 2]}, 1: {0: [0], 3: [3], 2: [0, 3]}})


@pytest.mark.scenario(7)
@pytest.mark.scenario(8)
async def test_pings_over_one_two_and_three_connections():
    async with Cluster() as cluster:
        for _ in range(4):
            await cluster.start()
        await cluster.wire((0, 1), (1, 2), (2, 3))
        await cluster.routes_are({0: {1: [1], 2: [1], 3: [1]}, 3: {2: [2], 1: [2], 0: [2]}})
        for target, hops in ((1, 1), (2, 2), (3, 3)):
            pong = await cluster.nodes[0].ping(cluster.nodes[target].peer_id)
            assert pong.hops == hops
            assert pong.peer_id == cluster.nodes[target].peer_id


@pytest.mark.scenario(9)
@pytest.mark.scenario(10)
async def test_a_ttl_that_ends_on_the_way():
    async with Cluster() as cluster:
        for _ in range(3):
            await cluster.start()
        await cluster.wire((0, 1), (1, 2))
        await cluster.routes_are({0: {1: [1], 2: [1]}, 2: {1: [1], 0: [1]}})
        target = cluster.nodes[2].peer_id
        assert (await cluster.nodes[0].ping(target, ttl=2)).hops == 2
        with pytest.raises(NoAnswer):
            await cluster.nodes[0].ping(target, ttl=1, timeout=0.3)
        assert cluster.nodes[1].core.routed.drops["Ping", "TtlExpired"] == 1


@pytest.mark.scenario(18)
@pytest.mark.scenario(57)
async def test_the_same_ping_twice_is_delivered_once_and_again_later():
    async with Cluster() as cluster:
        for _ in range(3):
            await cluster.start()
        await cluster.wire((0, 1), (1, 2))
        await cluster.routes_are({0: {1: [1], 2: [1]}, 2: {1: [1], 0: [1]}})
        sender, target = cluster.nodes[0], cluster.nodes[2]
        body = encode_body(Ping(0, sender.peer_id))
        unsigned = RoutedMessage(target.peer_id, sender.peer_id, Signature(bytes(65)), 100, body)
        signature = sender.key.sign(routed_digest(unsigned))
        ping = Routed(RoutedMessage(target.peer_id, sender.peer_id, signature, 100, body))
        middle = sender.core.peers[cluster.nodes[1].peer_id]

        def delivered() -> int:
            return target.core.routed.delivered.get("Ping", 0)

        for expected in (1, 2, 3):
            for _ in range(2 if expected == 1 else 1):
                sender.driver.run(lambda now: middle.send(ping))
            await cluster.stays(lambda: True, 0.3)
            assert delivered() == expected


async def test_no_way_is_said_in_words():
    async with Cluster() as cluster:
        await cluster.start()
        await cluster.start()
        with pytest.raises(RouteNotFound, match="no way is known to"):
            await cluster.nodes[0].ping(cluster.nodes[1].peer_id)
        with pytest.raises(RouteNotFound, match="no peer is known for the account"):
            cluster.nodes[0].send_routed("alice.near", b"\x0b")


@pytest.mark.scenario(11)
async def test_the_middle_stops():
    async with Cluster() as cluster:
        for _ in range(3):
            await cluster.start()
        await cluster.wire((0, 1), (1, 2))
        await cluster.routes_are({0: {1: [1], 2: [1]}, 2: {1: [1], 0: [1]}})
        await cluster.stop(cluster.nodes[1])
        await cluster.routes_are({0: {}, 2: {}})


@pytest.mark.scenario(12)
async def test_a_removal_is_seen_by_a_third():
    async with Cluster() as cluster:
        for _ in range(4):
            await cluster.start()
        await cluster.wire((0, 1), (1, 2), (2, 3), (3, 0))
        await cluster.routes_are({0: {1: [1], 2: [1, 3], 3: [3]}, 3: {0: [0], 2: [2], 1: [0, 2]}})
        await cluster.stop(cluster.nodes[1])
        await cluster.routes_are({0: {3: [3], 2: [3]}, 2: {3: [3], 0: [3]}, 3: {0: [0], 2: [2]}})
        gone, seen_by = cluster.nodes[1].peer_id, cluster.nodes[3].core.table
        edges = [edge for edge in seen_by.edges() if edge.involves(gone)]
        assert len(edges) == 2
        assert not any(edge.is_active for edge in edges)
