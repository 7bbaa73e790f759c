"""nearnet sim: whole networks in one process, under virtual time, from one seed."""

# Without postponed annotations, as typer reads them (see `app.py`).
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nearnet.cli.app import new_app
from nearnet.cli.options import JsonOption
from nearnet.cli.output import print_json
from nearnet.errors import ConfigError
from nearnet.sim import explore as exploring
from nearnet.sim.play import Result, play
from nearnet.sim.scenarios import ALL, UNIT_TESTS, find
from nearnet.sim.shrinking import shrink

__all__ = ["app", "explore", "list_scenarios", "run"]

app = new_app("Simulate networks: the same core under virtual time, every run repeatable from its seed.")

_Scenario = Annotated[str, typer.Argument(help="Its number or name: see nearnet sim list.", metavar="SCENARIO")]
_Seed = Annotated[int, typer.Option("--seed", help="All that is random follows from it.")]
_Nodes = Annotated[int | None, typer.Option("--nodes", min=2, max=5000, help="How many, where it can be scaled.")]


@app.command("list")
def list_scenarios(as_json: JsonOption = False) -> None:
    """All scenarios; those that are not simulated with the tests that prove them.

    Example: nearnet sim list
    """
    if as_json:
        print_json([_listed(scenario) for scenario in ALL])
        return
    for scenario in ALL:
        real = " (also on real sockets)" if scenario.real else ""
        print(f"{scenario.number or '':>3}  {scenario.name:<24} {scenario.nodes:>3} nodes  {scenario.title}{real}")
    for number, where in UNIT_TESTS.items():
        print(f"{number:>3}  proved by {where}")


def _listed(scenario: Any) -> dict[str, Any]:
    return {
        "number": scenario.number,
        "name": scenario.name,
        "title": scenario.title,
        "nodes": scenario.nodes,
        "scales": scenario.scaled is not None,
        "real_sockets_too": scenario.real,
    }


@app.command()
def run(
    scenario: _Scenario,
    seed: _Seed = 0,
    nodes: _Nodes = None,
    faults: Annotated[bool, typer.Option("--faults", help="Random faults too, as in an exploration.")] = False,
    trace: Annotated[Path | None, typer.Option("--trace", help="Write what happened, as JSON lines.")] = None,
    chart: Annotated[Path | None, typer.Option("--chart", help="Write it as a sequence chart (SVG).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run one scenario once. Exit code 1 when an expectation or an invariant does not hold.

    Example: nearnet sim run 12 --seed 3 --chart square.svg
    """
    result = play(find(scenario, nodes), seed, explore=faults, trace=trace is not None or chart is not None)
    _write(result, trace, chart)
    if as_json:
        print_json(_told(result))
    else:
        print(
            f"{result.scenario.label}: {'FAILED' if result.failure else 'held'}; seed {seed}, "
            f"{result.seconds:.1f} s of virtual time, {result.events} events, hash {result.digest}"
        )
        if result.failure:
            print(result.failure)
    if result.failure:
        raise typer.Exit(1)


def _told(result: Result) -> dict[str, Any]:
    return {
        "scenario": result.scenario.name,
        "number": result.scenario.number,
        "seed": result.seed,
        "ok": result.failure is None,
        "failure": result.failure,
        "hash": result.digest,
        "seconds": result.seconds,
        "events": result.events,
        "faults": dict(result.faults),
    }


def _write(result: Result, trace: Path | None, chart: Path | None) -> None:
    if result.trace is None:
        return
    if trace is not None:
        result.trace.write(trace)
    if chart is not None:
        from nearnet.sim.chart import sequence_chart

        title = f"{result.scenario.label}, seed {result.seed}: {result.failure or 'held'}"
        chart.write_text(sequence_chart(result.trace.lines, title))


@app.command()
def explore(
    scenario: _Scenario,
    seeds: Annotated[str, typer.Option("--seeds", help="Both ends included.", metavar="A..B")] = "0..99",
    jobs: Annotated[int, typer.Option("--jobs", help="Processes; -1 is one for each core.")] = -1,
    nodes: _Nodes = None,
    backend: Annotated[str, typer.Option("--backend", help="loky (this machine), dask or ray.")] = "loky",
    address: Annotated[str | None, typer.Option("--address", help="Of the cluster's scheduler.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="A folder for traces and charts of failures.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run many seeds with random faults. Each failure comes with the command that repeats it, and a shorter timeline.

    Example: nearnet sim explore chaos --seeds 0..9999
    """
    if jobs == 0 or jobs < -1:
        raise ConfigError(f"{jobs} is no number of jobs: -1 is one for each core")
    asked = exploring.parse_seeds(seeds)
    failed: list[exploring.Outcome] = []
    for done, outcome in enumerate(exploring.explore(scenario, asked, jobs, backend, address, nodes), 1):
        if outcome.failure is not None:
            failed.append(outcome)
        _progress(done, len(asked), len(failed))
    failed.sort(key=lambda outcome: outcome.seed)
    for outcome in failed:
        _report(scenario, outcome, nodes, out, as_json, first=outcome is failed[0])
    if as_json:
        print_json({"scenario": scenario, "seeds": len(asked), "failed": [outcome.seed for outcome in failed]})
    else:
        print(f"{len(asked)} seeds of {scenario}, {len(failed)} failed")
    if failed:
        raise typer.Exit(1)


def _progress(done: int, total: int, failed: int) -> None:
    if sys.stderr.isatty():
        bar = "#" * (30 * done // total)
        end = "\n" if done == total else ""
        print(f"\r[{bar:<30}] {done} of {total} seeds, {failed} failed", end=end, file=sys.stderr, flush=True)


def _report(
    name: str, outcome: exploring.Outcome, nodes: int | None, out: Path | None, as_json: bool, first: bool
) -> None:
    """The failure, how to have it again and, of the first one, the timeline made short."""
    command = exploring.replay_command(name, outcome.seed, nodes)
    result = play(find(name, nodes), outcome.seed, explore=True, trace=out is not None)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        stem = f"{result.scenario.name.replace(' ', '-')}-{outcome.seed}"
        _write(result, out / f"{stem}.jsonl", out / f"{stem}.svg")
    steps: list[str] = []
    if first and result.failure is not None:
        short, _ = shrink(result, explore=True)
        steps = [repr(step) for step in short.scenario.steps]
    if as_json:
        print_json({"seed": outcome.seed, "failure": outcome.failure, "replay": command, "shrunk": steps})
        return
    print(f"seed {outcome.seed}: {outcome.failure}\n  again: {command}")
    if steps:
        print(f"  made short, {len(steps)} steps:", *steps, sep="\n    ")
