"""Plots of one run: `python -m benchmarks.plots HISTORY FOLDER` writes an SVG of bars for each group of figures.

It takes the last run that has each figure. Needs matplotlib (the extra `study`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from benchmarks.history import read

BESIDES = "verifications besides"

GROUPS = {
    "forward": ("a message passed on, in verifications", "forward, ", "verifications"),
    "next-hops": ("next hops of all peers, in verifications", "next hops, ", "x a verification"),
    "edges": (
        "an edge taken in, without its signature checks, in verifications",
        "edges in, ",
        "verifications besides",
    ),
}


def _latest(runs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {result["name"]: result for run in runs for result in run["results"]}


def main(history: Path, folder: Path) -> int:
    """One picture a group that has figures."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "nearnet"
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    found = _latest(read(history))
    for name, (title, prefix, unit) in GROUPS.items():
        bars = [one for key, one in found.items() if key.startswith(prefix) and one["unit"] == unit]
        if not bars:
            continue
        figure, axes = pyplot.subplots(figsize=(8, 0.45 * len(bars) + 1.2), layout="constrained")
        labels = [one["name"].removeprefix(prefix) for one in bars]
        spreads = [one["spread"] or (one["value"], one["value"]) for one in bars]
        errors = [
            [one["value"] - low for one, (low, _) in zip(bars, spreads, strict=True)],
            [high - one["value"] for one, (_, high) in zip(bars, spreads, strict=True)],
        ]
        axes.barh(labels, [one["value"] for one in bars], xerr=errors, color="#4477aa", ecolor="#222222", height=0.6)
        for place, one in enumerate(bars):
            if one["most"] is not None:
                axes.plot([one["most"]] * 2, [place - 0.4, place + 0.4], color="#cc3311", linewidth=2)
        axes.invert_yaxis()
        axes.set_title(f"{title} (red: to be reached)", fontsize=10)
        if max(one["value"] for one in bars) > 50 * min(one["value"] for one in bars):
            axes.set_xscale("log")
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        pyplot.close(figure)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {__doc__.split('`')[1]}")
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
