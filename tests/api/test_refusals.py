"""What the HTTP server refuses, and in which form: the reference node's error object (`conventions.md` §3.5)."""

from __future__ import annotations

import json

import pytest
from raw_http import call, exchange, post, served, written

HEALTH = call("health")
JSON = {"Host": "localhost", "Content-Type": "application/json"}
REFUSED = [
    (written("POST", "/", {**JSON, "Host": "evil.example"}, b"{}"), 403, "FORBIDDEN"),
    (written("GET", "/status", {"Host": "evil.example"}), 403, "FORBIDDEN"),
    (written("POST", "/", {**JSON, "Origin": "http://evil.example"}, b"{}"), 403, "FORBIDDEN"),
    (written("POST", "/", {"Host": "localhost"}, b"{}"), 415, "PARSE_ERROR"),
    (written("POST", "/", {**JSON, "Content-Encoding": "gzip"}, b"no gzip"), 415, "PARSE_ERROR"),
    (written("POST", "/", JSON, json.dumps(call("nearnet_unban", peer_id="x")).encode()), 401, "UNAUTHORIZED"),
    (written("POST", "/", JSON, b" " * (10 * 2**20 + 1)), 413, "PARSE_ERROR"),
    (written("POST", "/status", JSON, b"{}"), 405, "PARSE_ERROR"),
    (written("DELETE", "/status", JSON), 405, "PARSE_ERROR"),
    (written("GET", "/debug/api/nothing", JSON), 405, "PARSE_ERROR"),
    (written("GET", "/debug/pages/nothing", JSON), 404, "METHOD_NOT_FOUND"),
    (written("GET", "/nothing", JSON), 404, "METHOD_NOT_FOUND"),
    (written("GET", "/nearnet_ban", JSON), 404, "METHOD_NOT_FOUND"),
    (written("GET", "/nearnet_routes?peer_id=x", JSON), 400, "PARSE_ERROR"),
    (written("GET", "/dashboard/nothing", JSON), 404, "METHOD_NOT_FOUND"),
    (written("GET", "/dashboard/now?nothing=1", JSON), 404, "METHOD_NOT_FOUND"),
    (written("GET", "/dashboard/data/nothing", JSON), 404, "METHOD_NOT_FOUND"),
    (written("GET", "/dashboard/data/nearnet_graph?at=x", JSON), 400, "PARSE_ERROR"),
    (written("GET", "/ws/events?since=x", JSON), 400, "PARSE_ERROR"),
]


@pytest.mark.threat(75, 76)
@pytest.mark.parametrize(("data", "status", "cause"), REFUSED, ids=range(len(REFUSED)))
async def test_what_is_refused_is_said_as_the_reference_says_it(
    data: bytes, status: int, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with served() as (_, server):
        answer = await exchange(server, data)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
        error = answer.json()
        if data.startswith(b"POST"):
            assert list(error) == ["jsonrpc", "error", "id"]
            error = error["error"]
        assert list(error) == ["name", "cause", "code", "message", "data"]
        assert error["cause"]["name"] == cause
        assert caplog.text == ""
        assert (await post(server, HEALTH)).status == 200


async def test_answers_are_written_as_the_reference_writes_them() -> None:
    async with served() as (_, server):
        assert (await post(server, HEALTH)).body == b'{"jsonrpc":"2.0","result":null,"id":"dontcare"}'
        text = {**HEALTH, "id": "\N{SNOWMAN}"}
        body = json.dumps(text).encode()
        assert (await post(server, body)).body == '{"jsonrpc":"2.0","result":null,"id":"\N{SNOWMAN}"}'.encode()
