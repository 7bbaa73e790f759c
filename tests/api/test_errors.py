"""Error objects: the reference node's names, codes and statuses (`conventions.md` §3.5)."""

from __future__ import annotations

import json

import pytest

from nearnet.api import errors

VALIDATION, HANDLER, INTERNAL = "REQUEST_VALIDATION_ERROR", "HANDLER_ERROR", "INTERNAL_ERROR"
CASES = [
    (errors.parse_error("no JSON"), VALIDATION, "PARSE_ERROR", -32700, "Parse error", 400),
    (errors.method_not_found("nothing"), VALIDATION, "METHOD_NOT_FOUND", -32601, "Method not found", 400),
    (errors.handler_error("PEER_REFUSED", "banned"), HANDLER, "PEER_REFUSED", -32000, "Server error", 200),
    (errors.internal_error("a fault"), INTERNAL, INTERNAL, -32000, "Server error", 500),
]


@pytest.mark.parametrize(("error", "name", "cause", "code", "message", "status"), CASES)
def test_names_codes_and_statuses(
    error: errors.RpcError, name: str, cause: str, code: int, message: str, status: int
) -> None:
    assert list(error.body) == ["name", "cause", "code", "message", "data"]
    assert (error.body["name"], error.body["cause"]["name"]) == (name, cause)
    assert (error.body["code"], error.body["message"], error.status) == (code, message, status)
    assert json.loads(json.dumps(error.body)) == error.body


def test_what_was_wrong_is_in_it() -> None:
    parse, invalid = errors.parse_error("no JSON"), errors.invalid_params("peer_id: no peer id")
    assert (parse.body["data"], parse.body["cause"]["info"], str(parse)) == (
        "no JSON",
        {"error_message": "no JSON"},
        "no JSON",
    )
    assert invalid.status == 400
    assert "peer_id" in str(invalid.body["data"])
    assert errors.method_not_found("nothing").body["cause"]["info"] == {"method_name": "nothing"}
    assert errors.handler_error("TIMEOUT_ERROR", "late", 408).status == 408
