"""Requests over routed messages that wait for their reply."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from real_nodes import place, quiet_config, running, until

from nearnet import (
    AnnounceAccount,
    Ban,
    BodyKind,
    CryptoHash,
    DefaultClient,
    NoAnswer,
    Node,
    Opaque,
    ReasonForBan,
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


class Faulty(DefaultClient):
    """Fails in a new way with each routed message, and replies at last."""

    async def _late(self, fault: BaseException) -> RoutedAnswer:
        await asyncio.sleep(0)
        raise fault

    def on_routed(self, message: RoutedMessage) -> Any:
        match message.body[1:]:
            case b"cancel":
                raise asyncio.CancelledError("by the program")
            case b"cancel later":
                return self._late(asyncio.CancelledError("by the program"))
            case b"text":
                return "no body"
            case b"ban":
                return Ban(ReasonForBan.ABUSIVE, float("nan"))
        return b"\x05still here"


async def test_no_fault_of_the_client_closes_a_connection(caplog: pytest.LogCaptureFixture) -> None:
    config = quiet_config()
    async with running(1) as (a,), Node(config, client=Faulty(config)) as faulty:
        await a.connect(place(faulty))
        for text in (b"cancel", b"cancel later", b"text", b"ban"):
            a.send_routed(faulty.peer_id, b"\x04" + text)
        assert (await a.request(faulty.peer_id, QUERY)).body == b"\x05still here"
        assert faulty._guard is not None
        assert (faulty._guard.failures, faulty.driver.unhandled) == (4, 0)
        assert [peer.info.id for peer in faulty.peers()] == [a.peer_id]
        assert sum(str(a.peer_id) in message for message in caplog.messages if "of the client raised" in message) == 4
