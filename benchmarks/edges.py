"""Edges taken in by the core, without sockets and without the curve: new, removed, known, and a mix; per edge.

Signatures are counted, not checked; what is measured is all the rest of the work, of the loop and of the threads.
"""

from __future__ import annotations

import random

from benchmarks.harness import Options, Result, by_turns, cpu_of
from benchmarks.next_hops import NOW, edge, new_table, peer, random_pairs
from nearnet.core.gossip.exchange import EdgeIntake
from nearnet.core.peer.peer import Outbox, Peer
from nearnet.core.routing_table.edge import Verdict
from nearnet.core.routing_table.table import RoutingTable
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import SocketAddress

SOURCE = Peer(1, SocketAddress("127.0.0.1", 24567), Outbox(2**20), NOW)
SOURCE.peer_id = peer(2**40)
AT_ONCE = 500


def _take(table: RoutingTable, edges: list[Edge]) -> float:
    """As `core/gossip/exchange.py`; signature checks per edge."""
    intake = EdgeIntake(table)
    for start in range(0, len(edges), AT_ONCE):
        request = intake.offer(edges[start : start + AT_ONCE], SOURCE)
        if request is None:
            continue
        for check in request.checks:
            _ = check.checks  # what the validator's thread works out
        valid, _, _ = intake.verified(Verdict(request.id, ("valid",) * len(request.checks)))
        table.add(valid, SOURCE.ready_id, NOW)
    return intake.verified_count / len(edges)


def _removal(active: Edge) -> Edge:
    peer0, peer1, nonce, *signatures, _ = active.parts()
    return Edge.build(peer0, peer1, nonce + 1, *signatures, (True, bytes(65)))


def run(options: Options) -> list[Result]:
    """For each kind, in units of one verification; and how many verifications an edge of that kind takes."""
    results = []
    for count in (options.size(1_000, 100), options.size(100_000, 200)):
        active = [edge(a, b) for a, b in random_pairs(max(50, count // 10), count, 10)]
        kinds = {"new": [], "removed": active, "known": active, "mixed": active[: count // 2]}
        for kind, held in kinds.items():
            told = [_removal(one) for one in active] if kind == "removed" else active
            if kind == "mixed":
                told = [*active, *(_removal(one) for one in active[: count // 4])]
                random.Random(1).shuffle(told)
            per_edge = [0.0]

            def take(_: int, held: list[Edge] = held, told: list[Edge] = told, out: list[float] = per_edge) -> float:
                table = new_table(edges_per_source=10**7, edges_total=10**7, graph_peers=10**7)
                table.add(held, None, NOW)
                return cpu_of(lambda: out.__setitem__(0, _take(table, told)), len(told))

            turns = by_turns(take, options)
            name = f"edges in, {kind}, {count}"
            results.append(turns.result(name, "verifications besides", None, f"{per_edge[0]:.3g} to verify"))
    return results
