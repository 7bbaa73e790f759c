"""Nodes to look at: real ones on loopback, and a made-up graph around one, put straight into its table."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator

from raw_http import TOKEN
from real_nodes import place, quiet_config, until

from nearnet import Node
from nearnet.api.http import HttpServer
from nearnet.keys import PeerId
from nearnet.wire.edge_bytes import Edge

__all__ = ["TOKEN", "add_graph", "edge", "remove_edges", "watched"]


@contextlib.asynccontextmanager
async def watched(neighbours: int = 2) -> AsyncIterator[tuple[Node, list[Node], str]]:
    """A node that serves the page, its connected neighbours, and the page's address."""
    async with contextlib.AsyncExitStack() as stack:
        config = quiet_config(rpc={"addr": "127.0.0.1:0"}, chain_id="lookout")
        node = await stack.enter_async_context(Node(config))
        server = HttpServer(node, config.rpc, TOKEN)
        await server.start()
        stack.push_async_callback(server.stop)
        others = [await stack.enter_async_context(Node(quiet_config(chain_id="lookout"))) for _ in range(neighbours)]
        for at, other in enumerate(others):
            if at % 2:
                await node.connect(place(other))
            else:
                await other.connect(place(node))
        await until(node, lambda: len(node.core.peers) == neighbours)
        yield node, others, f"http://{server.address}"
        assert node.driver.unhandled == 0


def edge(a: PeerId, b: PeerId, nonce: int = 1) -> Edge:
    """An edge with signatures of zeros: the table does not look at them."""
    first, second = sorted((a, b))
    return Edge.build(first, second, nonce, b"\0" * 65, b"\0" * 65)


def made_up_peers(count: int, seed: int = 1) -> list[PeerId]:
    """Peer ids that nobody has a key of."""
    rng = random.Random(seed)
    return [PeerId(b"\0" + rng.randbytes(32)) for _ in range(count)]


def add_graph(node: Node, peers: int, edges: int, seed: int = 1) -> list[Edge]:
    """Peers around the node in the way of a real network: some edges near, most anywhere; routes follow."""
    rng = random.Random(seed)
    ids = made_up_peers(peers, seed)
    chosen: dict[tuple[PeerId, PeerId], Edge] = {}
    for neighbour in ids[: min(12, peers)]:
        made = edge(node.peer_id, neighbour)
        chosen[made.key] = made
    while len(chosen) < edges:
        a = int(rng.random() ** 1.6 * peers)
        b = rng.randrange(peers) if rng.random() < 0.25 else (a + 1 + int(rng.expovariate(8 / peers))) % peers
        if a != b:
            made = edge(ids[a], ids[b])
            chosen[made.key] = made
    added = list(chosen.values())
    node.driver.run(lambda now: node.core.table.add(added, None, now))
    return added


def remove_edges(node: Node, edges: list[Edge]) -> None:
    """Their removal, told with the next nonce."""
    gone = [edge(*one.key, one.nonce + 1) for one in edges]
    node.driver.run(lambda now: node.core.table.add(gone, None, now))
