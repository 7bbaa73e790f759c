"""What a held edge costs in memory, all in: resident bytes of a fresh process after as many as the limits allow."""

from __future__ import annotations

import gc
import importlib
import multiprocessing

from benchmarks.harness import Result
from benchmarks.next_hops import NOW, edge, new_table, peer, random_pairs
from nearnet.core.graph import shortest_paths

EDGES = 1_000_000
PEERS = 100_000
NEIGHBOURS = 40


def _resident() -> int:
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def _measure(edges: int, peers: int) -> float:
    """Bytes per edge: table, routes and next hops of all. numpy is there before: 20 MB, whatever the graph."""
    pairs = random_pairs(peers, edges, NEIGHBOURS)
    table = new_table(edges_per_source=edges, edges_total=edges, graph_peers=peers + 1)
    importlib.import_module("numpy")
    before = _resident()
    for a, b in pairs:
        table.add((edge(a, b),), peer(1), NOW)
    table.apply(shortest_paths(table.snapshot()), NOW)
    for number in range(peers):
        table.next_hops(peer(number))
    assert table.edge_count == edges
    return (_resident() - before) / edges


def run() -> list[Result]:
    """For the most edges that are taken, and for a tenth of them."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        full, tenth = (pool.apply(_measure, (EDGES // part, PEERS // part)) for part in (1, 10))
    return [
        Result("memory, 1 000 000 edges of 100 000 peers", full, "bytes an edge", 600, f"{full * EDGES / 1e6:.0f} MB"),
        Result("memory, 100 000 edges of 10 000 peers", tenth, "bytes an edge", 600),
    ]
