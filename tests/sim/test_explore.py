import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nearnet.errors import ConfigError
from nearnet.sim.explore import Outcome, explore, parse_seeds, replay_command, run_seed
from nearnet.sim.scenarios import chaos


def test_seeds():
    assert parse_seeds("3..5") == range(3, 6)
    assert parse_seeds("7") == range(7, 8)
    for text in ("5..3", "a..b", "", "1..2..3"):
        with pytest.raises(ConfigError):
            parse_seeds(text)


def test_the_command_that_repeats_it():
    assert replay_command("chaos in protobuf", 17) == "nearnet sim run chaos-in-protobuf --seed 17 --faults"
    assert replay_command("join", 1, 300).endswith("--faults --nodes 300")


def test_a_seed_comes_to_the_same_wherever_it_runs():
    here = {outcome.seed: outcome for outcome in explore("chaos", range(3), jobs=1)}
    there = {outcome.seed: outcome for outcome in explore("chaos", range(3), jobs=2)}
    assert here == there
    assert all(outcome.failure is None for outcome in here.values())
    assert here[1] == run_seed("chaos", 1)


def test_an_unknown_scenario_is_known_at_once():
    with pytest.raises(ConfigError, match="is no scenario"):
        list(explore("nonsense", range(3)))


def test_backends():
    with pytest.raises(ConfigError, match="is no backend"):
        list(explore("chaos", range(1), backend="abacus"))


@pytest.mark.slow
def test_a_cluster_that_is_not_there():
    pytest.importorskip("distributed")
    with pytest.raises(ConfigError, match="no dask cluster answers at tcp://127"):
        list(explore("chaos", range(1), backend="dask", address="tcp://127.0.0.1:9"))


def test_ray_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match="the backend ray is not installed"):
        list(explore("chaos", range(1), backend="ray"))


def test_joblib_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib", None)
    with pytest.raises(ConfigError, match="several jobs need joblib"):
        list(explore("chaos", range(2), jobs=2))


@pytest.mark.slow
def test_a_dask_cluster():
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster:
        outcomes = list(explore("chaos", range(4), backend="dask", address=cluster.scheduler_address))
        distributed.default_client().close()
    assert sorted(outcome.seed for outcome in outcomes) == [0, 1, 2, 3]
    assert all(isinstance(outcome, Outcome) and outcome.failure is None for outcome in outcomes)


FAULTY = """
from {module} import {kind}
from nearnet.sim.explore import run_seed
{kind}.{method} = lambda *_: {answer}
print(any(run_seed("chaos", seed).failure for seed in range(3)))
"""


@pytest.mark.parametrize(
    ("what", "module", "kind", "method", "answer"),
    [
        ("removals are never signed", "gossip.own_edges", "LocalEdges", "disconnected", None),
        ("news is never told", "gossip.telling", "Gossip", "tell", None),
        ("known peers are never stored", "peer_manager.known_peers", "PeerStore", "_changed", None),
    ],
)
def test_a_fault_in_the_core_is_found(what, module, kind, method, answer):
    """In a process that keeps to the sources: what is compiled has no methods to replace."""
    program = FAULTY.format(module=f"nearnet.core.{module}", kind=kind, method=method, answer=answer)
    environment = {**os.environ, "NEARNET_PURE": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n", what


CHAOS = tuple(scenario.name for scenario in chaos.ALL)
EXPLORED = (*CHAOS, "44", "21")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", EXPLORED)
def test_ci_depth(scenario):
    """Some hundred seeds in all, under two minutes together; `make explore` is the nightly depth."""
    failed = [outcome for outcome in explore(scenario, range(1000, 1060), jobs=1) if outcome.failure]
    assert not failed, [f"{replay_command(scenario, one.seed)}: {one.failure}" for one in failed]


def test_make_explores_them_all():
    makefile = (Path(__file__).resolve().parents[2] / "Makefile").read_text()
    (names,) = re.findall(r"for scenario in (.*?); do", makefile, re.DOTALL)
    assert tuple(names.replace("\\\n", " ").split()) == tuple(name.replace(" ", "-") for name in CHAOS)


@pytest.mark.nightly
@pytest.mark.timeout(4 * 3600)
def test_nightly_depth():
    """Twelve thousand seeds over all cores."""
    failed = [
        f"{replay_command(scenario, outcome.seed)}: {outcome.failure}"
        for scenario in CHAOS
        for outcome in explore(scenario, range(2000))
        if outcome.failure
    ]
    assert not failed, failed
