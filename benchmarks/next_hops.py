"""Next hops of 10 000 peers with 150 000 edges: snapshot, shortest paths and their application; one lookup."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

from benchmarks.harness import Result, by_turns
from nearnet.config import NetworkConfig
from nearnet.core.clock import Now
from nearnet.core.graph import shortest_paths
from nearnet.core.limits import LimitCounters
from nearnet.core.routing_table import RoutingTable
from nearnet.keys import PeerId
from nearnet.store.memory import MemoryStore
from nearnet.wire.edge_bytes import Edge

PEERS = 10_000
EDGES = 150_000
NEIGHBOURS = 40
LOOKUPS = 20_000
NOW = Now(1_000.0, 1_700_000_000.0)

T = TypeVar("T")


def peer(number: int) -> PeerId:
    """A made-up id; 0 is ours."""
    return PeerId(b"\0" + number.to_bytes(32, "big"))


def edge(a: int, b: int) -> Edge:
    """An active edge whose signatures nobody looks at."""
    return Edge.build(peer(min(a, b)), peer(max(a, b)), 1, bytes(65), bytes(65))


def random_pairs(peers: int, edges: int, neighbours: int) -> list[tuple[int, int]]:
    """So many different pairs in random order, `neighbours` of them ours."""
    rng = random.Random(1)
    pairs = {(0, number): None for number in rng.sample(range(1, peers), neighbours)}
    while len(pairs) < edges:
        a, b = rng.randrange(1, peers), rng.randrange(1, peers)
        if a < b:
            pairs[a, b] = None
    shuffled = list(pairs)
    rng.shuffle(shuffled)
    return shuffled


def new_table(**limits: int) -> RoutingTable:
    """An empty one."""
    config = NetworkConfig.model_validate({"nearnet": {"limits": limits}})
    return RoutingTable(peer(0), config, MemoryStore(), LimitCounters(dict(config.nearnet.limits)))


def run() -> list[Result]:
    """All of a recomputation, its longest part on the loop, and a lookup."""
    table = new_table()
    table.add((edge(a, b) for a, b in random_pairs(PEERS, EDGES, NEIGHBOURS)), None, NOW)
    on_loop: list[float] = []

    def timed(step: Callable[[], T]) -> T:
        begun = time.perf_counter()
        outcome = step()
        on_loop.append(time.perf_counter() - begun)
        return outcome

    def recompute(_: int) -> float:
        begun = time.thread_time()
        snapshot = timed(table.snapshot)
        routes = shortest_paths(snapshot)
        timed(lambda: table.apply(routes, NOW))
        return time.thread_time() - begun

    rng = random.Random(2)
    targets = [peer(rng.randrange(1, PEERS)) for _ in range(LOOKUPS)]

    def look_up(_: int) -> float:
        begun = time.thread_time()
        for target in targets:
            table.find_next_hop(target)
        return (time.thread_time() - begun) / LOOKUPS

    recompute(0)
    on_loop.clear()
    ratio, seconds = by_turns(recompute, rounds=9)
    lookup_ratio, lookup_seconds = by_turns(look_up)
    return [
        Result("next hops, 10 000 peers, 150 000 edges", ratio, "x a verification", 150, f"{seconds * 1e3:.1f} ms"),
        Result("next hops, longest hold of the loop", 1e3 * statistics.median(on_loop[1::2]), "ms", 20),
        Result("next hop of a message", lookup_ratio, "x a verification", None, f"{lookup_seconds * 1e6:.2f} µs"),
    ]
