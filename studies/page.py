"""Writes `docs/study.md` and its plots from the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["write_page"]

TEMPLATE = Path(__file__).parent / "template.txt"


def write_page(results: Path, docs: Path) -> str:
    """Write both; returns which sizes there are. Needs matplotlib (`pip install 'nearnet[study]'`)."""
    studies = sorted((json.loads(path.read_text()) for path in results.glob("*.json")), key=lambda one: one["nodes"])
    (docs / "study").mkdir(exist_ok=True)
    (docs / "study.md").write_text(_text(studies))
    _plots(studies, docs / "study")
    return ", ".join(f"{one['nodes']} nodes" for one in studies)


def _row(*cells: object) -> str:
    return "| " + " | ".join("–" if cell is None else str(cell) for cell in cells) + " |"


def _of(study: dict[str, Any], phase: str, figure: str) -> Any:
    return study.get(phase, {}).get(figure)


def _sent(study: dict[str, Any], phase: str) -> str | None:
    if not study.get(phase):
        return None
    return f"{study[phase]['messages_per_node']:,.0f}, {study[phase]['bytes_per_node'] / 1000:,.0f} kB"


def _seconds(study: dict[str, Any], phase: str, figure: str = "agree_seconds") -> str | None:
    value = _of(study, phase, figure)
    return None if value is None else f"{value:.2f} s"


def _text(studies: list[dict[str, Any]]) -> str:
    routing = (
        "mean_distance",
        "greatest_distance",
        "passed_on_mean",
        "passed_on_median",
        "passed_on_p99",
        "passed_on_most",
    )
    return TEMPLATE.read_text().format(
        commands="\n".join(
            f"    python -m studies measure --nodes {one['nodes']} --seed {one['seed']}" for one in studies
        ),
        agreement="\n".join(
            _row(
                one["nodes"],
                one["links"],
                _seconds(one, "join"),
                _seconds(one, "leave"),
                _seconds(one, "leave", "rejoin_seconds"),
                _seconds(one, "halves"),
                _of(one, "halves", "links_cut"),
            )
            for one in studies
        ),
        churn=3,
        pings=5,
        traffic="\n".join(
            _row(one["nodes"], *(_sent(one, phase) for phase in ("join", "leave", "quiet", "churn", "halves")))
            for one in studies
        ),
        routing="\n".join(
            _row(
                one["nodes"],
                *(_of(one, "routing", name) for name in routing[:2]),
                f"{_of(one, 'routing', 'pongs')} of {_of(one, 'routing', 'pings')}",
                *(_of(one, "routing", name) for name in routing[2:]),
            )
            for one in studies
            if one.get("routing")
        ),
        cost="\n".join(
            _row(
                one["nodes"],
                f"{one['cost']['events']:,}",
                f"{one['cost']['cpu_seconds']:,.0f}",
                f"{one['cost']['peak_megabytes']:,} MB",
            )
            for one in studies
        ),
    )


def _plots(studies: list[dict[str, Any]], folder: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "nearnet"  # The same picture for the same figures.
    from matplotlib import pyplot

    sizes = [one["nodes"] for one in studies]
    lines: dict[str, list[tuple[str, list[Any]]]] = {
        "agreement": [
            (label, [_of(one, phase, figure) for one in studies])
            for label, phase, figure in (
                ("after the last join", "join", "agree_seconds"),
                ("after a leave", "leave", "agree_seconds"),
                ("until it is back", "leave", "rejoin_seconds"),
                ("after two halves met", "halves", "agree_seconds"),
            )
        ],
        "bytes": [
            (phase, [_of(one, phase, "bytes_per_node") for one in studies])
            for phase in ("join", "leave", "churn", "halves")
        ],
    }
    for name, series in lines.items():
        figure, axes = pyplot.subplots(figsize=(6.4, 3.6))
        for label, values in series:
            known = [(size, value) for size, value in zip(sizes, values, strict=True) if value is not None]
            axes.plot(*zip(*known, strict=True), marker="o", label=label) if known else None
        axes.set(xscale="log", xlabel="nodes", ylabel="virtual seconds" if name == "agreement" else "bytes a node sent")
        if name == "bytes":
            axes.set_yscale("log")
        axes.legend()
        _save(figure, folder / f"{name}.svg")
    figure, axes = pyplot.subplots(figsize=(6.4, 3.6))
    for one in studies:
        passed = _of(one, "routing", "passed_on")
        if passed:
            share = [(number + 1) / len(passed) for number in range(len(passed))]
            axes.plot(passed, share, label=f"{one['nodes']} nodes")
    axes.set(xlabel="messages passed on", ylabel="share of the nodes")
    axes.legend()
    _save(figure, folder / "load.svg")


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot

    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
