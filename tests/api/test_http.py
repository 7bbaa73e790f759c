"""The HTTP server by raw requests: who may call, how much, and what is served where."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from typing import Any

import pytest
from raw_http import TOKEN, Answer, call, exchange, get, post, served, written
from real_nodes import place, quiet_config, running

from nearnet import AlreadyRunning, Node
from nearnet.api import http
from nearnet.api.http import HttpServer
from nearnet.core.runtime.actions import Event
from nearnet.keys import SecretKey

HEALTH = call("health")


@pytest.mark.threat(76)
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LocalHost:3030", 200),
        ("127.0.0.1:3030", 200),
        ("[::1]:3030", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example:3030", 403),
        ("localhost@evil.example", 403),
        ("192.168.1.7:3030", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
async def test_hosts(host: str, status: int) -> None:
    async with served() as (_, server):
        assert (await post(server, HEALTH, Host=host)).status == status


async def test_no_host() -> None:
    """Newer releases of aiohttp refuse it before we see it."""
    async with served() as (_, server):
        assert (await post(server, HEALTH, Host=None)).status in (400, 403)


@pytest.mark.threat(76)
@pytest.mark.parametrize(("host", "status"), [("192.168.1.7:3030", 200), ("[fe80::1]", 200), ("evil.example", 403)])
async def test_on_every_interface_any_address_but_no_name(host: str, status: int) -> None:
    async with served(addr="0.0.0.0:0") as (_, server):
        assert (await post(server, HEALTH, Host=host)).status == status


@pytest.mark.threat(76)
@pytest.mark.parametrize(
    ("origin", "allowed", "status"),
    [
        ("http://localhost", [], 200),
        ("http://evil.example", [], 403),
        ("https://localhost", [], 403),
        ("http://localhost:81", [], 403),
        ("null", [], 403),
        ("", [], 403),
        ("https://wallet.example", ["https://wallet.example"], 200),
        ("https://wallet.example.evil", ["https://wallet.example"], 403),
        ("https://any.example", ["*"], 200),
    ],
)
async def test_origins(origin: str, allowed: list[str], status: int) -> None:
    async with served(cors_allowed_origins=allowed) as (_, server):
        for answer in (await post(server, HEALTH, Origin=origin), await get(server, "/status", Origin=origin)):
            assert answer.status == status
            assert answer.headers.get("access-control-allow-origin") == (origin if status == 200 else None)
        asked = {"Host": "localhost", "Origin": origin, "Access-Control-Request-Method": "POST"}
        preflight = await exchange(server, written("OPTIONS", "/", asked))
        assert preflight.status == (204 if status == 200 else 403)
        assert ("access-control-allow-headers" in preflight.headers) == (status == 200)


@pytest.mark.threat(76)
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonp", 415),
        ("", 415),
        (None, 415),
    ],
)
async def test_content_types(kind: str | None, status: int) -> None:
    async with served() as (_, server):
        assert (await post(server, HEALTH, Content_Type=kind)).status == status


@pytest.mark.threat(76)
@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Bearer {TOKEN}0", 401),
        ("Bearer \xfc\xff", 401),
    ],
)
async def test_admin_methods_want_the_token(authorization: str | None, status: int) -> None:
    async with served() as (node, server):
        ask = call("nearnet_ban", peer_id=str(SecretKey.from_seed("stranger").public_key))
        assert (await post(server, ask, Authorization=authorization)).status == status
        assert len(node.core.peer_store.bans()) == (1 if status == 200 else 0)


async def test_without_a_token_nobody_is_admin() -> None:
    config = quiet_config(rpc={"addr": "127.0.0.1:0"})
    async with Node(config) as node:
        server = HttpServer(node, config.rpc, None)
        await server.start()
        ask = call("nearnet_unban", peer_id=str(node.peer_id))
        assert (await post(server, ask, Authorization="Bearer ")).status == 401
        await server.stop()


@pytest.mark.threat(75)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (json.dumps([HEALTH] * 100).encode(), 400),
        (b'{"jsonrpc":"2.0","id":NaN,"method":"health"}', 400),
        (b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"health"}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
        (b"[]" * 4_000_000, 400),
        (b'"' + b"\\" * 8_000_000, 400),
        (b" " * (10 * 2**20 - 1), 400),
        (b" " * (10 * 2**20 + 1), 413),
    ],
    ids=range(12),
)
async def test_hostile_bodies(body: bytes, status: int) -> None:
    async with served() as (node, server):
        assert (await post(server, body)).status == status
        assert (await post(server, HEALTH)).json() == {"jsonrpc": "2.0", "result": None, "id": "dontcare"}
        assert node.driver.unhandled == 0


@pytest.mark.threat(75)
async def test_a_body_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CALL_TIMEOUT", 0.1)
    async with served() as (_, server):
        data = written("POST", "/", {"Host": "localhost", "Content-Type": "application/json"}, b"x" * 100)
        assert (await exchange(server, data[:-1])).status == 408


@pytest.mark.threat(75)
async def test_too_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_IN_FLIGHT", 2)
    monkeypatch.setattr(http, "CALL_TIMEOUT", 0.5)
    async with served() as (_, server):
        unfinished = written("POST", "/", {"Host": "localhost", "Content-Type": "application/json"}, b"x")[:-1]
        waiting = [asyncio.create_task(exchange(server, unfinished)) for _ in range(2)]
        while server._in_flight < 2:
            await asyncio.sleep(0)
        assert (await get(server, "/health")).status == 429
        assert [answer.status for answer in await asyncio.gather(*waiting)] == [408, 408]
        assert (await get(server, "/health")).status == 200


def _silent_port() -> int:
    """Of a listener that accepts, and says nothing: the dial succeeds and no handshake comes. It lives with us."""
    listener = socket.create_server(("127.0.0.1", 0))
    _LISTENERS.append(listener)
    return int(listener.getsockname()[1])


_LISTENERS: list[socket.socket] = []


async def test_a_fault_of_ours_is_said_and_the_server_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(node: Any) -> Any:
        raise KeyError("x")

    monkeypatch.setattr("nearnet.api.views.peers", broken)
    async with served() as (_, server):
        answer = await post(server, call("nearnet_peers"))
        assert (answer.status, answer.json()["error"]["name"]) == (500, "INTERNAL_ERROR")
        assert "nearnet_peers was asked for" in caplog.text
        assert (await get(server, "/nearnet_peers")).status == 500
        monkeypatch.setattr("nearnet.api.views.snapshot_hosts", broken)
        caplog.clear()
        answer = await get(server, "/debug/api/snapshot_hosts")
        assert (answer.status, answer.json()["name"]) == (500, "INTERNAL_ERROR")
        assert [record.getMessage() for record in caplog.records] == [
            "! unhandled error: GET /debug/api/snapshot_hosts was asked for"
        ]
        assert (await get(server, "/health")).status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/status", 200),
        ("/health", 200),
        ("/network_info", 200),
        ("/nearnet_routes", 200),
        ("/nearnet_routes?peer_id=nonsense", 400),
        ("/nearnet_routes?more=1", 400),
        ("/nearnet_ban", 404),
        ("/nearnet_ping", 404),
        ("/nothing", 404),
        ("/../../etc/passwd", 404),
        ("/debug/api/status", 200),
        ("/debug/api/peer_store", 200),
        ("/debug/api/network_graph", 200),
        ("/debug/api/recent_outbound_connections", 200),
        ("/debug/api/snapshot_hosts", 200),
        ("/debug/api/nothing", 405),
        ("/metrics", 200),
        ("/", 200),
    ],
)
async def test_pages(path: str, status: int) -> None:
    async with served() as (_, server):
        answer = await get(server, path)
        assert answer.status == status
        if status == 200:
            assert answer.headers["x-content-type-options"] == "nosniff"
            head = await exchange(server, written("HEAD", path, {"Host": "localhost"}))
            assert (head.status, head.body) == (200, b"")


async def test_the_graph_of_two() -> None:
    async with served() as (node, server), running(1) as (other,):
        await node.connect(place(other))
        graph = (await get(server, "/debug/api/network_graph")).json()["status_response"]["NetworkGraph"]
        low, high = sorted([node.peer_id, other.peer_id])
        assert graph["edges"] == [{"peer0": str(low), "peer1": str(high), "nonce": 1}]
        info = (await get(server, "/debug/api/status")).json()["detailed_debug_status"]["network_info"]
        assert info["num_connected_peers"] == 1
        assert info["connected_peers"][0]["is_outbound_peer"] is True
        (state,) = (await get(server, "/debug/api/peer_store")).json()["status_response"]["PeerStore"]["peer_states"]
        assert (state["status"], state["addr"]) == ("Connected", f"Some({other.addr})")


async def test_debug_pages_can_be_turned_off() -> None:
    async with served(enable_debug_rpc=False) as (_, server):
        assert (await get(server, "/debug/api/status")).status == 405


async def test_a_busy_port() -> None:
    async with served() as (node, server):
        second = http.HttpServer(node, server._rpc.model_copy(update={"addr": str(server.address)}), None)
        with pytest.raises(AlreadyRunning, match=r"the RPC cannot listen on .*: Address already in use"):
            await second.start()
        await second.stop()


async def subscribe(
    server: http.HttpServer, path: str = "/ws/events", **headers: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    """A websocket by hand; the last is the answer's first line."""
    assert server.address is not None
    reader, writer = await asyncio.open_connection(server.address.ip, server.address.port)
    lines = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    lines |= {"Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), **headers}
    writer.write("\r\n".join([f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in lines.items()), "", ""]).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    return reader, writer, head.split(b"\r\n")[0].decode()


async def text_frame(reader: asyncio.StreamReader) -> Any:
    first, length = await reader.readexactly(2)
    assert first == 0x81
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2))
    return json.loads(await reader.readexactly(length))


