from types import SimpleNamespace

import pytest

from nearnet.sim.conditions import (
    AllAgree,
    AtLeastPeers,
    Condition,
    Counts,
    Dropped,
    Events,
    Heard,
    Open,
    Pings,
    RoutedDrops,
    Routes,
    Silent,
)
from nearnet.sim.play import Player
from nearnet.sim.steps import Connect, Crash, Scenario, Wait


@pytest.fixture(scope="module")
def stage():
    steps = (Connect(0, 1), Connect(1, 2), Wait(5), Crash(2))
    player = Player(Scenario("stage", "for tests", 4, steps, quiet=False))
    player.run()
    return player


def test_routes_by_numbers(stage):
    assert Routes(0, {1: [1], 2: [1]}).holds(stage)
    assert not Routes(0, {1: [1]}).holds(stage)
    assert Routes(2, {}).holds(stage), "it is down"


def test_a_node_that_is_down_has_nothing(stage):
    assert not AtLeastPeers(2, 0).holds(stage)
    assert AtLeastPeers(1, 1).holds(stage)
    assert Counts(2, "anything", 0).holds(stage)
    assert Pings(2, pings=0, pongs=0).holds(stage)
    assert Open(2, 0).seen(stage) is None


def test_events_between_two_counts(stage):
    assert Events(1, "connected", 2, 2).holds(stage)
    assert Events(1, "connected", 1).holds(stage)
    assert not Events(1, "connected", 0, 1).holds(stage)
    assert not Events(1, "connected", 3).holds(stage)


def test_agreement_wants_reachable_nodes(stage):
    assert not AllAgree().holds(stage), "node 3 knows nobody"


def test_what_a_gate_dropped(stage):
    gate = SimpleNamespace(total=lambda rule: 2 if rule == "rate" else 0)
    reference = SimpleNamespace(gate=lambda node: gate)
    assert Dropped(0, "size").holds(reference)
    assert not Dropped(0, "rate").holds(reference)
    assert Dropped(0, "rate", 2, 2).holds(reference)
    assert Dropped(0, "rate", 1, None).holds(reference)
    assert not Dropped(0, "rate", 3, None).holds(reference)
    assert Dropped(0, "rate").holds(stage), "a node of ours has no gate"


def test_routed_messages_that_were_dropped(stage):
    stage.core(1).routed.drops["Ping", "Loop"] = 2
    assert RoutedDrops(1, "Ping", "Loop", 2).holds(stage)
    assert RoutedDrops(1, "Pong", "Loop", 0).holds(stage)
    assert not RoutedDrops(1, "Ping", "Loop", 0).holds(stage)
    assert RoutedDrops(2, "Ping", "Loop", 0).seen(stage) is None


def test_what_raw_clients_heard():
    stage = SimpleNamespace(heard=lambda client: ["Handshake nonce 1", "Routed 15 ttl 99", "closed"])
    assert Heard("A", "Handshake*", "closed").holds(stage)
    assert not Heard("A", "closed", "Handshake*").holds(stage)
    assert not Heard("A", "Routed*", "Routed*").holds(stage)
    assert Silent("A", "Peers*").holds(stage)
    assert not Silent("A", "Routed*").holds(stage)
    assert not Silent("A").holds(stage)
    assert Silent("A").holds(SimpleNamespace(heard=lambda client: ["closed"]))


def test_a_condition_must_say_what_it_means(stage):
    with pytest.raises(NotImplementedError):
        Condition().holds(stage)
    assert Condition().seen(stage) is None
