"""Callers that do not read: what waits for them is bounded, and they are cut off (`threats.md` row 75)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from raw_http import get, post, served, written

from nearnet.api import delivery
from nearnet.api.http import HttpServer

MIB = 2**20


async def asking(server: HttpServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A caller that asks for something large and reads no byte of it."""
    assert server.address is not None
    reader, writer = await asyncio.open_connection(server.address.ip, server.address.port, limit=1)
    writer.write(written("GET", "/nearnet_peers", {"Host": "localhost"}))
    return reader, writer


async def waiting(server: HttpServer, bytes_waiting: int) -> None:
    async with asyncio.timeout(10):
        while server._delivery._untaken != bytes_waiting:
            await asyncio.sleep(0.01)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> int:
    """The bytes of an answer that no socket takes at once."""

    def peers(node: Any) -> list[str]:
        return ["x" * 16 * MIB]

    monkeypatch.setattr("nearnet.api.views.peers", peers)
    return 16 * MIB + 4


@pytest.mark.threat(75)
async def test_what_waits_is_bounded_and_small_answers_still_come(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "MAX_UNTAKEN", 2 * large)
    async with served() as (_, server):
        callers = [await asking(server) for _ in range(2)]
        await waiting(server, 2 * large)
        assert (await get(server, "/nearnet_peers")).status == 429
        assert (await get(server, "/health")).status == 200
        for reader, writer in callers:
            writer.close()
            reader._transport.abort()  # type: ignore[attr-defined]
        await waiting(server, 0)
        assert len((await get(server, "/nearnet_peers")).body) == large


@pytest.mark.slow
@pytest.mark.threat(75)
async def test_who_never_reads_is_cut_off_and_who_reads_slowly_is_not(
    large: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(delivery, "PATIENCE", 0.3)
    async with served() as (_, server):
        reader, writer = await asking(server)
        slow_reader, slow_writer = await asking(server)
        taken = 0
        while chunk := await slow_reader.read(256 * 1024):
            taken += len(chunk)
            await asyncio.sleep(0.02)
        assert taken > large
        await waiting(server, 0)
        assert caplog.text.count("reads no answer for") == 1
        with contextlib.suppress(ConnectionError):
            assert len(await reader.read()) < large
        writer.close()
        slow_writer.close()
        assert (await post(server, {"jsonrpc": "2.0", "id": 1, "method": "health"})).status == 200


async def test_one_that_is_larger_than_all_may_wait_alone(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "MAX_UNTAKEN", 1)
    async with served() as (_, server):
        assert len((await get(server, "/nearnet_peers")).body) == large
