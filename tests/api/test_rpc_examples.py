"""The page of examples: every method is there, and its answer has the form that a node gives now."""

from __future__ import annotations

import json
import re
from typing import Any

from raw_http import served
from rpc_examples import PAGE, examples, shortened

BLOCK = re.compile(r"^## (\w+)\n\n```json\n(.*?)\n```\n\n```json\n(.*?)\n```$", re.DOTALL | re.MULTILINE)


def form(value: Any, deep: int = 3) -> Any:
    """The names in it, that far down; of a list those of its first entry."""
    if deep and isinstance(value, dict):
        return {key: form(one, deep - 1) for key, one in value.items()}
    if deep and isinstance(value, list) and value:
        return [form(value[0], deep - 1)]
    return ...


async def test_every_method_has_an_example_that_holds() -> None:
    on_page = {
        method: (json.loads(request), json.loads(answer)) for method, request, answer in BLOCK.findall(PAGE.read_text())
    }
    now = await examples()
    async with served() as (_, server):
        assert set(on_page) == set(now) == set(server.jsonrpc.methods)
    for method, (request, answer) in now.items():
        asked, told = on_page[method]
        assert "error" not in answer, (method, answer)
        assert form(asked, 2) == form(request, 2), method
        assert form(told) == form(shortened(answer)), method
