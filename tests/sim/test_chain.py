from types import SimpleNamespace

import pytest

from nearnet.sim.conditions import HeightAtLeast
from nearnet.sim.invariants import InvariantBroken
from nearnet.sim.play import Player
from nearnet.sim.steps import Connect, Crash, Pause, Restart, Scenario, Send, Setup, Wait, Within
from nearnet.wire.messages import Block

LINE = (Connect(0, 1), Connect(1, 2))


def player(*steps):
    setups = {0: Setup(blocks=True), 1: Setup(blocks=True), 2: Setup(blocks=True)}
    scenario = Scenario("blocks", "for tests", 3, steps, setups=setups, quiet=False)
    player = Player(scenario)
    player.run()
    return player


def test_blocks_are_made_each_second_and_relayed():
    made = player(*LINE, Within(12, *(HeightAtLeast(node, 10) for node in range(3))))
    assert made.world.time <= 10.2


def test_a_node_that_is_down_or_stands_still_makes_none():
    made = player(Wait(3.5), Crash(0), Pause(1), Wait(5), Restart(0), Wait(2.5))
    assert [made.client(node).height for node in range(3)] == [2, 3, 11]


def test_an_old_block_or_another_length_is_not_relayed():
    made = player(*LINE, Wait(3))
    client = made.client(1)
    peer = made.world.nodes[0].info
    height = client.height
    client.on_message(Block(bytes(8)), peer)
    client.on_message(Block(b"longer than a number"), peer)
    assert client.height == height
    assert client.counts["Block"] >= 2


def test_a_message_that_is_given_twice_is_found():
    made = player(*LINE, Wait(3), Send(0, 2, 1), Wait(0.2), Send(0, 2, 1), Wait(0.2))
    client = made.client(2)
    assert client.counts["Routed"] == 2, "two that are apart are two"
    (signature, neighbor), _ = next(iter(client._given.items()))
    made.world.nodes[2].core.client_port.neighbor = neighbor
    made.world.run(1)
    given = SimpleNamespace(signature=signature)
    client.on_routed(given)
    with pytest.raises(InvariantBroken, match="delivered once"):
        client.on_routed(given)
