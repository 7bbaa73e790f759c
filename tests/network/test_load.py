"""Saturation: large tables of valid edges against a live node (`scenarios.md` 40; `threats.md` rows 36, 72)."""

import asyncio
import gc
import os
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import pytest
from network.cluster import Cluster, make_config
from network.raw_peer import BORSH, RawPeer, Target, framed, ping

from nearnet.core.routing_table.edge import edge_digest
from nearnet.keys import SecretKey
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import Routed, SyncRoutingTable

IDENTITIES = 300
EDGES = IDENTITIES * (IDENTITIES - 1) // 2
NONCES = (1, 3, 5)
LONGEST = 0.1
"""Seconds of processor time in one go on the loop: twice what the scenario wants, so that no machine's mood fails
this; what was measured is printed."""


def signed(pair: tuple[SecretKey, SecretKey], nonce: int) -> Edge:
    a, b = pair
    digest = edge_digest(a.public_key, b.public_key, nonce)
    return Edge.build(a.public_key, b.public_key, nonce, a.sign(digest), b.sign(digest))


@pytest.fixture(scope="session")
def tables() -> list[bytes]:
    """Three frames, each the full mesh of 300 identities: 9.2 MB, the next nonce each time."""
    keys = sorted((SecretKey.from_seed(f"load {n}") for n in range(IDENTITIES)), key=lambda key: key.public_key)
    pairs = list(combinations(keys, 2))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        made = [tuple(threads.map(lambda pair, n=nonce: signed(pair, n), pairs, chunksize=1000)) for nonce in NONCES]
    return [framed(BORSH.encode(SyncRoutingTable(edges))) for edges in made]


class Handlers:
    """Watches how long each callback of the loop takes: seconds of the clock and of this thread's processor time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock: list[float] = []
        self.processor: list[float] = []
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            clock, processor = time.perf_counter(), time.thread_time()
            run(handle)
            self.clock.append(time.perf_counter() - clock)
            self.processor.append(time.thread_time() - processor)

        monkeypatch.setattr(asyncio.Handle, "_run", timed)


def flood(target: Target, key: SecretKey, tables: list[bytes], pause: float) -> socket.socket:
    """A peer on a thread of its own: it writes one table after the other, and never reads."""
    hello = RawPeer(target, None, None, key).handshake()
    client = socket.create_connection((target.addr.ip, target.addr.port))
    client.sendall(framed(BORSH.encode(hello)))
    for table in tables:
        client.sendall(table)
        time.sleep(pause)  # "One second apart" is the scenario.
    return client


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.threat(36, 72)
@pytest.mark.scenario(40)
async def test_three_tables_of_44850_edges(tables, monkeypatch, capsys):
    assert {len(table) for table in tables} == {4 + 1 + 4 + 4 + 205 * EDGES}
    async with Cluster() as cluster:
        node = await cluster.start(make_config(limits={"pings_per_second": 10_000}))
        waits: list[float] = []
        async with await RawPeer.ready(node, "good") as good:
            gc.collect()
            gc.freeze()  # The tables that this test made are no part of the node.
            handlers = Handlers(monkeypatch)
            begun = time.perf_counter()
            sender = asyncio.create_task(
                asyncio.to_thread(flood, Target.of(node), SecretKey.from_seed("flood"), tables, 1.0)
            )
            table = node.core.table
            while not (sender.done() and table.edge_count >= EDGES and node.core.intake.in_progress == 0):
                asked = time.perf_counter()
                good.send(ping(good.key, node.peer_id, len(waits)))
                await good.receive_kind(Routed, 30)
                waits.append(time.perf_counter() - asked)
                await asyncio.sleep(0.01)
            seconds = time.perf_counter() - begun
            monkeypatch.undo()
            gc.unfreeze()
            newest = sum(edge.nonce == NONCES[-1] for edge in table.edges())
            assert newest == EDGES, "every edge, and its newest form"
            assert len(node.core.peers) == 2
            (await sender).close()
        p99 = statistics.quantiles(waits, n=100)[98]
        with capsys.disabled():
            print(
                f"\n3 x {EDGES} edges in {seconds:.1f} s; the longest handler {max(handlers.clock) * 1000:.0f} ms "
                f"({max(handlers.processor) * 1000:.0f} ms of processor time), "
                f"over 50 ms: {sum(one > 0.05 for one in handlers.processor)} of {len(handlers.processor)}; "
                f"pings: {len(waits)}, p99 {p99 * 1000:.0f} ms, longest {max(waits) * 1000:.0f} ms"
            )
        assert max(handlers.processor) < LONGEST
        assert p99 < 1.0, "answered meanwhile"
        assert cluster.bans == []
