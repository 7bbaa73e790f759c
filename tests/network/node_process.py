"""A `nearnet run` of its own process and home, as an operator has it: started, asked, killed."""

from __future__ import annotations

import json
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from network.raw_peer import Target
from ports import free_port

from nearnet.cli import main
from nearnet.keys import CryptoHash, PeerId
from nearnet.tools.rpc_client import RpcClient
from nearnet.wire.messages import GenesisId, SocketAddress

PATIENCE = 20.0
"""Seconds that a start may take on a busy machine."""

GENESIS = GenesisId("test", CryptoHash(bytes(32)))
QUICK = {
    "wait_for_sync_delay": 0.05,
    "update_routing_table_interval": 0.05,
    "dial_backoff_initial": 0.05,
    "dial_backoff_max": 0.2,
}


def make_home(folder: Path, **network: Any) -> Path:
    """A home of chain ``test`` with short intervals; `network` are fields of that section."""
    assert main(["init", "--home", str(folder), "--chain-id", "test", "--network-addr", "127.0.0.1:0"]) == 0
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["rpc"]["addr"] = "127.0.0.1:0"
    config["network"] |= {"monitor_peers_max_period": 0.2, **network}
    config.setdefault("nearnet", {})["dialect"] = "borsh"
    config["nearnet"]["timing"] = QUICK
    path.write_text(json.dumps(config))
    return folder


class NodeProcess:
    """A context manager: killed at its end if it still runs. Its log is the file ``log`` in its home."""

    def __init__(self, home: Path, *words: str, descriptors: int | None = None, within: tuple[str, ...] = ()) -> None:
        """Started; ``descriptors``: its limit of open files; ``within``: a command that runs it, as `ip netns exec`."""

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.home = home
        command = [*within, sys.executable, "-m", "nearnet", "run", "--home", str(home), "--log-format", "json", *words]
        with (home / "log").open("a") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=limit if descriptors else None,
            )
        self.told: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Once it listens."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        assert line, f"it did not start: {self.log()[-2000:]}"
        self.told = json.loads(line)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def refused(self) -> tuple[int, str]:
        """Exit code and sentence of one that must not start."""
        try:
            code = self.process.wait(PATIENCE)
        finally:
            self.__exit__(None, None, None)
        lines = self.log().splitlines()
        assert len(lines) == 1, lines
        return code, lines[0]

    def log(self) -> str:
        """What it has logged."""
        return (self.home / "log").read_text()

    @property
    def peer_id(self) -> PeerId:
        """Who it is."""
        return PeerId.from_text(self.told["peer_id"])

    @property
    def target(self) -> Target:
        """For raw peers."""
        host, _, port = self.told["addr"].rpartition(":")
        return Target(self.peer_id, SocketAddress(host, int(port)), GENESIS)

    @property
    def address(self) -> str:
        """How to dial it."""
        return f"{self.told['peer_id']}@{self.told['addr']}"

    def call(self, method: str, **params: Any) -> Any:
        """A method of its RPC, with its admin token."""
        token = (self.home / "admin_token").read_text().strip()
        return RpcClient(self.told["rpc_addr"], token).call(method, **params)

    def until(self, method: str, holds: Any, seconds: float = PATIENCE, **params: Any) -> Any:
        """Ask again and again until the answer is as it must be: another process has no other way to be watched."""
        deadline = time.monotonic() + seconds
        while not holds(answer := self.call(method, **params)):
            assert time.monotonic() < deadline, f"{method} still says {answer}"
            time.sleep(0.02)
        return answer

    def kill(self) -> None:
        """``kill -9``."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """A clean stop: exit code 0, and no `kill -9` is needed for it."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0


def free_address() -> str:
    """A port of loopback at which nobody listens."""
    return f"127.0.0.1:{free_port()}"
