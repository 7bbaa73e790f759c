"""Nodes on a network that swallows packets: half-open connections, partitions of one direction and both, their healing
(`threats.md` rows 9 and 69). Each node has a network namespace of its own; see `lan.py`."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from crash.lan import Lan, why_not
from network.node_process import PATIENCE, NodeProcess, make_home

HALF_OPEN = 60.0
"""Seconds within which a neighbor whose machine vanished is no neighbor any more."""


class Host:
    """A node on one host of the network."""

    def __init__(self, lan: Lan, number: int, process: NodeProcess) -> None:
        self.lan = lan
        self.number = number
        self.process = process

    def call(self, method: str, **params: Any) -> Any:
        """A method of its RPC, which listens on its own loopback."""
        return self.lan.within(self.lan.name(self.number), lambda: self.process.call(method, **params))

    def until(self, method: str, holds: Callable[[Any], bool], seconds: float = PATIENCE) -> None:
        """Ask again until the answer is as it must be; after so many seconds the test fails."""
        deadline = time.monotonic() + seconds
        while not holds(answer := self.call(method)):
            assert time.monotonic() < deadline, f"after {seconds} s {method} still says {answer}"
            time.sleep(0.1)

    @property
    def id(self) -> str:
        """Its peer id."""
        return str(self.process.peer_id)

    def neighbors(self) -> list[str]:
        """Whom it is connected to."""
        return sorted(peer["peer_id"] for peer in self.call("nearnet_peers"))


def _home(folder: Path, address: str) -> Path:
    home = make_home(folder, addr=f"{address}:24567", ideal_connections_lo=1)
    path = home / "config.json"
    config = json.loads(path.read_text())
    config["nearnet"]["timing"] |= {"dial_backoff_max": 1.0}
    path.write_text(json.dumps(config))
    return home


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[list[Host]]:
    """Three nodes, in a line, that know each other."""
    why = why_not()
    if why is not None:
        pytest.skip(why)
    with ExitStack() as stack:
        lan = stack.enter_context(Lan(3))
        hosts: list[Host] = []
        for number in lan.hosts:
            home = _home(tmp_path / f"home{number}", lan.address(number))
            boot = f"{hosts[-1].id}@{lan.address(number - 1)}:24567" if hosts else ""
            words = ("--boot-nodes", boot) if boot else ()
            process = NodeProcess(home, *words, within=lan.command(number))
            hosts.append(Host(lan, number, stack.enter_context(process)))
        for host in hosts:
            host.until("nearnet_routes", lambda routes: len(routes) == 2)
        yield hosts
        for host in hosts:
            assert host.call("nearnet_bans") == []
            assert "Traceback" not in host.process.log()


def _without(peer: str) -> Callable[[list[dict[str, Any]]], bool]:
    return lambda peers: all(one["peer_id"] != peer for one in peers)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.threat(9, 69)
def test_a_machine_that_vanishes_and_comes_back(hosts: list[Host]) -> None:
    """No packet reaches it: its connections are half open on both sides, and each side lets go within a minute."""
    *others, lost = hosts
    lost.lan.cut(lost.number)
    assert lost.id in others[-1].neighbors(), "nothing tells of it but silence"
    for host in others:
        host.until("nearnet_peers", _without(lost.id), HALF_OPEN)
    lost.until("nearnet_peers", lambda peers: peers == [], HALF_OPEN)
    for host in others:
        host.until("nearnet_routes", lambda routes: lost.id not in routes, 8)
        assert [edge for edge in host.call("nearnet_edges") if edge["active"] and lost.id in _ends(edge)] == []
    lost.lan.heal(lost.number)
    for host in hosts:
        host.until("nearnet_routes", lambda routes: len(routes) == 2, 30)
    deadline = time.monotonic() + 5
    while not _nonces(hosts[0]) == _nonces(hosts[1]) == _nonces(hosts[2]):
        assert time.monotonic() < deadline, [_nonces(host) for host in hosts]
        time.sleep(0.1)


def _ends(edge: dict[str, Any]) -> tuple[str, str]:
    return edge["peer0"], edge["peer1"]


def _nonces(host: Host) -> dict[tuple[str, str], int]:
    return {_ends(edge): edge["nonce"] for edge in host.call("nearnet_edges")}


@pytest.mark.threat(27)
def test_a_flood_from_one_address_leaves_room_for_others(tmp_path: Path) -> None:
    """On addresses that are not loopback: the fifth pending of one is closed unread, another is let in at once."""
    why = why_not()
    if why is not None:
        pytest.skip(why)
    with Lan(3) as lan, NodeProcess(_home(tmp_path / "home", lan.address(1)), within=lan.command(1)):

        def dial() -> socket.socket:
            return socket.create_connection((lan.address(1), 24567), timeout=5)

        pending = [lan.within(lan.name(2), dial) for _ in range(4)]
        # The timeouts of these sockets are below the 20 s after which a pending connection is closed in any case.
        with lan.within(lan.name(2), dial) as fifth:
            assert fifth.recv(1) == b"", "closed"
        with lan.within(lan.name(3), dial) as other:
            other.settimeout(0.5)
            with pytest.raises(TimeoutError):
                other.recv(1)
        for one in pending:
            one.settimeout(0.1)
            with pytest.raises(TimeoutError):
                one.recv(1)
            one.close()
