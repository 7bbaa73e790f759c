"""The EdgeValidatorActor (document §8.4): signatures are checked on threads of its own, so that the loop never waits.

libsodium releases the interpreter's lock, so as many cores work as there are threads; where numba is installed and
there is much to do, it does so once for many signatures. Requests are cut into pieces. Those of more than one are
answered in their order; those of one take turns with them: a table of 100 000 edges does not hold up a single edge.

The signatures of small routed messages cannot wait for an answer: the loop checks them itself, and a thread that has
nothing else to do takes a part of them (`check_now`). A large message is hashed here, and goes before edges
(`check_message`).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import deque
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from nearnet.core.routing_table.edge import Verdict, run_checks
from nearnet.keys import check_signatures
from nearnet.net.verifiers import check_many_at_once

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from nearnet.core.routing_table.edge import EdgeCheck
    from nearnet.core.runtime.actions import CheckMessage, Verify

__all__ = ["BUSY_FROM", "LARGE_PIECE", "LONG_RUN", "NICENESS", "PIECE", "SHARE_FROM", "EdgeValidator"]

PIECE = 64
"""Edges checked in one go, about 5 ms of work: a piece is what a later request waits for, per thread."""

LARGE_PIECE = 192
"""The same, about 15 ms, while many edges wait, as of a large table: each piece costs a turn of the loop and two of the
lock."""

SHARE_FROM = 16
"""Signatures from which `check_now` wakes a thread: it is awake after some 100 µs, two checks' time."""

_SMALLEST_SHARE = 4
"""Signatures of the last pieces of those that the loop waits for: it waits at most 0.3 ms for another thread's."""

BUSY_FROM = 1000
"""Edges that wait, from which on pieces are large, and many signatures are checked at once
(`verifiers.check_many_at_once`)."""

LONG_RUN = 64
"""Messages of one run likewise."""

NICENESS = 5
"""How much these threads stand back for the loop where both want a core: who waits for the loop are all peers."""

_log = logging.getLogger("nearnet.edges")


class _Shared:
    """Signatures that the loop waits for, in pieces: whoever is free takes the next one."""

    __slots__ = ("_left", "_outcomes", "_rows", "helper")

    def __init__(self, rows: Sequence[bytes]) -> None:
        self._rows = rows
        self._left = deque(_shares(len(rows)))
        self._outcomes: dict[int, list[str]] = {}
        self.helper = threading.Lock()
        """Held by the thread that helps."""

    def work(self) -> None:
        while self._left:
            try:
                start, end = self._left.popleft()  # in one step, whatever other threads do
            except IndexError:
                return
            self._outcomes[start] = check_signatures(self._rows[start:end])

    def outcomes(self) -> list[str]:
        """Of all, once nobody works on it any more; what a fault left out counts as refused by our rule alone."""
        every = ["strict"] * len(self._rows)
        for start, outcomes in self._outcomes.items():
            every[start : start + len(outcomes)] = outcomes
        return every


