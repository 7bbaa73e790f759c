"""A node joins a network: one table of 150 000 edges of 10 000 peers, while another peer pings it all the time."""

from __future__ import annotations

import random
import statistics
import threading
import time
from dataclasses import dataclass

from benchmarks.forward_core import signed_message
from benchmarks.harness import Options, Result, verification_floors
from benchmarks.node_process import NodeProcess, RawClient
from nearnet.core.routing_table.edge import build_edge, edge_digest
from nearnet.keys import SecretKey
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import Routed, SyncRoutingTable
from nearnet.wire.routed_body import Ping, encode_body

PEERS, EDGES = 10_000, 150_000
INTERVAL = 0.02
"""Seconds between pings: fifty a second, under the node's limit."""

HELD = 0.02
"""Seconds for which nothing may hold the node's loop, waits for the processor included."""

STALLS = 'nearnet_limit_hits_total{limit="loop_stall"}'


def _network(peers: int, edges: int, joined_to: SecretKey) -> tuple[Edge, ...]:
    """Random, joined to a neighbor of the node by its first edges."""
    rng = random.Random(1)
    keys = [joined_to, *(SecretKey.from_seed(f"peer {number}") for number in range(1, peers))]
    pairs = {(0, number): None for number in range(1, 41)}
    while len(pairs) < edges:
        a, b = rng.randrange(peers), rng.randrange(peers)
        if a < b:
            pairs[a, b] = None
    ends = ((keys[a], keys[b]) for a, b in pairs)
    return tuple(build_edge(a, b.public_key, 1, b.sign(edge_digest(a.public_key, b.public_key, 1))) for a, b in ends)


class Pinger(threading.Thread):
    """Pings the node until it is told to stop; keeps every round trip in seconds."""

    def __init__(self, node: NodeProcess) -> None:
        super().__init__(daemon=True)
        self._client = RawClient(node, SecretKey.from_seed("pinger"))
        self._target = node.peer_id
        self.stopping = threading.Event()
        self.round_trips: list[float] = []

    def run(self) -> None:
        """One after the other."""
        nonce = 0
        while not self.stopping.wait(INTERVAL):
            nonce += 1
            body = encode_body(Ping(nonce, self._client.key.public_key))
            message = signed_message(self._client.key, self._target, body)
            begun = time.monotonic()
            self._client.send(Routed(message))
            self._client.receive_until("Routed", 1)
            self.round_trips.append(time.monotonic() - begun)
        self._client.close()


@dataclass(frozen=True, slots=True)
class Join:
    """One join: seconds of it, CPU seconds of the node, of what bare verifications take; round trips, sorted; holds."""

    wall: float
    time: float
    cpu: float
    trips: list[float]
    stalls: float

    @property
    def p99(self) -> float:
        """Seconds within which 99 of 100 pings came back."""
        return self.trips[min(len(self.trips) - 1, int(len(self.trips) * 0.99))]


def _join(source: SecretKey, network: tuple[Edge, ...]) -> Join:
    edges = len(network)
    with NodeProcess("--set", f"nearnet.limits.loop_stall={HELD}", rpc="127.0.0.1:0") as node:
        client, listener = RawClient(node, source), RawClient(node, SecretKey.from_seed("listener"))
        pinger = Pinger(node)
        pinger.start()
        time.sleep(2)
        client.drain()
        listener.drain()
        pinger.round_trips.clear()
        frame = client.dialect.encode(SyncRoutingTable(network))
        before = verification_floors()
        stalls = node.metric(STALLS)
        begun, cpu, heard = time.monotonic(), node.cpu(), 0
        client.socket.sendall(frame_prefix(len(frame)) + frame)
        while heard < edges:
            (table,) = listener.receive_until("SyncRoutingTable", 1)
            heard += int.from_bytes(table[1:5], "little")
        wall, cpu = time.monotonic() - begun, node.cpu() - cpu
        both, floor = (statistics.fmean(pair) for pair in zip(before, verification_floors(), strict=True))
        stalls = node.metric(STALLS) - stalls
        pinger.stopping.set()
        pinger.join()
        client.close()
        listener.close()
    checks = 2 * edges
    return Join(wall, wall / (checks * both), cpu / (checks * floor), sorted(pinger.round_trips), stalls)


def run(options: Options) -> list[Result]:
    """Wall time against the bare verifications on both cores; round trips of the pings meanwhile."""
    source = SecretKey.from_seed("source")
    network = _network(options.size(PEERS, 60), options.size(EDGES, 300), source)
    joins = [_join(source, network) for _ in range(1 if options.small else options.rounds)]
    name = f"join, {len(network)} edges"

    def result(what: str, values: list[float], unit: str, most: float | None = None, detail: str = "") -> Result:
        spread = min(values), max(values)
        return Result(f"{name}, {what}", statistics.median(values), unit, most, detail, spread)

    wall, cpu = (statistics.median(figures) for figures in zip(*((one.wall, one.cpu) for one in joins), strict=True))
    detail = f"{wall:.2f} s; CPU {cpu:.2f} x the verifications"
    return [
        result("time", [one.time for one in joins], "x the bare checks on two cores", 1.1, detail),
        result("ping p50", [1e3 * statistics.median(one.trips) for one in joins], "ms"),
        result("ping p99", [1e3 * one.p99 for one in joins], "ms", 50, f"of {len(joins[0].trips)}"),
        result("longest ping", [1e3 * one.trips[-1] for one in joins], "ms"),
        Result(f"{name}, holds of the loop over {1e3 * HELD:g} ms", sum(one.stalls for one in joins), "times", 0),
    ]
