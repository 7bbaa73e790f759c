"""From `nearnet run` to its p2p port listening, and the memory of a node that idles.

The package is compiled beforehand, as an installed one is.
"""

from __future__ import annotations

import compileall
import statistics
import subprocess
import sys
import time

import nearnet
from benchmarks.harness import ROUNDS, Result
from benchmarks.node_process import NodeProcess

SETTLED = 3.0
"""Seconds after which what is loaded late (HTTP, metrics) is loaded."""


def _interpreter() -> float:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.monotonic() - begun


def _idle(rpc: str) -> tuple[float, float]:
    with NodeProcess(rpc=rpc) as node:
        time.sleep(SETTLED)
        return node.started, node.megabytes()


def run() -> list[Result]:
    """Start time (the interpreter's own beside it) and memory without and with HTTP."""
    compileall.compile_dir(next(iter(nearnet.__path__)), quiet=2)
    starts, floors = [], []
    for _ in range(ROUNDS):
        floors.append(_interpreter())
        with NodeProcess() as node:
            starts.append(node.started)
    bare, served = _idle("")[1], _idle("127.0.0.1:0")[1]
    detail = f"the interpreter alone {statistics.median(floors):.3f} s"
    return [
        Result("start to listening", statistics.median(starts), "s", 0.5, detail),
        Result("idle memory, no HTTP", bare, "MB", 60),
        Result("idle memory, with HTTP", served, "MB", 85),
    ]
