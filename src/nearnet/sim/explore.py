"""Many seeds, over all cores or a cluster that already runs: which fail, and how.

A seed is one run with random faults. What a worker returns is small and says everything that a report needs; the trace
and the shrunk timeline are made again from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nearnet.errors import ConfigError
from nearnet.sim.play import play
from nearnet.sim.scenarios import find

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BACKENDS", "Outcome", "explore", "parse_seeds", "replay_command", "run_seed"]

BACKENDS = ("loky", "dask", "ray")
"""Of joblib: processes on this machine, or a cluster."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one seed."""

    seed: int
    failure: str | None
    digest: str
    seconds: float
    events: int
    faults: dict[str, int]


def parse_seeds(text: str) -> range:
    """``A..B`` (both included) or one number; `ConfigError` otherwise."""
    first, dots, last = text.partition("..")
    try:
        seeds = range(int(first), int(last if dots else first) + 1)
    except ValueError:
        raise ConfigError(f"{text!r} are no seeds; write A..B, such as 0..999") from None
    if not seeds:
        raise ConfigError(f"{text!r} holds no seed: the first is above the last")
    return seeds


def run_seed(scenario: str, seed: int, nodes: int | None = None) -> Outcome:
    """One seed of a scenario, with faults; every failure is in the outcome."""
    result = play(find(scenario, nodes), seed, explore=True)
    return Outcome(seed, result.failure, result.digest, result.seconds, result.events, dict(result.faults))


def replay_command(scenario: str, seed: int, nodes: int | None = None) -> str:
    """The one command that runs this seed again."""
    more = "" if nodes is None else f" --nodes {nodes}"
    return f"nearnet sim run {scenario.replace(' ', '-')} --seed {seed} --faults{more}"


def explore(
    scenario: str,
    seeds: range,
    jobs: int = -1,
    backend: str = "loky",
    address: str | None = None,
    nodes: int | None = None,
) -> Iterator[Outcome]:
    """The outcomes of all seeds, as they come. `jobs` -1: as many as there are cores.

    `ConfigError` when what the backend needs is not installed, or nothing answers at `address`.
    """
    find(scenario, nodes)
    if jobs == 1 and backend == "loky":
        for seed in seeds:
            yield run_seed(scenario, seed, nodes)
        return
    try:
        import joblib
    except ImportError:
        raise ConfigError("several jobs need joblib: pip install 'nearnet[sim]', or --jobs 1") from None
    with joblib.parallel_config(backend=_backend(backend, address), n_jobs=jobs):
        tasks = (joblib.delayed(run_seed)(scenario, seed, nodes) for seed in seeds)
        yield from joblib.Parallel(return_as="generator_unordered", batch_size=1)(tasks)


def _backend(name: str, address: str | None) -> Any:
    """Connects to the cluster, where one is meant."""
    if name not in BACKENDS:
        raise ConfigError(f"{name!r} is no backend; it is one of {', '.join(BACKENDS)}")
    try:
        if name == "dask":
            from dask import distributed

            client: Any = distributed.Client
            client(address, timeout="5s", set_as_default=True)
        elif name == "ray":
            import ray
            from ray.util.joblib import register_ray

            ray.init(address=address)
            register_ray()
    except ImportError as error:
        raise ConfigError(f"the backend {name} is not installed ({error}); pip install it beside nearnet") from None
    except (OSError, ConnectionError) as error:
        raise ConfigError(f"no {name} cluster answers at {address}: {error}") from None
    return name
