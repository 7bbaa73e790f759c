"""A connection whose other end gives no sign of life though one is awaited is cut (`threats.md` row 9).

On packets that really vanish: `tests/crash/test_partitions.py`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from nearnet.net import half_open
from nearnet.net.half_open import LOOK_EVERY, SILENCE, HalfOpen, Signs, signs_of_life
from nearnet.net.transport import KEEP_ALIVE


class Told:
    """A socket of which the kernel says this, in the layout of Linux's `struct tcp_info`."""

    def __init__(
        self,
        probes: int = 0,
        under_way: int = 0,
        since_data: int = 0,
        since_acknowledged: int = 0,
        acknowledged: int = 0,
    ) -> None:
        self.info = bytearray(232)
        self.info[3] = probes
        struct.pack_into("=I", self.info, 24, under_way)
        struct.pack_into("=II", self.info, 52, since_data, since_acknowledged)
        struct.pack_into("=Q", self.info, 120, acknowledged)
        self.options: list[tuple[int, bytes]] = []

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option) == (socket.IPPROTO_TCP, socket.TCP_INFO)
        return bytes(self.info[:size])

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        assert level == socket.SOL_SOCKET
        self.options.append((option, value))


def signs(sock: Any) -> Signs:
    return signs_of_life(sock)


@pytest.mark.threat(9)
@pytest.mark.parametrize(
    ("told", "silent", "acknowledged"),
    [
        (Told(under_way=3, since_data=50_000, since_acknowledged=46_000, acknowledged=7), 46, 7),
        (Told(probes=1, since_data=45_500, since_acknowledged=90_000, acknowledged=7), 45.5, None),
        (Told(since_data=90_000, since_acknowledged=90_000), 0, None),
        (Told(probes=2, since_data=600_000, since_acknowledged=10), 0.01, None),
        (Told(under_way=9, since_data=10, since_acknowledged=50_000, acknowledged=2**40), 0.01, 2**40),
    ],
    ids=["unacknowledged", "probed in vain", "nothing awaited", "a reader that stands still", "data comes"],
)
def test_what_the_kernel_tells(told: Told, silent: float, acknowledged: int | None) -> None:
    assert signs(told) == (pytest.approx(silent), acknowledged)


def test_a_system_that_cannot_say() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert signs(ours) == Signs()
    assert signs(ours) == Signs(), "closed"


@pytest.mark.skipif(sys.platform != "linux", reason="the layout of Linux's tcp_info")
def test_the_layout_is_the_kernels() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        theirs, _ = server.accept()
        with theirs:
            ours.sendall(bytes(1000))
            assert len(theirs.recv(1000, socket.MSG_WAITALL)) == 1000
            info = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            probes, under_way, *_, acknowledged = half_open._TCP_INFO.unpack(info[: half_open._TCP_INFO.size])
            assert (probes, under_way) == (0, 0)
            assert acknowledged in (1000, 1001), "the handshake's own counts on some kernels"
            assert signs(ours) == Signs()


def test_within_a_minute() -> None:
    idle = dict(KEEP_ALIVE)["TCP_KEEPIDLE"]
    assert idle + 10 < SILENCE, "an idle connection has been asked, and had time to answer"
    assert LOOK_EVERY + SILENCE + LOOK_EVERY < 60


class Connection:
    """As much of a `PeerConnection` as is looked at."""

    def __init__(self, sock: Told | None, abort: Any) -> None:
        self.sock = sock
        self.abort = abort


class Watched:
    """A `HalfOpen` that looks all the time, on a clock that a test moves, and what it cuts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(half_open, "LOOK_EVERY", 0.0)
        self.time = 1000.0
        self.cut: dict[str, str] = {}
        self.connections: dict[Any, Any] = {}
        self._real = asyncio.get_running_loop()
        self._looks = 0
        loop: Any = SimpleNamespace(time=lambda: self.time, call_later=self._call_later)
        self.watch = HalfOpen(self.connections, loop)

    def _call_later(self, delay: float, call: Any) -> asyncio.TimerHandle:
        self._looks += 1
        return self._real.call_later(delay, call)

    def add(self, name: str, sock: Told | None) -> None:
        self.connections[name] = Connection(sock, lambda why: self._abort(name, why))

    def _abort(self, name: str, why: str) -> None:
        self.cut[name] = why
        del self.connections[name]

    async def look(self) -> None:
        seen = self._looks
        async with asyncio.timeout(5):
            while self._looks < seen + 2:
                await asyncio.sleep(0)


async def test_what_is_silent_is_cut_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    gone = Told(under_way=1, since_data=45_000, since_acknowledged=45_000)
    watched.add("early", None)
    watched.add("good", Told(under_way=1))
    watched.add("gone", gone)
    await watched.look()
    assert watched.cut == {"gone": "no sign of life for 45 s"}
    assert gone.options == [(socket.SO_LINGER, struct.pack("ii", 1, 0))]
    watched.add("later", Told(probes=1, since_data=99_000, since_acknowledged=99_000))
    await watched.look()
    assert watched.cut.keys() == {"gone", "later"}
    watched.watch.stop()


@pytest.mark.threat(9)
async def test_what_comes_from_there_is_no_sign_that_anything_of_ours_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    slow, deaf = Told(under_way=5, acknowledged=100), Told(under_way=5, acknowledged=100)
    watched.add("slow", slow)
    watched.add("deaf", deaf)
    for _ in range(2):
        await watched.look()
        watched.time += SILENCE - 1
        struct.pack_into("=Q", slow.info, 120, int(watched.time))
        if not watched.cut:
            await watched.look()
        watched.time += 1
    await watched.look()
    assert watched.cut.keys() == {"deaf"}
    struct.pack_into("=I", slow.info, 24, 0)
    await watched.look()
    watched.time += 10 * SILENCE
    await watched.look()
    assert watched.cut.keys() == {"deaf"}, "nothing is under way to it any more"
    watched.watch.stop()
