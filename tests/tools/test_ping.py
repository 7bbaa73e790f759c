"""Pings as a peer of its own, against real nodes on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nearnet import NetworkConfig, Node
from nearnet.errors import ConfigError, PeerRefused
from nearnet.keys import SecretKey
from nearnet.tools import ping
from nearnet.tools.ping import Handshaken, Pinging, PingPlan, PingResult

STRANGER = SecretKey.from_seed("nobody").public_key


def plan(*targets: str, **words: Any) -> PingPlan:
    """Quick, and borsh unless told."""
    words = {"chain_id": "test", "dialect": "borsh", "count": 3, "interval": 0.01, **words}
    return PingPlan(tuple(targets), **words)


@contextlib.asynccontextmanager
async def line(count: int = 2, **nearnet: Any) -> AsyncIterator[list[Node]]:
    """Nodes each connected to the one before, of the chain "test"."""
    config = NetworkConfig.model_validate(
        {
            "chain_id": "test",
            "network": {
                "addr": "127.0.0.1:0",
                "experimental": {"network_config_overrides": {"outbound_disabled": True}},
            },
            "nearnet": {"dialect": "borsh"} | nearnet,
        }
    )
    async with contextlib.AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(Node(config)) for _ in range(count)]
        for before, after in itertools.pairwise(nodes):
            await after.connect(place(before))
        yield nodes


def place(node: Node) -> str:
    """Where to dial it."""
    return f"{node.peer_id}@{node.addr}"


async def outcome(asked: PingPlan, just_handshake: bool = False) -> tuple[list[Handshaken], list[PingResult]]:
    """Everything that a run tells."""
    hops: list[Handshaken] = []
    results: list[PingResult] = []
    await Pinging(asked).run(hops.append, results.append, just_handshake)
    return hops, results


async def test_directly() -> None:
    async with line(1) as (node,):
        (hop,), results = await outcome(plan(place(node)))
    assert (hop.peer_id, hop.address, hop.dialect, hop.protocol_version) == (node.peer_id, str(node.addr), "borsh", 52)
    assert [(result.seq, result.hops, result.reason) for result in results] == [(n, 1, None) for n in (1, 2, 3)]
    assert all((result.milliseconds or 0) > 0 for result in results)
    assert results[0].as_dict().keys() == {"ok", "hops", "milliseconds", "peer_id", "seq"}


@pytest.mark.slow
async def test_through_a_first_hop_to_several() -> None:
    async with line(3) as (a, b, c):
        hops, results = await outcome(plan(str(b.peer_id), f"{c.peer_id}@far.near", via=place(a)))
    assert [hop.peer_id for hop in hops] == [a.peer_id]
    assert {(result.target.info.id, result.hops) for result in results} == {(b.peer_id, 2), (c.peer_id, 3)}
    assert len(results) == 6


@pytest.mark.slow
async def test_a_ttl_that_does_not_last() -> None:
    async with line(3) as (a, _, c):
        _, results = await outcome(plan(str(c.peer_id), via=place(a), ttl=1, count=1, timeout=0.2))
    assert results[0].as_dict() == {
        "ok": False,
        "reason": f"no pong from {c.peer_id} within 0.2 s",
        "peer_id": str(c.peer_id),
        "seq": 1,
    }


async def test_no_way_to_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ping, "ROUTE_TIME", 0.05)
    async with line(1) as (node,):
        _, results = await outcome(plan(str(STRANGER), via=place(node), count=1))
    assert "no route: " in (results[0].reason or "")


async def test_just_the_handshake() -> None:
    async with line(1) as (node,):
        (hop,), results = await outcome(plan(place(node)), just_handshake=True)
    assert results == []
    assert hop.as_dict()["ok"] is True


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ({"protocol_version": 49}, "it speaks versions 50 to 52; try --protocol-version 52"),
        ({"protocol_version": 99}, "it speaks versions 50 to 52; try --protocol-version 52"),
        ({"chain_id": "another"}, f"its genesis is test {'1' * 32}; try --chain-id test --genesis-hash {'1' * 32}"),
        (
            {"genesis_hash": str(SecretKey.from_seed("g").public_key)[8:]},
            f"try --chain-id test --genesis-hash {'1' * 32}",
        ),
    ],
)
async def test_a_refused_handshake_says_which_flag(words: dict[str, Any], advice: str) -> None:
    async with line(1) as (node,):
        with pytest.raises(PeerRefused) as refused:
            await outcome(plan(place(node), **words))
        assert advice in str(refused.value)
        if "protocol_version" in words:
            _, results = await outcome(plan(place(node), protocol_version=52, count=1))
            assert results[0].hops == 1


async def test_another_peer_lives_there() -> None:
    async with line(1) as (node,):
        with pytest.raises(PeerRefused, match=f"another peer lives there: {node.peer_id}; try that key"):
            await outcome(plan(f"{STRANGER}@{node.addr}"))


async def test_one_of_two_does_not_answer() -> None:
    async with line(1) as (node,):
        _, results = await outcome(plan(place(node), f"{STRANGER}@{node.addr}", count=2))
    told = {result.target.info.id: result.reason for result in results}
    assert told[node.peer_id] is None
    assert "another peer lives there" in (told[STRANGER] or "")


async def test_until_it_is_cancelled() -> None:
    async with line(1) as (node,):
        seen, enough = [], asyncio.Event()

        def result(one: PingResult) -> None:
            seen.append(one.seq)
            if one.seq == 20:
                enough.set()

        run = asyncio.create_task(Pinging(plan(place(node), count=0, interval=0.001)).run(lambda _: None, result))
        await asyncio.wait_for(enough.wait(), 10)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert set(range(1, 21)) <= set(seen)


def test_wrong_words() -> None:
    with pytest.raises(ConfigError, match=r"where .* listens is not told"):
        Pinging(plan(str(STRANGER)))
    with pytest.raises(ConfigError, match="genesis_hash"):
        Pinging(plan(f"{STRANGER}@127.0.0.1:1", genesis_hash="0"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "asked", "spoken"),
    [
        ("borsh", "borsh", ["borsh"]),
        ("protobuf", "protobuf", ["protobuf"]),
        ("protobuf", "auto", ["protobuf"]),
        ("borsh", "auto", ["protobuf", "borsh"]),
    ],
)
async def test_each_dialect(network: str, asked: str, spoken: list[str]) -> None:
    """The protobuf dialect first. A network of the documented era tells its edges only in its own."""
    async with line(3, dialect=network) as (a, _, c):
        events = a.events()
        while not a.core.table.next_hops(c.peer_id):
            await anext(events)
        hops, results = await outcome(plan(str(c.peer_id), via=place(a), dialect=asked))
    assert [hop.dialect for hop in hops] == spoken
    assert [hop.protocol_version for hop in hops] == [{"borsh": 52, "protobuf": 88}[name] for name in spoken]
    assert [result.hops for result in results] == [3, 3, 3]


@pytest.mark.parametrize("version", [84, 120])
async def test_a_version_is_pinned_in_protobuf(version: int) -> None:
    async with line(1) as (node,):
        (hop,), results = await outcome(plan(place(node), dialect="protobuf", protocol_version=version, count=1))
        assert (hop.dialect, hop.protocol_version) == ("protobuf", version)
        assert results[0].reason is None


async def test_a_refusal_in_protobuf_says_which_flag() -> None:
    async with line(1) as (node,):
        with pytest.raises(PeerRefused, match="it speaks versions 80 to 88; try --protocol-version 88"):
            await outcome(plan(place(node), dialect="protobuf", protocol_version=79))
        with pytest.raises(PeerRefused, match="try --chain-id test"):
            await outcome(plan(place(node), dialect="protobuf", chain_id="another"))
