"""An application at an address: the system's port, IPv6, and what is said when the address cannot be had."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web

from nearnet.api import listening
from nearnet.api.listening import listen
from nearnet.errors import AlreadyRunning


def _app() -> web.Application:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.add_routes([web.get("/", hello)])
    return app


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0"])
def test_the_address_is_the_one_that_answers(address: str) -> None:
    async def main() -> None:
        runner, where = await listen(_app(), address, "it cannot listen", "an option")
        async with aiohttp.ClientSession() as http, http.get(f"http://{where}/") as answer:
            assert await answer.text() == "hello"
        await runner.cleanup()

    asyncio.run(main())


def test_a_taken_port_names_the_address_the_cause_and_what_to_change() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(AlreadyRunning) as refused:
                await listen(_app(), address, "it cannot listen", "an option")
        assert (
            str(refused.value)
            == f"it cannot listen on {address}: Address already in use; choose another with an option"
        )

    asyncio.run(main())


async def _ended(reader: asyncio.StreamReader) -> bool:
    """Whether the other side ends it; nothing was said."""
    try:
        return await asyncio.wait_for(reader.read(), 5) == b""
    except ConnectionError:
        return True


@pytest.mark.threat(75)
def test_who_asks_nothing_is_cut_off_and_who_asked_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "SILENCE", 0.15)

    async def main() -> None:
        runner, where = await listen(_app(), "127.0.0.1:0", "it cannot listen", "an option")
        silent, first = await asyncio.open_connection(where.ip, where.port)
        slow, second = await asyncio.open_connection(where.ip, where.port)
        second.write(b"GET / HTTP/1.1\r\nHost: ")
        kept, third = await asyncio.open_connection(where.ip, where.port)
        for _ in range(2):
            third.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200 OK" in await kept.readuntil(b"hello")
            assert await _ended(silent)
            assert await _ended(slow)
        for writer in (first, second, third):
            writer.close()
        await runner.cleanup()

    asyncio.run(main())


@pytest.mark.threat(75)
def test_connections_above_the_limit_are_closed_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "MAX_CONNECTIONS", 2)

    async def main() -> None:
        runner, where = await listen(_app(), "127.0.0.1:0", "it cannot listen", "an option")
        both = [await asyncio.open_connection(where.ip, where.port) for _ in range(2)]
        reader, writer = await asyncio.open_connection(where.ip, where.port)
        assert await _ended(reader)
        for one in (*(one for _, one in both), writer):
            one.close()
            await one.wait_closed()
        async with aiohttp.ClientSession() as http, http.get(f"http://{where}/") as answer:
            assert await answer.text() == "hello"
        await runner.cleanup()

    asyncio.run(main())
