"""`make bench`, `nearnet bench`: run the cases and print a table. `python -m benchmarks [CASE..]`.

A case is a module beside this one with `run(options) -> list[Result]` (`harness.py`).
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import history
from benchmarks.harness import ROUNDS, Options, Result, table
from benchmarks.node_process import Beside
from nearnet.errors import NearnetError

CASES = (
    "verifiers",
    "framing",
    "tables",
    "dialects",
    "edges",
    "ingest",
    "next_hops",
    "forward",
    "large",
    "dashboards",
    "delivery",
    "broadcast",
    "join",
    "memory",
    "start",
    "store",
    "simulator",
)
"""From the cheapest part to the whole."""

HISTORY = history.ROOT / ".benchmarks" / "history.jsonl"


def main(words: Sequence[str] | None = None) -> int:
    """1 with `--check` when a figure is not reached."""
    parser = _parser()
    options = parser.parse_args(words)
    unknown = set(options.cases) - set(CASES)
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    if (options.beside is None) != (options.peer_id is None):
        parser.error("--beside and --peer-id belong together")
    beside = None
    if options.beside is not None:
        beside = Beside(options.beside, options.peer_id, options.beside_dialect, options.chain_id, options.genesis_hash)
    asked = Options(options.small, options.rounds, beside)
    results: list[Result] = []
    for name in options.cases or CASES:
        print(f"{name} ..", file=sys.stderr, flush=True)
        results += importlib.import_module(f"benchmarks.{name}").run(asked)
    if options.save is not None:
        history.append(options.save, history.document(results))
    print(json.dumps(history.document(results), indent=2) if options.json else table(results))
    return int(options.check and not all(result.reached for result in results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nearnet bench", description="Ours beside the bare library calls, by turns.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"any of {', '.join(CASES)}; all by default")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--small", action="store_true", help="little work, once: does it run?")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each case ({ROUNDS})")
    parser.add_argument("--check", action="store_true", help="exit 1 when a figure is not reached")
    parser.add_argument(
        "--save", type=Path, nargs="?", const=HISTORY, metavar="FILE", help=f"add it to a history ({HISTORY.name})"
    )
    other = parser.add_argument_group("another node's program beside ours, in the cases forward and ingest")
    other.add_argument("--beside", metavar="CMD", help="starts it; {port} is the port that it is to listen at")
    other.add_argument("--peer-id", metavar="KEY", help="its public key")
    other.add_argument("--beside-dialect", choices=("borsh", "protobuf"), default="borsh", help="what it speaks")
    other.add_argument("--chain-id", default="benchmark", help="of its chain")
    other.add_argument(
        "--genesis-hash", default="1" * 32, help="of its chain, in base58; another that it tells is taken as well"
    )
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NearnetError as error:
        sys.exit(f"error: {error}")
