"""20 000 new edges in one table: verified, added, told on to a second peer. The whole process' CPU time per edge."""

from __future__ import annotations

import time
from itertools import combinations, islice

from benchmarks.harness import Result, by_turns
from benchmarks.node_process import BORSH, NodeProcess, RawClient
from nearnet.core.edge import build_edge, edge_digest
from nearnet.keys import SecretKey
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import SyncRoutingTable

EDGES = 20_000
IDENTITIES = 220


def _edges(number: int, joined_to: SecretKey) -> tuple[Edge, ...]:
    """A dense graph of new identities, joined to a neighbour of the node."""
    keys = [joined_to, *(SecretKey.from_seed(f"{number} {one}") for one in range(IDENTITIES))]
    pairs = islice(combinations(keys, 2), EDGES)
    return tuple(build_edge(a, b.public_key, 1, b.sign(edge_digest(a.public_key, b.public_key, 1))) for a, b in pairs)


def run() -> list[Result]:
    """The ratio of one new edge to its two verifications, and how busy both cores were."""
    busy = []
    with NodeProcess() as node:
        source = RawClient(node, SecretKey.from_seed("source"))
        listener = RawClient(node, SecretKey.from_seed("listener"))
        time.sleep(2)  # the tables and edges of the beginning have been told
        source.drain()
        listener.drain()

        def ingest(number: int) -> float:
            frame = BORSH.encode(SyncRoutingTable(_edges(number, source.key)))
            heard = 0
            begun, wall = node.cpu(), time.monotonic()
            source.socket.sendall(frame_prefix(len(frame)) + frame)
            while heard < EDGES:
                (table,) = listener.receive_until("SyncRoutingTable", 1)
                heard += int.from_bytes(table[1:5], "little")  # undecoded: the cores are the node's
            busy.append((node.cpu() - begun) / (time.monotonic() - wall))
            time.sleep(1.5)  # the recomputation that the edges cause belongs to their cost
            return (node.cpu() - begun) / EDGES / 2

        ratio, half = by_turns(ingest, rounds=3)
        source.close()
        listener.close()
    detail = f"{2 * half * 1e6:.0f} µs of CPU; cores busy: {max(busy):.2f}"
    return [Result("ingest, per edge", ratio, "x two verifications", 1.2, detail)]
