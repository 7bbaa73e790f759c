"""`python -m soak --seconds 3600` (`make soak`): exit code 1 when something grew or stood still."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from nearnet.net.loop import run_on_best_loop
from soak.verdict import complaints, growth, memory_growth
from soak.visitors import Visitors


async def soak(seconds: float, seed: int, report: Path | None = None) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The samples of the nodes that stay, and what the visitors did; samples go to `report` too, as they come."""
    samples: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="nearnet-soak-") as folder:
        words = [sys.executable, "-m", "soak.watched", folder]
        pipe = asyncio.subprocess.PIPE
        watched = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe)
        assert watched.stdout is not None
        assert watched.stdin is not None
        visitors = Visitors(json.loads(await watched.stdout.readline()), seed)
        reading = asyncio.create_task(_read(watched.stdout, samples, report))
        try:
            await visitors.run(seconds)
        finally:
            watched.stdin.close()
            await reading
            await watched.wait()
    return samples, dict(visitors.happened)


async def _read(lines: asyncio.StreamReader, samples: list[dict[str, Any]], report: Path | None) -> None:
    while line := await lines.readline():
        samples.append(json.loads(line))
        if report is not None:
            with report.open("ab") as file:
                file.write(line)


def main() -> int:
    """Run, judge, tell."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, metavar="FILE", help="the samples as JSON lines")
    arguments = parser.parse_args()
    samples, happened = run_on_best_loop(soak(arguments.seconds, arguments.seed, arguments.report))
    wrong = complaints(samples)
    if len(samples) > 1:
        last = samples[-1]
        print(f"{last['seconds']:.0f} s: {happened}")
        print(f"memory {last['rss'] / 2**20:.1f} MiB; second half: {memory_growth(samples[len(samples) // 2 :])[0]}")
        print(f"descriptors {last['descriptors']}, tasks {last['tasks']}, edges {last['edges']}")
        print("more than half way:", ", ".join(f"{name} +{count}" for name, count in growth(samples)) or "nothing")
        print(f"longest the loop was busy: {1000 * max(one['stall'] for one in samples):.0f} ms")
    for sentence in wrong:
        print(f"! {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
