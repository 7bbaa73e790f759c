"""The embedding program's faults and late answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from real_nodes import quiet_config

from nearnet import Ban, CryptoHash, DefaultClient, PeerInfo, ReasonForBan, RoutedMessage, SecretKey, Signature
from nearnet.bodies import Opaque, StateRequestHeader
from nearnet.errors import NoAnswer
from nearnet.net import client_guard
from nearnet.net.client_guard import ClientGuard
from nearnet.wire.messages import (
    AnnounceAccount,
    Block,
    EpochSyncFinalizationRequest,
    EpochSyncRequest,
    GenesisId,
    Message,
    PeerChainInfo,
    Transaction,
)

PEER = SecretKey.from_seed("peer").public_key
MESSAGE = RoutedMessage(PEER, PEER, Signature(bytes(65)), 100, b"\x04why")
BLOCK = Block(b"block")
ANNOUNCEMENT = AnnounceAccount("a.near", PEER, CryptoHash(bytes(32)), Signature(bytes(65)))


class Program(DefaultClient):
    """Answers with what a test sets, or raises it."""

    def __init__(self) -> None:
        super().__init__(quiet_config())
        self.answer: Any = None

    def _say(self) -> Any:
        if isinstance(self.answer, BaseException):
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
        self.neighbor: Any = PEER
        self.guard = ClientGuard(self.program, lambda: self.neighbor, lambda *told: self.late.put_nowait(told))


async def later(answer: object) -> object:
    await asyncio.sleep(0)
    if isinstance(answer, BaseException):
        raise answer
    return answer


async def test_answers_pass_through() -> None:
    setting = Setting()
    for answer in (b"bytes", Ban(ReasonForBan.ABUSIVE), None):
        setting.program.answer = answer
        assert setting.guard.on_routed(MESSAGE) == answer
    for answer in (Block(b"block"), Ban(ReasonForBan.ABUSIVE), None):
        setting.program.answer = answer
        assert setting.guard.on_message(BLOCK, PeerInfo(PEER)) == answer
    setting.program.answer = Opaque(5, b"typed")
    assert setting.guard.on_routed(MESSAGE) == b"\x05typed"
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
    assert setting.guard.on_message(BLOCK, PeerInfo(PEER)) is None
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
    setting.neighbor = None
    assert setting.guard.on_message(BLOCK, PeerInfo(PEER)) is None
    assert await setting.late.get() == (PEER, BLOCK, None)


async def test_a_late_fault_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    setting = Setting()
    setting.program.answer = later(ZeroDivisionError("late"))
    setting.guard.on_routed(MESSAGE)
    for _ in range(4):
        await asyncio.sleep(0)
    assert setting.guard.failures == 1
    assert setting.late.empty()


@pytest.mark.parametrize("fault", [ZeroDivisionError("late"), asyncio.CancelledError("canceled")])
async def test_every_fault_is_logged_with_the_peer(fault: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    setting = Setting()
    for answer in (fault, later(fault)):
        setting.program.answer = answer
        assert setting.guard.on_routed(MESSAGE) is None
    for _ in range(4):
        await asyncio.sleep(0)
    setting.program.answer = fault
    assert setting.guard.on_message(BLOCK, PeerInfo(PEER)) is None
    assert setting.guard.validate_announcement(ANNOUNCEMENT, None) is False
    assert setting.guard.account_keys("a.near") == []
    setting.program.on_network_info = lambda info: setting.program._say()  # type: ignore[attr-defined]
    setting.guard.on_network_info(object())
    assert setting.guard.failures == 5
    assert setting.late.empty()
    assert [str(PEER) in message for message in caplog.messages] == [True, True, True, True, False]


@pytest.mark.parametrize("answer", ["text", 5, BLOCK, object(), StateRequestHeader("no shard", bytes(32))])  # type: ignore[arg-type]
async def test_a_wrong_answer_to_a_routed_message_never_reaches_the_core(answer: object) -> None:
    setting = Setting()
    for given in (answer, later(answer)):
        setting.program.answer = given
        assert setting.guard.on_routed(MESSAGE) is None
    for _ in range(4):
        await asyncio.sleep(0)
    assert setting.guard.failures == 2
    assert setting.late.empty()


@pytest.mark.parametrize(
    "answer", [b"bytes", 5, MESSAGE, Block("text"), Transaction(None), EpochSyncFinalizationRequest(5)]
)  # type: ignore[arg-type]
async def test_a_wrong_answer_to_a_message_never_reaches_the_core(answer: object) -> None:
    setting = Setting()
    setting.program.answer = answer
    assert setting.guard.on_message(BLOCK, PeerInfo(PEER)) is None
    assert setting.guard.failures == 1


async def test_an_answer_that_one_dialect_alone_has_is_passed_on() -> None:
    setting = Setting()
    answer: Message = EpochSyncRequest(CryptoHash(bytes(32)))
    setting.program.answer = answer
    assert setting.guard.on_message(BLOCK, PeerInfo(PEER)) == answer


@pytest.mark.parametrize("verdict", [None, "relay", 1, b""])
async def test_a_wrong_verdict_drops_the_announcement(verdict: object) -> None:
    setting = Setting()
    setting.program.answer = verdict
    assert setting.guard.validate_announcement(ANNOUNCEMENT, None) is False
    assert setting.guard.failures == 1


async def test_the_verdicts_of_the_protocol() -> None:
    setting = Setting()
    for verdict in (True, False, "relay_only", ReasonForBan.NONE):
        setting.program.answer = verdict
        assert setting.guard.validate_announcement(ANNOUNCEMENT, None) is verdict
    setting.program.answer = later(True)
    assert setting.guard.validate_announcement(ANNOUNCEMENT, None) is False, "a verdict is asked for now"


GENESIS = GenesisId("chain", CryptoHash(bytes(32)))


@pytest.mark.parametrize(
    "info",
    [
        None,
        PeerChainInfo("chain"),  # type: ignore[arg-type]
        PeerChainInfo(GenesisId(b"chain", CryptoHash(bytes(32)))),  # type: ignore[arg-type]
        PeerChainInfo(GenesisId("chain", bytes(32))),  # type: ignore[arg-type]
        PeerChainInfo(GENESIS, height=-1),
        PeerChainInfo(GENESIS, tracked_shards=("0",)),  # type: ignore[arg-type]
        PeerChainInfo(GENESIS, archival="no"),  # type: ignore[arg-type]
    ],
)
async def test_chain_facts_that_no_handshake_can_tell(info: Any) -> None:
    setting = Setting()
    known = setting.guard.chain_info()
    setting.program.chain_info = lambda: info  # type: ignore[method-assign]
    assert setting.guard.chain_info() == known
    assert setting.guard.failures == 1
    with pytest.raises(TypeError, match="expected"):
        ClientGuard(setting.program, lambda: None, lambda *told: None)


async def test_keys_of_another_type_are_a_fault() -> None:
    setting = Setting()
    setting.program.account_keys = lambda account: ["ed25519:.."]  # type: ignore[attr-defined]
    assert setting.guard.account_keys("a.near") == []
    assert setting.guard.failures == 1


async def test_a_reply_goes_to_the_request_of_its_author_alone() -> None:
    setting = Setting()
    digest, other = CryptoHash.of(b"a request"), SecretKey.from_seed("other").public_key
    first, second = (setting.guard.expect(digest, PEER) for _ in range(2))
    setting.program.answer = b"handed over"
    forged = RoutedMessage(digest, other, Signature(bytes(65)), 100, b"\x05x")
    assert setting.guard.on_routed(forged) == b"handed over"
    reply = RoutedMessage(digest, PEER, Signature(bytes(65)), 100, b"\x05x")
    assert setting.guard.on_routed(reply) is None
    assert (first.result(), second.result()) == (reply, reply)
    assert setting.guard.on_routed(reply) is None, "a second copy is no news"
    setting.guard.forget(digest, first)
    assert setting.guard.on_routed(reply) is None
    setting.guard.forget(digest, second)
    assert setting.guard.on_routed(reply) == b"handed over"


async def test_no_reply_comes_after_the_stop() -> None:
    setting = Setting()
    waiting = setting.guard.expect(CryptoHash.of(b"a request"), PEER)
    setting.guard.close()
    setting.guard.close()
    with pytest.raises(NoAnswer, match="the node stopped"):
        await waiting


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
