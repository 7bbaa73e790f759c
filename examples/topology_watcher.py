"""Watches the network's graph grow and shrink, from one node of it.

    python examples/topology_watcher.py                                 a ring of four on loopback, made and taken apart
    python examples/topology_watcher.py CHAIN_ID GENESIS_HASH PEERS     a real network, for a minute

Every node learns the whole graph: each connection is an edge that both of its ends signed.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable

from nearnet import Connected, Disconnected, EdgesAdded, NetworkConfig, Node, NodeEvent, Overflow, RoutesChanged


async def watch(node: Node, events: AsyncIterator[NodeEvent | Overflow], done: Callable[[], bool]) -> None:
    """Print what changes, until `done`."""
    async for event in events:
        show(node, event)
        if done():
            return


def show(node: Node, event: NodeEvent | Overflow) -> None:
    """Print one line for each change of the graph."""
    match event:
        case Connected(peer_id=peer_id) | Disconnected(peer_id=peer_id):
            print(f"{type(event).__name__:14}{str(peer_id)[:24]}..")
        case EdgesAdded() | RoutesChanged():
            print(f"{type(event).__name__:14}{active_edges(node)} edges, {len(node.routes())} peers reachable")
        case Overflow(n=lost):
            print(f"missed {lost} events")
        case _:
            pass


def active_edges(node: Node) -> int:
    """Return how many connections the network has, as far as the node knows."""
    return sum(edge.active for edge in node.edges())


async def watch_real_network(chain_id: str, genesis_hash: str, peers: str) -> None:
    """Join a network by its boot nodes, look for a minute, leave."""
    config = NetworkConfig.model_validate(
        {"chain_id": chain_id, "genesis_hash": genesis_hash, "network": {"addr": "0.0.0.0:0", "boot_nodes": peers}}
    )
    async with Node(config) as node:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                await watch(node, node.events(maxsize=100), lambda: False)


async def watch_ring() -> None:
    """Four nodes in a ring; then one of them leaves, and the way around is the other one."""
    overrides = {"network_config_overrides": {"outbound_disabled": True}}
    config = NetworkConfig.model_validate(
        {"network": {"addr": "127.0.0.1:0", "experimental": overrides}, "nearnet": {"dialect": "borsh"}}
    )
    nodes = [Node(config) for _ in range(4)]
    async with contextlib.AsyncExitStack() as stack:
        for node in nodes:
            await stack.enter_async_context(node)
        watcher, left, opposite, right = nodes

        def is_seen(edges: int, ways: int) -> bool:
            hops = [hop for route in watcher.routes(opposite.peer_id) for hop in route.next_hops]
            return active_edges(watcher) == edges and len(hops) == ways

        events = watcher.events()
        for node, other in zip(nodes, [left, opposite, right, watcher], strict=True):
            await node.connect(f"{other.peer_id}@{other.addr}")
        async with asyncio.timeout(10):
            await watch(watcher, events, lambda: is_seen(edges=4, ways=2))
            print("two ways to the opposite node; now one of them goes away")
            await left.stop()
            await watch(watcher, events, lambda: is_seen(edges=2, ways=1))
            print("one way is left")


if __name__ == "__main__":
    asyncio.run(watch_real_network(*sys.argv[1:4]) if len(sys.argv) > 3 else watch_ring())
