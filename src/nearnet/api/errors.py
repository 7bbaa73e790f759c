"""Error objects of the JSON-RPC, as the reference node's (`conventions.md` §3.5)."""

from __future__ import annotations

from typing import Any

__all__ = [
    "NO_REQUEST",
    "RpcError",
    "handler_error",
    "internal_error",
    "invalid_params",
    "method_not_found",
    "parse_error",
    "unauthorized",
]

NO_REQUEST = "JSON RPC Request format was expected"
"""What the reference node says of JSON that is no request: a batch, a notification, another version."""


class RpcError(Exception):
    """An answer that is an error: its object and its HTTP status."""

    def __init__(self, body: dict[str, Any], status: int) -> None:
        super().__init__(str(body.get("data")))
        self.body = body
        self.status = status


def _error(name: str, cause: str, info: dict[str, Any], code: int, message: str, data: Any, status: int) -> RpcError:
    body = {"name": name, "cause": {"name": cause, "info": info}, "code": code, "message": message, "data": data}
    return RpcError(body, status)


def parse_error(why: str, status: int = 400) -> RpcError:
    """The request is not JSON-RPC, or not as HTTP wants it; `why` in words."""
    name = "REQUEST_VALIDATION_ERROR"
    return _error(name, "PARSE_ERROR", {"error_message": why}, -32700, "Parse error", why, status)


def invalid_params(why: str) -> RpcError:
    """The method's params are wrong: to the reference node, which knows no other code for it, that is a parse error."""
    return parse_error(why)


def method_not_found(method: str, status: int = 400) -> RpcError:
    """No such method."""
    name = "REQUEST_VALIDATION_ERROR"
    return _error(name, "METHOD_NOT_FOUND", {"method_name": method}, -32601, "Method not found", method, status)


def unauthorized(method: str) -> RpcError:
    """An admin method without the token, or with another."""
    why = f"{method} needs the header Authorization: Bearer <content of admin_token in the home folder>"
    return handler_error("UNAUTHORIZED", why, 401)


def handler_error(cause: str, why: str, status: int = 200) -> RpcError:
    """The method could not do what was asked; `why` in words."""
    return _error("HANDLER_ERROR", cause, {}, -32000, "Server error", why, status)


def internal_error(why: str) -> RpcError:
    """A fault of ours; it is in the log."""
    return _error("INTERNAL_ERROR", "INTERNAL_ERROR", {"error_message": why}, -32000, "Server error", why, 500)
