"""The embedding program's faults and late answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from real_nodes import quiet_config

from nearnet import Ban, CryptoHash, DefaultClient, PeerInfo, ReasonForBan, RoutedMessage, SecretKey, Signature
from nearnet.net import client_guard
from nearnet.net.client_guard import ClientGuard
from nearnet.wire.messages import AnnounceAccount, PeerChainInfo

PEER = SecretKey.from_seed("peer").public_key
MESSAGE = RoutedMessage(PEER, PEER, Signature(bytes(65)), 100, b"\x04why")
ANNOUNCEMENT = AnnounceAccount("a.near", PEER, CryptoHash(bytes(32)), Signature(bytes(65)))


class Program(DefaultClient):
    """Answers with what a test sets, or raises it."""

    def __init__(self) -> None:
        super().__init__(quiet_config())
        self.answer: Any = None

    def _say(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def chain_info(self) -> PeerChainInfo:
        self._say()
        return super().chain_info()

    def validate_announcement(self, announcement: AnnounceAccount, last_epoch: CryptoHash | None) -> Any:
        return self._say()

    def on_message(self, message: Any, peer: PeerInfo) -> Any:
        return self._say()

    def on_routed(self, message: RoutedMessage) -> Any:
        return self._say()


class Setting:
    """A guarded program, and the late answers that were passed on."""

    def __init__(self) -> None:
        self.program = Program()
        self.late: asyncio.Queue[tuple[object, object, object]] = asyncio.Queue()
        self.neighbour: Any = PEER
        self.guard = ClientGuard(self.program, lambda: self.neighbour, lambda *told: self.late.put_nowait(told))


async def later(answer: object) -> object:
    await asyncio.sleep(0)
    if isinstance(answer, Exception):
        raise answer
    return answer


async def test_answers_pass_through() -> None:
    setting = Setting()
    for answer in (b"bytes", Ban(ReasonForBan.ABUSIVE), None):
        setting.program.answer = answer
        assert setting.guard.on_routed(MESSAGE) == answer
        assert setting.guard.on_message(MESSAGE, PeerInfo(PEER)) == answer  # type: ignore[arg-type]
    setting.program.answer = ReasonForBan.INVALID_SIGNATURE
    assert setting.guard.validate_announcement(ANNOUNCEMENT, None) is ReasonForBan.INVALID_SIGNATURE
    setting.guard.on_network_info(object())
    assert (setting.guard.failures, setting.guard.dropped) == (0, 0)


async def test_keys_of_an_account_are_asked_of_a_program_that_knows_them(caplog: pytest.LogCaptureFixture) -> None:
    setting = Setting()
    assert setting.guard.account_keys("a.near") == []
    setting.program.account_keys = lambda account: (PEER,) if account == "a.near" else 1 / 0  # type: ignore[attr-defined]
    assert setting.guard.account_keys("a.near") == [PEER]
    assert setting.guard.account_keys("b.near") == []
    assert setting.guard.failures == 1
    assert "account_keys of the client raised" in caplog.text


async def test_faults_are_logged_and_count_as_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    setting = Setting()
    known = setting.guard.chain_info()
    setting.program.answer = ZeroDivisionError("the program's fault")
    assert setting.guard.chain_info() == known
    assert setting.guard.on_routed(MESSAGE) is None
    assert setting.guard.on_message(MESSAGE, PeerInfo(PEER)) is None  # type: ignore[arg-type]
    assert setting.guard.validate_announcement(ANNOUNCEMENT, None) is False
    assert setting.guard.failures == 4
    assert "on_routed of the client raised" in caplog.text
    assert "the program's fault" in caplog.text


async def test_late_answers_are_passed_on_with_who_asked() -> None:
    setting = Setting()
    setting.program.answer = later(b"because")
    assert setting.guard.on_routed(MESSAGE) is None
    assert await setting.late.get() == (PEER, MESSAGE, b"because")
    setting.program.answer = later(None)
    setting.neighbour = None
    assert setting.guard.on_message(MESSAGE, PeerInfo(PEER)) is None  # type: ignore[arg-type]
    assert await setting.late.get() == (PEER, MESSAGE, None)


async def test_a_late_fault_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    setting = Setting()
    setting.program.answer = later(ZeroDivisionError("late"))
    setting.guard.on_routed(MESSAGE)
    for _ in range(4):
        await asyncio.sleep(0)
    assert setting.guard.failures == 1
    assert setting.late.empty()


async def test_late_answers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_guard, "MOST_LATER_ANSWERS", 2)
    setting = Setting()
    for _ in range(3):
        setting.program.answer = later(b"x")
        setting.guard.on_routed(MESSAGE)
    future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    setting.program.answer = future
    setting.guard.on_routed(MESSAGE)
    assert setting.guard.dropped == 2
    setting.guard.close()
    await asyncio.sleep(0)
    assert setting.late.empty()
