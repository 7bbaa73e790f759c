"""Measuring: ours and the floor by turns in one run, medians, and ratios that a busy or slow machine leaves alone.

The floor is a bare library call: one PyNaCl verification of a 32-byte hash. A figure "1.2" for a forwarded message
means that all of it cost as much CPU time as 1.2 such calls at the same moment on the same machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from nacl.signing import SigningKey

ROUNDS = 5
PASSES = 2

_SIGNER = SigningKey(bytes(31) + b"\7")
_DIGESTS = [bytes((one, two)) * 16 for one in range(8) for two in range(250)]
_SIGNED = [(digest, _SIGNER.sign(digest).signature) for digest in _DIGESTS]
"""Different ones, as on the wire: of one and the same the processor learns every branch, which makes it 3 % cheaper."""


@dataclass(frozen=True, slots=True)
class Result:
    """One measured figure beside what it should reach (`most`; None: there is no bound)."""

    name: str
    value: float
    unit: str
    most: float | None = None
    detail: str = ""

    @property
    def reached(self) -> bool:
        """Whether it is within its bound."""
        return self.most is None or self.value <= self.most

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "reached": self.reached}


def verification() -> float:
    """CPU seconds of one PyNaCl verification, now."""
    verify = _SIGNER.verify_key.verify
    begun = time.thread_time()
    for _ in range(PASSES):
        for digest, signature in _SIGNED:
            verify(digest, signature)
    return (time.thread_time() - begun) / PASSES / len(_SIGNED)


def by_turns(ours: Callable[[int], float], rounds: int = ROUNDS) -> tuple[float, float]:
    """Run `ours(round)`, which gives CPU seconds per item, between verifications; the median ratio and the median item.

    Each round is held against the mean of the verifications just before and just after it.
    """
    ratios, items = [], []
    before = verification()
    for number in range(rounds):
        item = ours(number)
        after = verification()
        ratios.append(2 * item / (before + after))
        items.append(item)
        before = after
    return statistics.median(ratios), statistics.median(items)


def table(results: list[Result]) -> str:
    """The results as text, a line each."""
    rows = [("what", "measured", "reach", "", "")]
    for result in results:
        reach = "" if result.most is None else f"≤ {result.most:g}"
        verdict = "" if result.most is None else ("yes" if result.reached else "NO")
        rows.append((result.name, f"{result.value:.3g} {result.unit}", reach, verdict, result.detail))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
