"""Real nodes on loopback, ports chosen by the system, and ways to wait for what they do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from nearnet import NetworkConfig, Node, NodeEvent


def quiet_config(outbound_disabled: bool = True, **sections: Any) -> NetworkConfig:
    """Listens on loopback, dials by command only; `network=` and `nearnet=` add fields."""
    network = {
        "addr": "127.0.0.1:0",
        "experimental": {"network_config_overrides": {"outbound_disabled": outbound_disabled}},
        **sections.pop("network", {}),
    }
    nearnet = {"dialect": "borsh", **sections.pop("nearnet", {})}
    # That a machine is busy is no event of a test.
    nearnet["limits"] = {"loop_stall": 60.0, **nearnet.get("limits", {})}
    return NetworkConfig.model_validate({"network": network, "nearnet": nearnet, **sections})


@contextlib.asynccontextmanager
async def running(count: int, **sections: Any) -> AsyncIterator[list[Node]]:
    """So many nodes; at the end none of them has had an unhandled fault (`threats.md` row 73)."""
    async with contextlib.AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(Node(quiet_config(**sections))) for _ in range(count)]
        drivers = [node.driver for node in nodes]
        yield nodes
    assert [driver.unhandled for driver in drivers] == [0] * count


def place(node: Node) -> str:
    """Where to dial a node."""
    return f"{node.peer_id}@{node.addr}"


async def until(node: Node, holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until it holds, looking again after each event of that node."""
    events = node.events()
    async with asyncio.timeout(seconds):
        while not holds():
            await anext(events)


async def event(node: Node, kind: str, seconds: float = 10.0) -> NodeEvent:
    """The first event of that kind, from the node's start on."""
    found: list[NodeEvent] = []

    def happened() -> bool:
        found[:] = [one for one in node.recent_events if one.kind == kind]
        return bool(found)

    await until(node, happened, seconds)
    return found[0]
