"""A node's disk: it outlives the node, answers late, fills up, and loses what a crash finds under way.

`Disk` is the database file, `Writer` the part of the shell that commits to it: at most one transaction a second, bans
at once, what failed again later (as `net/persister.py` does on a real machine).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.errors import StoreError
from nearnet.store.memory import MemoryStore
from nearnet.store.write_behind import WriteBehind

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from nearnet.core.runtime.actions import Persist, Write

__all__ = ["Disk", "Writer"]

_INTERVAL = 1.0
_LONGEST_RETRY = 60.0
_UNSAFE = 0.5
"""Of a transaction that a crash finds under way: how often none of it is there afterwards."""


class Disk:
    """Committed rows. `latency` seconds pass until a transaction is told to be there."""

    def __init__(self, latency: tuple[float, float] = (0.0, 0.0)) -> None:
        self.rows = MemoryStore()
        self.latency = latency
        self.full = False
        """Whether every transaction fails from now on."""
        self.commits = 0
        """Transactions that are there."""
        self._under_way: tuple[Write, ...] | None = None

    def wipe(self) -> None:
        """Lose everything, as when the database file is deleted while the node is down."""
        self.rows = MemoryStore()
        self.full = False
        self.commits = 0
        self._under_way = None

    def delay(self, rng: random.Random) -> float:
        """How long the next transaction takes."""
        low, high = self.latency
        return low if low == high else rng.uniform(low, high)

    def begin(self, writes: tuple[Write, ...]) -> None:
        """A transaction is being written; `end` or `crash` follows."""
        self._under_way = writes

    def end(self) -> None:
        """It is there; `StoreError`, and none of it, when the disk is full."""
        writes, self._under_way = self._under_way, None
        if self.full:
            raise StoreError("the disk is full")
        self.rows.commit(writes or ())
        self.commits += 1

    def crash(self, rng: random.Random) -> None:
        """The process is killed: a transaction under way is there as a whole, or not at all (`threats.md` row 65)."""
        writes, self._under_way = self._under_way, None
        if writes and not self.full and rng.random() >= _UNSAFE:
            self.rows.commit(writes)
            self.commits += 1


class Writer:
    """Carries out `Persist`s for one run of a node."""

    def __init__(
        self,
        disk: Disk,
        rng: random.Random,
        later: Callable[[float, Callable[[], None]], None],
        stored: Callable[[list[int]], None],
    ) -> None:
        """`later(seconds, call)` arms a call, `stored(tokens)` follows a transaction."""
        self._disk = disk
        self._rng = rng
        self._later = later
        self._stored = stored
        self.overlay = WriteBehind(disk.rows)
        self._batch: tuple[Write, ...] = ()
        self._tokens: list[int] = []
        self._armed: object | None = None
        self._urgent = False
        self._busy = False
        self._retry = 0.0
        self.degraded = False
        """Whether the last transaction failed."""
        self.stopped = False

    def add(self, persist: Persist) -> None:
        """Store these rows, soon."""
        self.overlay.put(persist.writes)
        if persist.token is not None:
            self._tokens.append(persist.token)
        if persist.urgent and not self._urgent:
            self._urgent, self._armed = True, None
        self._arm()

    def _arm(self) -> None:
        if self._busy or self._armed is not None:
            return
        wait = self._retry or (0.0 if self._urgent else _INTERVAL)
        token = self._armed = object()
        self._later(wait, lambda: self._begin() if self._armed is token else None)

    def _begin(self) -> None:
        self._armed = None
        if self.stopped or self._busy:
            return
        self._urgent = False
        self._busy = True
        batch = self._batch = self.overlay.take_batch()
        tokens, self._tokens = self._tokens, []
        self._disk.begin(batch)
        delay = self._disk.delay(self._rng)
        if delay:
            self._later(delay, lambda: self._end(batch, tokens))
        else:
            self._end(batch, tokens)

    def _end(self, batch: tuple[Write, ...], tokens: list[int]) -> None:
        if self.stopped:
            return
        self._busy = False
        try:
            self._disk.end()
        except StoreError:
            self.overlay.failed(batch)
            self._tokens = tokens + self._tokens
            self._retry = min(max(_INTERVAL, 2 * self._retry), _LONGEST_RETRY)
            self.degraded = True
        else:
            self.overlay.committed(batch)
            self._retry = 0.0
            self.degraded = False
            if tokens:
                self._stored(tokens)
        if not self.overlay.is_idle or self._tokens:
            self._arm()

    def close(self) -> None:
        """A clean stop: the last transaction, unless the disk is full."""
        self.stopped = True
        if self._disk.full:
            return
        if self._busy:
            self._disk.end()
            self.overlay.committed(self._batch)
        if not self.overlay.is_idle:
            self._disk.begin(self.overlay.take_batch())
            self._disk.end()

    def crash(self) -> None:
        """The process is gone: nothing more is written."""
        self.stopped = True
        self._disk.crash(self._rng)