async def test_events_as_they_happen() -> None:
    async with served() as (node, server), running(1) as (other,):
        reader, writer, first = await subscribe(server)
        assert first.startswith("HTTP/1.1 101")
        await node.connect(place(other))
        told = await text_frame(reader)
        assert (told["kind"], told["peer_id"]) in [("connected", str(other.peer_id)), ("edges", None)]
        assert told["seq"] == 1
        writer.close()
        while server._sockets:
            await asyncio.sleep(0.01)


async def test_events_told_again() -> None:
    async with served() as (node, server), running(1) as (other,):
        await node.connect(place(other))
        kept = [event.as_dict() for event in node.recent_events]
        assert kept
        reader, writer, _ = await subscribe(server, "/ws/events?since=0")
        assert [await text_frame(reader) for _ in kept] == kept
        node.disconnect(other.peer_id)
        assert (await text_frame(reader))["seq"] == len(kept) + 1
        writer.close()
        reader, writer, _ = await subscribe(server, f"/ws/events?since={len(kept)}")
        assert (await text_frame(reader))["seq"] == len(kept) + 1
        writer.close()


@pytest.mark.parametrize("since", ["", "-1", "x", "1.5", "9" * 21])
async def test_no_such_event(since: str) -> None:
    async with served() as (_, server):
        assert (await get(server, f"/ws/events?since={since}")).status == 400


