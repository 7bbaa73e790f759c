"""A network of real nodes on this machine: processes, homes, stores, ports, and what they do (`cli.md`, localnet).

What happens is told as plain events, dicts with the key ``event``; who prints them is somebody else's business.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from nearnet.errors import ConfigError, NearnetError
from nearnet.tools.local_node import LocalNode, free_port
from nearnet.tools.rpc_client import NodeUnreachable
from nearnet.tools.topology import link_dialects, links, longest_route, routes
from nearnet.wire.dialect import dialect_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["FORM_TIME", "MAX_NODES", "PINGS", "Localnet", "Plan", "local_network"]

MAX_NODES = 100

FORM_TIME = 30.0
"""Seconds in which the network must form, and one more for each node."""

PINGS = 3
"""Over the longest route, one after the other."""

_LOOK_EVERY = 0.1
_WATCH_EVERY = 0.5
_STOP_TIME = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What network is wanted; `home` None is a temporary one."""

    nodes: int = 5
    topology: str = "line"
    dialect: str = "borsh"
    key_type: str = "mixed"
    base_port: int = 24577
    home: Path | None = None

    def check(self) -> None:
        """`ConfigError` in words."""
        if not 1 <= self.nodes <= MAX_NODES:
            raise ConfigError(f"--nodes: expected 1 to {MAX_NODES}, got {self.nodes}")
        if not 1 <= self.base_port <= 65535 - 1000 - self.nodes:
            raise ConfigError(f"--base-port: expected 1 to {65535 - 1000 - self.nodes}, got {self.base_port}")
        for name in self.dialects:
            dialect_named(name)

    @property
    def dialects(self) -> tuple[str, ...]:
        """What the links speak, in turn."""
        return ("borsh", "protobuf") if self.dialect == "mixed" else (self.dialect,)

    @property
    def key_types(self) -> tuple[str, ...]:
        """Of their keys, in turn."""
        return ("ed25519", "secp256k1") if self.key_type == "mixed" else (self.key_type,)


@contextmanager
def local_network(plan: Plan, tell: Callable[[dict[str, Any]], None]) -> Iterator[Localnet]:
    """A network in its folder; at the end all is stopped, and a temporary folder removed."""
    plan.check()
    folder = Path(mkdtemp(prefix="nearnet-localnet-")) if plan.home is None else plan.home
    network = None
    try:
        network = Localnet(plan, folder, tell)
        yield network
    finally:
        if network is not None:
            network.stop()
        if plan.home is None:
            rmtree(folder, ignore_errors=True)


