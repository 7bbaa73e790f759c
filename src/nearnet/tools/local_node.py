"""One node of a local network: its home folder, its process, and its RPC."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from nearnet.errors import ConfigError, NearnetError
from nearnet.home import Home, read_key, write_key
from nearnet.keys import SecretKey
from nearnet.tools.rpc_client import RpcClient

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["CHAIN_ID", "START_TIME", "LocalNode", "free_port"]

CHAIN_ID = "localnet"

START_TIME = 30.0
"""Seconds in which a node must say that it listens; many start at once."""

_HOST = "127.0.0.1"
_MOST = 128


def free_port(wanted: int, taken: Sequence[int] = ()) -> int:
    """That port on loopback when nobody listens there, else one that the system chooses."""
    for port in (wanted, *[0] * 20):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
            if found not in taken:
                return found
    raise NearnetError(f"no port is free on {_HOST}")


class LocalNode:
    """Make it, `configure` it, `start` it, `await_start`, use its `rpc`, `stop` it."""

    def __init__(self, number: int, folder: Path, key_type: str, port: int, rpc_port: int) -> None:
        """Makes the home folder with a new key, or takes the one that is there with its key and store."""
        self.number = number
        self.home = Home(folder, folder)
        self._ports = (port, rpc_port)
        self.addr = f"{_HOST}:{port}"
        self.rpc_addr = f"{_HOST}:{rpc_port}"
        self.rpc = RpcClient(self.rpc_addr)
        self._process: subprocess.Popen[str] | None = None
        self._log = folder / "log"
        self._refuse_foreign()
        self.home.prepare()
        if not self.home.key_path.exists():
            write_key(self.home.key_path, SecretKey.generate(key_type), f"node{number}")
        self.peer_id = str(read_key(self.home.key_path).key.public_key)

    def _refuse_foreign(self) -> None:
        """The config is written anew at each start: never over that of another network's node."""
        path = self.home.config_path
        if path.exists() and json.loads(path.read_text(encoding="utf-8")).get("chain_id") != CHAIN_ID:
            raise ConfigError(f"{path} is that of another network's node; give nearnet localnet a --home of its own")

    def configure(self, boot_nodes: Mapping[LocalNode, str]) -> None:
        """Write config.json: it dials these nodes, each in its dialect, and no others, and soon again if need be."""
        config = {
            "chain_id": CHAIN_ID,
            "rpc": {"addr": self.rpc_addr},
            "network": {
                "addr": self.addr,
                "boot_nodes": ",".join(f"{node.peer_id}@{node.addr}" for node in boot_nodes),
                "max_num_peers": _MOST,
                "ideal_connections_hi": _MOST,
                "ideal_connections_lo": _MOST,
                "monitor_peers_max_period": 1,
                "experimental": {"connect_only_to_boot_nodes": True},
            },
            "nearnet": {
                "peers": {node.peer_id: {"dialect": dialect} for node, dialect in boot_nodes.items()},
                "timing": {"dial_backoff_initial": 0.2, "dial_backoff_max": 1},
            },
        }
        self.home.config_path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    def start(self) -> None:
        """Its own process, which logs to the file ``log`` in its home and never outlives this one."""
        run = [sys.executable, "-m", "nearnet", "run", "--home", str(self.home.path)]
        words = [*run, "--log-format", "json", "--stop-with-stdin"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NEARNET_")}
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            )

    def await_start(self) -> dict[str, Any]:
        """What it says once it listens; `NearnetError` in its own words when it ends instead."""
        process = self._running()
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], START_TIME)
        line = process.stdout.readline() if ready else ""
        if ready and not line:
            process.wait()
            raise NearnetError(f"node{self.number} ended: {self._last_words()}")
        if not line:
            raise NearnetError(f"node{self.number} does not listen after {START_TIME:g} s")
        told: dict[str, Any] = json.loads(line)
        return told

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise NearnetError(f"node{self.number} was not started")
        return self._process

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8").strip().splitlines()
        return lines[-1].removeprefix("nearnet: ") if lines else "without a word"

    @property
    def lost_its_ports(self) -> bool:
        """Whether it has ended and somebody else listens on one of its ports."""
        return self.exit_code is not None and any(free_port(port) != port for port in self._ports)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running().pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._running().poll()

    def terminate(self) -> None:
        """Tell it to stop, and do not wait."""
        if self._process is not None:
            self._process.terminate()

    def stop(self, deadline: float) -> None:
        """Wait until it is gone; at `deadline` (monotonic seconds) it is killed."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
