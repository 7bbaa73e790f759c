"""A small network of its own: each node in a network namespace, a router between them that can swallow packets.

Made with `ip` alone: a cut is a blackhole route in the router, so that packets vanish without a word, in one direction
or both, as when a machine dies or a cable is pulled. Needs root.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

__all__ = ["Lan", "why_not"]

T = TypeVar("T")
_NEW_NETWORK = 0x40000000


def _ip(*words: str, within: str | None = None) -> None:
    where = ("-n", within) if within else ()
    subprocess.run(["ip", *where, *words], check=True, capture_output=True, text=True)


def why_not() -> str | None:
    """Why this machine permits no such network; None when it does."""
    if shutil.which("ip") is None:
        return "needs the command ip, of iproute2"
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    name = f"nn-probe-{os.getpid()}"
    try:
        _ip("netns", "add", name)
        _ip("link", "add", "probe0", "type", "veth", "peer", "name", "probe1", within=name)
        _ip("route", "add", "blackhole", "10.250.0.1/32", within=name)
    except subprocess.CalledProcessError as error:
        return f"this machine permits no network namespaces: {error.stderr.strip()}"
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    return None


class Lan:
    """A context manager; hosts are numbers from 1, host `n` has the address ``10.250.n.2``."""

    def __init__(self, hosts: int) -> None:
        self.prefix = f"nn{os.getpid()}"
        self.router = f"{self.prefix}r"
        self.hosts = range(1, hosts + 1)

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _make(self) -> None:
        _ip("netns", "add", self.router)
        self.within(self.router, lambda: Path("/proc/sys/net/ipv4/ip_forward").write_text("1"))
        for host in self.hosts:
            name = self.name(host)
            _ip("netns", "add", name)
            _ip("link", "add", f"up{host}", "type", "veth", "peer", "name", "eth0", "netns", name, within=self.router)
            _ip("addr", "add", f"10.250.{host}.1/24", "dev", f"up{host}", within=self.router)
            _ip("link", "set", f"up{host}", "up", within=self.router)
            _ip("addr", "add", f"{self.address(host)}/24", "dev", "eth0", within=name)
            for device in ("lo", "eth0"):
                _ip("link", "set", device, "up", within=name)
            _ip("route", "add", "default", "via", f"10.250.{host}.1", within=name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in (*map(self.name, self.hosts), self.router):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def name(self, host: int) -> str:
        """Its namespace."""
        return f"{self.prefix}h{host}"

    def address(self, host: int) -> str:
        """Its IP address."""
        return f"10.250.{host}.2"

    def command(self, host: int) -> tuple[str, ...]:
        """What runs a command on that host."""
        return ("ip", "netns", "exec", self.name(host))

    def cut(self, host: int) -> None:
        """Packets to it vanish from now on; what it sends arrives."""
        _ip("route", "replace", "blackhole", f"{self.address(host)}/32", within=self.router)

    def heal(self, host: int) -> None:
        """They arrive again."""
        _ip("route", "del", "blackhole", f"{self.address(host)}/32", within=self.router)

    def within(self, name: str, call: Callable[[], T]) -> T:
        """The call's result, made by a thread that is in that namespace; what it raises, raised here."""
        found: list[T] = []
        raised: list[BaseException] = []

        def run() -> None:
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/run/netns/{name}", "rb") as file:
                if libc.setns(file.fileno(), _NEW_NETWORK):
                    raised.append(OSError(ctypes.get_errno(), "setns"))
                    return
            try:
                found.append(call())
            except BaseException as error:  # noqa: BLE001 - it is raised again, in the caller's thread.
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if raised:
            raise raised[0]
        return found[0]
