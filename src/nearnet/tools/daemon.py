"""A node as a daemon: key and lock of a home folder, the log, signals, the RPC once the p2p port listens."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from nearnet.client import DefaultClient
from nearnet.errors import ConfigError, NearnetError
from nearnet.net.loop import run_on_best_loop
from nearnet.net.node import Node
from nearnet.store.opening import open_store
from nearnet.tools.collecting import collecting_seldom
from nearnet.tools.daemon_log import load_renderer, set_log_level, set_up_log
from nearnet.tools.heap import keep_freed_memory
from nearnet.tools.same_key import warn_of_same_key
from nearnet.tools.summary_line import SummaryLine
from nearnet.tools.tracing_setup import tracing_from_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from nearnet.config import NetworkConfig
    from nearnet.home import Home

__all__ = ["Daemon"]

_log = logging.getLogger("nearnet.run")


class Daemon:
    """Runs one node of a home folder until SIGINT or SIGTERM; SIGHUP re-reads log level and blacklist."""

    def __init__(
        self,
        home: Home,
        config: NetworkConfig,
        store: Path | str,
        *,
        reset_store: bool = False,
        stop_with_stdin: bool = False,
        warnings: Sequence[str] = (),
        reload: Callable[[], NetworkConfig],
    ) -> None:
        """`warnings` are for the log."""
        self._home = home
        self._config = config
        self._store = store
        self._reset_store = reset_store
        self._stop_with_stdin = stop_with_stdin
        self._warnings = warnings
        self._reload = reload

    def run(self, started: Callable[[dict[str, Any]], None]) -> None:
        """Blocks until it is stopped; `started` is told once the p2p port listens. Errors in words."""
        nearnet = self._config.nearnet
        # numpy's matrix library starts a thread for each core when it is loaded, and each spins a tenth of a second;
        # no matrices are multiplied here.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        set_up_log(nearnet.log_level, nearnet.log_format, sys.stderr)
        for warning in self._warnings:
            _log.warning("! %s", warning)
        key = self._home.key().key
        self._home.prepare()
        lock = self._home.lock()
        try:
            run_on_best_loop(self._serve(key, started))
        finally:
            lock.release()

    def _hang_up(self, node: Node) -> None:
        """SIGHUP. A config that has gone wrong meanwhile is told and changes nothing."""
        try:
            config = self._reload()
        except NearnetError as error:
            _log.error("! the config was not re-read: %s", error)
            return
        set_log_level(config.nearnet.log_level)
        node.set_blacklist(config.network.blacklist)
        _log.info("= log level and blacklist re-read")

    async def _serve(self, key: Any, started: Callable[[dict[str, Any]], None]) -> None:
        config = self._config
        client = DefaultClient(config)
        store = open_store(self._store, client.chain_info().genesis_id, self._reset_store)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        if self._stop_with_stdin:
            _watch_stdin(stop)
        tracing, end_tracing = tracing_from_environment(os.environ, str(key.public_key))
        async with Node(config, key=key, client=client, store=store, tracing=tracing) as node:
            loop.add_signal_handler(signal.SIGHUP, self._hang_up, node)
            async with AsyncExitStack() as listeners:
                listeners.enter_context(collecting_seldom())
                told = await self._listen(node, listeners)
                addr = None if node.addr is None else str(node.addr)
                started({"event": "started", "peer_id": str(node.peer_id), "addr": addr, **told})
                warn_of_same_key(self._home, node.peer_id, told["rpc_addr"])
                listeners.callback(SummaryLine(node, config.log_summary_period).stop)
                keep_freed_memory()
                await asyncio.to_thread(load_renderer)
                await stop.wait()
        end_tracing()

    async def _listen(self, node: Node, listeners: AsyncExitStack) -> dict[str, str | None]:
        """RPC and metrics, where they are wanted: their code is loaded only then. Their real addresses."""
        rpc, http = self._config.rpc, None
        told: dict[str, str | None] = {"rpc_addr": None}
        if rpc.addr:
            from nearnet.api.http import HttpServer

            http = HttpServer(node, rpc, self._home.admin_token())
            listeners.push_async_callback(http.stop)
            await http.start()
            told["rpc_addr"] = str(http.address)
        if rpc.prometheus_addr:
            from nearnet.api.metrics import exposition
            from nearnet.api.metrics_listener import MetricsListener
            from nearnet.api.rpc_stats import RpcStats

            stats = RpcStats() if http is None else http.jsonrpc.stats
            metrics = MetricsListener(rpc.prometheus_addr, lambda: exposition(node, stats))
            listeners.push_async_callback(metrics.stop)
            await metrics.start()
            told["prometheus_addr"] = str(metrics.address)
        return told


def _watch_stdin(stop: asyncio.Event) -> None:
    """Set `stop` when whoever holds the other end of stdin closes it, or is gone, however it went."""
    loop, number = asyncio.get_running_loop(), sys.stdin.fileno()

    def readable() -> None:
        if not os.read(number, 4096):
            loop.remove_reader(number)
            stop.set()

    try:
        loop.add_reader(number, readable)
    except OSError:
        raise ConfigError("--stop-with-stdin: stdin is neither a pipe nor a terminal") from None
