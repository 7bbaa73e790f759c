"""From `nearnet run` to its p2p port listening, and the memory of a node that idles.

The package is compiled beforehand, as an installed one is.
"""

from __future__ import annotations

import compileall
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nearnet
from benchmarks.harness import Options, Result
from benchmarks.next_hops import edge, random_pairs
from benchmarks.node_process import CHAIN, NodeProcess, make_home
from nearnet.core.routing_table.components import Components
from nearnet.home import Home
from nearnet.keys import CryptoHash
from nearnet.store.sqlite import SqliteStore
from nearnet.wire.messages import GenesisId

SETTLED = 3.0
"""Seconds after which what is loaded late (HTTP, metrics) is loaded."""


def _interpreter() -> float:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.monotonic() - begun


def _idle(rpc: str, settled: float) -> tuple[float, float]:
    with NodeProcess(rpc=rpc) as node:
        time.sleep(settled)
        return node.started, node.megabytes()


def _with_edges(home: str, edges: int) -> None:
    """A store that holds these, in components, with the peers they are of."""
    store = SqliteStore(Home.open(Path(home)).store_path, GenesisId(CHAIN, CryptoHash(bytes(32))))
    components = Components(store)
    pairs = random_pairs(max(100, edges // 10), edges, 10)
    for start in range(0, edges, 10_000):
        held = [edge(a, b) for a, b in pairs[start : start + 10_000]]
        peers = dict.fromkeys(end for one in held for end in one.key)
        store.commit(components.new(peers, held).stored())
    store.close()


def run(options: Options) -> list[Result]:
    """Start time (the interpreter's own beside it), with edges stored too; memory without and with HTTP."""
    compileall.compile_dir(next(iter(nearnet.__path__)), quiet=2)
    results = []
    for stored in (0, options.size(100_000, 1_000)):
        starts, floors = [], []
        with tempfile.TemporaryDirectory(prefix="nearnet-bench-") as folder:
            home = make_home(folder)
            if stored:
                _with_edges(home, stored)
            for _ in range(1 if options.small else options.rounds):
                floors.append(_interpreter())
                with NodeProcess(home=home) as node:
                    starts.append(node.started)
        name = "start to listening" + (f", {stored} edges stored" if stored else "")
        detail = f"the interpreter alone {statistics.median(floors):.3f} s"
        results.append(Result(name, statistics.median(starts), "s", 0.4, detail, (min(starts), max(starts))))
    bare, served = (_idle(rpc, 0.5 if options.small else SETTLED)[1] for rpc in ("", "127.0.0.1:0"))
    return [
        *results,
        Result("idle memory, no HTTP", bare, "MB", 60),
        Result("idle memory, with HTTP", served, "MB", 85),
    ]
