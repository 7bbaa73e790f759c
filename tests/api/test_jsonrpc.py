"""JSON-RPC by its answers, with a real node (`cli.md`; `conventions.md` §3.5; `threats.md` row 75)."""

import json
import re
from pathlib import Path

import pytest
from network.cluster import Cluster, address

from nearnet.api.jsonrpc import MAX_DEPTH, JsonRpc
from nearnet.keys import SecretKey

PAGE = (Path(__file__).parents[2] / "docs" / "rpc.md").read_text()
STRANGER = str(SecretKey.from_seed("stranger").public_key)


def request(method, params=None, **changes):
    return json.dumps(
        {"jsonrpc": "2.0", "id": "dontcare", "method": method, "params": params or {}, **changes}
    ).encode()


def rpc_of(node):
    return JsonRpc(node, lambda: "127.0.0.1:3030", 0.0)


async def ask(rpc, method, params=None, authorized=True):
    answer, status = await rpc.answer(request(method, params), authorized)
    assert list(answer) == ["jsonrpc", "result", "id"], answer
    assert (answer["id"], status) == ("dontcare", 200)
    return answer["result"]


async def test_what_a_node_says_of_itself():
    async with Cluster() as cluster:
        a, b = await cluster.start(), await cluster.start()
        await cluster.wire((0, 1))
        await cluster.routes_are({0: {1: [1]}, 1: {0: [0]}})
        rpc = rpc_of(a)
        assert await ask(rpc, "health") is None
        status = await ask(rpc, "status", {"ignored": 1})
        assert (status["chain_id"], status["node_public_key"]) == ("test", str(a.peer_id))
        info = await ask(rpc, "network_info")
        assert info["active_peers"] == [{"id": str(b.peer_id), "addr": str(b.addr), "account_id": None}]
        (peer,) = await ask(rpc, "nearnet_peers")
        assert (peer["peer_id"], peer["direction"], peer["nonce"]) == (str(b.peer_id), "outbound", 1)
        (edge,) = await ask(rpc, "nearnet_edges")
        assert (edge["nonce"], edge["active"]) == (1, True)
        route = {str(b.peer_id): {"distance": 1, "next_hops": [str(b.peer_id)]}}
        assert (
            await ask(rpc, "nearnet_routes") == await ask(rpc, "nearnet_routes", {"peer_id": str(b.peer_id)}) == route
        )
        assert await ask(rpc, "nearnet_routes", {"peer_id": STRANGER}) == {}
        assert await ask(rpc, "nearnet_accounts") == []
        assert [known["peer_id"] for known in await ask(rpc, "nearnet_known_peers")] == [str(b.peer_id)]
        assert (await ask(rpc, "nearnet_limits"))["edges_total"]["used"] == 1
        assert (await ask(rpc, "nearnet_events"))[0]["seq"] == 1
        pong = await ask(rpc, "nearnet_ping", {"peer_id": str(b.peer_id)})
        assert (pong["ok"], pong["hops"]) == (True, 1)
        lost = await ask(rpc, "nearnet_ping", {"peer_id": STRANGER})
        assert lost["ok"] is False
        assert "no way" in lost["reason"]


async def test_commands():
    async with Cluster() as cluster:
        a, b = await cluster.start(), await cluster.start()
        rpc = rpc_of(a)
        assert await ask(rpc, "nearnet_connect", {"peer": address(b)}) == {"ok": True}
        assert await ask(rpc, "nearnet_connect", {"peer": address(b)}) == {"ok": True}
        assert await ask(rpc, "nearnet_disconnect", {"peer_id": str(b.peer_id)}) == {"ok": True}
        assert await ask(rpc, "nearnet_ban", {"peer_id": str(b.peer_id), "reason": "abusive", "seconds": 60}) == {
            "ok": True
        }
        (ban,) = await ask(rpc, "nearnet_bans")
        assert (ban["peer_id"], ban["reason"], ban["until"] - ban["banned_at"]) == (str(b.peer_id), "Abusive", 60)
        assert await ask(rpc, "nearnet_unban", {"peer_id": str(b.peer_id)}) == {"ok": True}
        key = SecretKey.from_seed("account")
        told = {"account_id": "alice.near", "epoch_id": "1" * 32, "signature": str(key.sign(bytes(32)))}
        assert await ask(rpc, "nearnet_announce", told) == {"ok": True}
        assert [one["account_id"] for one in await ask(rpc, "nearnet_accounts")] == ["alice.near"]


@pytest.mark.parametrize("method", ["connect", "disconnect", "ban", "unban", "announce"])
async def test_commands_want_the_token(method):
    async with Cluster() as cluster:
        rpc = rpc_of(await cluster.start())
        answer, status = await rpc.answer(request(f"nearnet_{method}"), authorized=False)
        assert (status, answer["error"]["cause"]["name"], answer["id"]) == (401, "UNAUTHORIZED", "dontcare")
        assert "admin_token" in answer["error"]["data"]
        assert rpc.stats.calls == {(f"nearnet_{method}", "-32000"): 1}


async def error_of(rpc, body):
    answer, status = await rpc.answer(body, authorized=True)
    assert list(answer) == ["jsonrpc", "error", "id"]
    assert list(answer["error"]) == ["name", "cause", "code", "message", "data"]
    return answer["error"], status


