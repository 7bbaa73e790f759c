"""An application at an address: the system's port, IPv6, and what is said when the address cannot be had."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web

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
