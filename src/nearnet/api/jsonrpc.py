"""JSON-RPC 2.0 as the reference node speaks it, and our `nearnet_*` methods (`cli.md`, `conventions.md` §3.5).

Pure of HTTP: a body in, an answer and its status out.
"""

from __future__ import annotations

import json
import logging
import math
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nearnet.api import views
from nearnet.api.errors import (
    NO_REQUEST,
    RpcError,
    handler_error,
    internal_error,
    invalid_params,
    method_not_found,
    parse_error,
    unauthorized,
)
from nearnet.api.history_recorder import HistoryRecorder
from nearnet.api.rpc_stats import RpcStats
from nearnet.errors import ConfigError, NearnetError, NotConnected, PeerRefused, ReasonForBan
from nearnet.keys import CryptoHash, PeerId, Signature
from nearnet.wire.messages import AnnounceAccount

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from nearnet.api.openapi import Described
    from nearnet.net.node import Node

__all__ = ["MAX_BRACKETS", "MAX_DEPTH", "JsonRpc"]

MAX_DEPTH = 64
"""Nesting of a request (`threats.md` row 75)."""

MAX_BRACKETS = 10_000
"""In a request; no method needs a hundred."""


_UNSUPPORTED = "UNSUPPORTED_METHOD"
"""The reference's label for whatever is asked for and not there."""

_LONGEST_DIGITS = 400
"""Of a whole number; those of 64 bits have 20."""

