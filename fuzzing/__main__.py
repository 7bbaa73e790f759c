"""All targets within a time: `python -m fuzzing --seconds 600` (`make fuzz`); exit code 1 when something was found."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from fuzzing.plain import Finding, fuzz
from fuzzing.seeds import FOUND, seeds_of
from fuzzing.targets import TARGETS

HAS_ATHERIS = importlib.util.find_spec("atheris") is not None
_LEAST = 1.0
_START = 60.0
"""Seconds for the start of a guided process, over its own time."""


def _guided(name: str, seconds: float, seed: int) -> tuple[str, Finding | None]:
    with tempfile.TemporaryDirectory(prefix=f"nearnet-fuzz-{name}-") as folder:
        words = ["-m", "fuzzing.guided", name, folder, str(max(1, round(seconds))), str(seed)]
        done = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, errors="replace", timeout=seconds + _START
        )
        lines = done.stderr.splitlines()
        count = next((line.split()[-1] for line in lines if "number_of_executed_units" in line), "?")
        left = [path for path in sorted(Path(folder).iterdir()) if path.is_file()]
        if left:
            why = next((line for line in reversed(lines) if "Error" in line or "ERROR" in line), left[0].name)
            return count, Finding(left[0].read_bytes(), why.strip())
        if done.returncode:
            raise SystemExit(f"{name}: the fuzzer ended with {done.returncode}: {' / '.join(lines[-5:])}")
        return count, None


def _plain(name: str, seconds: float, seed: int) -> tuple[str, Finding | None]:
    count, finding = fuzz(TARGETS[name], seeds_of(name), seconds, seed)
    return str(count), finding


def _run(names: list[str], seconds: float, seed: int, plain: bool) -> int:
    workers = 1 if plain else min(len(names), os.cpu_count() or 1)
    share = max(_LEAST, seconds * workers / len(names))
    method = _plain if plain else _guided
    print(f"{len(names)} targets, {share:.0f} s each, {workers} at a time, {'by chance' if plain else 'with atheris'}")
    begun, found = time.monotonic(), 0
    with ThreadPoolExecutor(workers) as pool:
        runs = {name: pool.submit(method, name, share, seed) for name in names}
        for name, run in runs.items():
            count, finding = run.result()
            print(f"{name}: {count} inputs, {'a finding' if finding else 'nothing found'}", flush=True)
            if finding is not None:
                found += 1
                _keep(name, finding)
    print(f"{time.monotonic() - begun:.0f} s; seed {seed}")
    return min(found, 1)


def _keep(name: str, finding: Finding) -> None:
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"new-{sha256(finding.data).hexdigest()[:10]}"
    path.write_bytes(finding.data)
    print(f"  {finding.why}\n  again: python -m fuzzing --replay {path.relative_to(Path.cwd())}", flush=True)


def _replay(path: Path) -> int:
    TARGETS[path.resolve().parent.name](path.read_bytes())
    print("nothing raised")
    return 0


def main() -> int:
    """Run, or repeat one input."""
    parser = argparse.ArgumentParser(prog="python -m fuzzing", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="for all targets together (600)")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="by chance, also where atheris is installed")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="feed this file, in found/TARGET/, to its target")
    arguments = parser.parse_args()
    if arguments.replay is not None:
        return _replay(arguments.replay)
    plain = arguments.plain or not HAS_ATHERIS
    return _run(arguments.target or list(TARGETS), arguments.seconds, arguments.seed, plain)


if __name__ == "__main__":
    sys.exit(main())