@pytest.mark.threat(75)
async def test_who_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(http, "_SEND_TIMEOUT", 0.1)
    async with served() as (node, server):
        _, writer, _ = await subscribe(server)
        while server._sockets:
            for _ in range(10):
                node._events.publish(Event("degraded", None, {"part": "storage", "why": "x" * 100_000}), 0.0)
            await asyncio.sleep(0.001)
        assert "reads nothing" in caplog.text
        writer.close()


async def test_numbers_in_a_query() -> None:
    async with served() as (_, server):
        assert (await get(server, "/nearnet_history?from=0&to=1")).status == 200
        assert (await get(server, "/nearnet_history?from=x")).status == 400
        assert (await get(server, "/nearnet_history?other=1")).status == 400


@pytest.mark.threat(76)
async def test_subscribers_are_checked_too() -> None:
    async with served() as (_, server):
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            _, writer, first = await subscribe(server, **headers)
            assert first.startswith("HTTP/1.1 403")
            writer.close()


async def test_subscribers_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_SUBSCRIBERS", 1)
    async with served() as (_, server):
        _, writer, first = await subscribe(server)
        assert first.startswith("HTTP/1.1 101")
        assert (await subscribe(server))[2].startswith("HTTP/1.1 429")
        writer.close()


async def test_nobody_delays_the_stop() -> None:
    """A subscriber that never answers, a call that takes long, a request that never ends."""
    async with served() as (_, server), running(1) as (other,):
        _, writer, _ = await subscribe(server)
        slow = call("nearnet_connect", peer=f"{other.peer_id}@127.0.0.1:{_silent_port()}")
        waiting = asyncio.create_task(post(server, slow, Authorization=f"Bearer {TOKEN}"))
        while not server._in_flight:
            await asyncio.sleep(0)
        async with asyncio.timeout(5):  # Less than the eight seconds that the call above takes.
            await server.stop()
        waiting.cancel()
        writer.close()


def test_an_answer_is_read() -> None:
    answer = Answer(b"HTTP/1.1 200 OK\r\nA-B: c\r\n\r\n{}")
    assert (answer.status, answer.headers, answer.json()) == (200, {"a-b": "c"}, {})
