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

from nearnet import NetworkConfig, Node, NodeEvent, Overflow


async def watch(node: Node, events: AsyncIterator[NodeEvent | Overflow], done: Callable[[], bool]) -> None:
    """Print what changes, until `done`."""
    async for event in events:
        show(node, event)
        if done():
            return


def show(node: Node, event: NodeEvent | Overflow) -> None:
    """One line for each change of the graph."""
    table = node.core.table
    match event.kind:
        case "connected" | "disconnected":
            print(f"{event.kind:14}{str(event.peer_id)[:24]}..")
        case "edges" | "routes":
            print(f"{event.kind:14}{table.active_count} edges, {table.reachable_count} peers reachable")
        case "overflow":
            print(f"missed {event.n} events")


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
        table = watcher.core.table

        def ways() -> int:
            return len(table.next_hops(opposite.peer_id))

        events = watcher.events()
        for node, other in zip(nodes, [left, opposite, right, watcher], strict=True):
            await node.connect(f"{other.peer_id}@{other.addr}")
        async with asyncio.timeout(10):
            await watch(watcher, events, lambda: table.active_count == 4 and ways() == 2)
            print("two ways to the opposite node; now one of them goes away")
            await left.stop()
            await watch(watcher, events, lambda: table.active_count == 2 and ways() == 1)
            print("one way is left")


if __name__ == "__main__":
    asyncio.run(watch_real_network(*sys.argv[1:4]) if len(sys.argv) > 3 else watch_ring())
