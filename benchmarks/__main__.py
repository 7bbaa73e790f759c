"""`make bench`: run the cases and print a table. `python -m benchmarks [CASE..] [--json] [--check]`.

A case is a module beside this one with `run() -> list[Result]` (`harness.py`).
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

from benchmarks.harness import Result, table

HELPERS = {"__main__", "forward_core", "harness", "node_process"}
CASES = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in HELPERS))


def main() -> int:
    """1 with `--check` when a figure is not reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"any of {', '.join(CASES)}; all by default")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--check", action="store_true", help="exit 1 when a figure is not reached")
    options = parser.parse_args()
    unknown = set(options.cases) - set(CASES)
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    results: list[Result] = []
    for name in options.cases or CASES:
        print(f"{name} ..", file=sys.stderr, flush=True)
        results += importlib.import_module(f"benchmarks.{name}").run()
    print(json.dumps([result.as_json() for result in results], indent=2) if options.json else table(results))
    return int(options.check and not all(result.reached for result in results))


if __name__ == "__main__":
    sys.exit(main())
