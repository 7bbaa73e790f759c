"""Nodes to look at: real ones on loopback, and a made-up graph around one, put straight into its table."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

from raw_http import TOKEN
from raw_peer import edge_between
from real_nodes import place, quiet_config, until

from nearnet import Node
from nearnet.api.http import HttpServer
from nearnet.keys import SecretKey
from nearnet.wire.edge_bytes import Edge

__all__ = ["TOKEN", "Lookout", "add_graph", "made_up_keys", "remove_edges", "take_sample", "watched"]


@dataclass(frozen=True)
class Lookout:
    """A node that serves the page, and the neighbors that are connected to it."""

    node: Node
    server: HttpServer
    neighbors: list[Node]

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://{self.server.address}"


@contextlib.asynccontextmanager
async def watched(neighbors: int = 2) -> AsyncIterator[Lookout]:
    """With so many connected neighbors, dialed by turns."""
    async with contextlib.AsyncExitStack() as stack:
        config = quiet_config(rpc={"addr": "127.0.0.1:0"}, chain_id="lookout")
        node = await stack.enter_async_context(Node(config))
        server = HttpServer(node, config.rpc, TOKEN)
        await server.start()
        stack.push_async_callback(server.stop)
        others = [await stack.enter_async_context(Node(quiet_config(chain_id="lookout"))) for _ in range(neighbors)]
        for at, other in enumerate(others):
            dialer, listener = (node, other) if at % 2 else (other, node)
            await dialer.connect(place(listener))
        await until(node, lambda: len(node.core.peers) == neighbors)
        yield Lookout(node, server, others)
        assert node.driver.unhandled == 0


def made_up_keys(count: int) -> list[SecretKey]:
    """Keys of peers that are in the graph only."""
    return [SecretKey.from_seed(f"made-up {number}") for number in range(count)]


def add_graph(node: Node, peers: int, edges: int, near: int = 12, seed: int = 1) -> list[Edge]:
    """Peers around the node, `near` of them its neighbors, joined as in a real network: some well, most by chance."""
    rng = random.Random(seed)
    keys = made_up_keys(peers)
    chosen = {(node.key.public_key, key.public_key): edge_between(node.key, key) for key in keys[:near]}
    while len(chosen) < edges:
        a = int(rng.random() ** 1.6 * peers)
        b = rng.randrange(peers) if rng.random() < 0.25 else (a + 1 + int(rng.expovariate(8 / peers))) % peers
        pair = (keys[min(a, b)].public_key, keys[max(a, b)].public_key)
        if a != b and pair not in chosen:
            chosen[pair] = edge_between(keys[a], keys[b])
    added = list(chosen.values())
    _put(node, added)
    return added


def remove_edges(node: Node, edges: list[Edge]) -> None:
    """They are known as removed: the next nonce, signed by one end."""
    keys = {key.public_key: key for key in [node.key, *made_up_keys(1000)]}
    _put(node, [edge_between(keys[one.peer0], keys[one.peer1], one.nonce + 1) for one in edges])


def _put(node: Node, edges: list[Edge]) -> None:
    node.driver.run(lambda now: node.core.table.add(edges, None, now))


def take_sample(server: HttpServer) -> None:
    """Look at the node now, not at the next tick, and keep a sample of it."""
    recorder = server.jsonrpc.recorder
    recorder._sample_due = 0.0
    recorder.look()
