"""A node as a daemon, in this process: what it starts, what signals do, what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nearnet import NetworkConfig
from nearnet.errors import AlreadyRunning, ConfigError
from nearnet.home import Home, write_key
from nearnet.keys import SecretKey
from nearnet.tools.daemon import Daemon

LOG = logging.getLogger("nearnet")
KEY = SecretKey.from_seed("daemon")


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    before = (LOG.level, LOG.handlers, LOG.propagate)
    yield
    LOG.setLevel(before[0])
    LOG.handlers, LOG.propagate = before[1], before[2]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "config.json").write_text("{}")
    write_key(tmp_path / "node_key.json", KEY)
    return Home.open(tmp_path)


def config(**sections: Any) -> NetworkConfig:
    network = {"addr": "127.0.0.1:0", **sections.pop("network", {})}
    return NetworkConfig.model_validate(
        {"chain_id": "test", "rpc": {"addr": ""}, **sections, "network": network, "nearnet": {"dialect": "borsh"}}
    )


def run(
    home: Home,
    wanted: NetworkConfig,
    meanwhile: Callable[[dict[str, Any]], Any] = lambda told: None,
    reload: Callable[[], NetworkConfig] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Run a daemon until `meanwhile`, which is called on a thread, is done; what it said when it had started."""
    said: list[dict[str, Any]] = []

    def started(told: dict[str, Any]) -> None:
        said.append(told)
        task = asyncio.ensure_future(asyncio.to_thread(meanwhile, told))
        task.add_done_callback(lambda done: (tasks.append(done), os.kill(os.getpid(), signal.SIGTERM)))

    tasks: list[asyncio.Future[Any]] = []
    Daemon(home, wanted, "memory", reload=reload or (lambda: wanted), **options).run(started)
    for task in tasks:
        task.result()
    (told,) = said
    return told


def page(address: str, path: str) -> str:
    with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def test_what_it_says_once_it_listens(home: Home) -> None:
    told = run(home, config())
    assert told == {"event": "started", "peer_id": str(KEY.public_key), "addr": told["addr"], "rpc_addr": None}
    host, _, port = told["addr"].rpartition(":")
    with pytest.raises(OSError), socket.create_connection((host, int(port)), 1):  # noqa: PT011
        pass
    assert run(home, config(network={"addr": ""}))["addr"] is None


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the threads")
def test_numpy_starts_no_threads_of_its_own(home: Home) -> None:
    run(home, config())
    words = [sys.executable, "-c", "import numpy, os; print(len(os.listdir('/proc/self/task')))"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "1\n"


def test_rpc_and_metrics_each_at_its_own_address(home: Home) -> None:
    pages: dict[str, str] = {}

    def look(told: dict[str, Any]) -> None:
        pages["rpc"] = page(told["rpc_addr"], "/metrics")
        pages["metrics"] = page(told["prometheus_addr"], "/metrics")
        with pytest.raises(OSError, match="404"):
            page(told["prometheus_addr"], "/status")

    run(home, config(rpc={"addr": "127.0.0.1:0", "prometheus_addr": "127.0.0.1:0"}), look)
    assert "near_peer_connections_total 0" in pages["rpc"]
    assert "near_peer_connections_total 0" in pages["metrics"]
    alone = run(
        home,
        config(rpc={"addr": "", "prometheus_addr": "127.0.0.1:0"}),
        lambda told: page(told["prometheus_addr"], "/metrics"),
    )
    assert alone["rpc_addr"] is None


def test_a_taken_metrics_port_ends_it_and_frees_the_home(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(AlreadyRunning, match=r"rpc\.prometheus_addr"):
            run(home, config(rpc={"addr": "127.0.0.1:0", "prometheus_addr": taken}))
    run(home, config())


def test_one_at_a_time_in_one_home(home: Home) -> None:
    def second(_: dict[str, Any]) -> None:
        with pytest.raises(AlreadyRunning):
            home.lock()

    run(home, config(), second)
    home.lock().release()


def test_hang_up_re_reads_level_and_blacklist(home: Home) -> None:
    listed = {"network": {"blacklist": ["127.0.0.1"]}, "nearnet": {"log_level": "error", "dialect": "borsh"}}
    found: list[dict[str, Any] | None] = [None, listed]
    read = threading.Event()
    seen: list[bytes] = []

    def reload() -> NetworkConfig:
        fields = found.pop(0)
        asyncio.get_running_loop().call_soon(read.set)  # After what follows from it.
        if fields is None:
            raise ConfigError("a comma is missing")
        return NetworkConfig.model_validate(fields)

    def hang_up_twice(told: dict[str, Any]) -> None:
        host, _, port = told["addr"].rpartition(":")
        for expected in (False, True):
            read.clear()
            os.kill(os.getpid(), signal.SIGHUP)
            assert read.wait(5)
            assert (LOG.level == logging.ERROR) is expected, "a config gone wrong changes nothing"
        with socket.create_connection((host, int(port)), 5) as client:
            seen.append(client.recv(1))

    run(home, config(), hang_up_twice, reload)
    assert (found, seen) == ([], [b""])


def test_the_summary_line(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    """It comes by itself, and stops with the node."""
    lines: list[str] = []

    def until_two(_: dict[str, Any]) -> None:
        for _ in range(500):
            lines.extend(capfd.readouterr().err.splitlines())
            if len(lines) >= 2:
                return
            threading.Event().wait(0.02)

    run(home, config(log_summary_period=0.05), until_two)
    assert all(" I #        0 Waiting for peers | 0 peers ⬇ 0 B/s" in line for line in lines)
    assert len(lines) >= 2


def test_the_key_of_a_node_that_is_up_is_warned_of(
    home: Home, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its home folder was copied, and the copy told to listen elsewhere."""

    def second(told: dict[str, Any]) -> None:
        copy = tmp_path / "copy"
        copy.mkdir()
        (copy / "config.json").write_text(json.dumps({"chain_id": "test", "rpc": {"addr": told["rpc_addr"]}}))
        write_key(copy / "node_key.json", KEY)
        flags = ["--network-addr", "127.0.0.1:0", "--rpc-addr", "", "--store", "memory"]
        command = [sys.executable, "-m", "nearnet", "run", "--home", str(copy), *flags]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
            assert process.stderr is not None
            said.append(process.stderr.readline())
            process.terminate()

    said: list[str] = []
    run(home, config(rpc={"addr": "127.0.0.1:0"}), second)
    assert "a node with this key is up already, its RPC answers at 127.0.0.1:" in said[0]
