"""What pings came to: counts, percentiles and a sparkline per target, and the reference tool's CSV file."""

from __future__ import annotations

import math
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from nearnet.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from nearnet.config.values import BootNode
    from nearnet.tools.ping import PingResult

__all__ = ["CSV_HEADER", "PERCENTILES", "LatenciesCsv", "TargetStatistics", "percentile", "sparkline"]

CSV_HEADER = "timestamp,ID,latency"
PERCENTILES = (50, 90, 99)

_BARS = "▁▂▃▄▅▆▇█"
_LOST = "×"
_SHOWN = 40
_KEPT = 100_000
"""Round trips of one target that percentiles are taken of: the latest, 1 MB."""


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that so many percent of them do not exceed (nearest rank); of at least one value."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def sparkline(values: list[float | None]) -> str:
    """A bar per round trip from 0 to the largest; None is a lost one."""
    highest = max((value for value in values if value is not None), default=0.0) or 1.0
    return "".join(
        _LOST if value is None else _BARS[min(len(_BARS) - 1, int(value / highest * len(_BARS)))] for value in values
    )


class TargetStatistics:
    """All pings of one target."""

    def __init__(self, target: BootNode) -> None:
        self.name = target.info.account_id or str(target.info.id)
        self.pings = 0
        self.pongs = 0
        self.hops: int | None = None
        """Of the latest pong."""
        self.reason: str | None = None
        """Why the latest ping had no pong; None when it had one."""
        self.milliseconds: deque[float] = deque(maxlen=_KEPT)
        self._shown: deque[float | None] = deque(maxlen=_SHOWN)

    def add(self, result: PingResult) -> None:
        """One more outcome."""
        self.pings += 1
        self.reason = result.reason
        self._shown.append(result.milliseconds)
        if result.milliseconds is not None:
            self.pongs += 1
            self.hops = result.hops
            self.milliseconds.append(result.milliseconds)

    @property
    def line(self) -> str:
        """The sparkline of the latest forty."""
        return sparkline(list(self._shown))

    def summary(self) -> dict[str, float]:
        """min, avg, p50, p90, p99 and max in milliseconds; empty without a pong."""
        values = list(self.milliseconds)
        if not values:
            return {}
        percentiles = {f"p{percent}": percentile(values, percent) for percent in PERCENTILES}
        return {"min": min(values), "avg": sum(values) / len(values), **percentiles, "max": max(values)}


class LatenciesCsv:
    """A file of the reference tool's form, added to when it exists. A context manager."""

    def __init__(self, path: Path) -> None:
        """`ConfigError` when it cannot be written, or is there and holds something else."""
        try:
            self._file = path.open("a+", encoding="utf-8")
            self._file.seek(0)
            first = self._file.readline()
            if first and first.rstrip("\n") != CSV_HEADER:
                self._file.close()
                raise ConfigError(f"--latencies-csv: {path} is no file of latencies; name another")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it holds no text"
            raise ConfigError(f"--latencies-csv: {path} cannot be written: {why}") from None
        if not first:
            self._file.write(f"{CSV_HEADER}\n")
        elif not _ends_with_newline(path):
            self._file.write("\n")

    def add(self, result: PingResult) -> None:
        """One row: when, who (the account where it is told), microseconds or TIMEOUT. Written at once."""
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        name = result.target.info.account_id or result.target.info.id
        latency = "TIMEOUT" if result.milliseconds is None else str(int(result.milliseconds * 1000))
        self._file.write(f"{now},{name},{latency}\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
