"""A node with its RPC in a thread, so that verbs can be called as a user calls them."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import TracebackType

from nearnet import NetworkConfig, Node
from nearnet.api.http import HttpServer
from nearnet.cli import main
from nearnet.home import Home


class ServedNode:
    """A context manager: the node of a home folder that `nearnet init` made; `peer` is how to dial it."""

    def __init__(self, folder: Path) -> None:
        assert main(["init", "--home", str(folder), "--chain-id", "test"]) == 0
        self.home = str(folder)
        self._home = Home.open(folder)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        config = NetworkConfig.model_validate(
            {
                "chain_id": "test",
                "rpc": {"addr": "127.0.0.1:0"},
                "network": {
                    "addr": "127.0.0.1:0",
                    "experimental": {"network_config_overrides": {"outbound_disabled": True}},
                },
                "nearnet": {"dialect": "borsh"},
            }
        )
        async with Node(config, key=self._home.key().key) as node:
            http = HttpServer(node, config.rpc, self._home.admin_token())
            await http.start()
            self.peer_id, self.rpc_addr = str(node.peer_id), str(http.address)
            self.peer = f"{node.peer_id}@{node.addr}"
            self._ready.set()
            await self._stop.wait()
            await http.stop()

    def __enter__(self) -> ServedNode:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
