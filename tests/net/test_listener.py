"""Accepting: addresses, busy ports, and what happens when the descriptors run out."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
from collections.abc import Iterator

import pytest

from nearnet.errors import AlreadyRunning, ConfigError
from nearnet.net import listener as module
from nearnet.net.descriptors import RESERVED, spare_descriptors
from nearnet.net.listener import Listener
from nearnet.wire.messages import SocketAddress

ANY_PORT = SocketAddress("127.0.0.1", 0)


class Accepted:
    """The sockets that a listener gave."""

    def __init__(self) -> None:
        self.sockets: asyncio.Queue[tuple[socket.socket, SocketAddress]] = asyncio.Queue()

    def __call__(self, sock: socket.socket, address: SocketAddress) -> None:
        self.sockets.put_nowait((sock, address))

    async def next(self) -> SocketAddress:
        async with asyncio.timeout(5):
            sock, address = await self.sockets.get()
        sock.close()
        return address


@pytest.fixture
def few_descriptors() -> Iterator[None]:
    """No descriptor is left beyond those that are reserved."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as highest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest.fileno() + RESERVED + 1, before[1]))
        yield
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def connect(listener: Listener) -> socket.socket:
    return socket.create_connection((listener.address.ip, listener.address.port), timeout=5)


async def test_each_connection_is_given_with_its_address() -> None:
    accepted = Accepted()
    listener = Listener(ANY_PORT, accepted)
    listener.start()
    with connect(listener) as one, connect(listener) as two:
        told = [await accepted.next(), await accepted.next()]
        assert told == [SocketAddress(*sock.getsockname()) for sock in (one, two)]
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        connect(listener)


async def test_nothing_is_accepted_before_the_start() -> None:
    accepted = Accepted()
    listener = Listener(ANY_PORT, accepted)
    with connect(listener):
        await asyncio.sleep(0.01)
        assert accepted.sockets.empty()
        listener.start()
        await accepted.next()
    listener.close()


async def test_wrong_addresses_are_told_in_words() -> None:
    listener = Listener(ANY_PORT, Accepted())
    listener.start()
    with pytest.raises(AlreadyRunning, match="in use by another process"):
        Listener(listener.address, Accepted())
    with pytest.raises(ConfigError, match=r"cannot listen at 192\.0\.2\.1:1"):
        Listener(SocketAddress("192.0.2.1", 1), Accepted())
    listener.close()


async def test_a_family_that_the_machine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", without)
        with pytest.raises(ConfigError, match="no such addresses"):
            Listener(SocketAddress("::1", 0), Accepted())


@pytest.mark.threat(30)
async def test_reserved_descriptors_are_not_given_to_peers(few_descriptors: None) -> None:
    with socket.socket() as sock:
        assert spare_descriptors(sock) < 0


def test_without_a_limit_there_is_always_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with socket.socket() as sock:
        assert spare_descriptors(sock) > 0


@pytest.mark.threat(30)
async def test_accepting_rests_while_descriptors_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ACCEPT_PAUSE", 0.05)
    accepted, spare = Accepted(), [-1, -1, 5]
    monkeypatch.setattr(module, "spare_descriptors", lambda _: spare.pop(0))
    listener = Listener(ANY_PORT, accepted)
    listener.start()
    with connect(listener) as one, connect(listener) as two, connect(listener) as three:
        address = await accepted.next()
        assert address == SocketAddress(*three.getsockname())
        assert listener.pauses == 2
        assert one.recv(1) == two.recv(1) == b""
    listener.close()


class Failing:
    """A listening socket whose accept fails, each time otherwise."""

    def __init__(self, real: socket.socket, errors: list[OSError]) -> None:
        self.fileno, self.close = real.fileno, real.close
        self._real, self._errors = real, errors

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if self._errors:
            raise self._errors.pop(0)
        return self._real.accept()


@pytest.mark.threat(30)
async def test_errors_of_accept_neither_spin_nor_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ACCEPT_PAUSE", 0.02)
    accepted = Accepted()
    listener = Listener(ANY_PORT, accepted)
    errors = [
        OSError(errno.EMFILE, "Too many open files"),
        ConnectionAbortedError(),
        InterruptedError(),
        OSError(errno.EPERM, "a firewall"),
    ]
    listener._socket = Failing(listener._socket, errors)  # type: ignore[assignment]
    listener.start()
    with connect(listener):
        await accepted.next()
    assert listener.pauses == 2
    listener.close()


async def test_closing_while_it_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "spare_descriptors", lambda _: -1)
    listener = Listener(ANY_PORT, Accepted())
    listener.start()
    with connect(listener) as one:
        one.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(one, 1) == b""
    listener.close()
    assert listener._resume is not None
    assert listener._resume.cancelled()
