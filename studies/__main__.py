"""`python -m studies measure --nodes 100 --seed 1` measures one network; `python -m studies write` makes the page."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from studies.measure import PHASES, measure
from studies.page import write_page

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """One of the two verbs."""
    parser = argparse.ArgumentParser(prog="python -m studies", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("measure", help="measure one network; writes studies/results/NODES.json")
    one.add_argument("--nodes", type=int, required=True)
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--phases", default=",".join(PHASES), help="which, after the join")
    verbs.add_parser("write", help="write docs/study.md and its plots from the results")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    if arguments.verb == "measure":
        path = RESULTS / f"{arguments.nodes}.json"

        def keep(figures: dict[str, Any]) -> None:
            lines = (f" {json.dumps(name)}: {json.dumps(value)}" for name, value in figures.items())
            path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
            print(f"{path.name}: {list(figures)[-1]}, {figures['cost']}", flush=True)

        measure(arguments.nodes, arguments.seed, tuple(arguments.phases.split(",")), keep)
    else:
        print(write_page(RESULTS, Path(__file__).parents[1] / "docs"))


if __name__ == "__main__":
    main()
