"""What the samples must show: memory, descriptors and tasks that do not grow, a loop that never stands still
(`threats.md` rows 70, 72, 74)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

__all__ = ["LONGEST_STALL", "SLOPE", "complaints", "growth", "memory_growth", "slope"]

SLOPE = 1.0
"""MiB an hour, over the second half of an hour."""

SHORT_GROWTH = 4.0
"""MiB over the second half of a run too short for a slope: the allocator's own steps are of this size."""

LONG_RUN = 1800.0
"""Seconds from which a slope says something."""

LONGEST_STALL = 0.25
"""Seconds of the loop in one go."""

_MORE_DESCRIPTORS, _MORE_TASKS = 20, 60
"""Over the medians of the first half, at any time: visitors come and go by chance."""

Samples = Sequence[dict[str, Any]]


def slope(samples: Samples, name: str) -> float:
    """Of a straight line through them, per second."""
    seconds = [sample["seconds"] for sample in samples]
    return statistics.linear_regression(seconds, [sample[name] for sample in samples]).slope


def growth(samples: Samples, most: int = 8) -> list[tuple[str, int]]:
    """What there is more of at the end than half way, the largest first; from the samples that tell it."""
    told = [sample["held"] for sample in samples[len(samples) // 2 :] if "held" in sample]
    if len(told) < 2:
        return []
    more = {name: count - told[0].get(name, 0) for name, count in told[-1].items()}
    return sorted(((name, count) for name, count in more.items() if count > 0), key=lambda one: -one[1])[:most]


def memory_growth(samples: Samples) -> tuple[str, bool]:
    """Of the second half, in words, and whether it is too much: a slope, but of a short run by how much in all."""
    span = samples[-1]["seconds"] - samples[0]["seconds"]
    if 2 * span >= LONG_RUN:
        hourly = slope(samples, "rss") * 3600 / 2**20
        return f"memory grows by {hourly:.2f} MiB an hour", hourly > SLOPE
    part = max(1, len(samples) // 5)
    first, last = (statistics.median(one["rss"] for one in some) for some in (samples[:part], samples[-part:]))
    grown = (last - first) / 2**20
    return f"memory grew by {grown:.1f} MiB in {span:.0f} s", grown > SHORT_GROWTH


def complaints(samples: Samples) -> list[str]:
    """A sentence for each thing that is wrong; the first half of the samples is for warming up."""
    if len(samples) < 10:
        return [f"only {len(samples)} samples"]
    half = len(samples) // 2
    before, after = samples[:half], samples[half:]
    words, is_too_much = memory_growth(after)
    wrong = [words] if is_too_much else []
    for name, more in (("descriptors", _MORE_DESCRIPTORS), ("tasks", _MORE_TASKS)):
        usual, most = statistics.median(one[name] for one in before), max(one[name] for one in after)
        if most > usual + more:
            wrong.append(f"{name}: {most}, over {usual:.0f} in the first half")
    longest = max(one["stall"] for one in samples)
    if longest > LONGEST_STALL:
        wrong.append(f"the loop was busy for {1000 * longest:.0f} ms in one go")
    for name, what in (("unhandled", "unhandled faults"), ("degraded", "nodes without their storage")):
        if samples[-1][name]:
            wrong.append(f"{samples[-1][name]} {what}")
    return wrong
