"""Dials: addresses and names, every way to fail, nobody waits for anybody."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from real_nodes import quiet_config

from nearnet.core.runtime.actions import Dial
from nearnet.keys import SecretKey
from nearnet.net import tcp_dialer as module
from nearnet.net.tcp_dialer import TcpDialer
from nearnet.wire.messages import PeerInfo, SocketAddress

PEER = SecretKey.from_seed("peer").public_key
BLACK_HOLE = SocketAddress("192.0.2.1", 9)


def dial(address: SocketAddress | None, host: str | None = None, timeout: float = 1.0) -> Dial:
    return Dial(1, PeerInfo(PEER, address), "borsh", timeout, host)


class Outcomes:
    """What came of each dial: the remote end, or why it failed."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[object] = asyncio.Queue()
        self.dialing = TcpDialer(quiet_config(), self._on_socket, self._on_failure)

    async def _on_socket(self, dial: Dial, sock: socket.socket) -> None:
        self.told.put_nowait(SocketAddress(*sock.getpeername()[:2]))
        sock.close()

    def _on_failure(self, dial: Dial, why: str) -> None:
        self.told.put_nowait(why)

    async def of(self, dial: Dial) -> object:
        self.dialing.open(dial)
        async with asyncio.timeout(10):
            return await self.told.get()


@pytest.fixture
async def outcomes() -> AsyncIterator[Outcomes]:
    outcomes = Outcomes()
    yield outcomes
    outcomes.dialing.close()


@pytest.fixture
async def listening() -> AsyncIterator[SocketAddress]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield SocketAddress(*server.getsockname())


async def test_an_address(outcomes: Outcomes, listening: SocketAddress) -> None:
    assert await outcomes.of(dial(listening)) == listening


async def test_a_name(outcomes: Outcomes, listening: SocketAddress) -> None:
    assert await outcomes.of(dial(None, host=f"localhost:{listening.port}")) == listening


async def test_the_next_address_of_a_name_is_tried(
    outcomes: Outcomes, listening: SocketAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(0, 0, 0, "", ("::1", listening.port, 0, 0)), (0, 0, 0, "", (listening.ip, listening.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert await outcomes.of(dial(None, host="two.example:1")) == listening


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name not known"), "the host name does not resolve: Name not known"),
        (UnicodeError("label too long"), "is no host name"),
    ],
)
async def test_a_name_that_does_not_resolve(
    outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert words in str(await outcomes.of(dial(None, host="nowhere.example:1")))


async def test_a_name_server_that_does_not_answer_is_left_alone(
    outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer.wait(5) and [])
    monkeypatch.setattr(module, "RESOLVE_TIMEOUT", 0.02)
    assert await outcomes.of(dial(None, host="slow.example:1")) == "the host name did not resolve within 0.02 s"
    answer.set()
    await asyncio.sleep(0.01)


async def test_a_name_without_addresses(outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    assert await outcomes.of(dial(None, host="empty.example:1")) == "the host name has no address"


async def test_nobody_listens_there(outcomes: Outcomes) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert await outcomes.of(dial(SocketAddress(*unused.getsockname()))) == "Connection refused"


@pytest.mark.threat(30)
async def test_no_descriptors_are_left(outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "spare_descriptors", lambda _: -1)
    assert "too many open files" in str(await outcomes.of(dial(SocketAddress("127.0.0.1", 1))))


@pytest.mark.threat(29)
async def test_dead_addresses_hold_nobody_up(
    outcomes: Outcomes, listening: SocketAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(sock: socket.socket, address: Any) -> None:
        if address[0] == BLACK_HOLE.ip:
            await asyncio.get_running_loop().create_future()
        else:
            sock.setblocking(True)
            sock.connect(address)
            sock.setblocking(False)

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never, raising=False)
    for _ in range(8):
        outcomes.dialing.open(dial(BLACK_HOLE, timeout=3600.0))
    assert await outcomes.of(dial(listening)) == listening, "the first outcome, while eight dials wait for an hour"
    assert outcomes.told.empty()
    assert await outcomes.of(dial(BLACK_HOLE, timeout=0.1)) == "no answer within 0.1 s"


async def test_close_forgets_all_dials(outcomes: Outcomes, listening: SocketAddress) -> None:
    outcomes.dialing.open(dial(listening))
    outcomes.dialing.close()
    await asyncio.sleep(0.02)
    assert outcomes.told.empty()
