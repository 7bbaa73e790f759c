"""Next hops of graphs of several sizes: snapshot, shortest paths and their application; one changed edge; one lookup.

The bound of each is the Rust node's time, in units of a verification on the machine where it was taken: with numba it
is to be reached, with numpy alone four times it.
"""

from __future__ import annotations

import itertools
import random
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import TypeVar

from benchmarks.harness import Options, Result, by_turns, cpu_of
from nearnet.config import NetworkConfig
from nearnet.core.routing_table.graph import shortest_paths
from nearnet.core.routing_table.table import RoutingTable
from nearnet.core.runtime.clock import Now
from nearnet.core.runtime.journal import Journal
from nearnet.core.runtime.limits import LimitCounters
from nearnet.keys import PeerId
from nearnet.store.memory import MemoryStore
from nearnet.tools.heap import keep_freed_memory
from nearnet.wire.edge_bytes import Edge

PEERS = 10_000
EDGES = 150_000
NEIGHBORS = 40
LOOKUPS = 20_000
IN_A_ROW = 5
"""Computations of one graph without anything between them: the processor's caches hold what they can."""

NOW = Now(1_000.0, 1_700_000_000.0)

RUST_VERIFICATION = 80.0
"""Microseconds of a PyNaCl verification on the machine of the Rust figures."""

HAS_NUMBA = find_spec("numba") is not None

T = TypeVar("T")


def peer(number: int) -> PeerId:
    """A made-up id; 0 is ours."""
    return PeerId(b"\0" + number.to_bytes(32, "big"))


def edge(a: int, b: int) -> Edge:
    """An active edge whose signatures nobody looks at."""
    return Edge.build(peer(min(a, b)), peer(max(a, b)), 1, bytes(65), bytes(65))


def random_pairs(peers: int, edges: int, neighbors: int) -> list[tuple[int, int]]:
    """So many different pairs in random order, `neighbors` of them ours."""
    rng = random.Random(1)
    pairs = {(0, number): None for number in rng.sample(range(1, peers), neighbors)}
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
    return RoutingTable(peer(0), config, MemoryStore(), Journal(), LimitCounters(dict(config.nearnet.limits)))


def layered(layers: int, width: int) -> list[tuple[int, int]]:
    """Layers of peers, each joined to the next entirely; we are joined to the first."""
    pairs = [(0, 1 + peer) for peer in range(width)]
    for layer in range(layers - 1):
        near, far = 1 + layer * width, 1 + (layer + 1) * width
        pairs += [(near + a, far + b) for a in range(width) for b in range(width)]
    random.Random(1).shuffle(pairs)
    return pairs


def filled(pairs: list[tuple[int, int]]) -> RoutingTable:
    """A table of these edges, with its routes."""
    table = new_table(edges_per_source=10**8, edges_total=10**8, graph_peers=10**8)
    table.add([edge(a, b) for a, b in pairs], None, NOW)
    table.apply(shortest_paths(table.snapshot()), NOW)
    return table


def _recomputation(name: str, table: RoutingTable, options: Options, rust_ms: float | None) -> list[Result]:
    """Snapshot, shortest paths, application, in verifications; and the longest part of these on the loop."""
    on_loop: list[float] = []

    def timed(step: Callable[[], T]) -> T:
        begun = time.perf_counter()
        outcome = step()
        on_loop.append(time.perf_counter() - begun)
        return outcome

    def recompute() -> None:
        snapshot = timed(table.snapshot)
        routes = shortest_paths(snapshot)
        timed(lambda: table.apply(routes, NOW))

    def again(_: int) -> float:
        return cpu_of(lambda: [recompute() for _ in range(IN_A_ROW)], IN_A_ROW)

    turns = by_turns(again, options)
    reach = None if rust_ms is None else rust_ms * 1000 / RUST_VERIFICATION * (1 if HAS_NUMBA else 4)
    by = "numba" if HAS_NUMBA else "numpy"
    held = Result(f"{name}, longest hold of the loop", 1e3 * statistics.median(on_loop[1::2]), "ms", 20)
    return [turns.result(name, "x a verification", reach, by), held]


def _changed(
    name: str, ends: list[tuple[int, int]], table: RoutingTable, options: Options, most: float | None
) -> Result:
    """Edges between these come and go, each beside a computation of everything."""
    nonces = itertools.count(3, 2)

    def change(_: int) -> float:
        nonce = next(nonces)
        begun = time.thread_time()
        for a, b in ends:
            for number in (nonce, nonce + 1):
                removal = None if number % 2 else (True, bytes(65))
                table.add((Edge.build(peer(a), peer(b), number, bytes(65), bytes(65), removal),), None, NOW)
                if table.needs_recalculation:
                    table.apply(shortest_paths(table.snapshot()), NOW)
        return (time.thread_time() - begun) / 2 / len(ends)

    def whole() -> float:
        return cpu_of(lambda: table.apply(shortest_paths(table.snapshot()), NOW))

    return by_turns(change, options, whole).result(name, "of the whole", most)


def _changed_edges(table: RoutingTable, options: Options) -> list[Result]:
    peers = range(1, table.peer_count)
    farthest = max(table.distance(peer(number)) or 0 for number in peers)
    far = [number for number in peers if table.distance(peer(number)) == farthest]
    rng = random.Random(3)
    anywhere = [(min(a, b), max(a, b)) for a, b in (rng.sample(peers, 2) for _ in range(options.size(100, 5)))]
    return [
        _changed("next hops, an edge far away", [(far[0], far[-1])], table, options, 0.1),
        _changed("next hops, an edge anywhere, on average", anywhere, table, options, None),
    ]


def _lookup(table: RoutingTable, options: Options) -> Result:
    rng = random.Random(2)
    targets = [peer(rng.randrange(1, PEERS)) for _ in range(options.size(LOOKUPS, 100))]

    def look_up(_: int) -> float:
        return cpu_of(lambda: [table.find_next_hop(target) for target in targets], len(targets))

    return by_turns(look_up, options).result("next hop of a message", "x a verification")


def run(options: Options) -> list[Result]:
    """All of a recomputation by graph, one changed edge, a lookup."""
    keep_freed_memory()  # as the daemon does: else half of a small graph's time is the kernel's, for fresh pages
    results = []
    graphs = LARGE if not options.small else {"layers 3 x 10": (lambda: layered(3, 10), None)}
    for name, (pairs, rust_ms) in graphs.items():
        table = filled(pairs())
        results += _recomputation(f"next hops, {name}", table, options, rust_ms)
    pairs = random_pairs(options.size(PEERS, 300), options.size(EDGES, 3000), NEIGHBORS)
    table = filled(pairs)
    results += [*_changed_edges(table, options), _lookup(table, options)]
    return results


LARGE: dict[str, tuple[Callable[[], list[tuple[int, int]]], float | None]] = {
    "layers 10 x 100": (lambda: layered(10, 100), 1.7),
    "1 000 peers, 15 000 edges": (lambda: random_pairs(1_000, 15_000, NEIGHBORS), 0.5),
    "10 000 peers, 150 000 edges": (lambda: random_pairs(PEERS, EDGES, NEIGHBORS), 5.8),
    "100 000 peers, 1 500 000 edges": (lambda: random_pairs(100_000, 1_500_000, NEIGHBORS), 142.0),
}
"""Name -> how it is made, and the Rust node's milliseconds."""
