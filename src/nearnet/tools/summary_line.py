"""The line that operators know: who we are connected to and what flows, every `log_summary_period` (§3.7).

`conventions.md` §3.7 has the reference's form. What needs a chain is left out; known peers and the graph are ours.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nearnet.net.node import Node

__all__ = ["SummaryLine", "bytes_in_words", "memory_bytes", "sentence"]

_log = logging.getLogger("nearnet.stats")


class SummaryLine:
    """Writes the line of a node until `stop`."""

    def __init__(self, node: Node, period: float) -> None:
        """Starts at once; `period` 0 is never."""
        self._node = node
        self._period = period
        self._cpu = (time.monotonic(), time.process_time())
        self._timer: asyncio.TimerHandle | None = None
        self._arm()

    def stop(self) -> None:
        """No more lines."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._period > 0:
            self._timer = asyncio.get_running_loop().call_later(self._period, self._tell)

    def _tell(self) -> None:
        self._arm()
        if _log.isEnabledFor(logging.INFO):
            facts = self.facts()
            _log.info("%s", sentence(facts), extra={"fields": facts})

    def facts(self) -> dict[str, Any]:
        """The line's numbers; the CPU's are since the latest call."""
        node, core = self._node, self._node.core
        info, chain = node.network_info(), node.client.chain_info()
        before, self._cpu = self._cpu, (time.monotonic(), time.process_time())
        elapsed = max(self._cpu[0] - before[0], 1e-9)
        return {
            "height": chain.height,
            "peers": len(info.peers),
            "peer_max_count": info.peer_max_count,
            "known_peers": len(core.peer_store),
            "edges": core.table.edge_count,
            "reachable": core.table.reachable_count,
            "received_bytes_per_sec": info.received_bytes_per_sec,
            "sent_bytes_per_sec": info.sent_bytes_per_sec,
            "cpu_percent": round(100 * (self._cpu[1] - before[1]) / elapsed),
            "memory_bytes": memory_bytes(),
        }


def sentence(facts: dict[str, Any]) -> str:
    """The numbers in the form that operators know."""
    waiting = "" if facts["peers"] else " Waiting for peers"
    return (
        f"#{facts['height']:>9}{waiting} | {facts['peers']} {'peer' if facts['peers'] == 1 else 'peers'}"
        f" ⬇ {bytes_in_words(facts['received_bytes_per_sec'])}/s ⬆ {bytes_in_words(facts['sent_bytes_per_sec'])}/s"
        f" | {facts['known_peers']} known, {facts['edges']} edges, {facts['reachable']} in reach"
        f" | CPU: {facts['cpu_percent']}%, Mem: {bytes_in_words(facts['memory_bytes'])}"
    )


def bytes_in_words(count: float) -> str:
    """Three digits and a unit, such as 221 kB."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def memory_bytes() -> int:
    """What this process holds in memory now; where the system does not tell, the most that it ever did."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()
