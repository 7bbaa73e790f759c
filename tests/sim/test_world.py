import json
import os
import subprocess
import sys

import pytest
from sim_worlds import connect, connected, quiet_config, world_of

from nearnet.sim.play import play
from nearnet.sim.scenarios import find
from nearnet.sim.world import TooBusy, World


def test_time_is_that_of_the_next_event_and_nothing_ticks():
    world = World()
    seen = []
    world.later(5.0, lambda: seen.append(("b", world.time)))
    world.at(1.0, lambda: seen.append(("a", world.time)))
    world.at(1.0, lambda: seen.append(("after a", world.time)))
    assert not world.run(3.0)
    assert (seen, world.time, world.events) == ([("a", 1.0), ("after a", 1.0)], 3.0, 2)
    assert world.run(100.0, until=lambda: len(seen) == 3)
    assert world.time == 5.0


def test_a_run_that_goes_round_and_round_ends():
    world = World()
    world.most_events = 1000

    def again() -> None:
        world.later(0.0, again)

    again()
    with pytest.raises(TooBusy, match="1001 events"):
        world.run(1.0)


def test_a_moment_that_never_ends():
    world = World()

    def again():
        world.later(0.0, again)

    again()
    with pytest.raises(TooBusy, match="20001 events"):
        world.run(1)


def test_every_name_has_a_random_source_of_its_own():
    assert World(1).random("a").random() == World(1).random("a").random()
    numbers = {World(seed).random(name).random() for seed in (1, 2) for name in ("a", "b")}
    assert len(numbers) == 4


@pytest.mark.parametrize("public", [False, True])
def test_addresses_are_all_different(public):
    world = World(public=public)
    assert len({world.address(number) for number in range(5000)}) == 5000


@pytest.mark.parametrize("fast", [False, True])
def test_three_nodes_with_both_kinds_of_signatures(fast):
    world = world_of(3, fast=fast)
    connect(world, (0, 1), (1, 2))
    assert connected(world.nodes[0], world.nodes[1])
    table = world.nodes[0].core.table
    assert table.next_hops(world.nodes[2].id) == (world.nodes[1].id,)


def test_a_quiet_node_does_nothing_most_of_the_time():
    world = world_of(2)
    connect(world, (0, 1))
    world.run(60)
    before = world.events
    world.run(3600)
    assert world.events - before < 600, "about one event per node and 30 s"


@pytest.mark.parametrize("name", ["chaos", "chaos of two dialects", "44"])
def test_one_seed_one_hash(name):
    first, again, other = (play(find(name), seed, explore=True) for seed in (5, 5, 6))
    assert first.failure is again.failure is None
    assert (first.digest, first.events) == (again.digest, again.events)
    assert first.digest != other.digest


@pytest.mark.parametrize("name", ["chaos", "chaos today", "44"])
def test_the_hash_order_of_a_process_is_not_seen(name):
    code = (
        "import json; from nearnet.sim.play import play; from nearnet.sim.scenarios import find; "
        f"print(json.dumps([play(find({name!r}), seed, explore=True).digest for seed in (0, 1)]))"
    )
    digests = []
    for order in ("1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": order}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
        digests.append(json.loads(done.stdout))
    assert digests[0] == digests[1]
    assert digests[0][0] != digests[0][1]


def test_what_happens_is_in_the_hash():
    worlds = [world_of(2) for _ in range(2)]
    connect(worlds[0], (0, 1))
    connect(worlds[1], (1, 0))
    assert worlds[0].digest != worlds[1].digest


def test_a_node_moves():
    world = world_of(1)
    node, old = world.nodes[0], world.nodes[0].address
    node.stop()
    world.move(node, world.address(7))
    assert (world.listener(old), world.listener(world.address(7))) == (None, node)


def test_a_real_world_has_keys_of_both_kinds():
    world = World(fast=False)
    for _ in range(3):
        world.node(quiet_config())
    assert {node.key.public_key.key_type for node in world.nodes} == {"ed25519", "secp256k1"}
