"""The nodes that stay: `python -m soak.watched FOLDER`. A line of JSON with their addresses, then one each second.

Three nodes in one process, with stores on the disk, that know each other. Ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from nearnet import NetworkConfig, Node
from nearnet.core.runtime.addresses import normalise, scope, source_group
from nearnet.keys import SecretKey
from nearnet.sim.bounds import holdings
from nearnet.wire.messages import PeerInfo, SocketAddress
from nearnet.wire.protobuf.structures import read_peer, write_peer

__all__ = ["NODES", "main"]

NODES = 3
_BEAT = 0.01
_SAMPLE = 1.0
_FILL = 4096
"""Addresses, two ports each: more than any of those caches keeps."""
_COUNT_EVERY = 60
"""Samples between two that tell what is held, too."""


def _config(folder: Path, number: int) -> NetworkConfig:
    quiet = {"network_config_overrides": {"outbound_disabled": True}}
    network = {"addr": "127.0.0.1:0", "experimental": quiet, "monitor_peers_max_period": 0.5}
    return NetworkConfig.model_validate(
        {"chain_id": "soak", "network": network, "nearnet": {"store": str(folder / f"{number}.sqlite")}}
    )


def _fill_caches() -> None:
    """Those of the process for addresses and peers are full from the start: for hours they would look like a leak."""
    key = SecretKey.from_seed("told").public_key
    for number in range(_FILL):
        address = SocketAddress(f"10.{number >> 8}.{number & 255}.1", 24567)
        for one in (address, SocketAddress(address.ip, 24568)):
            normalise(one)
            scope(one.ip)
            source_group(one.ip)
            read_peer(write_peer(PeerInfo(key, one)))


class _Beat:
    """The longest that the loop was busy in one go: seconds of this thread's processor time between two beats."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._last = time.thread_time()
        self.longest = 0.0
        self._beat()

    def _beat(self) -> None:
        used = time.thread_time()
        self.longest = max(self.longest, used - self._last)
        self._last = used
        self._loop.call_later(_BEAT, self._beat)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _sample(nodes: list[Node], longest: float, begun: float) -> dict[str, Any]:
    return {
        "seconds": time.monotonic() - begun,
        "rss": _resident(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "tasks": len(asyncio.all_tasks()),
        "stall": longest,
        "unhandled": sum(node.driver.unhandled for node in nodes),
        "degraded": sum(node.driver.persister.degraded is not None for node in nodes),
        "peers": sum(len(node.core.peers) for node in nodes),
        "edges": sum(node.core.table.edge_count for node in nodes),
        "objects": len(gc.get_objects()),
    }


def _held(nodes: list[Node]) -> dict[str, int]:
    """Objects by type, entries by collection of the cores: what a growth is made of."""
    held = Counter(type(thing).__qualname__ for thing in gc.get_objects())
    for node in nodes:
        for name, size, _ in holdings(node.core):
            held[name] += size
    return dict(held.most_common(100))


async def main(folder: Path) -> None:
    """Until the input ends."""
    _fill_caches()
    keys = [SecretKey.from_seed(f"stays {number}") for number in range(NODES)]
    nodes = [Node(_config(folder, number), key=key) for number, key in enumerate(keys)]
    for node in nodes:
        await node.start()
    for number, node in enumerate(nodes[1:]):
        await node.connect(f"{nodes[number].peer_id}@{nodes[number].addr}")
    print(json.dumps([f"{node.peer_id}@{node.addr}" for node in nodes]), flush=True)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    beat, begun, count = _Beat(), time.monotonic(), 0
    while not ended.is_set():
        beat.longest = 0.0
        await asyncio.sleep(_SAMPLE)
        sample = _sample(nodes, beat.longest, begun)
        if count % _COUNT_EVERY == 0:
            sample["held"] = _held(nodes)
        count += 1
        print(json.dumps(sample), flush=True)
    for node in nodes:
        await node.stop()


if __name__ == "__main__":
    from nearnet.net.loop import run_on_best_loop

    run_on_best_loop(main(Path(sys.argv[1])))
