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
from nearnet.net.half_open import LOOK_EVERY, SILENCE, HalfOpen, unanswered
from nearnet.net.transport import KEEP_ALIVE


class Told:
    """A socket of which the kernel says this, in the layout of Linux's `struct tcp_info`."""

    def __init__(self, probes: int = 0, waiting: int = 0, since_data: int = 0, since_acknowledged: int = 0) -> None:
        self.info = bytearray(104)
        self.info[3] = probes
        struct.pack_into("=I", self.info, 24, waiting)
        struct.pack_into("=II", self.info, 52, since_data, since_acknowledged)

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option) == (socket.IPPROTO_TCP, socket.TCP_INFO)
        return bytes(self.info[:size])


def silence(sock: Any) -> float:
    return unanswered(sock)


@pytest.mark.threat(9)
@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (Told(waiting=3, since_data=50_000, since_acknowledged=46_000), 46),
        (Told(probes=1, since_data=45_500, since_acknowledged=90_000), 45.5),
        (Told(since_data=90_000, since_acknowledged=90_000), 0),
        (Told(probes=2, since_data=600_000, since_acknowledged=10), 0.01),
        (Told(waiting=9, since_data=10, since_acknowledged=50_000), 0.01),
    ],
    ids=["unacknowledged", "probed in vain", "nothing awaited", "a reader that stands still", "data comes"],
)
def test_how_long_a_sign_of_life_is_awaited(told: Told, seconds: float) -> None:
    assert silence(told) == pytest.approx(seconds)


def test_a_system_that_cannot_say() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert silence(ours) == 0
    assert silence(ours) == 0, "closed"


@pytest.mark.skipif(sys.platform != "linux", reason="the layout of Linux's tcp_info")
def test_the_layout_is_the_kernels() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        info = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        assert len(info) >= half_open._TCP_INFO.size
        assert silence(ours) == 0


def test_within_a_minute() -> None:
    idle = dict(KEEP_ALIVE)["TCP_KEEPIDLE"]
    assert idle + 10 < SILENCE, "an idle connection has been asked, and had time to answer"
    assert SILENCE + LOOK_EVERY < 60


async def test_what_is_silent_is_cut_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_open, "LOOK_EVERY", 0.001)
    cut: list[tuple[str, str]] = []
    done = asyncio.Event()

    def connection(name: str, sock: Told | None) -> Any:
        def abort(why: str) -> None:
            cut.append((name, why))
            done.set()

        return SimpleNamespace(sock=sock, abort=abort)

    connections: dict[Any, Any] = {
        "early": connection("early", None),
        "good": connection("good", Told(waiting=1)),
        "gone": connection("gone", Told(waiting=1, since_data=45_000, since_acknowledged=45_000)),
    }
    watch = HalfOpen(connections, asyncio.get_running_loop())
    async with asyncio.timeout(5):
        await done.wait()
        del connections["gone"]
        done.clear()
        connections["later"] = connection("later", Told(probes=1, since_data=99_000, since_acknowledged=99_000))
        await done.wait()
    watch.stop()
    assert {name for name, _ in cut} == {"gone", "later"}
    assert cut[0] == ("gone", "no sign of life for 45 s")
