"""Attacks on simulated nodes, by the rows of the threat table that are proved by simulation; others are scenarios
(`HELD` in `test_scenarios.py`)."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from enemy import World, edge_of

from nearnet.sim.conditions import Connected
from nearnet.sim.network import Conditions, Latency
from nearnet.sim.play import play
from nearnet.sim.raw import RawHandshake
from nearnet.sim.scenarios import find
from nearnet.sim.signatures import FastKey
from nearnet.sim.steps import Connect, Crash, Disconnect, Ping, Restart, Within
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import PeerInfo, Routed, SocketAddress
from nearnet.wire.routed_body import Ping as PingBody
from nearnet.wire.routed_body import encode_body


@pytest.mark.threat(7)
def test_a_byte_each_second_does_not_extend_the_handshake() -> None:
    world = World(1, handshake_timeout=20.0)
    begun = world.world.time
    raw = world.enemy("slow", 0, ready=False)
    with world.world.running():
        raw.send(b"\xff\x00\x00\x00")
    while "closed" not in raw.heard:
        with world.world.running():
            raw.send(b"\x00")
        world.run(0.25)
        assert world.world.time < begun + 25
    assert world.world.time - begun == pytest.approx(20, abs=0.5)
    assert world.nodes[0].ends == {}, "its place is free"


@pytest.mark.threat(8)
def test_a_frame_that_trickles_in_is_not_waited_for() -> None:
    world = World(2, (0, 1))
    raw = world.enemy("slow", 0)
    with world.world.running():
        raw.send((1_000_000).to_bytes(4, "little"))
    begun = world.world.time
    while "closed" not in raw.heard:
        with world.world.running():
            raw.send(bytes(10))
        world.run(1)
        assert world.world.time < begun + 62
    assert world.nodes[1].id in world.nodes[0].core.peers


@pytest.mark.threat(18)
def test_the_victim_of_an_even_nonce_is_not_banned_by_a_third() -> None:
    world = World(2, (0, 1))
    raw = world.enemy("even", 0, ready=False)
    world.perform(RawHandshake("even", nonce=2))
    world.run(30)
    assert "closed" in raw.heard
    for node in world.nodes:
        assert all(raw.key.public_key not in edge.key for edge in node.core.table.edges())
    assert world.banned(0) == world.banned(1) == []
    assert world.nodes[0].id in world.nodes[1].core.peers


def _tie_break(seeds: range) -> None:
    """With latencies of any distribution, so that the dials cross at every moment."""
    scenario = replace(find("71"), conditions=Conditions(Latency(0.02, 1.0), jitter=0.5))
    for seed in seeds:
        result = play(scenario, seed)
        assert result.failure is None, f"seed {seed}: {result.failure}"


@pytest.mark.threat(24)
def test_both_dial_at_once_under_fifty_seeds() -> None:
    _tie_break(range(50))


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.threat(24)
def test_both_dial_at_once_under_a_thousand_seeds() -> None:
    _tie_break(range(1000))


@pytest.mark.threat(31, 40)
def test_a_forged_edge_bans_who_told_it_and_goes_no_further() -> None:
    world = World(3, (0, 1), (1, 2))
    raw = world.enemy("forger", 0)
    good, later = edge_of(FastKey("a"), FastKey("b")), edge_of(FastKey("c"), FastKey("d"), 3)
    forged = Edge.build(later.peer0, later.peer1, 1, later.signature0, later.signature1)
    world.tell(raw, [good, forged])
    world.run(5)
    assert world.banned(0) == [raw.key.public_key]
    assert world.banned(1) == world.banned(2) == [], "nobody is banned for what he was told of"
    for node in world.nodes:
        assert node.core.table.get(*forged.key) is None
    assert "closed" in raw.heard


@pytest.mark.threat(43)
def test_an_edge_that_says_we_are_connected_is_taken_back_in_seconds() -> None:
    world = World(2, (0, 1))
    raw = world.enemy("liar", 0)
    gone = FastKey("gone")
    ours = edge_of(world.nodes[0].key, gone, 1)
    world.tell(raw, [ours])
    world.run(5)
    assert world.nodes[0].core.table.get(*ours.key).is_active
    world.run(2.5)
    for node in world.nodes:
        assert not node.core.table.get(*ours.key).is_active


@pytest.mark.threat(44)
def test_gossip_that_removes_a_live_link_costs_it_a_new_nonce_only() -> None:
    world = World(3, (0, 1), (1, 2))
    raw = world.enemy("liar", 2)
    one, other = world.nodes[0], world.nodes[1]
    with world.world.running():
        removal = edge_of(one.key, other.key, 2)
    world.tell(raw, [removal])
    world.run(10)
    assert other.id in one.core.peers
    nonces = {node.core.table.get(*removal.key).nonce for node in world.nodes}
    assert len(nonces) == 1
    assert nonces.pop() % 2 == 1
    assert world.banned(2) == []


@pytest.mark.threat(45)
def test_a_storm_of_removals_is_told_once() -> None:
    """Tombstones of a hundred edges, again and again: each node takes each once, and then it is quiet."""
    world = World(3, (0, 1), (1, 2))
    raw = world.enemy("storm", 0)
    with world.world.running():
        tombstones = [edge_of(FastKey(f"a{n}"), FastKey(f"b{n}"), 2) for n in range(100)]
    for _ in range(20):
        world.tell(raw, tombstones)
        world.run(0.5)
    world.run(5)
    assert all(node.core.table.get(*edge.key) == edge for node in world.nodes for edge in tombstones)
    before = world.world.network.bytes_sent
    world.tell(raw, tombstones)
    world.run(5)
    told = world.world.network.bytes_sent - before
    assert told < 2 * sum(map(len, tombstones)), "the enemy's own bytes, and nobody says them again"


@pytest.mark.threat(46, 47)
@pytest.mark.parametrize("resets", [False, True])
def test_a_message_does_not_go_round_for_ever(resets: bool) -> None:
    """A hostile hop sends every message back into the line, if need be with its ttl set back."""
    world = World(2, (0, 1))
    raw = world.enemy("hop", 1)
    victim = FastKey("beyond")
    with world.world.running():
        edge = edge_of(raw.key, victim)
    world.tell(raw, [edge])
    world.run(3)
    message = world.ping(raw, victim.public_key).message
    ttl = 100
    for _ in range(300):
        world.say(raw, Routed(replace(message, ttl=ttl)))
        world.run(0.2)
        ttl = 100 if resets else ttl - 2
        if ttl <= 1:
            break
    passed = sum(name.startswith("Routed") for name in raw.heard)
    assert 0 < passed <= 100
    assert world.banned(1) == []


@pytest.mark.threat(49)
def test_a_flood_of_one_message_is_delivered_once() -> None:
    world = World(2, (0, 1))
    raw = world.enemy("flood", 0)
    message = world.ping(raw, world.nodes[1].id)
    world.say(raw, *[message] * 500)
    world.run(0.04)
    world.say(raw, *[message] * 500)
    world.run(2)
    assert sum(name.startswith("Routed 15") for name in raw.heard) == 1


@pytest.mark.threat(50)
def test_a_replay_behind_the_window_is_taken_again() -> None:
    world = World(3, (0, 1), (1, 2))
    raw = world.enemy("replay", 0)
    message = world.ping(raw, world.nodes[2].id)
    for _ in range(5):
        world.say(raw, message)
        world.run(0.2)
    world.run(2)
    assert sum(name.startswith("Routed 15") for name in raw.heard) == 5
    assert all(world.banned(node) == [] for node in range(3))


@pytest.mark.threat(42)
def test_a_liar_gets_its_share_of_the_ways_and_no_more() -> None:
    """Edges that are not there draw messages in: what has an honest way of the same length takes it in its turn."""
    world = World(4, (0, 1), (1, 3), (0, 2), (2, 3))
    raw = world.enemy("blackhole", 0)
    target = world.nodes[3]
    # Its accomplice holds the key of the target's neighbor: the best that it can tell is a way as long as the others.
    with world.world.running():
        edges = [edge_of(raw.key, FastKey("accomplice")), edge_of(FastKey("accomplice"), FastKey("end"))]
    world.tell(raw, edges)
    world.run(3)
    with world.world.running():
        stolen = edge_of(raw.key, target.key)
    world.tell(raw, [stolen])
    world.run(2)
    hops = world.nodes[0].core.table.next_hops(target.id)
    assert set(hops) == {world.nodes[1].id, world.nodes[2].id, raw.key.public_key}
    for number in range(300):
        body = encode_body(PingBody(number, world.nodes[0].id))
        world.nodes[0].do(lambda now, body=body: world.nodes[0].core.send_routed(target.id, body, now))
        world.run(0.02)
    drawn = sum(name.startswith("Routed 14") for name in raw.heard)
    assert 60 <= drawn <= 140, "a third, as two of three next hops are honest"


@pytest.mark.threat(29)
def test_a_thousand_dead_addresses_are_tried_slowly_and_hold_nothing_up() -> None:
    world = World(2, dials=True)
    node, living = world.nodes
    dead = [PeerInfo(FastKey(f"dead {n}").public_key, SocketAddress("127.9.0.1", 1000 + n)) for n in range(999)]
    node.core.context.peer_store.add_indirect([*dead, living.info], "127.0.0.1", node.now)
    for _ in range(600):
        before = node.kinds.get("dial_failed", 0)
        world.run(1)
        assert node.kinds.get("dial_failed", 0) - before <= 110, "of the first second; then ever fewer"
    assert 50 < node.kinds["dial_failed"] < 400
    world.perform(Connect(1, 0), Within(1, Connected(0, 1)), Ping(1, 0))
    world.run(1)
    assert living.kinds["pong"] == 1


@pytest.mark.threat(70)
def test_one_peer_in_a_crash_loop_leaves_nothing_behind() -> None:
    world = World(3, (0, 1), (1, 2))
    for number in range(100):
        world.perform(Crash(2), Restart(2), Connect(2, random.Random(number).randrange(2)))
        world.run(1)
        world.perform(Disconnect(0, 1)) if number == 50 else None
    world.run(130)
    for node in world.nodes[:2]:
        assert len(node.ends) <= 2
        assert node.kinds.get("banned", 0) == 0
