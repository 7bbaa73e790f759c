from functools import partial

import pytest
from changed import Changed
from sim_worlds import connect, connected, quiet_config, world_of

from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.runtime.actions import Dial
from nearnet.errors import NotConnected
from nearnet.sim.node import EVENTS_KEPT
from nearnet.wire.messages import PeerInfo, SocketAddress


def test_a_clean_stop_is_told_and_stored():
    world = world_of(2)
    connect(world, (0, 1))
    node, other = world.nodes
    with world.running():
        node.stop()
    world.run(1)
    assert not node.up
    assert other.core.peers == {}
    assert node.disk.rows.get("Peers", other.id) is not None


def test_a_crash_loses_what_was_not_stored():
    world = world_of(2)
    connect(world, (0, 1), seconds=0.1)
    node, other = world.nodes
    node.crash()
    assert node.disk.rows.get("Peers", other.id) is None
    world.run(1)
    assert other.core.peers == {}


def test_a_machine_that_vanishes_is_missed_after_a_minute():
    world = world_of(2)
    connect(world, (0, 1))
    node, other = world.nodes
    world.network.vanish(node.host)
    node.crash(silent=True)
    world.run(45)
    assert list(other.core.peers) == [node.id]
    world.run(20)
    assert other.core.peers == {}


def test_a_restart_is_another_core_on_the_same_store():
    world = world_of(2)
    connect(world, (0, 1))
    node, other = world.nodes
    before = node.core
    node.crash()
    world.run(1)
    with world.running():
        node.start()
    assert node.core is not before
    assert node.core.peer_store.get(other.id) is not None
    assert node.runs == 2


def test_what_was_armed_by_a_former_run_is_void():
    world = world_of(1)
    node = world.nodes[0]
    node.crash()
    with world.running():
        node.start()
    seen = []
    node.core.context.timers.at(node.now.mono + 5, seen.append)
    node.do(node.core.on_timer)
    node.crash()
    world.run(100)
    assert seen == []


def test_a_paused_process_does_all_of_it_later():
    world = world_of(3)
    connect(world, (0, 1))
    node, other, third = world.nodes
    node.pause()
    with world.running():
        other.do(lambda now: other.core.ping(node.id, now))
        third.do(third.core.connect, node.info)
    world.run(5)
    assert other.kinds.get("pong") is None
    assert not connected(node, third)
    with world.running():
        node.resume()
    world.run(5)
    assert other.kinds["pong"] == 1
    assert connected(node, third)


def test_bytes_of_who_hung_up_before_it_was_accepted_are_lost():
    world = world_of(2)
    node, other = world.nodes
    node.pause()
    with world.running():
        other.do(other.core.connect, node.info)
    world.run(1)
    other.crash()
    world.run(1)
    assert len(node._waiting) == 2, "an accept, and a Handshake"
    with world.running():
        node.resume()
    assert node.core.context.connections == {}


def test_behind_a_nat_one_dials_and_is_not_dialed():
    world = world_of(2)
    node, other = world.nodes
    node.reachable = False
    connect(world, (1, 0))
    assert not connected(node, other)
    assert other.kinds["dial_failed"] == 1
    connect(world, (0, 1))
    assert connected(node, other)


def test_host_names():
    world = world_of(2)
    node, other = world.nodes
    world.network.names["other.example:24567"] = other.address
    for host in ("other.example:24567", "nobody.example:1"):
        with world.running():
            node.do(lambda now, host=host: node.core.connect(PeerInfo(other.id), now, None, host))
        world.run(3)
    assert connected(node, other)


def test_a_host_name_without_an_address_fails():
    world = world_of(1)
    node, failures = world.nodes[0], []
    node.on_dial_failed = lambda dial, why: failures.append(why)  # type: ignore[method-assign]
    node.carry_out(Dial(1, PeerInfo(node.id), "borsh", 1.0, "nobody.example:1"))
    world.run(1)
    assert failures == ["the host name has no address"]


def test_a_dial_that_succeeds_after_the_end_is_hung_up():
    world = world_of(2)
    node, other = world.nodes
    with world.running():
        node.do(node.core.connect, other.info)
    node.crash()
    world.run(5)
    assert other.core.context.connections == {}


def test_a_commands_error_reaches_the_caller_and_the_rest_still_happens():
    world = world_of(1)
    node = world.nodes[0]
    with world.running(), pytest.raises(NotConnected):
        node.do(node.core.disconnect, world.key("nobody").public_key)
    assert node.core.take_actions() == []


def test_events_are_kept_within_bounds():
    world = world_of(1)
    node = world.nodes[0]
    for _ in range(EVENTS_KEPT + 50):
        node.do(lambda now: node.core.context.notify("something"))
    assert (len(node.events), node.kinds["something"]) == (EVENTS_KEPT, EVENTS_KEPT + 50)


def test_a_component_that_is_stored_is_told_to_the_core():
    world = world_of(1)
    node, tokens = world.nodes[0], []
    node.core = Changed(node.core, persisted=lambda token, error, now: tokens.append((token, error)))
    node._stored([3, 4])
    assert tokens == [(3, None), (4, None)]


def test_the_five_verbs_are_all_that_is_used():
    """What a node asks of its core is part of the core's interface: its inputs, outputs and commands."""
    verbs = ("accept", "dialed", "dial_failed", "receive", "lost", "drained", "verified", "routes_ready", "persisted")
    assert all(callable(getattr(PeerManager, verb)) for verb in (*verbs, "on_timer", "next_timer", "take_actions"))


def test_slow_answers_of_other_threads():
    world = world_of(3, faulty=True)
    world.faults.validator_delay = partial(float, 0.4)  # type: ignore[method-assign]
    world.faults.graph_delay = partial(float, 1.2)  # type: ignore[method-assign]
    connect(world, (0, 1), (1, 2), seconds=10)
    assert world.nodes[0].core.table.next_hops(world.nodes[2].id) == (world.nodes[1].id,)


def test_a_clock_that_is_set_moves_the_deadlines():
    world = world_of(1)
    node, seen = world.nodes[0], []
    node.core.context.timers.at(node.now.mono + 100, seen.append)
    node.clock.jump(mono=99.0)
    node.clock_jumped()
    world.run(1.5)
    assert len(seen) == 1


def test_accepting_needs_somebody_who_is_up():
    world = world_of(1)
    node = world.nodes[0]
    node.crash()
    failures = []
    world.network.connect(node, SocketAddress(node.host, node.address.port), 1.0, failures.append, failures.append)
    world.run(1)
    assert failures == ["Connection refused"]
    assert quiet_config().network.max_num_peers == 100
