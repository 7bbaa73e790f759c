"""A minute of the soak (`make soak` takes an hour), and its verdict on samples that are wrong
(`threats.md` rows 70, 72, 74)."""

from __future__ import annotations

from typing import Any

import pytest

from soak.__main__ import soak
from soak.verdict import complaints, slope
from soak.visitors import KINDS

SECONDS = 55.0


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.threat(70, 72, 74)
async def test_a_minute_in_which_nothing_grows() -> None:
    samples, happened = await soak(SECONDS, seed=74)
    assert complaints(samples) == []
    assert happened.keys() == KINDS.keys()
    assert happened["ping"] > 20


@pytest.mark.nightly
@pytest.mark.timeout(4000)
@pytest.mark.threat(70, 72, 74)
async def test_an_hour() -> None:
    samples, _ = await soak(3600, seed=75)
    assert complaints(samples) == []


def made(count: int, every: float = 1.0, **late: Any) -> list[dict[str, Any]]:
    """Samples of a quiet run; `late`: other values, or functions of the sample's number, in the second half."""
    quiet = {"rss": 2**26, "descriptors": 40, "tasks": 1, "stall": 0.01, "unhandled": 0, "degraded": 0}
    samples = [{"seconds": number * every, **quiet} for number in range(count)]
    for number, sample in enumerate(samples[count // 2 :]):
        sample |= {name: value(number) if callable(value) else value for name, value in late.items()}
    return samples


def test_a_quiet_run() -> None:
    assert complaints(made(60)) == complaints(made(3600)) == []
    assert complaints(made(5)) == ["only 5 samples"]


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        (made(60, rss=lambda number: 2**26 + number * 2**18), "memory grew by 6.0 MiB in 29 s"),
        (made(3600, rss=lambda number: 2**26 + number * 600), "memory grows by 2.06 MiB an hour"),
        (made(60, descriptors=lambda number: 40 + number), "descriptors: 69, over 40"),
        (made(60, tasks=100), "tasks: 100, over 1"),
        (made(60, stall=0.3), "the loop was busy for 300 ms in one go"),
        (made(60, unhandled=2), "2 unhandled faults"),
        (made(60, degraded=1), "1 nodes without their storage"),
    ],
)
def test_what_is_found(samples: list[dict[str, Any]], word: str) -> None:
    (sentence,) = complaints(samples)
    assert word in sentence


def test_a_slope() -> None:
    assert slope(made(20, rss=2**26), "rss") == pytest.approx(0)
    assert slope([{"seconds": n, "rss": 3 * n} for n in range(9)], "rss") == pytest.approx(3)
