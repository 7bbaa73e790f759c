"""What a node tells of itself: connections, edges, routes, known peers and bans; and waits for what happens to it."""

from __future__ import annotations

import asyncio

import pytest
from real_nodes import event, place, quiet_config, running, until

from nearnet import NoAnswer, Node, PeerId, ReasonForBan, SecretKey
from nearnet.config import parse_peer
from nearnet.events import Banned, Connected, Disconnected, NodeEvent, RoutesChanged, Unbanned

STRANGER = PeerId(SecretKey.from_seed("a stranger").public_key)


async def test_connections_edges_and_routes_of_a_line() -> None:
    async with running(3) as (a, b, c):
        await a.connect(place(b))
        await b.connect(place(c))
        await until(a, lambda: bool(a.routes(c.peer_id)))
        (peer,) = a.peers()
        assert (peer.info.id, peer.direction, peer.dialect) == (b.peer_id, "outbound", "borsh")
        assert {(edge.peer0, edge.peer1) for edge in a.edges() if edge.active} == {
            (min(a.peer_id, b.peer_id), max(a.peer_id, b.peer_id)),
            (min(b.peer_id, c.peer_id), max(b.peer_id, c.peer_id)),
        }
        (route,) = a.routes(str(c.peer_id))
        assert (route.peer_id, route.distance, route.next_hops) == (c.peer_id, 2, (b.peer_id,))
        assert {one.peer_id: one.distance for one in a.routes()} == {b.peer_id: 1, c.peer_id: 2}
        assert a.routes(STRANGER) == ()
        assert {one.peer_id: one.status for one in a.known_peers()}[b.peer_id] == "Connected"


async def test_an_edge_that_ended() -> None:
    async with running(2) as (a, b):
        await a.connect(place(b))
        a.disconnect(b.peer_id)
        await until(a, lambda: [edge.active for edge in a.edges()] == [False])
        assert (a.peers(), a.routes()) == ((), ())


async def test_bans_with_their_times() -> None:
    async with running(1) as (node,):
        assert node.bans() == ()
        node.ban(STRANGER, ReasonForBan.HEIGHT_FRAUD, 600)
        (ban,) = node.bans()
        assert (ban.peer_id, ban.address, ban.reason) == (STRANGER, None, ReasonForBan.HEIGHT_FRAUD)
        assert ban.until - ban.since == pytest.approx(600, abs=1)
        (known,) = node.known_peers()
        assert (known.peer_id, known.status) == (STRANGER, "Banned")


async def test_a_known_peer_with_a_host_name() -> None:
    boot = f"{STRANGER}@no-such-host.invalid:24567"
    async with Node(quiet_config(network={"boot_nodes": boot})) as node:
        (known,) = node.known_peers()
        assert (known.host, known.address, known.trust) == (parse_peer(boot).host, None, "Indirect")
        assert known.first_seen <= known.last_seen


async def test_wait_for_an_event_of_a_class() -> None:
    async with running(2) as (a, b):
        waiting = asyncio.create_task(b.wait_for(Connected, timeout=10))
        await asyncio.sleep(0)
        await a.connect(place(b))
        connected = await waiting
        assert (connected.peer_id, connected.direction) == (a.peer_id, "inbound")


async def test_wait_for_an_event_that_fits() -> None:
    async with running(1) as (node,):
        waiting = asyncio.create_task(node.wait_for(Banned, lambda ban: ban.seconds > 100, timeout=10))
        await asyncio.sleep(0)
        node.ban(STRANGER, ReasonForBan.ABUSIVE, 60)
        node.ban(STRANGER, ReasonForBan.BAD_BLOCK, 600)
        assert (await waiting).reason is ReasonForBan.BAD_BLOCK


async def test_wait_for_what_does_not_come() -> None:
    async with running(1) as (node,):
        before = len(node._events._listeners)
        with pytest.raises(NoAnswer, match=r"no event Disconnected that fits within 0\.01 s"):
            await node.wait_for(Disconnected, timeout=0.01)
        assert len(node._events._listeners) == before, "the wait is over for the node as well"


async def test_a_wait_ends_with_the_node() -> None:
    async with running(1) as (node,):
        waiting = asyncio.create_task(node.wait_for(RoutesChanged))
        await asyncio.sleep(0)
        await node.stop()
        with pytest.raises(NoAnswer, match="the node stopped before the event RoutesChanged"):
            await waiting


@pytest.mark.parametrize("error", [ZeroDivisionError("a fault"), TimeoutError("its own")])
async def test_a_predicate_that_fails_ends_the_wait_and_nothing_else(error: Exception) -> None:
    def fail(event: Banned) -> bool:
        raise error

    async with running(1) as (node,):
        waiting = asyncio.create_task(node.wait_for(Banned, fail, timeout=10))
        await asyncio.sleep(0)
        node.ban(STRANGER)
        with pytest.raises(type(error), match=str(error)):
            await waiting
        node.unban(STRANGER)
        assert (await event(node, "unbanned")).peer_id == STRANGER


async def test_a_stream_of_some_classes() -> None:
    async with running(1) as (node,):
        every, some = node.events(), node.events(Banned, Unbanned, maxsize=10)
        node.ban(STRANGER)
        node.unban(STRANGER)
        assert [type(await anext(some)) for _ in range(2)] == [Banned, Unbanned]
        assert isinstance(await anext(every), NodeEvent)
