import json
import os
import subprocess
import sys

import pytest
from sim_worlds import connect, connected, quiet_config, world_of

from nearnet.sim.play import play
from nearnet.sim.scenarios import find
from nearnet.sim.world import World


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


@pytest.mark.parametrize("name", ["chaos", "chaos in protobuf", "44"])
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
    assert worlds[0].record.digest != worlds[1].record.digest


def test_a_node_moves():
    world = world_of(1)
    node, old = world.nodes[0], world.nodes[0].address
    node.stop()
    world.move(node, world.address(7))
    assert (world.network.listeners.get(old), world.network.listeners[world.address(7)]) == (None, node)


def test_who_watches_is_called_after_each_input_of_a_node():
    world, seen = world_of(1), []
    world.watch(seen.append)
    node = world.nodes[0]
    node.do(lambda now: node.do(lambda _: None))
    assert seen == [node], "once, by the outermost input"


def test_a_real_world_has_keys_of_both_kinds():
    world = World(fast=False)
    for _ in range(3):
        world.node(quiet_config())
    assert {node.key.public_key.key_type for node in world.nodes} == {"ed25519", "secp256k1"}
