"""Seeds that found something once. Each says what, so that it is known what to look at when it fails again."""

import pytest
from sim_worlds import connect, world_of

from nearnet.sim.explore import replay_command, run_seed
from nearnet.sim.play import play
from nearnet.sim.scenarios import find

SEEDS = [
    ("clocks", 0, "a wall clock before 1970: times that the store cannot hold ended the connection that brought them"),
    ("clocks", 2, "the same for how long a connection had lasted"),
    ("chaos of two dialects", 873, "the simulated network let a piece of a frame overtake one that had met a cut"),
]


@pytest.mark.parametrize(("scenario", "seed", "what"), SEEDS)
def test_it_holds_now(scenario, seed, what):
    outcome = run_seed(scenario, seed)
    assert outcome.failure is None, f"{what}: {replay_command(scenario, seed)}: {outcome.failure}"


def test_without_faults_too():
    assert play(find("clocks"), 0).failure is None


def test_a_clock_before_1970_is_no_fault():
    world = world_of(2)
    world.nodes[0].clock.jump(wall=-2e9)
    connect(world, (0, 1), seconds=900)
    assert world.nodes[1].id in world.nodes[0].core.peers
