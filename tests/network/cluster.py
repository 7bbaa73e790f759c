"""Real nodes on loopback sockets in one process: started, wired, watched, stopped.

Nothing here sleeps: `until` looks again whenever any node reports an event, and gives up at its deadline in words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nearnet import NetworkConfig, Node
from nearnet.keys import PeerId, SecretKey
from nearnet.net.driver import Driver
from nearnet.net.events import EventStream
from nearnet.store.base import Store

QUICK = {
    "wait_for_sync_delay": 0.05,
    "update_routing_table_interval": 0.05,
    "monitor_peers_initial": 0.01,
    "dial_backoff_initial": 0.05,
    "dial_backoff_max": 0.2,
}
"""Short intervals, so that a network forms in a fraction of a second."""


def make_config(outbound: bool = False, addr: str = "127.0.0.1:0", **changes: Any) -> NetworkConfig:
    """A node's config; `changes` go into `network` (`dialect`, `timing`, `limits` into `nearnet`, `chain_id` above)."""
    chain_id = changes.pop("chain_id", "test")
    timing = {**QUICK, **changes.pop("timing", {})}
    limits = {"loop_stall": 60.0, **changes.pop("limits", {})}  # That a machine is busy is no event of a test.
    dialect = changes.pop("dialect", "borsh")
    network = {
        "addr": addr,
        "monitor_peers_max_period": 0.2,
        "experimental": {"network_config_overrides": {"outbound_disabled": not outbound}},
        **changes,
    }
    nearnet = {"dialect": dialect, "timing": timing, "limits": limits}
    return NetworkConfig.model_validate({"chain_id": chain_id, "network": network, "nearnet": nearnet})


class Cluster:
    """An asynchronous context manager: every node that it started is stopped at its end."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._changed = asyncio.Event()
        self._watchers: dict[Node, asyncio.Task[None]] = {}
        self._drivers: list[Driver] = []
        self.bans: list[tuple[PeerId, Any]] = []
        """Who was banned by whom: nobody, unless a test wants it."""

    async def __aenter__(self) -> Cluster:
        return self

    async def __aexit__(self, *_: object) -> None:
        for node in list(self._watchers):
            await self.stop(node)
        assert [driver.unhandled for driver in self._drivers] == [0] * len(self._drivers), "row 73: no unhandled fault"

    async def start(
        self,
        config: NetworkConfig | None = None,
        key: str | None = None,
        store: Store | None = None,
        client: Any = None,
    ) -> Node:
        """One more node; every second one has a secp256k1 key unless `key` (a seed) is given."""
        number = len(self.nodes)
        secret = SecretKey.from_seed(
            key or f"network {number}", "secp256k1" if number % 2 and key is None else "ed25519"
        )
        node = Node(config or make_config(), key=secret, store=store, client=client)
        await node.start()
        self.nodes.append(node)
        self._drivers.append(node.driver)
        self._watchers[node] = asyncio.create_task(self._watch(node, node.events()))
        return node

    async def _watch(self, node: Node, events: EventStream) -> None:
        async for event in events:
            if event.kind == "banned":
                self.bans.append((node.peer_id, event))
            self._changed.set()

    async def stop(self, node: Node) -> None:
        """A clean stop."""
        await node.stop()
        await self._watchers.pop(node)
        self._changed.set()

    async def wire(self, *pairs: tuple[int, int]) -> None:
        """The first node of each pair dials the second."""
        for dialer, target in pairs:
            await self.nodes[dialer].connect(address(self.nodes[target]))

    async def until(self, holds: Callable[[], bool], seconds: float = 10.0, what: str = "") -> None:
        """Wait until it holds; looked at after every event of any node."""
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            seen = "; ".join(f"{i}: {self.routes(i)}" for i, node in enumerate(self.nodes) if node in self._watchers)
            raise AssertionError(f"not within {seconds} s: {what or holds}; routes {seen}") from None

    async def stays(self, holds: Callable[[], bool], seconds: float) -> None:
        """It holds now and after every event for so long."""
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            assert holds()
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                break
        assert holds()

    def index(self, peer: PeerId) -> int:
        """Which node has this id; the latest, where one took another's key."""
        return max((i for i, node in enumerate(self.nodes) if node.peer_id == peer), default=-1)

    def routes(self, node: int) -> dict[int, list[int]]:
        """Its routing table: node -> next hops, by their numbers here."""
        table = self.nodes[node].core.table
        found = {peer: table.next_hops(peer) for peer in table.peers()}
        return {self.index(peer): sorted(self.index(hop) for hop in hops) for peer, hops in found.items() if hops}

    async def routes_are(self, expected: dict[int, dict[int, list[int]]], seconds: float = 10.0) -> None:
        """Every routing table named comes to be as expected."""
        await self.until(
            lambda: all(self.routes(node) == routes for node, routes in expected.items()), seconds, f"routes {expected}"
        )


def address(node: Node) -> str:
    """How to dial it."""
    return f"{node.peer_id}@{node.addr}"


def visible(links: list[tuple[int, int, str]], node: int) -> list[tuple[int, int]]:
    """Of (dialer, target, dialect) those that a node hears of: times for nonces go everywhere, counters over borsh.

    A link has a time for its nonce when it speaks protobuf, or when one of its ends has a neighbor that does.
    """
    today = {end for a, b, dialect in links if dialect == "protobuf" for end in (a, b)}
    dated = [(a, b) for a, b, dialect in links if dialect == "protobuf" or today & {a, b}]
    counters = [(a, b) for a, b, _ in links if (a, b) not in dated]
    return dated + over_borsh(counters, [(a, b) for a, b, dialect in links if dialect == "borsh"], node)


def over_borsh(counters: list[tuple[int, int]], borsh: list[tuple[int, int]], node: int) -> list[tuple[int, int]]:
    """Of those links the ones that a node hears of when news of them goes over the links that speak borsh only."""
    near = {node}
    for _ in borsh:
        near |= {end for pair in borsh if near & set(pair) for end in pair}
    return [pair for pair in counters if near & set(pair)]


def plain_search(pairs: list[tuple[int, int]], start: int) -> dict[int, list[int]]:
    """Next hops by a plain breadth-first search from each neighbor."""
    adjacent: dict[int, set[int]] = {}
    for a, b in pairs:
        adjacent.setdefault(a, set()).add(b)
        adjacent.setdefault(b, set()).add(a)

    def distances(source: int) -> dict[int, int]:
        found, queue = {source: 0}, [source]
        for node in queue:
            for other in sorted(adjacent[node] - found.keys()):
                found[other] = found[node] + 1
                queue.append(other)
        return found

    mine = distances(start)
    hops = {peer: [n for n in sorted(adjacent[start]) if distances(n).get(peer) == mine[peer] - 1] for peer in mine}
    return {peer: found for peer, found in hops.items() if peer != start}
