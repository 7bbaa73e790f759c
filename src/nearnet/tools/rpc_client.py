"""Asks a running node by its JSON-RPC. The standard library only, so that a verb answers at once."""

from __future__ import annotations

import http.client
import json
from typing import Any

from nearnet.errors import ConfigError, NearnetError

__all__ = ["NodeUnreachable", "RpcClient", "RpcFailed"]

_PARSE_ERROR, _NO_METHOD = -32700, -32601
_REFUSED = (403, 408, 413, 415, 429)
"""Statuses of a node that did not come to the question."""
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""What listens on every interface is asked on this machine's own: it serves no other Host by that name."""

_ANSWER_TIME = 15.0
"""Seconds: more than a node takes for any call, so that what it says comes first."""


class NodeUnreachable(NearnetError):
    """No node answers there: start one, or name another address."""


class RpcFailed(NearnetError):
    """The node could not do what was asked; the message is its own."""


class RpcClient:
    """One node's RPC at ``HOST:PORT``. Each call is a connection of its own."""

    def __init__(self, address: str, token: str | None = None) -> None:
        """`ConfigError` when the address is none; `token` is the content of admin_token, for admin methods."""
        host, _, port = address.rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and int(port) < 2**16):
            raise ConfigError(f"--rpc-addr: {address!r} is not IP:PORT")
        self.address = address
        host = host.strip("[]")
        self._place = (_LOOPBACK.get(host, host), int(port))
        self._headers = {"Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, **params: Any) -> Any:
        """The result. `NodeUnreachable`; `ConfigError` for wrong params or token; `RpcFailed` in the node's words."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        status, body = self._post(json.dumps(request).encode())
        if status == 401:
            raise ConfigError(f"the node at {self.address} takes another admin token; --home names its home folder")
        try:
            answer = json.loads(body)
            if status == 200 and "result" in answer:
                return answer["result"]
            error = answer["error"]
            why, code = str(error["data"]), error["code"]
        except (ValueError, KeyError, TypeError):
            raise NodeUnreachable(f"what answers at {self.address} is no node's RPC; see --rpc-addr") from None
        if status in _REFUSED:
            raise RpcFailed(f"the node at {self.address} refused: {why}")
        if code == _NO_METHOD:
            raise RpcFailed(f"the node at {self.address} knows no {method}: it is no nearnet, or of another version")
        raise ConfigError(why) if code == _PARSE_ERROR else RpcFailed(why)

    def _post(self, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self._place, timeout=_ANSWER_TIME)
        try:
            connection.request("POST", "/", body, self._headers)
            response = connection.getresponse()
            return response.status, response.read()
        except TimeoutError:
            raise NodeUnreachable(f"the node at {self.address} does not answer within {_ANSWER_TIME:g} s") from None
        except http.client.HTTPException:
            raise NodeUnreachable(f"what answers at {self.address} is no node's RPC; see --rpc-addr") from None
        except OSError as error:
            raise NodeUnreachable(
                f"no node answers at {self.address} ({error.strerror or error}); "
                "start one with nearnet run, or name another with --rpc-addr"
            ) from None
        finally:
            connection.close()
