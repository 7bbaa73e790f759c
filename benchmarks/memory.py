"""What a held edge costs in memory, all in: resident bytes of a fresh process after as many as the limits allow."""

from __future__ import annotations

import gc
import multiprocessing

import numpy as np

from benchmarks.harness import Options, Result
from benchmarks.next_hops import NOW, edge, new_table, peer, random_pairs
from nearnet.core.peer.peer import Outbox, Peer
from nearnet.core.routing_table.graph import shortest_paths
from nearnet.core.routing_table.graph_numba import compiled
from nearnet.wire.messages import SocketAddress

EDGES = 1_000_000
PEERS = 100_000
NEIGHBORS = 40


def _resident() -> int:
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def _measure(edges: int, peers: int) -> float:
    """Bytes per edge: table, routes and next hops of all. numpy (20 MB), numba (110 MB) are there before."""
    pairs = random_pairs(peers, edges, NEIGHBORS)
    table = new_table(edges_per_source=edges, edges_total=edges, graph_peers=peers + 1)
    breadth_first = compiled()
    if breadth_first is not None:
        breadth_first(np.zeros(1, np.uint32), np.ones(1, np.uint32), np.ones(1, np.uint8), 2, 128)
    before = _resident()
    for a, b in pairs:
        table.add((edge(a, b),), peer(1), NOW)
    table.apply(shortest_paths(table.snapshot()), NOW)
    for number in range(peers):
        table.next_hops(peer(number))
    assert table.edge_count == edges
    return (_resident() - before) / edges


def _per_peer(peers: int) -> float:
    """Bytes of the core for each connection with nothing queued; buffers of the kernel and the loop are extra."""
    outbox = Outbox(2**20)
    before = _resident()
    held = [Peer(number, SocketAddress("127.0.0.1", 1), outbox, NOW) for number in range(peers)]
    return (_resident() - before) / len(held)


def run(options: Options) -> list[Result]:
    """For the most edges that are taken, and for a tenth of them."""
    full, tenth = options.size(EDGES, 20_000), options.size(EDGES, 20_000) // 10
    results = []
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for edges in (full, tenth):
            each = pool.apply(_measure, (edges, edges // 10))
            name = f"memory, {edges} edges of {edges // 10} peers"
            results.append(Result(name, each, "bytes an edge", 420, f"{each * edges / 1e6:.0f} MB"))
        results.append(Result("memory, per connection", pool.apply(_per_peer, (1000,)) / 1024, "KiB"))
    return results