_LONGEST_PING = 9.0
"""Seconds that a ping waits at most: an answer in words comes before the call's own time is over."""

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""One that does not end goes to the end of the text; no way back is ever tried, so the time is linear."""
_NO_BRACKETS = re.compile(r"[^][{}]+")

_log = logging.getLogger("nearnet.rpc")


class _Params(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Nothing(_Params):
    pass


class _OnePeer(_Params):
    peer_id: str


class _MaybePeer(_Params):
    peer_id: str | None = None


class _History(_Params):
    start: float | None = Field(default=None, alias="from")
    end: float | None = Field(default=None, alias="to")
    peer_id: str | None = None


class _Graph(_Params):
    at: float | None = None
    since: int | None = None


class _Ping(_Params):
    peer_id: str
    ttl: int = Field(default=100, ge=1, le=255)
    timeout_ms: int = Field(default=5000, ge=1)


class _Connect(_Params):
    peer: str


class _BanPeer(_Params):
    peer_id: str
    reason: str = "None"
    seconds: float | None = Field(default=None, gt=0, le=10 * 365 * 86400)


class _Announce(_Params):
    account_id: str
    epoch_id: str
    signature: str


@dataclass(frozen=True, slots=True)
class _Method:
    call: Callable[[Any], Awaitable[Any]]
    params: type[_Params] | None
    """None: params are ignored."""
    admin: bool = False
    get: bool = True
    """Whether a GET of its name answers too: only without side effects."""

    @property
    def described(self) -> Described:
        """For the description of the server."""
        return self.params, self.admin, self.get


class JsonRpc:
    """The methods of one node."""

    def __init__(self, node: Node, rpc_addr: Callable[[], str | None], started: float) -> None:
        self._node = node
        self._rpc_addr = rpc_addr
        self._started = started
        self.recorder = HistoryRecorder(node)
        """Started and stopped by whoever serves this."""
        self.stats = RpcStats()
        view = self._view
        self.methods = {
            "status": _Method(self._status, None),
            "network_info": _Method(view(views.network_info), None),
            "health": _Method(view(lambda node: None), None),
            "nearnet_peers": _Method(view(views.peers), _Nothing),
            "nearnet_known_peers": _Method(view(views.known_peers), _Nothing),
            "nearnet_bans": _Method(view(views.bans), _Nothing),
            "nearnet_edges": _Method(view(views.edges), _Nothing),
            "nearnet_routes": _Method(self._routes, _MaybePeer),
            "nearnet_accounts": _Method(view(views.accounts), _Nothing),
            "nearnet_ping": _Method(self._ping, _Ping, get=False),
            "nearnet_limits": _Method(view(views.limits), _Nothing),
            "nearnet_events": _Method(self._events, _Nothing),
            "nearnet_history": _Method(self._history, _History),
            "nearnet_graph": _Method(self._graph, _Graph),
            "nearnet_connect": _Method(self._connect, _Connect, admin=True, get=False),
            "nearnet_disconnect": _Method(self._disconnect, _OnePeer, admin=True, get=False),
            "nearnet_ban": _Method(self._ban, _BanPeer, admin=True, get=False),
            "nearnet_unban": _Method(self._unban, _OnePeer, admin=True, get=False),
            "nearnet_announce": _Method(self._announce, _Announce, admin=True, get=False),
        }

    async def answer(self, body: bytes, authorized: bool) -> tuple[dict[str, Any], int]:
        """The response object and its HTTP status."""
        request_id: Any = None
        method, begun = "", time.monotonic()
        try:
            request = _parse(body)
            request_id, method = request["id"], request["method"]
            result = await self.call(method, request.get("params"), authorized)
        except RpcError as error:
            self._count(method, str(error.body["code"]), begun)
            return {"jsonrpc": "2.0", "error": error.body, "id": request_id}, error.status
        self._count(method, "", begun)
        return {"jsonrpc": "2.0", "result": result, "id": request_id}, 200

    def _count(self, method: str, code: str, begun: float) -> None:
        self.stats.called(method if method in self.methods else _UNSUPPORTED, code, time.monotonic() - begun)

    async def call(self, name: str, params: Any, authorized: bool, *, text: bool = False) -> Any:
        """One method's result; `RpcError` in the reference's form. `text`: numbers come as text, as in a query."""
        method = self.methods.get(name)
        if method is None:
            raise method_not_found(name)
        if method.admin and not authorized:
            raise unauthorized(name)
        parsed = None if method.params is None else _validated(method.params, params, text)
        try:
            return await method.call(parsed)
        except (ConfigError, ValueError) as error:
            raise invalid_params(str(error)) from None
        except NotConnected as error:
            raise handler_error("UNKNOWN_PEER", str(error)) from None
        except PeerRefused as error:
            raise handler_error("PEER_REFUSED", str(error)) from None
        except NearnetError as error:
            raise handler_error("INTERNAL_ERROR", str(error)) from None
        except Exception as error:
            _log.exception("! unhandled error: %s was asked for", name)
            raise internal_error(f"{type(error).__name__}; see the node's log") from None

    # --- methods -----------------------------------------------------------------------------------

    def _view(self, make: Callable[[Node], Any]) -> Callable[[Any], Awaitable[Any]]:
        async def call(_: Any) -> Any:
            return make(self._node)

        return call

    async def _status(self, _: None) -> Any:
        return views.status(self._node, self._rpc_addr(), self._started, self._node.driver.now().wall)

    async def _routes(self, params: _MaybePeer) -> Any:
        return views.routes(self._node, None if params.peer_id is None else PeerId.from_text(params.peer_id))

    async def _events(self, _: _Nothing) -> Any:
        return [event.as_dict() for event in self._node.recent_events]

    async def _history(self, params: _History) -> Any:
        history = self.recorder.history
        if params.peer_id is not None:
            return {"changes": history.changes_of(PeerId.from_text(params.peer_id))}
        return history.told(params.start, params.end)

    async def _graph(self, params: _Graph) -> Any:
        return await self.recorder.graph(params.at, params.since)

    async def _ping(self, params: _Ping) -> Any:
        peer_id = PeerId.from_text(params.peer_id)
        try:
            pong = await self._node.ping(peer_id, params.ttl, min(params.timeout_ms / 1000, _LONGEST_PING))
        except NearnetError as error:
            return {"ok": False, "reason": str(error)}
        return {"ok": True, "hops": pong.hops, "milliseconds": pong.milliseconds}

    async def _connect(self, params: _Connect) -> Any:
        await self._node.connect(params.peer)
        return {"ok": True}

    async def _disconnect(self, params: _OnePeer) -> Any:
        self._node.disconnect(PeerId.from_text(params.peer_id))
        return {"ok": True}

    async def _ban(self, params: _BanPeer) -> Any:
        self._node.ban(PeerId.from_text(params.peer_id), ReasonForBan.from_label(params.reason), params.seconds)
        await self._node.stored()
        return {"ok": True}

    async def _unban(self, params: _OnePeer) -> Any:
        self._node.unban(PeerId.from_text(params.peer_id))
        await self._node.stored()
        return {"ok": True}

    async def _announce(self, params: _Announce) -> Any:
        epoch_id, signature = CryptoHash.from_text(params.epoch_id), Signature.from_text(params.signature)
        self._node.announce(AnnounceAccount(params.account_id, self._node.peer_id, epoch_id, signature))
        return {"ok": True}


def _parse(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode("utf-8")
        if _too_deep(text):
            raise parse_error(f"Failed parsing args: nested deeper than {MAX_DEPTH}, or over {MAX_BRACKETS} brackets")
        request = json.loads(text, parse_constant=_no_number, parse_float=_finite, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise parse_error(f"Failed parsing args: {error}") from None
    if not isinstance(request, dict):
        raise parse_error(NO_REQUEST)
    unknown = [key for key in request if key not in ("jsonrpc", "method", "params", "id")]
    if request.get("jsonrpc") != "2.0" or not isinstance(request.get("method"), str) or "id" not in request or unknown:
        raise parse_error(NO_REQUEST)
    try:
        json.dumps([request["method"], request["id"]], ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise parse_error("Failed parsing args: half of a surrogate pair is no text") from None
    return request


def _too_deep(text: str) -> bool:
    """Whether brackets, those in strings left out, nest deeper than allowed, or are too many to be a request.

    Found before anything is built, and without a step of ours for each letter of a large body.
    """
    brackets = _NO_BRACKETS.sub("", _STRING.sub("", text))
    if len(brackets) > MAX_BRACKETS:
        return True
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value


def _whole(text: str) -> int:
    if len(text) > _LONGEST_DIGITS:
        raise ValueError("number out of range")
    return int(text)


def _validated(model: type[_Params], params: Any, text: bool) -> _Params:
    try:
        if text:
            return model.model_validate_strings(params, strict=False)
        return model.model_validate({} if params is None else params)
    except ValidationError as error:
        raise invalid_params(f"Failed parsing args: {'; '.join(map(_what_is_wrong, error.errors()))}") from None


def _what_is_wrong(one: ErrorDetails) -> str:
    if one["type"] == "model_type":
        return "params: an object is expected"
    return f"{'.'.join(str(part) for part in one['loc']) or 'params'}: {one['msg']}"
