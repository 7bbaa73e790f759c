"""One connection: bytes both ways, back-pressure, every way to end it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from real_nodes import quiet_config

from nearnet.net import transport as module
from nearnet.net.transport import (
    HIGH_WATER,
    READ_OF_LARGE,
    READ_UP_TO,
    PeerConnection,
    attach,
    prepare_socket,
    remote_end,
)
from nearnet.wire.framing import Framer, frame_prefix

MEGABYTE = bytes(2**20)


class Wire:
    """A connection under test, the other end as a blocking socket, and what was told."""

    def __init__(self, queue_bytes: int = 64 * 2**20) -> None:
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        self.theirs.settimeout(5)
        self.socket = ours
        self.received = b""
        self.lost: list[str] = []
        self.drained: list[int] = []
        self.changed = asyncio.Event()
        self.framer = Framer()
        self.reads: list[int] = []
        peer: Any = SimpleNamespace(outbox=SimpleNamespace(queue_bytes=queue_bytes), framer=self.framer)
        buffer = memoryview(bytearray(READ_OF_LARGE))
        self.connection = PeerConnection(peer, self._on_bytes, self._on_drained, self._on_lost, buffer)

    async def attach(self) -> None:
        await attach(self.connection, self.socket)

    def _on_bytes(self, connection: PeerConnection, data: bytes) -> None:
        self.received += data
        self.reads.append(len(data))
        self.framer.feed(data)
        self.changed.set()

    def _on_drained(self, connection: PeerConnection) -> None:
        self.drained.append(connection.unsent)
        self.changed.set()

    def _on_lost(self, connection: PeerConnection, why: str) -> None:
        self.lost.append(why)
        self.changed.set()

    async def end(self) -> None:
        """The transport closes its socket: nobody else may."""
        self.connection.abort()
        if self.connection._transport is None:
            self.socket.close()
        else:
            await self.connection.gone
        self.theirs.close()

    async def change(self) -> None:
        async with asyncio.timeout(5):
            await self.changed.wait()
        self.changed.clear()

    async def read(self, count: int) -> bytes:
        return await asyncio.to_thread(self._read, count)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count and (more := self.theirs.recv(count - len(data))):
            data += more
        return data


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    yield wire
    await wire.end()


async def test_bytes_both_ways(wire: Wire) -> None:
    await wire.attach()
    wire.theirs.sendall(b"hello")
    await wire.change()
    assert wire.received == b"hello"
    wire.connection.send([b"one"])
    wire.connection.send([b"two", b"three"])
    wire.connection.send([])
    assert await wire.read(11) == b"onetwothree"


async def test_what_is_sent_before_the_transport_is_there_waits_for_it(wire: Wire) -> None:
    assert wire.connection.send([b"early"]) == 5
    assert wire.connection.send([b"er"]) == wire.connection.unsent == 7
    await wire.attach()
    wire.connection.send([b"!"])
    assert await wire.read(8) == b"earlyer!"


@pytest.mark.threat(10)
async def test_a_slow_reader_is_told_to_the_core_and_so_is_its_end(wire: Wire) -> None:
    await wire.attach()
    assert wire.connection.send([MEGABYTE] * 8) > HIGH_WATER
    assert wire.drained == []
    assert len(await wire.read(8 * 2**20)) == 8 * 2**20
    while not wire.drained:
        await wire.change()
    assert wire.drained[0] <= HIGH_WATER


async def test_the_high_mark_stays_below_a_small_queue_limit() -> None:
    wire = Wire(queue_bytes=4000)
    await wire.attach()
    transport = wire.connection._transport
    assert transport is not None
    assert transport.get_write_buffer_limits() == (500, 1000)  # type: ignore[attr-defined]
    await wire.end()


async def test_a_paused_connection_is_not_read(wire: Wire) -> None:
    await wire.attach()
    wire.connection.pause()
    wire.theirs.sendall(b"hello")
    for _ in range(5):
        await asyncio.sleep(0)
    assert wire.received == b""
    wire.connection.resume()
    await wire.change()
    assert wire.received == b"hello"


async def test_close_sends_what_is_queued_first(wire: Wire) -> None:
    await wire.attach()
    wire.connection.send([MEGABYTE])
    wire.connection.close(flush=True)
    assert await wire.read(2**20 + 1) == MEGABYTE
    await wire.change()
    assert wire.lost == ["closed by the peer"]
    assert wire.connection.gone.done()


@pytest.mark.threat(10)
async def test_a_close_ends_though_the_peer_never_reads(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_GRACE", 0.05)
    await wire.attach()
    wire.connection.send([MEGABYTE] * 8)
    wire.connection.close(flush=True)
    async with asyncio.timeout(5):
        await wire.connection.gone


async def test_close_without_flush_ends_at_once(wire: Wire) -> None:
    await wire.attach()
    wire.connection.send([MEGABYTE] * 8)
    wire.connection.close(flush=False)
    await wire.change()
    assert len(wire.lost) == 1


async def test_close_before_the_transport_is_there(wire: Wire) -> None:
    wire.connection.send([b"refused"])
    wire.connection.close(flush=True)
    await wire.attach()
    assert await wire.read(100) == b"refused"
    await wire.change()


async def test_abort_before_the_transport_is_there(wire: Wire) -> None:
    wire.connection.send([b"never"])
    wire.connection.close(flush=False)
    await wire.attach()
    assert await wire.read(100) == b""


async def test_a_connection_that_ends_at_once_closes_its_descriptor_once(wire: Wire) -> None:
    number = wire.socket.fileno()
    wire.connection.close(flush=False)
    await wire.attach()
    await wire.connection.gone
    with socket.socket() as next_one:
        assert next_one.fileno() == number
        wire.socket.close()
        assert next_one.getsockname() == ("0.0.0.0", 0)


@pytest.mark.threat(72)
async def test_small_frames_are_read_in_small_pieces_and_large_ones_in_large_pieces(wire: Wire) -> None:
    await wire.attach()
    small = (frame_prefix(200) + bytes(200)) * 2000
    large = frame_prefix(len(MEGABYTE)) + MEGABYTE
    sender = asyncio.create_task(asyncio.to_thread(wire.theirs.sendall, small + large))
    at = 0
    while len(wire.received) < len(small) + len(large):
        await wire.change()
        while wire.framer.next_frame() is not None:
            pass
    await sender
    assert wire.received == small + large, "each read was taken before the next one"
    for size in wire.reads:
        assert size <= (READ_UP_TO if at + size < len(small) else READ_OF_LARGE)
        at += size


async def test_a_socket_that_cannot_be_attached(wire: Wire) -> None:
    wire.socket.close()
    await wire.attach()
    assert wire.lost == ["Bad file descriptor"]


async def test_nothing_is_told_after_the_end(wire: Wire) -> None:
    await wire.attach()
    wire.connection.close(flush=True)
    wire.connection.buffer_updated(4)
    wire.connection.resume_writing()
    wire.connection.pause()
    wire.connection.resume()
    assert (wire.received, wire.drained) == (b"", [])


async def test_the_peers_end_is_told(wire: Wire) -> None:
    await wire.attach()
    wire.theirs.close()
    await wire.change()
    assert wire.lost == ["closed by the peer"]


async def test_why_it_is_cut_is_told(wire: Wire) -> None:
    assert wire.connection.sock is None
    await wire.attach()
    assert wire.connection.sock is not None
    wire.connection.abort("no sign of life for 45 s")
    await wire.change()
    assert wire.lost == ["no sign of life for 45 s"]
    assert wire.connection.sock is None


async def test_errors_are_told_in_words(wire: Wire) -> None:
    wire.connection.connection_lost(ConnectionResetError(104, "x"))
    wire.connection.connection_lost(EOFError())
    assert wire.lost == ["Connection reset by peer", "EOFError"]


def test_options_of_a_socket() -> None:
    with socket.socket() as sock, socket.socket() as plain:
        prepare_socket(sock, quiet_config())
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert 0 < sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) < 60_000
        buffer = (socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert sock.getsockopt(*buffer) == plain.getsockopt(*buffer)
        prepare_socket(sock, quiet_config(network={"so_recv_buffer_size": 8192, "so_send_buffer_size": 8192}))
        assert sock.getsockopt(*buffer) == sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 16384


@pytest.mark.parametrize(
    ("name", "end"),
    [
        (("10.0.0.1", 5), ("10.0.0.1", 5)),
        (("::1", 5, 0, 0), ("::1", 5)),
        (("::ffff:10.0.0.1", 5, 0, 0), ("10.0.0.1", 5)),
        (("fe80::1%eth0", 5, 0, 2), ("fe80::1", 5)),
    ],
)
def test_remote_ends(name: Any, end: tuple[str, int]) -> None:
    assert remote_end(name) == end
