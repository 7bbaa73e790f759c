"""Each collection of a core has few entries or a bound; a new one cannot be forgotten."""

from __future__ import annotations

import pytest
from sim_worlds import connect, world_of

from nearnet.core.runtime.clock import Now
from nearnet.core.runtime.limits import LruDict
from nearnet.errors import ReasonForBan
from nearnet.keys import PublicKey
from nearnet.sim.bounds import FEW, bounds, holdings, over
from nearnet.sim.invariants import InvariantBroken, Invariants
from nearnet.wire.messages import PeerInfo, PeersRequest, SocketAddress


@pytest.fixture
def core():
    world = world_of(2)
    connect(world, (0, 1), seconds=5)
    return world.nodes[0].core


def test_a_core_in_order_is_within_them(core):
    assert over(core) == []


def asked_for_peers(core, known, banned=0):
    """It knows so many, has banned some of them, and has told its neighbor."""
    now = Now(1e6, 1e9)
    strangers = [PublicKey(b"\0" + number.to_bytes(32, "big")) for number in range(known)]
    infos = [PeerInfo(key, SocketAddress("10.0.0.1", 1 + number)) for number, key in enumerate(strangers)]
    core.peer_store.add_indirect(infos, "127.0.0.1", now)
    for key in strangers[:banned]:
        core.ban(key, ReasonForBan.ABUSIVE, now)
    core.membership.peers_requested(next(iter(core.peers.values())), PeersRequest(), now)
    core.take_actions()


def test_one_that_knows_and_has_banned_many_peers_is_within_them(core):
    asked_for_peers(core, 1000, banned=400)  # more than one answer tells
    held = {name: size for name, size, _ in holdings(core)}
    assert held["PeerStore._told"] >= 600
    assert held["PeerTable.banned"] == 400
    assert over(core) == []


def test_every_bound_is_of_something(core):
    asked_for_peers(core, 600)  # more than one answer tells
    held = {name for name, _, _ in holdings(core)}
    assert {name.removesuffix("[]").removesuffix("[]") for name in bounds(core.config)} <= held


def test_one_over_its_bound_is_found(core):
    core.config.nearnet.timing.__dict__["routed_message_cache_size"] = 400
    peer = next(iter(core.peers.values()))
    peer.routed_cache.update(dict.fromkeys(range(401), 0.0))
    assert over(core) == [("Peer.routed_cache", 401, 400)]


def test_one_that_nobody_thought_of_is_found(core):
    core.context.counters.update({("a metric", str(number)): 1 for number in range(FEW + 1)})
    ((name, size, most),) = over(core)
    assert (name, most) == ("Context.counters", FEW)
    assert size > FEW


def test_a_cache_of_its_own_bound(core):
    many = LruDict(2)
    many._entries.update(dict.fromkeys(range(3)))
    core.context.counters["cache"] = many
    assert over(core) == [("Context.counters[]", 3, 2)]


def test_a_world_stops_at_it():
    world = world_of(1)
    world.nodes[0].core.context.counters.update({("a metric", str(number)): 1 for number in range(FEW + 1)})
    with pytest.raises(InvariantBroken, match=r"entries in Context\.counters") as caught, world.running():
        Invariants(world).quiet()
    assert caught.value.name == "bounds"
