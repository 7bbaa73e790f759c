"""20 000 new edges in one table: verified, added, told on to a second peer. The whole process' CPU time per edge."""

from __future__ import annotations

import statistics
import time
from itertools import combinations, islice

from benchmarks.harness import Options, Result, by_turns, verification_floors
from benchmarks.node_process import BORSH, NodeProcess, OtherProcess, Process, RawClient
from nearnet.core.routing_table.edge import build_edge, edge_digest
from nearnet.keys import SecretKey
from nearnet.net.loop_times import INPUTS
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import SyncRoutingTable

EDGES = 20_000
HELD = 0.0512
"""Seconds: a bound of the histogram's, and twice what one piece of a table should take."""


def new_edges(mark: str, count: int, joined_to: SecretKey, nonce: int = 1) -> tuple[Edge, ...]:
    """A dense graph of new identities, joined to a neighbor of the node."""
    identities = next(number for number in range(2, count + 3) if number * (number - 1) // 2 >= count)
    keys = [joined_to, *(SecretKey.from_seed(f"{mark} {one}") for one in range(identities - 1))]
    pairs = islice(combinations(keys, 2), count)
    return tuple(
        build_edge(a, b.public_key, nonce, b.sign(edge_digest(a.public_key, b.public_key, nonce))) for a, b in pairs
    )


class Intake:
    """A node with a peer that tells it tables, and one that is told of them."""

    def __init__(self, node: Process, edges: int) -> None:
        self._node = node
        self._edges = edges
        self._nonce = int(time.time()) | 1 if node.dialect == "protobuf" else 1
        self._source = RawClient(node, SecretKey.from_seed("source"))
        self._listener = RawClient(node, SecretKey.from_seed("listener"))
        time.sleep(2)  # the tables and edges of the beginning have been told
        self._source.drain()
        self._listener.drain()
        self.busy: list[float] = []
        self.rates: list[float] = []
        """Edges a second, of each round."""
        self._round = 0

    def __call__(self, _: int) -> float:
        """One table: CPU seconds per signature that was to be verified."""
        self._round += 1
        edges = new_edges(f"{self._round}", self._edges, self._source.key, self._nonce)
        frame = self._source.dialect.encode(SyncRoutingTable(edges))
        heard = 0
        begun, wall = self._node.cpu(), time.monotonic()
        self._source.socket.sendall(frame_prefix(len(frame)) + frame)
        while heard < self._edges:
            (table,) = self._listener.receive_until("SyncRoutingTable", 1)
            if self._listener.dialect is BORSH:
                heard += int.from_bytes(table[1:5], "little")  # undecoded: the cores are the node's
            else:
                heard += len(self._listener.dialect.decode(table).edges)  # type: ignore[union-attr]
        seconds = time.monotonic() - wall
        self.busy.append((self._node.cpu() - begun) / seconds)
        self.rates.append(self._edges / seconds)
        time.sleep(1.5)  # the recomputation that the edges cause belongs to their cost
        return (self._node.cpu() - begun) / self._edges / 2

    def close(self) -> None:
        """End the clients."""
        self._source.close()
        self._listener.close()


def inputs_that_held_the_loop(edges: int) -> float:
    """Return how many inputs of a node held its event loop for over `HELD` seconds while one table came in.

    The node has an HTTP server here, which the other rounds do without: its histograms tell the figure.
    """
    series = "near_peer_manager_messages_time"
    with NodeProcess(rpc="127.0.0.1:0") as node:
        intake = Intake(node, edges)
        intake(0)
        intake.close()
        held = 0.0
        for kind in dict.fromkeys(INPUTS.values()):
            within = node.metric(f'{series}_bucket{{message="{kind}",le="{HELD!r}"}}')
            held += node.metric(f'{series}_count{{message="{kind}"}}') - within
    return held


def run(options: Options) -> list[Result]:
    """The ratio of one new edge to its two verifications, and how busy both cores were."""
    edges = options.size(EDGES, 200)
    both: list[float] = []

    def floor() -> float:
        on_two, on_one = verification_floors()
        both.append(on_two)
        return on_one

    with NodeProcess() as node:
        intake = Intake(node, edges)
        turns = by_turns(intake, options, floor)
        intake.close()
    ratios = [100 * rate * (before + after) for rate, before, after in zip(intake.rates, both, both[1:], strict=False)]
    results = [
        turns.result(f"ingest, {edges} edges, per edge", "x two verifications", 1.2),
        Result("ingest, cores busy", statistics.median(intake.busy), "cores"),
        Result(
            "ingest, edges a second",
            statistics.median(ratios),
            "% of the bare checks'",
            None,
            f"{statistics.median(intake.rates):.0f} a second",
            (min(ratios), max(ratios)),
            95,
        ),
    ]
    results.append(Result("ingest, inputs over 51 ms", inputs_that_held_the_loop(edges), "of one table"))
    if options.beside is not None:
        with NodeProcess(dialect=options.beside.dialect) as node, OtherProcess(options.beside) as other:
            ours, theirs = Intake(node, edges), Intake(other, edges)
            turns = by_turns(ours, options, lambda: theirs(0))
        results.append(turns.result("ingest, beside the other node", "x its CPU"))
        ratio = statistics.median(ours.rates) / statistics.median(theirs.rates)
        results.append(Result("ingest, beside the other node, rate", ratio, "x its edges a second"))
    return results
