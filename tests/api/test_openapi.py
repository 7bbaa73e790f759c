"""The description of the HTTP server against the server, and a client of others that knows the reference node."""

from __future__ import annotations

import json

import pytest
from near_jsonrpc_client import NearClientAsync, RpcError
from raw_http import call, get, post, served
from real_nodes import place, running


async def test_every_route_and_method_is_described_and_answers() -> None:
    async with served() as (node, server):
        told = json.loads((await get(server, "/openapi.json")).body)
        assert told["openapi"] == "3.0.3"
        for method in server.jsonrpc.methods:
            schema = told["components"]["schemas"][method]
            assert schema["properties"]["method"]["enum"] == [method]
        listed = {one["$ref"].rpartition("/")[2] for one in _one_of(told)}
        assert listed == set(server.jsonrpc.methods)
        for path, operations in told["paths"].items():
            if "get" in operations and path != "/ws/events":
                answer = await get(server, path)
                assert answer.status == 200, path
        assert "/nearnet_ban" not in told["paths"], "nothing with a side effect by GET"
        assert {"401", "403", "408", "413", "415", "429"} <= told["paths"]["/"]["post"]["responses"].keys()
        described = told["components"]["schemas"]["Error"]["properties"]
        refused = (await get(server, "/status", Host="evil.example")).json()
        assert list(refused) == list(described)
        assert refused["name"] in described["name"]["enum"]
        assert (await get(server, "/debug/api/nothing")).status == 405
        assert node.peer_id


def _one_of(told: dict) -> list[dict]:  # type: ignore[type-arg]
    return told["paths"]["/"]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"]  # type: ignore[no-any-return]


async def test_required_params_are_those_that_a_call_must_have() -> None:
    async with served() as (_, server):
        told = json.loads((await get(server, "/openapi.json")).body)
        for method, schema in told["components"]["schemas"].items():
            required = schema.get("properties", {}).get("params", {}).get("required", [])
            if method != "Error" and not schema["description"]:
                answer = await post(server, call(method))
                assert (answer.status == 400) == bool(required), method


async def test_a_client_of_the_reference_node_reads_our_answers() -> None:
    async with served() as (node, server), running(1) as (other,):
        await node.connect(place(other))
        client = NearClientAsync(rpc_urls=f"http://{server.address}")
        try:
            status = await client.status()
            assert status.chain_id == node.config.chain_id
            assert status.node_public_key.root == str(node.peer_id)
            info = await client.network_info()
            assert [peer.id.root for peer in info.active_peers] == [str(other.peer_id)]
            assert info.num_active_peers == 1
            assert await client.health() is None
            with pytest.raises(RpcError):
                await client.client_config()
        finally:
            await client.close()
