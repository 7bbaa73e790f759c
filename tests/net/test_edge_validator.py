"""The EdgeValidator's threads: order, the cut after a forgery, fairness, a clean end."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nearnet.core.routing_table import edge as edges
from nearnet.core.routing_table.edge import EdgeCheck, Verdict, build_edge, edge_digest, sign_edge
from nearnet.core.runtime.actions import Verify
from nearnet.keys import SecretKey, Signature, signature_row
from nearnet.net import edge_validator
from nearnet.net.edge_validator import BUSY_FROM, LARGE_PIECE, LONG_RUN, NICENESS, PIECE, SHARE_FROM, EdgeValidator
from nearnet.wire.edge_bytes import Edge

ME, OTHER = SecretKey.from_seed("me"), SecretKey.from_seed("other")


def good(nonce: int = 1) -> EdgeCheck:
    return EdgeCheck(build_edge(ME, OTHER.public_key, nonce, sign_edge(OTHER, ME.public_key, nonce).signature))


def forged() -> EdgeCheck:
    peer0, peer1 = sorted((ME.public_key, OTHER.public_key))
    wrong = ME.sign(edge_digest(peer0, peer1, 3))
    return EdgeCheck(Edge.build(peer0, peer1, 1, wrong, Signature(wrong)))


class Validator:
    """One validator and the verdicts in the order in which they came."""

    def __init__(self, threads: int) -> None:
        self.verdicts: list[Verdict] = []
        self.outcomes: list[tuple[int, str]] = []
        self.batches = 0
        self._changed = asyncio.Event()
        self.actor = EdgeValidator(threads, asyncio.get_running_loop(), self._answer, self._checked)

    def _answer(self, verdicts: list[Verdict]) -> None:
        self.batches += 1
        self.verdicts += verdicts
        self._changed.set()

    def _checked(self, check: Any, outcome: str) -> None:
        self.outcomes.append((check.number, outcome))
        self._changed.set()

    async def checked(self, count: int) -> list[tuple[int, str]]:
        async with asyncio.timeout(20):
            while len(self.outcomes) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.outcomes

    async def answers(self, count: int) -> list[Verdict]:
        async with asyncio.timeout(20):
            while len(self.verdicts) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.verdicts


@pytest.fixture(params=[1, 3])
async def validator(request: pytest.FixtureRequest) -> AsyncIterator[Validator]:
    validator = Validator(request.param)
    yield validator
    validator.actor.stop()
    assert validator.actor.failures == 0


async def test_every_edge_is_judged_in_order(validator: Validator) -> None:
    checks = tuple(good(nonce) for nonce in range(1, 2 * (2 * PIECE + 5), 2))
    validator.actor.submit(Verify(7, checks))
    assert await validator.answers(1) == [Verdict(7, ("valid",) * len(checks))]


@pytest.mark.threat(31)
@pytest.mark.parametrize("at", [0, PIECE - 1, PIECE, 2 * PIECE + 3])
async def test_the_answer_ends_with_the_first_forgery(validator: Validator, at: int) -> None:
    checks = [good()] * (4 * PIECE)
    checks[at] = forged()
    checks[-1] = forged()
    validator.actor.submit(Verify(1, tuple(checks)))
    validator.actor.submit(Verify(2, (good(),)))
    verdicts = {verdict.id: verdict.outcomes for verdict in await validator.answers(2)}
    assert verdicts == {1: ("valid",) * at + ("forged",), 2: ("valid",)}


@pytest.mark.threat(31)
@pytest.mark.parametrize("at", [0, LARGE_PIECE - 1, LARGE_PIECE, BUSY_FROM - 1])
async def test_so_does_that_of_a_large_table(validator: Validator, at: int) -> None:
    checks = [good()] * BUSY_FROM
    checks[at] = forged()
    validator.actor.submit(Verify(1, tuple(checks)))
    assert await validator.answers(1) == [Verdict(1, ("valid",) * at + ("forged",))]


async def test_no_edges_are_valid_at_once(validator: Validator) -> None:
    validator.actor.submit(Verify(1, ()))
    assert await validator.answers(1) == [Verdict(1, ())]


class Gate:
    """A check that waits until it is let through, one by one."""

    def __init__(self) -> None:
        self.passes = threading.Semaphore(0)
        self.busy = threading.Event()
        self.order: list[int] = []
        self.sizes: list[int] = []

    def __call__(self, number: int, checks: tuple[EdgeCheck, ...]) -> Verdict:
        self.busy.set()
        self.passes.acquire()
        self.order.append(checks[0].edge.nonce)
        self.sizes.append(len(checks))
        return Verdict(number, ("valid",) * len(checks))


@pytest.mark.threat(72)
async def test_a_large_request_does_not_hold_up_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    monkeypatch.setattr(edge_validator, "run_checks", gate)
    validator = Validator(1)
    validator.actor.submit(Verify(1, (good(1),) * (10 * PIECE)))
    validator.actor.submit(Verify(2, (good(3),)))
    gate.passes.release(11)
    assert [verdict.id for verdict in await validator.answers(2)] == [2, 1]
    assert gate.order.index(3) <= 2
    validator.actor.stop()


async def test_pieces_are_large_while_many_edges_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    monkeypatch.setattr(edge_validator, "run_checks", gate)
    validator = Validator(1)
    validator.actor.submit(Verify(1, (good(1),) * BUSY_FROM))
    gate.passes.release(BUSY_FROM)
    await validator.answers(1)
    validator.actor.submit(Verify(2, (good(1),) * (PIECE + 1)))
    await validator.answers(2)
    assert gate.sizes == [LARGE_PIECE] * (BUSY_FROM // LARGE_PIECE) + [BUSY_FROM % LARGE_PIECE, PIECE, 1]
    validator.actor.stop()


@pytest.mark.threat(72)
async def test_long_requests_are_answered_in_their_order_and_many_short_ones_hold_them_up_by_half(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate()
    monkeypatch.setattr(edge_validator, "run_checks", gate)
    validator = Validator(1)
    validator.actor.submit(Verify(0, (good(),)))
    assert gate.busy.wait(20)
    for number, count in enumerate([2 * PIECE, 2 * PIECE, *[1] * 5], 1):
        validator.actor.submit(Verify(number, (good(),) * count))
    gate.passes.release(10)
    assert [verdict.id for verdict in await validator.answers(8)] == [0, 3, 1, 4, 5, 2, 6, 7]
    validator.actor.stop()


async def test_verdicts_that_wait_together_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    monkeypatch.setattr(edge_validator, "run_checks", gate)
    validator = Validator(1)
    for number in range(5):
        validator.actor.submit(Verify(number, (good(),)))
    gate.passes.release(5)
    while len(gate.order) < 5:
        pass  # hold the loop: the thread goes on without it
    await validator.answers(5)
    assert validator.batches < 5
    validator.actor.stop()


async def test_a_defect_bans_nobody(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*args: object, **options: object) -> list[str]:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(edges, "check_signatures", broken)
    validator = Validator(1)
    validator.actor.submit(Verify(1, (good(), good())))
    assert await validator.answers(1) == [Verdict(1, ("strict", "strict"))]
    assert validator.actor.failures == 1
    assert "a defect" in caplog.text
    validator.actor.stop()


async def test_stop_ends_the_threads_and_answers_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    monkeypatch.setattr(edge_validator, "run_checks", gate)
    validator = Validator(2)
    for number in range(4):
        validator.actor.submit(Verify(number, (good(),)))
    gate.passes.release(2)
    validator.actor.stop()
    assert not any(thread.is_alive() for thread in validator.actor._threads)
    await asyncio.sleep(0)
    assert validator.verdicts == []


# --- what the loop waits for ---------------------------------------------------------------------


def signature_rows(count: int) -> list[bytes]:
    digests = [bytes((number % 256,)) * 32 for number in range(count)]
    return [signature_row(ME.public_key, digest, ME.sign(digest)) for digest in digests]


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_validator, "_cores", lambda: 2)


@pytest.mark.parametrize("count", [0, 1, SHARE_FROM - 1, SHARE_FROM, 3 * SHARE_FROM + 5])
async def test_signatures_are_judged_in_order_at_once(two_cores: None, count: int) -> None:
    validator = Validator(2)
    rows = signature_rows(count)
    expected = ["valid"] * count
    for wrong in range(3, count, 7):
        rows[wrong] = rows[wrong][:96] + OTHER.public_key[1:]
        expected[wrong] = "forged"
    for _ in range(20):
        assert validator.actor.check_now(rows) == expected
    validator.actor.stop()


async def test_a_free_thread_takes_part(two_cores: None, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)
    judges: set[str] = set()

    def together(rows: list[bytes]) -> list[str]:
        if threading.current_thread().name not in judges:
            judges.add(threading.current_thread().name)
            both.wait(20)
        return ["valid"] * len(rows)

    monkeypatch.setattr(edge_validator, "check_signatures", together)
    validator = Validator(1)
    assert validator.actor.check_now(signature_rows(SHARE_FROM)) == ["valid"] * SHARE_FROM
    assert judges == {threading.current_thread().name, "nearnet-edges-0"}
    validator.actor.stop()


async def test_busy_threads_are_not_waited_for(two_cores: None, monkeypatch: pytest.MonkeyPatch) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def slow(number: int, checks: tuple[EdgeCheck, ...]) -> Verdict:
        busy.set()
        assert go_on.wait(20)
        return Verdict(number, ("valid",) * len(checks))

    monkeypatch.setattr(edge_validator, "run_checks", slow)
    validator = Validator(1)
    validator.actor.submit(Verify(1, (good(),)))
    assert busy.wait(20)
    assert validator.actor.check_now(signature_rows(SHARE_FROM)) == ["valid"] * SHARE_FROM
    go_on.set()
    assert await validator.answers(1)
    validator.actor.stop()


async def test_one_core_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_validator, "_cores", lambda: 1)
    judges: set[str] = set()
    monkeypatch.setattr(
        edge_validator,
        "check_signatures",
        lambda rows: judges.add(threading.current_thread().name) or ["valid"] * len(rows),
    )
    validator = Validator(2)
    validator.actor.check_now(signature_rows(10 * SHARE_FROM))
    assert judges == {threading.current_thread().name}
    validator.actor.stop()


async def test_a_defect_on_the_other_thread_costs_those_signatures_only(
    two_cores: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2)

    def breaks(rows: list[bytes]) -> list[str]:
        if threading.current_thread().name == "nearnet-edges-0":
            both.wait(20)
            raise RuntimeError("a defect")
        if not met.is_set():
            met.set()
            both.wait(20)
        return ["valid"] * len(rows)

    met = threading.Event()
    monkeypatch.setattr(edge_validator, "check_signatures", breaks)
    validator = Validator(1)
    outcomes = validator.actor.check_now(signature_rows(4 * SHARE_FROM))
    mine, theirs, *_ = (end - start for start, end in edge_validator._shares(4 * SHARE_FROM))
    assert outcomes.count("strict") in (mine, theirs)
    assert len(outcomes) == 4 * SHARE_FROM
    assert validator.actor.failures == 1
    validator.actor.stop()


def test_cores() -> None:
    assert edge_validator._cores() >= 1


# --- large messages ------------------------------------------------------------------------------


class Check:
    """A `CheckMessage` that does `work`."""

    def __init__(self, number: int, work: Any = lambda: "valid") -> None:
        self.number = number
        self.outcome = work


@pytest.mark.threat(72)
async def test_messages_are_checked_on_a_thread_and_go_before_edges() -> None:
    validator = Validator(1)
    held, order = threading.Event(), list[str]()

    def first() -> str:
        assert threading.current_thread() is not threading.main_thread()
        held.wait(20)
        return "valid"

    def second() -> str:
        order.append("message")
        return "forged"

    validator.actor.check_message(Check(1, first))  # type: ignore[arg-type]
    validator.actor.submit(Verify(7, (good(),)))
    validator.actor.check_message(Check(2, second))  # type: ignore[arg-type]
    held.set()
    await validator.answers(1)
    assert order == ["message"]
    assert await validator.checked(2) == [(1, "valid"), (2, "forged")]
    validator.actor.stop()


async def test_a_fault_drops_the_message_and_the_thread_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    validator = Validator(1)

    def fault() -> str:
        raise RuntimeError("a defect")

    validator.actor.check_message(Check(1, fault))  # type: ignore[arg-type]
    validator.actor.check_message(Check(2))  # type: ignore[arg-type]
    assert await validator.checked(2) == [(1, "strict"), (2, "valid")]
    assert "a message is dropped" in caplog.text
    assert validator.actor.failures == 1
    validator.actor.stop()


async def test_after_stop_no_message_is_answered() -> None:
    validator = Validator(1)
    entered, held = threading.Event(), threading.Event()

    def slow() -> str:
        entered.set()
        held.wait(20)
        return "valid"

    validator.actor.check_message(Check(1, slow))  # type: ignore[arg-type]
    validator.actor.check_message(Check(2))  # type: ignore[arg-type]
    assert entered.wait(20)
    validator.actor.stop(timeout=0.01)
    held.set()
    validator.actor._threads[0].join(20)
    await asyncio.sleep(0)
    assert validator.outcomes == []


# --- many at once --------------------------------------------------------------------------------


@pytest.fixture
def sped_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Threads on which that was asked for; it fails."""
    threads: list[str] = []

    def speed_up() -> bool:
        threads.append(threading.current_thread().name)
        raise OSError("no room for what is compiled")

    monkeypatch.setattr(edge_validator, "check_many_at_once", speed_up)
    monkeypatch.setattr(edge_validator, "BUSY_FROM", 100)
    return threads


