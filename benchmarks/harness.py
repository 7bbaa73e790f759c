"""Measuring: ours and the floor by turns in one run, medians, and ratios that a busy or slow machine leaves alone.

The floor is what cannot be avoided: the bare library calls. Of most cases that is PyNaCl's verification of a 32-byte
hash: a figure "1.2" for a forwarded message means that all of it cost as much CPU time as 1.2 such calls at the same
moment on the same machine.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nacl.signing import SigningKey

if TYPE_CHECKING:
    from benchmarks.node_process import Beside

ROUNDS = 5

FLOORS = 5
"""Times that `verification_floors` measures: a machine that has others on it is fast and slow in turns of seconds."""

_SIGNER = SigningKey(bytes(31) + b"\7")
_DIGESTS = [bytes((one, two)) * 16 for one in range(8) for two in range(250)]
_SIGNED = [(digest, _SIGNER.sign(digest).signature) for digest in _DIGESTS]
"""Different ones, as on the wire: of one and the same the processor learns every branch, which makes it 3 % cheaper."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a case is to be run."""

    small: bool = False
    """Once, with little work: to see that it runs."""
    rounds: int = ROUNDS
    beside: Beside | None = None
    """Another node's program, for the cases over the wire."""

    def size(self, full: int, small: int) -> int:
        """How much work."""
        return small if self.small else full


@dataclass(frozen=True, slots=True)
class Result:
    """One measured figure beside what it should reach (None: there is no bound)."""

    name: str
    value: float
    """The median of all rounds."""
    unit: str
    most: float | None = None
    detail: str = ""
    spread: tuple[float, float] | None = None
    """The smallest and the largest round."""
    least: float | None = None

    @property
    def reached(self) -> bool:
        """Whether it is within its bounds."""
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def bound(self) -> str:
        """As text."""
        if self.most is not None:
            return f"≤ {self.most:g}"
        return "" if self.least is None else f"≥ {self.least:g}"

    def as_json(self) -> dict[str, Any]:
        """For `--json` and the history."""
        return {**asdict(self), "reached": self.reached}


@dataclass(frozen=True, slots=True)
class Turns:
    """What several rounds of ours and of the floor gave, each in seconds per item."""

    ours: tuple[float, ...]
    floor: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Ours in units of the floor, per round."""
        return [ours / floor for ours, floor in zip(self.ours, self.floor, strict=True)]

    @property
    def item(self) -> float:
        """Seconds per item of ours: the median."""
        return statistics.median(self.ours)

    def result(
        self, name: str, unit: str, most: float | None = None, detail: str = "", least: float | None = None
    ) -> Result:
        """The ratio, with its spread."""
        ratios = self.ratios
        microseconds = f"{self.item * 1e6:.4g} µs"
        detail = f"{microseconds}; {detail}" if detail else microseconds
        return Result(name, statistics.median(ratios), unit, most, detail, (min(ratios), max(ratios)), least)


def verification() -> float:
    """CPU seconds of one PyNaCl verification, now."""
    verify = _SIGNER.verify_key.verify
    begun = time.thread_time()
    for digest, signature in _SIGNED:
        verify(digest, signature)
    return (time.thread_time() - begun) / len(_SIGNED)


def verification_on_two_cores() -> float:
    """Seconds that pass for one verification while two threads do nothing else: half of one's time at best.

    Two virtual processors are often one core, and a check takes longer while its neighbor is busy as well.
    """
    verify = _SIGNER.verify_key.verify

    def work() -> None:
        for digest, signature in _SIGNED:
            verify(digest, signature)

    threads = [threading.Thread(target=work) for _ in range(2)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.monotonic() - begun) / len(threads) / len(_SIGNED)


def verification_floors() -> tuple[float, float]:
    """Both of these, of two cores first: before and after what they are compared with."""
    turns = [(verification_on_two_cores(), verification()) for _ in range(FLOORS)]
    on_two, on_one = zip(*turns, strict=True)
    return statistics.fmean(on_two), statistics.fmean(on_one)


def by_turns(ours: Callable[[int], float], options: Options, floor: Callable[[], float] = verification) -> Turns:
    """Run `ours(round)`, which gives seconds per item, between floors, each of which gives seconds per item too.

    Each round is held against the mean of the floors just before and just after it.
    """
    items, floors = [], []
    before = floor()
    for number in range(1 if options.small else options.rounds):
        items.append(ours(number))
        after = floor()
        floors.append((before + after) / 2)
        before = after
    return Turns(tuple(items), tuple(floors))


def cpu_of(work: Callable[[], object], items: int = 1) -> float:
    """CPU seconds of this thread, per item."""
    begun = time.thread_time()
    work()
    return (time.thread_time() - begun) / items


def best_of(work: Callable[[], object], items: int, times: int = 3) -> float:
    """The least CPU seconds per item of several goes: for floors that are over in a moment."""
    return min(cpu_of(work, items) for _ in range(times))


def table(results: Sequence[Result]) -> str:
    """The results as text, a line each."""
    rows = [("what", "median", "spread", "reach", "", "")]
    for one in results:
        spread = "" if one.spread is None else f"{one.spread[0]:.3g} .. {one.spread[1]:.3g}"
        verdict = "" if not one.bound else ("yes" if one.reached else "NO")
        rows.append((one.name, f"{one.value:.3g} {one.unit}", spread, one.bound, verdict, one.detail))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
