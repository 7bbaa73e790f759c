"""Read this third: whole nodes on real sockets, and a peer that breaks the rules.

`tests/network/cluster.py` starts real nodes on loopback in this process. `tests/network/raw_peer.py` is a peer by hand:
a plain socket that says exactly what the test tells it to say. Use them for what only the shell can get wrong: sockets,
threads, timers of the event loop, and the behavior toward somebody who does not follow the protocol.
"""

from cluster import Cluster
from raw_peer import RawPeer, edge_between

from nearnet.keys import SecretKey
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import SyncRoutingTable


async def test_nodes_on_sockets_find_the_way_to_each_other():
    # The cluster stops every node at its end, also when the test fails, and then holds that no input raised a fault.
    async with Cluster() as cluster:
        # Every node listens at a port that the machine chose, so tests can run beside each other.
        for _ in range(3):
            await cluster.start()

        # `wire` takes pairs of numbers: node 0 dials node 1, and node 1 dials node 2.
        await cluster.wire((0, 1), (1, 2))

        # Nothing here sleeps. `routes_are` looks again after every event of any node, and returns at the moment when
        # it holds. The seconds inside are a limit for a test that hangs, not a measure of speed.
        await cluster.routes_are({0: {1: [1], 2: [1]}, 2: {1: [1], 0: [1]}})

        # The ping goes through node 1, and the pong that comes back names who answered.
        pong = await cluster.nodes[0].ping(cluster.nodes[2].peer_id)
        assert pong.peer_id == cluster.nodes[2].peer_id


async def test_a_peer_that_tells_a_forged_edge_is_banned_and_nobody_else_is():
    async with Cluster() as cluster:
        node = await cluster.start()

        # `ready` opens a socket, sends a right Handshake, and reads the answer. The name makes the key. The witness
        # does nothing wrong: it shows that the node punishes the liar alone.
        async with await RawPeer.ready(node, "liar") as liar, await RawPeer.ready(node, "witness") as witness:
            # The edge between a and b is right for nonce 1. The liar tells it with nonce 3 and the same signatures.
            a, b = SecretKey.from_seed("a"), SecretKey.from_seed("b")
            peer0, peer1, _, signature0, signature1, _ = edge_between(a, b, 1).parts()
            forged = Edge.build(peer0, peer1, 3, signature0, signature1)
            liar.tell(forged)

            # `rest` reads until the node closes the socket, and fails when the node does not.
            await liar.rest()

            # `answers` sends a ping and collects what came before its pong: an event that says when to look, in place
            # of a pause. The witness still has its connection, and was not told the forged edge.
            told = await witness.answers(nonce=1)
            edges = [edge for table in told if isinstance(table, SyncRoutingTable) for edge in table.edges]
            assert forged not in edges

            # The ban outlives the socket: the same key is refused when it comes again, and the witness is not.
            async with await RawPeer.dial(node, "liar") as again:
                again.send(again.handshake(nonce=3))
                assert await again.rest() == []

            # The second ping has a nonce of its own, because a node drops a message that it has seen before.
            assert await witness.answers(nonce=2) == []