async def test_with_much_to_do_signatures_are_checked_many_at_once(
    sped_up: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Asked for once, on a thread of its own; where it cannot be had all goes on."""
    validator = Validator(1)
    few, many = (good(),) * 60, (good(),) * 40
    for number in range(3):
        validator.actor.submit(Verify(number, few))
        assert await validator.answers(number + 1)
    assert not sped_up, "answered ones do not count"
    for number, checks in enumerate((few, many, few, many)):
        validator.actor.submit(Verify(number, checks))
    assert len(await validator.answers(7)) == 7
    assert sped_up == ["nearnet-edges-0"]
    assert "no room for what is compiled" in caplog.text
    validator.actor.stop()


async def test_a_long_run_of_messages_is_much(two_cores: None, sped_up: list[str]) -> None:
    validator = Validator(1)
    for _ in range(3):
        validator.actor.check_now(signature_rows(LONG_RUN - 1))
    assert not sped_up
    for _ in range(3):
        assert validator.actor.check_now(signature_rows(LONG_RUN)) == ["valid"] * LONG_RUN
    validator.actor.submit(Verify(1, (good(),)))
    assert await validator.answers(1)
    assert sped_up == ["nearnet-edges-0"]
    validator.actor.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="threads of one process have one priority here")
async def test_its_threads_stand_back_for_the_loop() -> None:
    before, others = os.getpriority(os.PRIO_PROCESS, 0), set(threading.enumerate())
    validator = Validator(1)
    try:
        validator.actor.submit(Verify(1, (good(),)))
        await validator.answers(1)
        (thread,) = set(threading.enumerate()) - others
        assert thread.native_id is not None
        assert os.getpriority(os.PRIO_PROCESS, thread.native_id) == min(19, before + NICENESS)
        assert os.getpriority(os.PRIO_PROCESS, 0) == before
    finally:
        validator.actor.stop()


async def test_where_they_may_not_stand_back_they_work_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(increment: int) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "nice", refused)
    validator = Validator(1)
    try:
        validator.actor.submit(Verify(1, (good(),)))
        assert await validator.answers(1) == [Verdict(1, ("valid",))]
    finally:
        validator.actor.stop()
