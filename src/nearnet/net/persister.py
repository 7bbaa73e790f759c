"""Rows on their way to the disk: at most one transaction a second, bans at once, and nothing lost on a full disk.

The core sees a row from the moment it asked for it to be stored (`store/write_behind.py`); a transaction runs on a
worker thread. When one fails it is tried again, later and later, with all that came meanwhile (`threats.md` row 64).
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from nearnet.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from nearnet.core.runtime.actions import Persist, Write
    from nearnet.store.base import Store
    from nearnet.store.write_behind import WriteBehind

__all__ = ["COMMIT_INTERVAL", "LONGEST_RETRY", "Persister"]

COMMIT_INTERVAL = 1.0
"""Least seconds between two transactions, unless the second is urgent."""

LONGEST_RETRY = 60.0
"""Most seconds until a failed transaction is tried again; the first wait is `COMMIT_INTERVAL`, each next one double."""

_log = logging.getLogger("nearnet.store")


class Persister:
    """Commits what the overlay holds. `on_stored(token)` follows a transaction; `on_degraded(why | None)` a change."""

    def __init__(
        self,
        store: Store,
        overlay: WriteBehind,
        executor: Executor,
        on_stored: Callable[[list[int]], None],
        on_degraded: Callable[[str | None], None],
    ) -> None:
        self._store = store
        self._overlay = overlay
        self._executor = executor
        self._on_stored = on_stored
        self._on_degraded = on_degraded
        self._loop = asyncio.get_running_loop()
        self._tokens: list[int] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._urgent = False
        self._last_commit = -COMMIT_INTERVAL
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._commit: asyncio.Task[None] | None = None
        self._retry_after = 0.0
        self.degraded: str | None = None
        """Why the last transaction failed; None while all is well."""

    def add(self, persist: Persist) -> None:
        """Store these rows, soon."""
        self._overlay.put(persist.writes)
        if persist.token is not None:
            self._tokens.append(persist.token)
        self._urgent |= persist.urgent
        self._arm()

    async def settled(self) -> None:
        """Until all that was added before is on the disk, or an attempt has failed and `degraded` says why."""
        if self.degraded is not None:
            return
        done = self._loop.create_future()
        self._waiting.append(done)
        self._urgent = True
        self._arm()
        await done

    def _arm(self) -> None:
        if self._commit is not None:
            return
        wait = self._retry_after or (0.0 if self._urgent else COMMIT_INTERVAL)
        delay = max(0.0, self._last_commit + wait - time.monotonic())
        due = time.monotonic() + delay
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._loop.call_later(delay, self._start)

    def _start(self) -> None:
        self._timer = None
        self._commit = self._loop.create_task(self._commit_all())

    async def _commit_all(self) -> None:
        batch = self._overlay.take_batch()
        tokens, self._tokens = self._tokens, []
        waiting, self._waiting = self._waiting, []
        self._urgent = False
        try:
            await self._loop.run_in_executor(self._executor, self._store.commit, batch)
        except (StoreError, OSError) as error:
            self._failed(batch, tokens, error)
        else:
            self._committed(batch, tokens)
        finally:
            self._last_commit = time.monotonic()
            self._commit = None
            _wake(waiting)
        if not self._overlay.is_idle or self._tokens or self._waiting:
            self._arm()

    def _failed(self, batch: tuple[Write, ...], tokens: list[int], error: Exception) -> None:
        self._overlay.failed(batch)
        self._tokens = tokens + self._tokens
        self._retry_after = min(max(COMMIT_INTERVAL, 2 * self._retry_after), LONGEST_RETRY)
        _log.warning("! storage: %s; %d rows wait, next try in %g s", error, len(batch), self._retry_after)
        if self.degraded is None:
            self._on_degraded(str(error))
        self.degraded = str(error)

    def _committed(self, batch: tuple[Write, ...], tokens: list[int]) -> None:
        self._overlay.committed(batch)
        self._retry_after = 0.0
        if self.degraded is not None:
            self.degraded = None
            _log.info("= storage works again")
            self._on_degraded(None)
        if tokens:
            self._on_stored(tokens)

    async def close(self, timeout: float) -> None:
        """The last transaction, within so many seconds; a word in the log when it did not happen."""
        if self._timer is not None:
            self._timer.cancel()
        try:
            async with asyncio.timeout(timeout):
                if self._commit is not None:
                    await asyncio.shield(self._commit)
                if not self._overlay.is_idle:
                    await self._commit_all()
        except TimeoutError:
            _log.error("! storage: %d rows were not written, the disk did not answer", self._overlay.pending_count)
        _wake(self._waiting)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _wake(waiting: list[asyncio.Future[None]]) -> None:
    for one in waiting:
        if not one.done():
            one.set_result(None)
