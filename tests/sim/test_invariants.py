"""Each invariant is broken on purpose, once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from changed import Changed
from sim_worlds import connect, world_of

from nearnet.core.routing_table.edge import sign_removal
from nearnet.errors import ReasonForBan
from nearnet.keys import CryptoHash, Signature
from nearnet.sim.invariants import WRONG_FOR, InvariantBroken, Invariants, next_hops_by_search
from nearnet.sim.signatures import made_up_edge
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import AnnounceAccount

LOST = SimpleNamespace(account_id="lost.near")


@pytest.fixture
def world():
    world = world_of(4)
    connect(world, (0, 1), (1, 2), (2, 3), (3, 0), seconds=20)
    return world


def broken(world, name, look="quiet"):
    invariants = Invariants(world)
    with pytest.raises(InvariantBroken) as caught, world.running():
        invariants.quiet() if look == "quiet" else invariants.touched(world.nodes[0])
    assert caught.value.name == name
    assert str(caught.value).startswith(f"{name}: <SimNode ")


def test_a_world_in_order_breaks_none(world):
    invariants = Invariants(world)
    world.watch(invariants.touched)
    with world.running():
        invariants.quiet()
    assert invariants.checks > 0


def test_a_node_that_is_down_is_not_looked_at(world):
    world.nodes[0].crash()
    invariants = Invariants(world)
    invariants.touched(world.nodes[0])
    assert invariants.checks == 0


def test_too_many_sockets(world):
    core = world.nodes[0].core
    core.context.connections.update({1000 + n: None for n in range(200)})
    broken(world, "sockets", "node")


def test_too_many_known_peers(world):
    node = world.nodes[0]
    node.core.peer_store = [None] * 2000
    broken(world, "known peers", "node")


def test_too_many_edges(world):
    node = world.nodes[0]
    node.config = node.config.model_copy(deep=True)
    node.config.nearnet.limits.__dict__["edges_total"] = 3
    broken(world, "edges", "node")


def test_no_timer(world):
    world.nodes[0].core = Changed(world.nodes[0].core, next_timer=lambda: None)
    broken(world, "timers", "node")


def test_a_peer_under_another_id(world):
    peers = world.nodes[0].core.peers
    peers[world.nodes[2].id] = next(iter(peers.values()))
    broken(world, "ready peers", "node")


def test_a_queue_over_its_limit(world):
    peer = next(iter(world.nodes[0].core.peers.values()))
    peer.unsent = 2**40
    broken(world, "send queue", "node")
    world.nodes[0].config.nearnet.limits.__dict__["queue_bytes"] = 2**50
    broken(world, "send queues", "node")


def test_an_honest_peer_that_is_banned(world):
    node, other = world.nodes[:2]
    node.do(node.core.ban, other.id, ReasonForBan.INVALID_EDGE)
    broken(world, "bans", "node")
    Invariants(world, hostile=True).touched(node)
    by_command = Invariants(world)
    by_command.allowed_bans[node.name, other.id] = None
    by_command.touched(node)


def test_a_connection_with_who_is_banned(world):
    node, other = world.nodes[:2]
    node.kinds["banned"] = 1
    node.core.peer_store.ban(other.id, ReasonForBan.ABUSIVE, node.now, 60.0)
    broken(world, "bans kept", "node")


def test_a_ban_that_is_not_stored(world):
    node, other = world.nodes[:2]
    node.do(lambda now: node.core.ban(other.id, ReasonForBan.INVALID_EDGE, now, 60.0))
    assert node.writer.overlay.pending_count
    Invariants(world, hostile=True).touched(node)
    world.run(1)
    del node.disk.rows._columns["Peers"][bytes(other.id)]
    invariants = Invariants(world, hostile=True)
    with pytest.raises(InvariantBroken, match="bans stored: <SimNode 0> has not stored that it banned 1"):
        invariants.touched(node)


def test_a_start_that_forgets(world):
    node, other = world.nodes[:2]
    node.do(node.core.announce, AnnounceAccount("mine.near", node.id, CryptoHash(bytes(32)), Signature(bytes(65))))
    world.run(5)
    Invariants(world).touched(node)
    store, announcements = node.core.peer_store, node.core.announcements
    node.core.announcements = SimpleNamespace(all=list)
    broken(world, "read back", "node")
    node.core.announcements = announcements
    node.do(lambda now: node.core.ban(other.id, ReasonForBan.ABUSIVE, now, 60.0))
    world.run(1)
    store.unban(other.id, node.now)
    broken(world, "read back", "node")
    store._table.remove(store.get(other.id))
    node.disk.rows._columns["Peers"].pop(bytes(other.id))
    Invariants(world).touched(node)
    store._table.remove(store.get(world.nodes[2].id))
    broken(world, "read back", "node")


def test_two_connections_with_one_peer(world):
    node = world.nodes[0]
    peer = next(iter(node.core.peers.values()))
    node.core.context.connections[9999] = peer
    broken(world, "one per pair")


def test_one_end_that_does_not_know(world):
    node, other = world.nodes[:2]
    node.core.peers.pop(other.id)
    broken(world, "both ends agree")


def test_nodes_that_differ_about_an_edge(world):
    a, b = (world.nodes[n] for n in (1, 2))
    table = world.nodes[0].core.table
    edge = table.get(a.id, b.id)
    table.add([sign_removal(a.key, edge)], None, world.nodes[0].now)
    broken(world, "agreement")


def test_an_announcement_that_did_not_reach_everybody(world):
    world.nodes[1].core.announcements.add(
        AnnounceAccount("one.near", world.nodes[1].id, CryptoHash(bytes(32)), Signature(bytes(65)))
    )
    broken(world, "announcements")


def test_an_edge_of_ours_without_a_connection(world):
    node = world.nodes[0]
    first, second = sorted((node.key, world.key("nobody")), key=lambda key: key.public_key)
    node.core.table.add([made_up_edge(first, second, 1)], None, node.now)
    broken(world, "own edges")


def test_a_connection_without_an_edge(world):
    invariants = Invariants(world)
    node = world.nodes[0]
    other = next(iter(node.core.peers))
    removal = sign_removal(node.key, node.core.table.get(node.id, other))
    node.core.table.add([removal], None, node.now)
    with pytest.raises(InvariantBroken, match="no active edge"):
        invariants._own_edges(node)


def test_routes_that_a_search_does_not_find(world):
    node = world.nodes[0]
    node.core = Changed(node.core, table=Changed(node.core.table, next_hops=lambda peer: ()))
    broken(world, "next hops")


def test_a_row_that_is_missing(world):
    node = world.nodes[0]
    node.disk.rows._columns["Peers"].clear()
    broken(world, "store")


def test_a_row_that_says_something_else(world):
    node = world.nodes[0]
    rows = node.disk.rows._columns["Peers"]
    (first, value), (second, _) = list(rows.items())[:2]
    rows[second] = value
    assert first != second
    broken(world, "store")


def test_an_announcement_that_was_not_stored(world):
    lost = SimpleNamespace(all=lambda: [LOST])
    for node in world.nodes:
        node.core.announcements = lost
    broken(world, "store")


def test_a_ping_without_an_answer(world):
    world.pool.dialect(dialect_named("borsh")).forward = lambda _: b""
    broken(world, "answers")


def test_a_node_that_chatters(world):
    node, other = world.nodes[:2]

    def chatter() -> None:
        node.do(lambda now: node.core.ping(other.id, now))
        world.later(0.05, chatter)

    chatter()
    broken(world, "calm")


def test_an_edge_of_ours_that_is_wrong_for_long(world):
    node = world.nodes[0]
    first, second = sorted((node.key, world.key("nobody")), key=lambda key: key.public_key)
    node.core.table.add([made_up_edge(first, second, 1)], None, node.now)
    invariants = Invariants(world)
    invariants.touched(node)
    world.run(WRONG_FOR - 1)
    invariants.touched(node)
    world.run(2)
    with pytest.raises(InvariantBroken, match="edges in time"):
        invariants.touched(node)
    node.pause()
    node.resume()
    world.run(2)
    invariants.touched(node)


def test_one_among_many_edges_that_is_wrong_for_long(world):
    node, other = world.nodes[0], world.nodes[2]
    hub = world.key("hub")
    strangers = (sorted((hub, world.key(f"stranger {n}")), key=lambda key: key.public_key) for n in range(250))
    first, second = sorted((node.key, other.key), key=lambda key: key.public_key)
    edges = [made_up_edge(*pair, 1) for pair in strangers]
    node.core.table.add([*edges, made_up_edge(first, second, 1)], None, node.now)
    invariants = Invariants(world)
    invariants.touched(node)
    world.run(WRONG_FOR + 1)
    with pytest.raises(InvariantBroken, match=f"edges in time: {node!r} is wrong about {other.name}"):
        invariants.touched(node)


def test_next_hops_of_a_square():
    links = {1: [2, 4], 2: [1, 3], 3: [2, 4], 4: [1, 3]}
    assert next_hops_by_search(links, 1) == {2: [2], 3: [2, 4], 4: [4]}
