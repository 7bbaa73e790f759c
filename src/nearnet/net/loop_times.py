"""How long the core was busy with what (`conventions.md` §3.8): the shell has the clock."""

from __future__ import annotations

from nearnet.core.runtime.histogram import Histogram, exponential

__all__ = ["INPUTS", "LoopTimes"]

INPUTS = {
    "accepted": "connection",
    "checked": "checked",
    "client_answer": "command",
    "command": "command",
    "dial_failed": "connection",
    "dialed": "connection",
    "drained": "connection",
    "lost": "connection",
    "received": "received",
    "routes": "routes",
    "stop": "command",
    "stored": "stored",
    "timer": "timer",
    "verdict": "verdict",
}
"""Each kind of input of the core, and with which others it is told: a histogram is 18 series (row 79)."""

_BUSY = exponential(0.0001, 2, 15)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""What Prometheus' libraries take where nobody says otherwise."""


class LoopTimes:
    """Histograms of seconds of wall time."""

    __slots__ = ("inputs", "monitor_peers", "recalculation", "received")

    def __init__(self) -> None:
        self.received = Histogram(_BUSY)
        """One read of a connection, and all that followed from it."""
        self.inputs = {told: Histogram(_BUSY) for told in sorted(set(INPUTS.values()))} | {"received": self.received}
        """The same for all inputs of the core, by what `INPUTS` tells them as."""
        self.monitor_peers = Histogram(_BUSY)
        """The timers of a moment at which monitor_peers ran."""
        self.recalculation = Histogram(_SECONDS)
        """One computation of all next hops."""

    def input(self, what: str, seconds: float) -> None:
        """One input of that kind is done with."""
        self.inputs[INPUTS[what]].observe(seconds)
