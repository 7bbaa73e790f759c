"""Error objects of the JSON-RPC, as the reference node's (`conventions.md` §3.5)."""

from __future__ import annotations

from typing import Any

__all__ = ["RpcError", "handler_error", "internal_error", "invalid_params", "method_not_found", "parse_error"]


class RpcError(Exception):
    """An answer that is an error: its object and its HTTP status."""

    def __init__(self, body: dict[str, Any], status: int) -> None:
        super().__init__(str(body.get("data")))
        self.body = body
        self.status = status


def _error(name: str, cause: str, info: dict[str, Any], code: int, message: str, data: Any, status: int) -> RpcError:
    body = {"name": name, "cause": {"name": cause, "info": info}, "code": code, "message": message, "data": data}
    return RpcError(body, status)


def parse_error(why: str) -> RpcError:
    """The request is not JSON-RPC."""
    name = "REQUEST_VALIDATION_ERROR"
    return _error(name, "PARSE_ERROR", {"error_message": why}, -32700, "Parse error", why, 400)


def invalid_params(why: str) -> RpcError:
    """The method's params are wrong: to the reference node, which knows no other code for it, that is a parse error."""
    return parse_error(why)


def method_not_found(method: str) -> RpcError:
    """No such method."""
    name = "REQUEST_VALIDATION_ERROR"
    return _error(name, "METHOD_NOT_FOUND", {"method_name": method}, -32601, "Method not found", method, 400)


def handler_error(cause: str, why: str, status: int = 200) -> RpcError:
    """The method could not do what was asked; `why` in words."""
    return _error("HANDLER_ERROR", cause, {}, -32000, "Server error", why, status)


def internal_error(why: str) -> RpcError:
    """A fault of ours; it is in the log."""
    return _error("INTERNAL_ERROR", "INTERNAL_ERROR", {"error_message": why}, -32000, "Server error", why, 500)
