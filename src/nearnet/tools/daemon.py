"""A node as a daemon: key and lock of a home folder, the log, signals, the RPC once the p2p port listens."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nearnet.client import DefaultClient
from nearnet.net.loop import run_on_best_loop
from nearnet.net.node import Node
from nearnet.store.opening import open_store
from nearnet.tools.daemon_log import set_up_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nearnet.config import NetworkConfig
    from nearnet.home import Home

__all__ = ["Daemon", "RunOptions"]

_log = logging.getLogger("nearnet.run")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What `nearnet run` is told beside the config."""

    store: Path | str
    reset_store: bool = False
    min_peers: int = 0
    log_level: str = "info"
    log_format: str = "text"


class Daemon:
    """Runs one node of a home folder until SIGINT or SIGTERM."""

    def __init__(self, home: Home, config: NetworkConfig, options: RunOptions) -> None:
        self._home = home
        self._config = config
        self._options = options

    def run(self, started: Callable[[dict[str, Any]], None]) -> None:
        """Blocks until it is stopped; `started` is told once the p2p port listens. Errors in words."""
        set_up_log(self._options.log_level, self._options.log_format, sys.stderr)
        key = self._home.key().key
        self._home.prepare()
        lock = self._home.lock()
        try:
            run_on_best_loop(self._serve(key, started))
        finally:
            lock.release()

    async def _serve(self, key: Any, started: Callable[[dict[str, Any]], None]) -> None:
        config, options = self._config, self._options
        client = DefaultClient(config)
        genesis = client.chain_info().genesis_id
        store = open_store(options.store, genesis, options.reset_store)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        async with Node(config, key=key, client=client, store=store) as node:
            http = None
            try:
                if config.rpc.addr is not None:
                    from nearnet.api.http import HttpServer

                    http = HttpServer(node, config.rpc, self._home.admin_token())
                    await http.start()
                started(
                    {
                        "event": "started",
                        "peer_id": str(node.peer_id),
                        "addr": None if node.addr is None else str(node.addr),
                        "rpc_addr": None if http is None else str(http.address),
                    }
                )
                await stop.wait()
            finally:
                if http is not None:
                    await http.stop()
