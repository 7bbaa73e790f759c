"""Answers that many open pages share: each is made and encoded at most once in its time, however many ask."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from nearnet.api.errors import RpcError
from nearnet.core.runtime.limits import LruDict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

__all__ = ["ANSWERED", "KEPT", "WHOLE_GRAPH", "Answers"]

ANSWERED = {
    "status": 1.0,
    "network_info": 1.0,
    "nearnet_peers": 1.0,
    "nearnet_known_peers": 2.0,
    "nearnet_bans": 1.0,
    "nearnet_routes": 5.0,
    "nearnet_accounts": 2.0,
    "nearnet_limits": 2.0,
    "nearnet_events": 1.0,
    "nearnet_history": 1.0,
    "nearnet_graph": 1.0,
}
"""What a page may ask for, and for how many seconds the answer holds."""

WHOLE_GRAPH = 10.0
"""Seconds for which a whole graph holds: whoever has it asks for the changes since then, which are small."""

KEPT = 16
"""Answers kept; the largest are whole graphs of 2 MB (docs/limits.md), so 32 MB at most."""


class _Answer(NamedTuple):
    body: bytes
    tag: str
    until: float


class Answers:
    """Cached answers of `call(method, params)`."""

    def __init__(
        self, call: Callable[[str, dict[str, Any]], Awaitable[Any]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._call = call
        self._clock = clock
        self._kept: LruDict[str, _Answer] = LruDict(KEPT)
        self._being_made: dict[str, asyncio.Task[_Answer]] = {}

    async def get(self, name: str, params: Mapping[str, float]) -> tuple[bytes, str]:
        """The JSON, `{"result": ..}` or `{"error": ..}`, and a tag of its content. `ValueError` for NaN and such."""
        if not all(math.isfinite(value) for value in params.values()):
            raise ValueError("not a number")
        key = json.dumps([name, sorted(params.items())])
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock():
            kept = await self._make_once(key, name, params)
        return kept.body, kept.tag

    async def _make_once(self, key: str, name: str, params: Mapping[str, float]) -> _Answer:
        task = self._being_made.get(key)
        if task is None:
            task = self._being_made[key] = asyncio.ensure_future(self._make(key, name, params))
            task.add_done_callback(lambda _: self._being_made.pop(key))
        return await asyncio.shield(task)

    async def _make(self, key: str, name: str, params: Mapping[str, float]) -> _Answer:
        whole_numbers = {one: int(value) if int(value) == value else value for one, value in params.items()}
        try:
            answer = {"result": await self._call(name, whole_numbers)}
        except RpcError as error:
            answer = {"error": error.body}
        body = json.dumps(answer, separators=(",", ":")).encode()
        holds = WHOLE_GRAPH if name == "nearnet_graph" and "since" not in params else ANSWERED[name]
        made = _Answer(body, hashlib.blake2b(body, digest_size=9).hexdigest(), self._clock() + holds)
        self._kept.put(key, made)
        return made