@lru_cache(512)
def _shares(count: int) -> tuple[tuple[int, int], ...]:
    """Pieces of so many, each a quarter of what is left: few, and none that another thread would long be busy with."""
    shares, start = [], 0
    while start < count:
        end = min(count, start + max(_SMALLEST_SHARE, (count - start) // 4))
        shares.append((start, end))
        start = end
    return tuple(shares)


class _Job:
    """One request on its way: where the next piece starts, and what came of those before."""

    __slots__ = ("checks", "cut", "id", "next", "outcomes", "running")

    def __init__(self, request: Verify) -> None:
        self.id = request.id
        self.checks: tuple[EdgeCheck, ...] = request.checks
        self.next = 0
        self.running = 0
        self.cut = len(self.checks)
        """Where the first piece with a forgery starts, as far as is known: nothing after it matters."""
        self.outcomes: dict[int, tuple[str, ...]] = {}

    @property
    def all_taken(self) -> bool:
        return self.next >= self.cut

    def verdict(self) -> Verdict:
        pieces = (self.outcomes[start] for start in sorted(self.outcomes) if start <= self.cut)
        return Verdict(self.id, tuple(outcome for piece in pieces for outcome in piece))


class EdgeValidator:
    """Requests in from the loop, answers back to it: `answer` and `checked` are called on the loop, once for each."""

    def __init__(
        self,
        threads: int,
        loop: asyncio.AbstractEventLoop,
        answer: Callable[[list[Verdict]], None],
        checked: Callable[[CheckMessage, str], None],
    ) -> None:
        self._loop = loop
        self._answer = answer
        self._checked = checked
        self._messages: deque[CheckMessage] = deque()
        self._long: deque[_Job] = deque()
        """Of more than one piece."""
        self._short: deque[_Job] = deque()
        self._is_turn_of_short = True
        self._work = threading.Condition()
        self._verdicts: deque[Verdict] = deque()
        self._shared: _Shared | None = None
        self._may_share = threads > 0 and _cores() > 1
        self._stopping = False
        self._waiting = 0
        """Edges of all requests that are not answered."""
        self._is_busy = False
        self._may_speed_up = True
        self.failures = 0
        """Pieces whose check raised: 0 unless there is a defect."""
        self._threads = [
            threading.Thread(target=self._run, name=f"nearnet-edges-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, request: Verify) -> None:
        """Have these edges checked; their verdict comes once, later."""
        job = _Job(request)
        with self._work:
            if not job.checks:
                self._finish(job)
                return
            (self._long if len(job.checks) > PIECE else self._short).append(job)
            self._waiting += len(job.checks)
            self._is_busy = self._is_busy or self._waiting >= BUSY_FROM
            self._work.notify(min(len(self._threads), 1 + len(job.checks) // PIECE))

    def check_message(self, request: CheckMessage) -> None:
        """Have this message checked; `checked` gets its outcome once, later."""
        with self._work:
            self._messages.append(request)
            self._work.notify()

    def check_now(self, rows: Sequence[bytes]) -> list[str]:
        """`keys.check_signatures`, on the caller's thread and on one that is free: in half the time at best."""
        if len(rows) < SHARE_FROM or not self._may_share:
            return check_signatures(rows)
        shared = _Shared(rows)
        with self._work:
            self._shared = shared
            self._is_busy = self._is_busy or len(rows) >= LONG_RUN
            self._work.notify()
        shared.work()
        with self._work:
            self._shared = None
        with shared.helper:
            return shared.outcomes()

    def stop(self, timeout: float = 1.0) -> None:
        """End the threads after the piece in hand; what is left is not answered."""
        with self._work:
            self._stopping = True
            for queue in (self._long, self._short, self._messages):
                queue.clear()
            self._work.notify_all()
        for thread in self._threads:
            thread.join(timeout)

    # --- on the threads --------------------------------------------------------------------------

    def _run(self) -> None:
        _stand_back()
        while True:
            with self._work:
                while not (self._short or self._long or self._messages or self._shared or self._stopping):
                    self._work.wait()
                if self._stopping:
                    return
                shared, self._shared = self._shared, None
                message = None
                speeds_up = self._is_busy and self._may_speed_up
                if speeds_up:
                    self._may_speed_up = False
                    self._shared = shared
                elif shared is not None:
                    shared.helper.acquire()
                elif self._messages:
                    message = self._messages.popleft()
                else:
                    job, start, end = self._take_piece()
            if speeds_up:
                self._speed_up()
                continue
            if shared is not None:
                self._help(shared)
                continue
            if message is not None:
                self._check_message(message)
                continue
            outcomes = self._check(job.checks[start:end])
            with self._work:
                self._put_back(job, start, outcomes)

    def _speed_up(self) -> None:
        """Here, as it takes a while: the other threads and the loop go on as before."""
        try:
            if check_many_at_once():
                _log.debug("= signatures are checked many at once")
        except Exception:
            # Whatever a compiler may find wrong: one at a time does as well.
            _log.exception("! signatures cannot be checked many at once")

    def _help(self, shared: _Shared) -> None:
        try:
            shared.work()
        except Exception:
            # A defect of ours must not end the thread; the loop does without what is missing.
            _log.exception("! a signature check failed")
            self.failures += 1
        finally:
            shared.helper.release()

    def _check_message(self, request: CheckMessage) -> None:
        try:
            outcome = request.outcome()
        except Exception:
            # A defect of ours must neither end the thread nor ban an honest peer: this message is dropped.
            _log.exception("! a signature check failed; a message is dropped")
            self.failures += 1
            outcome = "strict"
        with self._work:
            if not self._stopping:
                self._loop.call_soon_threadsafe(self._checked, request, outcome)

    def _take_piece(self) -> tuple[_Job, int, int]:
        is_short = bool(self._short) and (self._is_turn_of_short or not self._long)
        self._is_turn_of_short = not is_short
        jobs = self._short if is_short else self._long
        job = jobs[0]
        start = job.next
        job.next = end = start + (LARGE_PIECE if self._waiting >= BUSY_FROM else PIECE)
        job.running += 1
        if job.all_taken:
            jobs.popleft()
        return job, start, end

    def _check(self, checks: tuple[EdgeCheck, ...]) -> tuple[str, ...]:
        try:
            return run_checks(0, checks).outcomes
        except Exception:
            # A defect of ours must neither end the thread nor ban an honest peer: these edges are dropped.
            _log.exception("! a signature check failed; %d edges are dropped", len(checks))
            self.failures += 1
            return ("strict",) * len(checks)

    def _put_back(self, job: _Job, start: int, outcomes: tuple[str, ...]) -> None:
        job.outcomes[start] = outcomes
        job.running -= 1
        if outcomes[-1] == "forged" and start < job.cut:
            job.cut = start
            if job in self._long:
                self._long.remove(job)
        if not job.running and job.all_taken:
            self._finish(job)

    def _finish(self, job: _Job) -> None:
        """Under the lock: one wake-up of the loop for all verdicts that wait there."""
        self._waiting -= len(job.checks)
        self._verdicts.append(job.verdict())
        if len(self._verdicts) == 1 and not self._stopping:
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._work:
            verdicts = list(self._verdicts)
            self._verdicts.clear()
        if not self._stopping:
            self._answer(verdicts)


def _stand_back() -> None:
    """Let others go before this thread."""
    if sys.platform == "linux":  # Elsewhere it would be said of the whole process.
        with suppress(OSError):  # A sandbox may forbid it; then this thread goes as often as the loop.
            os.nice(NICENESS)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
