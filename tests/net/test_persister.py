"""Transactions: how often, in which order, and what a failing disk does to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from nearnet.core.runtime.actions import Persist, Write
from nearnet.errors import StoreError
from nearnet.net import persister as module
from nearnet.net.persister import Persister
from nearnet.store.base import PEERS
from nearnet.store.memory import MemoryStore
from nearnet.store.write_behind import WriteBehind


class Disk(MemoryStore):
    """Counts transactions; `full` says why the next ones fail."""

    def __init__(self) -> None:
        super().__init__()
        self.full: Exception | None = None
        self.commits: list[int] = []

    def commit(self, writes: Sequence[Write]) -> None:
        if self.full is not None:
            raise self.full
        self.commits.append(len(writes))
        super().commit(writes)


class Setting:
    """A persister, its disk, and what it told."""

    def __init__(self) -> None:
        self.disk = Disk()
        self.overlay = WriteBehind(self.disk)
        self.executor = ThreadPoolExecutor(1)
        self.stored: list[int] = []
        self.degraded: list[str | None] = []
        self.changed = asyncio.Event()
        self.persister = Persister(self.disk, self.overlay, self.executor, self.on_stored, self.on_degraded)

    def on_stored(self, tokens: list[int]) -> None:
        self.stored += tokens
        self.changed.set()

    def on_degraded(self, why: str | None) -> None:
        self.degraded.append(why)
        self.changed.set()

    async def next_change(self) -> None:
        async with asyncio.timeout(5):
            await self.changed.wait()
        self.changed.clear()


def rows(*names: str) -> tuple[Write, ...]:
    return tuple(Write(PEERS, name.encode(), b"row") for name in names)


@pytest.fixture
async def setting(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Setting]:
    monkeypatch.setattr(module, "COMMIT_INTERVAL", 0.02)
    setting = Setting()
    yield setting
    setting.executor.shutdown()


async def test_rows_are_seen_at_once_and_stored_together(setting: Setting) -> None:
    setting.persister.add(Persist(rows("a")))
    setting.persister.add(Persist(rows("b", "c"), token=1))
    assert setting.overlay.get(PEERS, b"a") == b"row"
    assert setting.disk.get(PEERS, b"a") is None
    await setting.next_change()
    assert (setting.disk.commits, setting.stored) == ([3], [1])
    assert setting.disk.get(PEERS, b"c") == b"row"


async def test_an_urgent_row_takes_what_waits_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMIT_INTERVAL", 1000.0)
    setting = Setting()
    setting.persister.add(Persist(rows("first"), token=1))
    await setting.next_change()
    setting.persister.add(Persist(rows("a")))
    setting.persister.add(Persist(rows("ban"), urgent=True, token=2))
    await setting.next_change()
    assert (setting.disk.commits, setting.stored) == ([1, 2], [1, 2])
    setting.executor.shutdown()


async def test_an_urgent_row_during_a_transaction_follows_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMIT_INTERVAL", 1000.0)
    setting = Setting()
    setting.persister.add(Persist(rows("first"), token=1))
    while setting.persister._commit is None:
        await asyncio.sleep(0)
    setting.persister.add(Persist(rows("ban"), urgent=True, token=2))
    await setting.next_change()
    if setting.stored == [1]:
        await setting.next_change()
    assert setting.stored == [1, 2]
    setting.executor.shutdown()


@pytest.mark.threat(64)
@pytest.mark.parametrize("error", [StoreError("the disk is full"), OSError("the disk is full")])
async def test_a_full_disk_loses_nothing(setting: Setting, error: Exception) -> None:
    setting.disk.full = error
    setting.persister.add(Persist(rows("a"), token=1))
    await setting.next_change()
    assert setting.degraded == ["the disk is full"]
    assert setting.persister.degraded == "the disk is full"
    setting.persister.add(Persist(rows("b"), urgent=True, token=2))
    assert setting.overlay.get(PEERS, b"a") == setting.overlay.get(PEERS, b"b") == b"row"
    assert setting.stored == []
    setting.disk.full = None
    while not setting.stored:
        await setting.next_change()
    assert setting.degraded == ["the disk is full", None]
    assert (setting.stored, setting.disk.commits) == ([1, 2], [2])


async def test_failures_are_further_and_further_apart(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_RETRY", 0.05)
    setting.disk.full = StoreError("the disk is full")
    setting.persister.add(Persist(rows("a")))
    waits: list[float] = []
    async with asyncio.timeout(5):
        while len(waits) < 3:
            await asyncio.sleep(0.001)
            wait = setting.persister._retry_after
            if wait and wait not in waits:
                waits.append(wait)
    assert waits == [0.02, 0.04, 0.05]
    await setting.persister.close(1.0)


async def test_closing_stores_what_waits(setting: Setting) -> None:
    setting.persister.add(Persist(rows("a"), token=1))
    await setting.next_change()
    setting.persister.add(Persist(rows("b")))
    await setting.persister.close(1.0)
    assert setting.disk.get(PEERS, b"b") == b"row"
    await setting.persister.close(1.0)
    assert setting.disk.commits == [1, 1]


async def test_closing_does_not_wait_for_a_dead_disk(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    hold = asyncio.get_running_loop().create_future()
    blocked = setting.executor.submit(lambda: asyncio.run_coroutine_threadsafe(_wait(hold), hold.get_loop()).result())
    setting.persister.add(Persist(rows("a")))
    await setting.persister.close(0.05)
    assert "1 rows were not written" in caplog.text
    hold.set_result(None)
    await asyncio.wrap_future(blocked)


async def _wait(future: asyncio.Future[None]) -> None:
    await future


@pytest.mark.threat(65)
async def test_who_waits_is_told_when_it_is_on_the_disk(setting: Setting) -> None:
    setting.persister.add(Persist(rows("a")))
    first = asyncio.ensure_future(setting.persister.settled())
    await asyncio.sleep(0)
    setting.persister.add(Persist(rows("b")))
    await asyncio.gather(first, setting.persister.settled())
    assert setting.disk.get(PEERS, b"a") == setting.disk.get(PEERS, b"b") == b"row"
    await setting.persister.settled()  # Nothing is pending: it ends as well.
    setting.disk.full = OSError("no space left on device")
    setting.persister.add(Persist(rows("c")))
    await setting.persister.settled()
    assert setting.persister.degraded is not None
    await setting.persister.settled()
    last = asyncio.ensure_future(setting.persister.settled())
    await setting.persister.close(0.1)
    await last
