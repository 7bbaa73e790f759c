"""The core's front: commands, outputs, and what it does after every input."""

import pytest
from hand import ME, Core, edge_of, key_of
from world import World

from nearnet.core.runtime.actions import Close
from nearnet.errors import ConfigError, ReasonForBan, RouteNotFound
from nearnet.keys import CryptoHash
from nearnet.wire.messages import (
    AnnounceAccount,
    Block,
    Disconnect,
    LastEdge,
    PeerInfo,
    Routed,
    RoutedMessage,
    SyncRoutingTable,
)
from nearnet.wire.routed_body import Pong, encode_body
from nearnet.wire.routed_frame import routed_digest


@pytest.mark.scenario(7)
def test_a_ping_and_its_pong():
    core = Core()
    hand = core.ready()
    core.advance(1.5)
    hand.read()
    digest = core.manager.ping(hand.id, core.now)
    (ping,) = hand.told(Routed)
    assert routed_digest(ping.message) == digest
    core.advance(0.25)
    body = encode_body(Pong(1, hand.id))
    unsigned = RoutedMessage(digest, hand.id, b"", 100, body)
    hand.say(Routed(RoutedMessage(digest, hand.id, hand.key.sign(routed_digest(unsigned)), 100, body)))
    pong = core.events[-1]
    assert (pong.kind, pong.peer_id, pong.data["hash"]) == ("pong", hand.id, str(digest))
    assert pong.data["milliseconds"] == pytest.approx(250)
    assert hand.peer.last_ping_ms == pytest.approx(250)


@pytest.mark.threat(48)
def test_a_wrong_routed_signature_bans_who_brought_it():
    core = Core()
    hand = core.ready()
    message = RoutedMessage(ME.public_key, hand.id, hand.key.sign(bytes(32)), 100, b"\x0b")
    hand.say(Routed(message))
    assert core.manager.peer_store.get(hand.id).ban.reason is ReasonForBan.INVALID_SIGNATURE
    assert hand.closed == "banned: InvalidSignature"


@pytest.mark.scenario(8)
def test_messages_to_accounts_peers_and_hashes():
    core = Core()
    hand = core.ready()
    far = key_of("far")
    hand.say(SyncRoutingTable((edge_of(hand.key, far),)))
    core.advance(1.5)
    hand.read()
    account = AnnounceAccount("alice.near", far.public_key, CryptoHash(bytes(32)), far.sign(bytes(32)))
    core.manager.announce(account, core.now)
    digest = core.manager.send_routed("alice.near", b"\x0bhi", core.now)
    (sent,) = hand.told(Routed)
    assert (sent.message.target, routed_digest(sent.message)) == (far.public_key, digest)
    with pytest.raises(RouteNotFound, match=r"no peer is known for the account bob\.near") as caught:
        core.manager.send_routed("bob.near", b"\x0bhi", core.now)
    assert caught.value.reason == "UnknownAccount"
    with pytest.raises(RouteNotFound):
        core.manager.send_routed(CryptoHash(bytes(32)), b"\x0bhi", core.now)
    with pytest.raises(RouteNotFound):
        core.manager.send_routed(ME.public_key, b"\x0bhi", core.now)


def test_a_pong_of_who_is_no_neighbor():
    world = World()
    a, b, c = world.node(), world.node(), world.node()
    a.connect(b)
    b.connect(c)
    world.advance(3)
    a.core.ping(c.id, world.now)
    world.settle()
    assert a.event("pong").peer_id == c.id


@pytest.mark.threat(10)
def test_an_overflowing_queue_closes():
    core = Core(nearnet={"limits": {"queue_bytes": 1000}})
    hand = core.ready()
    hand.peer.unsent = 900
    hand.peer.send(Block(bytes(200)))
    core.manager.on_timer(core.now)
    core.act()
    assert hand.closed == "queue overflow"
    assert core.manager.limits.hits("queue_bytes") == 1
    assert hand.peer.out == []


@pytest.mark.threat(10)
def test_all_queues_together_have_a_limit():
    core = Core(nearnet={"limits": {"queues_bytes": 10_000}})
    a, b = core.ready("a"), core.ready("b")
    a.drain(4000)
    b.drain(5000)
    assert (a.closed, b.closed) == (None, None)
    a.drain(5500)
    assert (a.closed, b.closed) == ("queue overflow", None)


def test_a_stop_says_goodbye_to_all():
    core = Core()
    ready, pending = core.ready(), core.hand("pending")
    core.manager.stop(core.now)
    goodbye = ready.read()
    core.act()
    assert isinstance(goodbye[0], Disconnect)
    assert (ready.closed, pending.closed) == ("stopping", "stopping")
    assert core.manager.peers == {}


def test_messages_that_nobody_expects_go_to_nobody():
    core = Core()
    hand = core.ready()
    hand.say(LastEdge(edge_of(key_of("x"), key_of("y"))))
    assert hand.closed is None


def test_the_table_is_told_where_it_was_stored():
    core = Core()
    core.manager.persisted(99, "disk full", core.now)
    assert not any(isinstance(action, Close) for action in core.others)


@pytest.mark.threat(24)
@pytest.mark.parametrize("order", range(8))
def test_simultaneous_dials_end_with_one_connection(order):
    """Both ends dial; whatever comes first, exactly one connection lives, and it is the same one on both."""
    world = World()
    a, b = world.node(), world.node()
    first, second = (a, b) if order & 1 else (b, a)
    first.core.connect(second.info, world.now, "borsh")
    if order & 2:
        world.settle()
    second.core.connect(first.info, world.now, "borsh")
    if order & 4:
        world.advance(0.01)
    world.advance(30)
    assert len(a.core.context.connections) == len(b.core.context.connections) == 1
    assert a.routes() == {b.id: [b.id]}
    assert b.routes() == {a.id: [a.id]}
    assert a.core.peers[b.id].direction != b.core.peers[a.id].direction


def test_a_dialect_that_is_not_spoken_is_refused_in_words():
    core = Core()
    with pytest.raises(ConfigError, match="'morse' is not spoken here"):
        core.manager.connect(PeerInfo(key_of("a").public_key), core.now, "morse")
