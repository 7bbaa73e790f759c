"""The reference ping tool's metrics, in Prometheus' text format (`conventions.md` §3.8, the names of near_ping)."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nearnet.tools.ping import PingResult

__all__ = ["BUCKETS", "PingMetrics"]

BUCKETS = tuple(0.00001 * 1.6**power for power in range(40))
"""Upper bounds in seconds."""


class _Counts:
    """Of one target."""

    def __init__(self) -> None:
        self.sent = 0
        self.lost = 0
        self.seconds = 0.0
        self.buckets = [0] * (len(BUCKETS) + 1)


class PingMetrics:
    """Counts outcomes by target: as many series as there are targets."""

    def __init__(self, chain_id: str) -> None:
        self._chain_id = chain_id
        self._targets: dict[str, _Counts] = {}

    def add(self, result: PingResult) -> None:
        """One more outcome."""
        name = result.target.info.account_id or str(result.target.info.id)
        counts = self._targets.setdefault(name, _Counts())
        counts.sent += 1
        if result.milliseconds is None:
            counts.lost += 1
            return
        seconds = result.milliseconds / 1000
        counts.seconds += seconds
        counts.buckets[bisect_left(BUCKETS, seconds)] += 1

    def exposition(self) -> str:
        """All of them; `account_id` is the target's account, or its key where no account was told."""
        lines = ["# HELP near_ping_ping_sent Pings sent", "# TYPE near_ping_ping_sent counter"]
        labels = {name: self._labels(name) for name in self._targets}
        for name, counts in self._targets.items():
            lines.append(f"near_ping_ping_sent{{{labels[name]}}} {counts.sent}")
        lines += ["# HELP near_ping_pong_timeout Pings without a pong", "# TYPE near_ping_pong_timeout counter"]
        for name, counts in self._targets.items():
            lines.append(f"near_ping_pong_timeout{{{labels[name]}}} {counts.lost}")
        lines += ["# HELP near_ping_pong_received Round trips in seconds", "# TYPE near_ping_pong_received histogram"]
        for name, counts in self._targets.items():
            lines += _histogram(labels[name], counts)
        return "\n".join(lines) + "\n"

    def _labels(self, name: str) -> str:
        chain = self._chain_id.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'chain_id="{chain}",account_id="{name}"'


def _histogram(labels: str, counts: _Counts) -> list[str]:
    total, lines = 0, []
    for bound, count in zip((*map(repr, BUCKETS), "+Inf"), counts.buckets, strict=True):
        total += count
        lines.append(f'near_ping_pong_received_bucket{{{labels},le="{bound}"}} {total}')
    lines.append(f"near_ping_pong_received_sum{{{labels}}} {counts.seconds!r}")
    lines.append(f"near_ping_pong_received_count{{{labels}}} {total}")
    return lines