@pytest.mark.threat(75)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"{",
        b"[]",
        b"[" + request("status") + b"]",
        b'"status"',
        request("status", jsonrpc="1.0"),
        request(7),
        request("status", more=1),
        b'{"jsonrpc":"2.0","method":"status"}',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 100_000,
    ],
)
async def test_what_is_no_request(body):
    async with Cluster() as cluster:
        error, status = await error_of(rpc_of(await cluster.start()), body)
        assert (error["name"], error["cause"]["name"], error["code"]) == (
            "REQUEST_VALIDATION_ERROR",
            "PARSE_ERROR",
            -32700,
        )
        assert status == 400


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[]", "JSON RPC Request format was expected"),
        (b"[" + request("status") + b"]", "JSON RPC Request format was expected"),
        (b'{"jsonrpc":"2.0","method":"status"}', "JSON RPC Request format was expected"),
        (b'{"jsonrpc":"2.0","method":"health","id":1e999}', "Failed parsing args: number out of range"),
        (b'{"jsonrpc":"2.0","method":"health","id":' + b"9" * 500 + b"}", "Failed parsing args: number out of range"),
        (b'{"jsonrpc":"2.0","method":"health","id":"\\ud800"}', "Failed parsing args: half of a surrogate pair is no"),
        (request("nearnet_routes", ["x"]), "Failed parsing args: params: an object is expected"),
        (request("nearnet_routes", "x"), "Failed parsing args: params: an object is expected"),
    ],
)
async def test_what_is_wrong_in_words_and_never_in_pythons(body, words):
    async with Cluster() as cluster:
        error, _ = await error_of(rpc_of(await cluster.start()), body)
        assert error["data"].startswith(words)
        assert error["cause"]["info"] == {"error_message": error["data"]}


async def test_brackets_in_a_text_do_not_nest():
    async with Cluster() as cluster:
        body = request("health", {"text": "[" * 100 + '\\"' + "{" * 100})
        assert (await rpc_of(await cluster.start()).answer(body, authorized=False))[1] == 200


@pytest.mark.parametrize(
    ("method", "params", "code", "words"),
    [
        ("nothing", {}, -32601, "nothing"),
        ("nearnet_peers", {"more": 1}, -32700, "more"),
        ("nearnet_routes", {"peer_id": 7}, -32700, "peer_id"),
        ("nearnet_routes", {"peer_id": "no key"}, -32700, "invalid public key"),
        ("nearnet_ping", {}, -32700, "peer_id"),
        ("nearnet_ping", {"peer_id": STRANGER, "ttl": 300}, -32700, "ttl"),
        ("nearnet_ban", {"peer_id": STRANGER, "reason": "whim"}, -32700, "no reason for a ban"),
        ("nearnet_disconnect", {"peer_id": STRANGER}, -32000, "is not connected"),
        ("nearnet_unban", {"peer_id": STRANGER}, -32000, "is not banned"),
        ("nearnet_connect", {"peer": STRANGER}, -32700, "no address is known"),
        ("nearnet_ban", {"peer_id": "itself"}, -32000, "is this node itself"),
        ("nearnet_connect", {"peer": f"{STRANGER}@127.0.0.1:1"}, -32000, "no connection"),
    ],
)
async def test_errors_say_what_was_wrong(method, params, code, words):
    async with Cluster() as cluster:
        node = await cluster.start()
        params = {name: str(node.peer_id) if value == "itself" else value for name, value in params.items()}
        error, status = await error_of(rpc_of(node), request(method, params))
        assert node.core.peer_store.bans() == []
        assert error["code"] == code
        assert words in str(error["data"])
        assert status == (200 if code == -32000 else 400)


async def test_calls_are_counted_by_names_that_exist():
    async with Cluster() as cluster:
        rpc = rpc_of(await cluster.start())
        await ask(rpc, "health")
        for name in ("x", "y", "z"):
            await rpc.answer(request(name), authorized=False)
        assert rpc.stats.calls == {("health", ""): 1, ("UNSUPPORTED_METHOD", "-32601"): 3}


async def test_the_page_names_every_method_and_its_params():
    async with Cluster() as cluster:
        rows = [
            [cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| `")
        ]
        named = {name: row for row in rows for name in re.findall(r"`(\w+)`", row[0])}
        methods = rpc_of(await cluster.start()).methods
        assert sorted(named) == sorted(methods)
        for name, method in methods.items():
            _, get, params, tells = named[name]
            fields = {} if method.params is None else method.params.model_fields
            assert re.findall(r"`(\w+)`", params) == [field.alias or key for key, field in fields.items()], name
            assert re.findall(r"`\w+`(\??)", params) == ["" if f.is_required() else "?" for f in fields.values()], name
            assert (get == "yes", tells == "admin") == (method.get, method.admin), name


async def test_the_examples_of_the_page_are_answered():
    async with Cluster() as cluster:
        rpc = rpc_of(await cluster.start())
        examples = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
        assert examples
        for example in examples:
            answer, status = await rpc.answer(example.encode(), False)
            assert ("result" in answer, status) == (True, 200), example
