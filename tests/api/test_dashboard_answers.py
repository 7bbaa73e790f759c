"""Answers that many pages share."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from nearnet.api.dashboard.answers import KEPT, Answers
from nearnet.api.errors import invalid_params


class Node:
    """Answers with how often it was asked; can be made to wait."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.now = 1000.0
        self.gate = asyncio.Event()
        self.gate.set()
        self.answers = Answers(self.call, lambda: self.now)

    async def call(self, name: str, params: dict[str, Any]) -> Any:
        self.asked.append((name, params))
        await self.gate.wait()
        if params.get("since") == 13:
            raise invalid_params("unlucky")
        return len(self.asked)

    async def get(self, name: str, **params: float) -> Any:
        return json.loads((await self.answers.get(name, params))[0])["result"]


async def test_an_answer_holds_for_its_time() -> None:
    node = Node()
    assert [await node.get("nearnet_peers") for _ in range(5)] == [1] * 5
    node.now += 0.99
    assert await node.get("nearnet_peers") == 1
    node.now += 0.02
    assert await node.get("nearnet_peers") == 2
    assert await node.get("nearnet_bans") == 3, "by its own name"


async def test_a_whole_graph_holds_longer_than_its_changes() -> None:
    node = Node()
    assert await node.get("nearnet_graph") == 1
    assert await node.get("nearnet_graph", since=4) == 2
    node.now += 5
    assert await node.get("nearnet_graph") == 1
    assert await node.get("nearnet_graph", since=4) == 3
    assert await node.get("nearnet_graph", at=4.5) == 4
    assert node.asked[1] == ("nearnet_graph", {"since": 4})
    assert isinstance(node.asked[1][1]["since"], int)


async def test_who_asks_while_it_is_made_gets_the_same() -> None:
    node = Node()
    node.gate.clear()
    waiting = [asyncio.ensure_future(node.get("status")) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    node.gate.set()
    assert await asyncio.gather(*waiting[1:]) == [1] * 49
    assert len(node.asked) == 1


async def test_an_error_is_told_in_the_rpcs_words_and_kept_too() -> None:
    node = Node()
    for _ in range(3):
        body, _ = await node.answers.get("nearnet_graph", {"since": 13})
        assert json.loads(body)["error"]["code"] == -32700
    assert len(node.asked) == 1


async def test_a_fault_of_the_call_is_not_kept() -> None:
    node = Node()

    async def fails(name: str, params: dict[str, Any]) -> Any:
        raise RuntimeError("once")

    answers = Answers(fails, lambda: 1.0)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await answers.get("status", {})
    assert await node.get("status") == 1


async def test_the_tag_is_of_the_content() -> None:
    node = Node()
    _, first = await node.answers.get("status", {})
    _, same = await node.answers.get("status", {})
    node.now += 10
    _, other = await node.answers.get("status", {})
    assert first == same != other


async def test_few_answers_are_kept() -> None:
    node = Node()
    for since in range(100, 100 + 3 * KEPT):
        await node.get("nearnet_graph", since=since)
    assert len(node.answers._kept) == KEPT


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
async def test_numbers_only(value: float) -> None:
    node = Node()
    with pytest.raises(ValueError, match="number"):
        await node.get("nearnet_graph", at=value)
    assert node.asked == []
