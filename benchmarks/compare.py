"""Two commits by turns: `python -m benchmarks.compare BEFORE AFTER [CASE..]`.

Each commit is laid out in a temporary folder of its own and measured by its own cases, so that a change of names
between the two does not matter; a case counts where both commits have it under the same name. Every case runs for one
commit, then for the other, `--rounds` times; what is printed are medians.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from benchmarks.__main__ import CASES
from benchmarks.history import ROOT


def main() -> int:
    """1 when a case did not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description="Two commits by turns.")
    parser.add_argument("before", help="a commit")
    parser.add_argument("after", help="another")
    parser.add_argument("cases", nargs="*", default=["forward", "ingest"], help=f"of {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {}
    units: dict[str, str] = {}
    failed = False
    with tempfile.TemporaryDirectory(prefix="nearnet-compare-") as folder:
        trees = {word: _lay_out(getattr(options, word), Path(folder) / word) for word in ("before", "after")}
        for number in range(options.rounds):
            for case in options.cases:
                for word in sorted(trees, reverse=bool(number % 2)):
                    results = _run(trees[word], case, options.small)
                    failed = failed or results is None
                    for name, value, unit in results or ():
                        found.setdefault(name, {}).setdefault(word, []).append(value)
                        units[name] = unit
    for name, sides in found.items():
        if len(sides) == 2:
            before, after = (statistics.median(sides[word]) for word in ("before", "after"))
            ratio = f"{after / before:.3f}" if before else "-"
            print(f"{name:<50} {before:>10.4g} {after:>10.4g} {units[name]:<28} after/before {ratio}")
    return int(failed)


def _lay_out(commit: str, folder: Path) -> Path:
    """Lay a commit out, compiled as far as it can be; return the folder."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    source = folder / "src"
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(source)], check=True)
    script = folder / "scripts" / "compile.py"
    if script.exists():
        subprocess.run([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(source)}, check=True)
    return folder


def _run(folder: Path, case: str, small: bool) -> list[tuple[str, float, str]] | None:
    """Return name, value and unit of each result; None when the case does not run in this commit."""
    words = [sys.executable, "-m", "benchmarks", case, "--json", "--rounds", "1", *(["--small"] if small else [])]
    paths = {"PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}"}
    ran = subprocess.run(words, cwd=folder, env={**os.environ, **paths}, capture_output=True, text=True)
    if ran.returncode:
        print(f"{case} does not run with {folder.name}: {ran.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return [(one["name"], one["value"], one["unit"]) for one in json.loads(ran.stdout)["results"]]


if __name__ == "__main__":
    sys.exit(main())
