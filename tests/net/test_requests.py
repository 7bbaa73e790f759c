"""Requests over routed messages that wait for their reply."""

from __future__ import annotations

import asyncio

import pytest
from real_nodes import place, quiet_config, running, until

from nearnet import (
    AnnounceAccount,
    BodyKind,
    CryptoHash,
    DefaultClient,
    NoAnswer,
    Node,
    Opaque,
    RoutedAnswer,
    RoutedMessage,
    RouteNotFound,
    announcement_digest,
    decode_body,
)

QUERY = Opaque(BodyKind.QUERY_REQUEST, b"why")


class Echo(DefaultClient):
    """Replies to queries with their bytes turned round, in a moment; to those that say "silence" never."""

    async def on_routed(self, message: RoutedMessage) -> RoutedAnswer:
        body = decode_body(message.body)
        await asyncio.sleep(0)
        if not isinstance(body, Opaque) or body.index != BodyKind.QUERY_REQUEST or body.data == b"silence":
            return None
        return Opaque(BodyKind.QUERY_RESPONSE, body.data[::-1])


async def test_a_request_across_a_relay_and_to_an_account() -> None:
    config = quiet_config()
    async with running(2) as (a, relay), Node(config, client=Echo(config)) as service:
        await a.connect(place(relay))
        await relay.connect(place(service))
        await until(a, lambda: bool(a.routes(service.peer_id)))
        reply = await a.request(service.peer_id, QUERY)
        assert reply.author == service.peer_id
        assert decode_body(reply.body) == Opaque(BodyKind.QUERY_RESPONSE, b"yhw")
        with pytest.raises(RouteNotFound, match=r"no peer is known for the account echo\.near"):
            await a.request("echo.near", QUERY)
        epoch = CryptoHash.of(b"an epoch")
        digest = announcement_digest("echo.near", service.peer_id, epoch)
        service.announce(AnnounceAccount("echo.near", service.peer_id, epoch, service.key.sign(digest)))
        await until(a, lambda: bool(a.network_info().known_producers))
        reply = await a.request("echo.near", b"\x04account")
        assert reply.body == b"\x05tnuocca"
        assert isinstance(a.client, DefaultClient)
        assert a.client.counts == {}, "replies that were waited for do not go to the client"
        assert a.driver.unhandled == 0


async def test_a_request_without_a_reply() -> None:
    config = quiet_config()
    async with running(1) as (a,), Node(config, client=Echo(config)) as service:
        await a.connect(place(service))
        with pytest.raises(NoAnswer, match=r"no reply from ed25519:\w+ within 0\.05 s"):
            await a.request(service.peer_id, Opaque(BodyKind.QUERY_REQUEST, b"silence"), timeout=0.05)
        assert a._guard is not None
        assert a._guard._requests == {}


async def test_a_request_without_a_way() -> None:
    async with running(2) as (a, b):
        with pytest.raises(RouteNotFound):
            await a.request(b.peer_id, QUERY)


async def test_the_stop_ends_a_request() -> None:
    config = quiet_config()
    async with running(1) as (a,), Node(config, client=Echo(config)) as service:
        await a.connect(place(service))
        waiting = asyncio.create_task(a.request(service.peer_id, b"\x04silence", timeout=60))
        await asyncio.sleep(0)
        await a.stop()
        with pytest.raises(NoAnswer, match="the node stopped"):
            await waiting
