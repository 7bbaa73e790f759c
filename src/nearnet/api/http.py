"""The HTTP server: JSON-RPC, the reference's GET pages, metrics and events (`cli.md`; `threats.md` rows 75, 76).

It runs in the node's loop, on loopback unless told otherwise. Who calls is checked before what is called.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import logging
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web
from aiohttp.web_protocol import RequestPayloadError

from nearnet.api import dashboard, views
from nearnet.api.delivery import Delivery
from nearnet.api.errors import RpcError, handler_error, internal_error, method_not_found, parse_error
from nearnet.api.jsonrpc import JsonRpc
from nearnet.api.listening import STOP_TIMEOUT, listen
from nearnet.api.metrics import CONTENT_TYPE, exposition
from nearnet.api.openapi import openapi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from nearnet.config.models import RpcSection
    from nearnet.events import NodeEvent, Overflow
    from nearnet.net.events import EventStream
    from nearnet.net.node import Node
    from nearnet.wire.messages import SocketAddress

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

__all__ = ["CALL_TIMEOUT", "DEBUG_PAGES", "MAX_IN_FLIGHT", "MAX_SUBSCRIBERS", "HttpServer"]

DEBUG_PAGES = ("status", "peer_store", "network_graph", "recent_outbound_connections", "snapshot_hosts")

MAX_IN_FLIGHT = 100
"""Requests answered at once; more get 429."""

CALL_TIMEOUT = 10.0
"""Seconds for one call."""

MAX_SUBSCRIBERS = 100
"""Websockets of events at once, each with at most 1000 events waiting."""

_NAMES = ("localhost", "127.0.0.1", "::1")
_EVERY_INTERFACE = ("0.0.0.0", "::")
_SEND_TIMEOUT = 30.0
"""Seconds in which a subscriber has to take one event."""

_SEQ_DIGITS = 20

_log = logging.getLogger("nearnet.rpc")

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "3600",
}


class HttpServer:
    """Serves one node. `admin_token` None: no admin methods."""

    def __init__(self, node: Node, rpc: RpcSection, admin_token: str | None) -> None:
        self._node = node
        self._rpc = rpc
        self._token = admin_token
        self._started = time.time()
        self._in_flight = 0
        self._delivery = Delivery()
        self._sockets: dict[web.WebSocketResponse, None] = {}
        self._runner: web.AppRunner | None = None
        self.address: SocketAddress | None = None
        """Where it listens, once it does."""
        self.jsonrpc = JsonRpc(node, lambda: None if self.address is None else str(self.address), self._started)

    async def start(self) -> None:
        """Listen; `AlreadyRunning` when the port is taken."""
        app = web.Application(client_max_size=self._rpc.limits_config.json_payload_max_size, middlewares=[self._guard])
        app.add_routes(
            [
                web.post("/", self._post),
                web.get("/metrics", self._metrics),
                web.get("/openapi.json", self._openapi),
                web.get("/ws/events", self._events),
                web.get("/debug/api/{name}", self._debug),
                web.get("/{name}", self._get),
            ]
        )
        dashboard.add_routes(app, lambda name, params: self.jsonrpc.call(name, params or None, authorized=False))
        self._runner, self.address = await listen(app, self._rpc.addr, "the RPC cannot listen", "--rpc-addr")
        self.jsonrpc.recorder.start()

    async def stop(self) -> None:
        """Close every connection."""
        self.jsonrpc.recorder.stop()
        await asyncio.gather(*(socket.close() for socket in self._sockets))
        if self._runner is not None:
            await self._runner.cleanup()

    # --- who may call ----------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Who calls, how often and how long; whatever goes wrong is said by the reference's error object."""
        origin, response = request.headers.get("Origin"), None
        try:
            self._check_caller(request, origin)
            if request.path == "/ws/events":
                return await handler(request)
            if request.method == "OPTIONS" and origin is not None:
                return web.Response(status=204, headers={**_PREFLIGHT, **_cross_origin(origin)})
            response = await self._answered(request, handler)
        except RpcError as error:
            response = _failed(request, error)
        except web.HTTPException as error:
            response = _failed(request, _of_http(request, error))
        except RequestPayloadError as error:
            response = _failed(request, parse_error(f"the body does not read: {error}"))
        except Exception:
            _log.exception("! unhandled error: %s %s was asked for", request.method, request.path)
            response = _failed(request, internal_error("see the node's log"))
        if origin is not None and response.status != 403:
            response.headers.update(_cross_origin(origin))
        response.headers["X-Content-Type-Options"] = "nosniff"
        await self._delivery.deliver(request, response)
        return response

    def _check_caller(self, request: web.Request, origin: str | None) -> None:
        if not self._host_allowed(request.headers.get("Host", "")):
            raise handler_error("FORBIDDEN", "this Host is not served", 403)
        if origin is not None and not self._origin_allowed(origin, request):
            raise handler_error("FORBIDDEN", "this Origin is not allowed", 403)

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._in_flight >= MAX_IN_FLIGHT:
            raise handler_error("TOO_MANY_REQUESTS", "too many requests at once", 429)
        self._in_flight += 1
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                response = await handler(request)
        except TimeoutError:
            self.jsonrpc.stats.timeouts += 1
            raise handler_error("TIMEOUT_ERROR", f"not done within {CALL_TIMEOUT:g} s", 408) from None
        finally:
            self._in_flight -= 1
        if not self._delivery.has_room(response):
            raise handler_error("TOO_MANY_REQUESTS", "too many answers wait for callers that read slowly", 429)
        return response

    def _host_allowed(self, host: str) -> bool:
        """Against DNS rebinding: the names of this machine's loopback, and the address we were told to listen on.

        On every interface that is any IP address, but never a name: whose it is, its owner decides.
        """
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        listens = self._rpc.addr.rpartition(":")[0].strip("[]")
        return name is not None and (
            name in _NAMES or name == listens or (listens in _EVERY_INTERFACE and _is_ip(name))
        )

    def _origin_allowed(self, origin: str, request: web.Request) -> bool:
        allowed = self._rpc.cors_allowed_origins
        return "*" in allowed or origin in allowed or origin == f"http://{request.headers.get('Host', '')}"

    def _authorized(self, request: web.Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if self._token is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(token.strip().encode(errors="replace"), self._token.encode())

    # --- what is called --------------------------------------------------------------------------

    async def _post(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            raise parse_error("Content-Type must be application/json", 415)
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise parse_error("Content-Encoding must be identity: no compressed body is read", 415)
        return _json(*await self.jsonrpc.answer(await request.read(), self._authorized(request)))

    async def _get(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.jsonrpc.stats.status_requests += name == "status"
        method = self.jsonrpc.methods.get(name)
        if method is None or not method.get:
            raise method_not_found(name, 404)
        try:
            params = dict(request.query) if method.params is not None else None
            return _json(await self.jsonrpc.call(name, params, authorized=False, text=True))
        except RpcError as error:
            return _json(error.body, 503 if error.status == 200 else error.status)

    async def _debug(self, request: web.Request) -> web.StreamResponse:
        if not self._rpc.enable_debug_rpc:
            raise parse_error("rpc.enable_debug_rpc is false", 405)
        node = self._node
        match request.match_info["name"]:
            case "status":
                address = None if self.address is None else str(self.address)
                return _json(views.detailed_status(node, address, self._started, time.time()))
            case "peer_store":
                return _json(views.peer_store(node))
            case "network_graph":
                return _json(views.network_graph(node))
            case "recent_outbound_connections":
                return _json(views.recent_outbound_connections(node))
            case "snapshot_hosts":
                return _json(views.snapshot_hosts(node))
        raise parse_error(f"no such debug page; there are {', '.join(DEBUG_PAGES)}", 405)

    async def _openapi(self, request: web.Request) -> web.StreamResponse:
        return _json(openapi({name: method.described for name, method in self.jsonrpc.methods.items()}, DEBUG_PAGES))

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        text = exposition(self._node, self.jsonrpc.stats)
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Events as they happen, with `?since=SEQ` those kept after that one first; who never reads is cut off."""
        since = request.query.get("since")
        if since is not None and not (since.isascii() and since.isdigit() and len(since) <= _SEQ_DIGITS):
            raise parse_error("since is the seq of an event")
        if len(self._sockets) >= MAX_SUBSCRIBERS:
            raise handler_error("TOO_MANY_REQUESTS", "too many subscribers", 429)
        socket = web.WebSocketResponse(timeout=STOP_TIMEOUT, heartbeat=30.0, max_msg_size=1024)
        self._sockets[socket] = None
        try:
            await socket.prepare(request)
            sender = asyncio.ensure_future(self._send_events(socket, request, None if since is None else int(since)))
            try:
                async for message in socket:
                    if message.type is WSMsgType.ERROR:
                        break
            finally:
                sender.cancel()
        finally:
            del self._sockets[socket]
        return socket

    async def _send_events(self, socket: web.WebSocketResponse, request: web.Request, since: int | None) -> None:
        stream = self._node.events()
        kept = [] if since is None else [event for event in self._node.recent_events if event.seq > since]
        try:
            async with asyncio.timeout(None) as patience:
                async for event in _after(kept, stream):
                    patience.reschedule(asyncio.get_running_loop().time() + _SEND_TIMEOUT)
                    await socket.send_str(json.dumps(event.as_dict()))
                    patience.reschedule(None)
        except ConnectionError:
            pass
        except TimeoutError:
            _log.warning(
                "a subscriber of /ws/events at %s reads nothing for %g s: cut off", request.remote, _SEND_TIMEOUT
            )
            if request.transport is not None:
                request.transport.abort()  # a farewell would wait for the same reader
        else:
            await socket.close()


async def _after(kept: list[NodeEvent], stream: EventStream[NodeEvent]) -> AsyncIterator[NodeEvent | Overflow]:
    for event in kept:
        yield event
    async for later in stream:
        yield later


def _cross_origin(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _failed(request: web.Request, error: RpcError) -> web.Response:
    """As the reference says it: within a response of JSON-RPC to a POST, bare to everything else."""
    body = {"jsonrpc": "2.0", "error": error.body, "id": None} if request.method == "POST" else error.body
    return _json(body, error.status)


def _of_http(request: web.Request, error: web.HTTPException) -> RpcError:
    """What aiohttp refuses itself: no such path or method, a body that is too large."""
    if error.status == 404:
        return method_not_found(request.path, 404)
    return parse_error(error.text or error.reason, error.status)


def _json(value: Any, status: int = 200) -> web.Response:
    """As the reference writes it: without spaces, in UTF-8."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return web.Response(body=text.encode(errors="replace"), status=status, content_type="application/json")
