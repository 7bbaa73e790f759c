"""How long the core was busy with what (`conventions.md` §3.8): the shell has the clock."""

from __future__ import annotations

from nearnet.core.histogram import Histogram, exponential

__all__ = ["INPUTS", "Timings"]

INPUTS = (
    "accepted",
    "checked",
    "client_answer",
    "command",
    "dial_failed",
    "dialled",
    "drained",
    "lost",
    "received",
    "routes",
    "stop",
    "stored",
    "timer",
    "verdict",
)

_BUSY = exponential(0.0001, 2, 15)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""What Prometheus' libraries take where nobody says otherwise."""


class Timings:
    """Histograms of seconds of wall time."""

    __slots__ = ("inputs", "monitor_peers", "recalculation", "received")

    def __init__(self) -> None:
        self.received = Histogram(_BUSY)
        """One read of a connection, and all that followed from it."""
        self.inputs = {kind: Histogram(_BUSY) for kind in INPUTS} | {"received": self.received}
        """The same for each kind of input of the core."""
        self.monitor_peers = Histogram(_BUSY)
        """The timers of a moment at which monitor_peers ran."""
        self.recalculation = Histogram(_SECONDS)
        """One computation of all next hops."""

    def input(self, what: str, seconds: float) -> None:
        """One input of that kind is done with."""
        self.inputs[what].observe(seconds)