class Localnet:
    """`start`, `form`, `ping`, `watch`, `stop`; see `local_network`."""

    def __init__(self, plan: Plan, folder: Path, tell: Callable[[dict[str, Any]], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._begun = time.monotonic()
        self._folder = folder
        self.links = links(plan.topology, plan.nodes, random.Random())
        self._dialects = link_dialects(self.links, plan.dialects)
        self.nodes = self._make_nodes(plan.base_port)
        self._numbers = {node.peer_id: node.number for node in self.nodes}
        self._connected: set[tuple[int, int]] = set()
        self._ended: set[int] = set()

    def _make_nodes(self, base: int | None) -> list[LocalNode]:
        """With p2p ports from `base` on, or any that are free."""
        plan, taken, nodes = self._plan, list[int](), []
        for number in range(plan.nodes):
            for above in (0, 1000):
                taken.append(free_port(0 if base is None else base + above + number, taken))
            key_type = plan.key_types[number % len(plan.key_types)]
            nodes.append(LocalNode(number, self._folder / f"node{number}", key_type, *taken[-2:]))
        return nodes

    def _event(self, kind: str, **data: Any) -> None:
        self._tell({"event": kind, "seconds": round(time.monotonic() - self._begun, 3), **data})

    # --- it comes to be --------------------------------------------------------------------------

    def start(self) -> None:
        """All processes at once; of each link the higher number dials the lower."""
        self._event("planned", nodes=len(self.nodes), topology=self._plan.topology, links=self.links)
        try:
            told = self._start_all()
        except NearnetError:
            if not any(node.lost_its_ports for node in self.nodes):
                raise
            # Somebody took a port between our look and the node's: once more, where the system says.
            self._stop_all()
            self.nodes = self._make_nodes(None)
            told = self._start_all()
        for node, one in zip(self.nodes, told, strict=True):
            where = {"addr": one["addr"], "rpc_addr": one["rpc_addr"], "pid": node.pid, "home": str(node.home.path)}
            self._event("started", node=node.number, peer_id=node.peer_id, **where)

    def _start_all(self) -> list[dict[str, Any]]:
        for node in self.nodes:
            dials = {self.nodes[low]: self._dialects[low, high] for low, high in self.links if high == node.number}
            node.configure(dials)
            node.start()
        return [node.await_start() for node in self.nodes]

    def form(self) -> None:
        """Until all are linked, every node holds every edge, and has a way to everybody; tells each step."""
        deadline = time.monotonic() + FORM_TIME + len(self.nodes)
        edges = dict.fromkeys(range(len(self.nodes)), -1)
        waiting = dict.fromkeys(self.nodes)
        while True:
            self._look_at_links()
            for node in tuple(waiting):
                own = node.rpc.call("status")["nearnet"]
                if own["edges"] != edges[node.number]:
                    edges[node.number] = own["edges"]
                    self._event("edges", node=node.number, edges=own["edges"], of=len(self.links))
                if own["edges"] >= len(self.links) and self._has_all_routes(node):
                    del waiting[node]
            if not waiting and len(self._connected) >= len(self.links):
                break
            if time.monotonic() > deadline:
                raise NearnetError(self._why_not(waiting))
            time.sleep(_LOOK_EVERY)
        self._event("formed", edges=len(self.links))
        for node in self.nodes:
            self._event("routes", node=node.number, routes=self.routes(node))

    def _has_all_routes(self, node: LocalNode) -> bool:
        """Next hops are computed once a second at most: the newest edge may not be in them yet."""
        told = {peer: (way["distance"], tuple(way["next_hops"])) for peer, way in self.routes(node).items()}
        return told == routes(self.links, node.number)

    def _why_not(self, waiting: dict[LocalNode, None]) -> str:
        missing = [f"node{low} and node{high}" for low, high in self.links if (low, high) not in self._connected]
        behind = [f"node{node.number}" for node in waiting]
        said = (
            f"not connected: {', '.join(missing)}" if missing else f"without all edges or routes: {', '.join(behind)}"
        )
        return f"the network did not form; {said}; their logs are in the home folders (keep them by --home)"

    def _look_at_links(self) -> None:
        """Tell which links are there, and which are no more."""
        now = set()
        for node in self.nodes:
            if node.exit_code is not None:
                if node.number not in self._ended:
                    self._ended.add(node.number)
                    self._event("ended", node=node.number, code=node.exit_code)
                continue
            for peer in node.rpc.call("nearnet_peers"):
                other = self._numbers.get(peer["peer_id"])
                if other is not None:
                    now.add((min(node.number, other), max(node.number, other)))
        for pair in sorted(now - self._connected):
            self._event("connected", nodes=list(pair), dialect=self._dialects.get(pair))
        for pair in sorted(self._connected - now):
            self._event("disconnected", nodes=list(pair))
        self._connected = now

    # --- what it does ----------------------------------------------------------------------------

    def routes(self, node: LocalNode) -> dict[int, dict[str, Any]]:
        """Its routing table by node numbers."""
        return {
            self._numbers[peer]: {
                "distance": way["distance"],
                "next_hops": sorted(self._numbers[hop] for hop in way["next_hops"]),
            }
            for peer, way in node.rpc.call("nearnet_routes").items()
            if peer in self._numbers
        }

    def ping(self) -> bool:
        """Across the longest route; whether every ping was answered. A lone node has nobody to ping: True."""
        start, end = longest_route(self.links, len(self.nodes))
        if start == end:
            return True
        ways = self._all_ways(start, end)
        self._event("pinging", source=start, target=end, way=ways)
        answers = []
        for number in range(1, PINGS + 1):
            answer = self.nodes[start].rpc.call("nearnet_ping", peer_id=self.nodes[end].peer_id)
            self._event("ping", number=number, source=start, target=end, **answer)
            answers.append(answer["ok"])
        return all(answers)

    def _all_ways(self, start: int, end: int) -> list[list[int]]:
        """The nodes that a message may pass at each step, start and end with them: next hops of next hops."""
        steps = [[start]]
        while steps[-1] != [end] and len(steps) <= len(self.nodes):
            hops = {hop for one in steps[-1] for hop in self.routes(self.nodes[one])[end]["next_hops"]}
            steps.append(sorted(hops))
        return steps

    def watch(self, duration: float | None) -> None:
        """Until `duration` seconds are over, or until all nodes have ended; tells what changes meanwhile."""
        self._event("running", duration=duration, rpc_addrs=[node.rpc_addr for node in self.nodes])
        deadline = None if duration is None else time.monotonic() + duration
        while len(self._ended) < len(self.nodes):
            left = _WATCH_EVERY if deadline is None else min(_WATCH_EVERY, deadline - time.monotonic())
            if left <= 0:
                break
            time.sleep(left)
            try:
                self._look_at_links()
            except NodeUnreachable:
                continue  # It ends just now; the next look tells.

    def stop(self) -> None:
        """All processes; those that do not go by themselves are killed."""
        self._stop_all()
        self._event("stopped", nodes=len(self.nodes))

    def _stop_all(self) -> None:
        for node in self.nodes:
            node.terminate()
        deadline = time.monotonic() + _STOP_TIME
        for node in self.nodes:
            node.stop(deadline)
