"""A node with its HTTP server, and requests written byte by byte: no client library mends what a test breaks."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from real_nodes import quiet_config

from nearnet import Node
from nearnet.api.http import HttpServer

TOKEN = "ab" * 32


@contextlib.asynccontextmanager
async def served(**rpc: Any) -> AsyncIterator[tuple[Node, HttpServer]]:
    """One node that answers on a port of the system's choice; `rpc` are fields of the config's section."""
    config = quiet_config(rpc={"addr": "127.0.0.1:0", **rpc})
    async with Node(config) as node:
        server = HttpServer(node, config.rpc, TOKEN)
        await server.start()
        try:
            yield node, server
        finally:
            await server.stop()
        assert node.driver.unhandled == 0


class Answer:
    """Status, headers in lower case, body."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


async def exchange(server: HttpServer, data: bytes) -> Answer:
    """Send these bytes on a connection of their own, and read until it closes."""
    assert server.address is not None
    reader, writer = await asyncio.open_connection(server.address.ip, server.address.port)
    try:
        writer.write(data)
        return Answer(await asyncio.wait_for(reader.read(), 15))
    finally:
        writer.close()


def written(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request with exactly these headers, and what closes the connection after it."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "Connection: close", f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body


async def get(server: HttpServer, path: str, **headers: str) -> Answer:
    """GET as a browser would."""
    return await exchange(server, written("GET", path, {"Host": "localhost", **headers}))


async def post(server: HttpServer, body: bytes | dict[str, Any], **headers: str | None) -> Answer:
    """POST / as a client would; a header that is None is left out."""
    told = {"Host": "localhost", "Content-Type": "application/json"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}  # type: ignore[misc]
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await exchange(server, written("POST", "/", {k: v for k, v in told.items() if v is not None}, text))


def call(method: str, **params: Any) -> dict[str, Any]:
    """A JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": "dontcare", "method": method, "params": params}
