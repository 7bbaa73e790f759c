"""Large routed messages are hashed and checked off the loop: what was sent after one waits, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hand import ME, Core, Hand, key_of

from nearnet.client import Ban
from nearnet.core.peer.inbound import LARGE_MESSAGE, MOST_BEHIND, MOST_CHECKED
from nearnet.core.runtime.actions import CheckMessage, PauseReading, ResumeReading
from nearnet.errors import ReasonForBan
from nearnet.keys import SecretKey, Signature
from nearnet.wire.borsh.dialect import BorshDialect
from nearnet.wire.dialect import dialect_named
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import Block, PeersRequest, PeersResponse, Routed, RoutedMessage
from nearnet.wire.routed_body import Opaque, encode_body
from nearnet.wire.routed_frame import routed_digest

BORSH = BorshDialect()


def routed(
    author: SecretKey,
    target: SecretKey,
    number: int,
    length: int = LARGE_MESSAGE,
    forged: bool = False,
    dialect: str = "borsh",
) -> bytes:
    """The frame of a message whose body is of that length and number."""
    body = encode_body(Opaque(0, number.to_bytes(4, "big") + bytes(length)))
    message = RoutedMessage(target.public_key, author.public_key, Signature(b""), 9, body)
    message = replace(message, signature=author.sign(bytes(32) if forged else routed_digest(message)))
    content = dialect_named(dialect).encode(Routed(message, (5, 7), 3))
    return frame_prefix(len(content)) + content


def numbers(hand: Hand) -> list[int]:
    """Of the messages that were passed on to it, in order."""
    return [int.from_bytes(one.message.body[1:5], "big") for one in hand.told(Routed)]


class Slow(Core):
    """A core whose large messages are checked when `check` is called."""

    def __init__(self) -> None:
        super().__init__(verify=False)

    @property
    def waiting(self) -> list[CheckMessage]:
        return [action for action in self.others if isinstance(action, CheckMessage)]

    def check(self, which: int = 0) -> None:
        """The message that has waited longest, or another one."""
        action = self.waiting[which]
        self.others.remove(action)
        self.manager.checked(action, action.outcome(), self.now)
        self.act()


@pytest.fixture
def core() -> Slow:
    return Slow()


@pytest.mark.threat(72)
def test_what_comes_behind_waits_and_what_came_before_has_gone(core: Slow) -> None:
    near, far, other = core.ready("near"), core.ready("far"), core.ready("other")
    small = [routed(near.key, far.key, number, 10) for number in (1, 3)]
    near.raw(small[0] + routed(near.key, far.key, 2) + small[1] + routed(near.key, far.key, 4))
    assert numbers(far) == [1]
    other.raw(routed(other.key, far.key, 5, 10))
    assert numbers(far) == [5], "nobody else waits"
    core.check()
    assert numbers(far) == [2, 3]
    assert len(core.waiting) == 1
    core.check()
    assert numbers(far) == [4]
    assert near.closed is None


def test_other_messages_wait_as_well(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    request = BORSH.encode(PeersRequest())
    near.raw(routed(near.key, far.key, 1) + frame_prefix(len(request)) + request)
    assert near.told(PeersResponse) == []
    core.check()
    assert len(near.told(PeersResponse)) == 1


@pytest.mark.threat(48)
def test_a_forged_one_bans_and_nothing_behind_it_counts(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    near.raw(routed(near.key, far.key, 1, forged=True) + routed(near.key, far.key, 2, 10))
    core.check()
    assert near.ban is ReasonForBan.INVALID_SIGNATURE
    assert numbers(far) == []


@pytest.mark.threat(48)
def test_behind_a_small_forged_one_it_is_not_looked_at(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    near.raw(routed(near.key, far.key, 1, 10, forged=True) + routed(near.key, far.key, 2))
    assert near.ban is ReasonForBan.INVALID_SIGNATURE
    assert core.waiting == []


@pytest.mark.threat(39)
def test_one_that_only_our_rule_refuses_is_dropped(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    near.raw(routed(near.key, far.key, 1) + routed(near.key, far.key, 2, 10))
    core.manager.checked(core.waiting[0], "strict", core.now)
    assert numbers(far) == [2]
    assert core.manager.routed.drops == {("BlockApproval", "StrictSignature"): 1}
    assert near.closed is None


@pytest.mark.threat(49)
def test_a_duplicate_is_not_hashed(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    near.raw(2 * routed(near.key, far.key, 1))
    core.check()
    assert core.waiting == []
    assert numbers(far) == [1]


def test_one_for_us_reaches_the_client(core: Slow) -> None:
    near = core.ready("near")
    near.raw(routed(near.key, ME, 1))
    core.check()
    assert sum(core.manager.routed.delivered.values()) == 1


def test_its_sender_may_have_gone(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    near.raw(routed(near.key, far.key, 1))
    core.manager.lost(near.peer, "closed by the peer", core.now)
    core.act()
    core.check()
    assert numbers(far) == [1]


def test_reading_goes_on_and_stops_before_too_much_waits(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    behind = routed(near.key, far.key, 2, MOST_CHECKED)
    near.raw(routed(near.key, far.key, 1) + behind[:10])
    near.raw(behind[10:MOST_BEHIND])
    assert PauseReading(near.peer.id) not in core.others
    near.raw(behind[MOST_BEHIND:-5])
    assert core.others.count(PauseReading(near.peer.id)) == 1
    core.check()
    assert core.others.count(ResumeReading(near.peer.id)) == 1
    near.raw(behind[-5:])
    core.check()
    assert numbers(far) == [1, 2]


def test_a_large_one_that_may_be_checked_too_is_read_whole(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    behind = routed(near.key, far.key, 2, 2 * MOST_BEHIND)
    near.raw(routed(near.key, far.key, 1) + behind[:10])
    near.raw(behind[10:-5])
    assert PauseReading(near.peer.id) not in core.others
    near.raw(behind[-5:])
    assert len(core.waiting) == 2
    core.check(1)
    core.check()
    assert numbers(far) == [1, 2]


def test_reading_goes_on_when_the_next_large_one_may_be_checked_too(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    quarter = MOST_CHECKED // 4
    first, second, third = (routed(near.key, far.key, n, size * quarter - 200) for n, size in ((1, 2), (2, 1), (3, 2)))
    near.raw(first + second)
    near.raw(third[:-5])
    assert core.others.count(PauseReading(near.peer.id)) == 1
    core.check()
    assert core.others.count(ResumeReading(near.peer.id)) == 1
    near.raw(third[-5:])
    assert len(core.waiting) == 2
    core.check(1)
    core.check()
    assert numbers(far) == [1, 2, 3]


def test_reading_waits_until_little_waits(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    small = routed(near.key, far.key, 3, 10) + routed(near.key, far.key, 4, MOST_BEHIND)
    near.raw(routed(near.key, far.key, 1) + routed(near.key, far.key, 2) + small)
    near.raw(routed(near.key, far.key, 5, 10))
    core.check()
    assert ResumeReading(near.peer.id) not in core.others
    core.check()
    assert ResumeReading(near.peer.id) in core.others
    core.check()
    assert numbers(far) == [1, 2, 3, 4, 5]


def test_large_ones_before_ready_take_their_turn() -> None:
    """On a connection that we dialed: they are kept until Ready, and looked at in their order."""
    core = Slow()
    far = core.ready("far")
    near = core.dialed("near")
    for number in (1, 2):
        near.raw(routed(near.key, far.key, number))
    near.shake()
    assert len(core.waiting) == 2
    core.check(1)
    assert numbers(far) == []
    core.check()
    assert numbers(far) == [1, 2]


def test_large_ones_are_checked_together_and_keep_their_order(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    near.raw(b"".join(routed(near.key, far.key, number) for number in (1, 2, 3)) + routed(near.key, far.key, 4, 10))
    assert len(core.waiting) == 3
    core.check(2)
    core.check(1)
    assert numbers(far) == []
    core.check()
    assert numbers(far) == [1, 2, 3, 4]


@pytest.mark.threat(48)
def test_behind_a_forged_one_nothing_counts_that_was_checked_before(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    for number, forged in ((1, True), (2, False), (3, False)):
        near.raw(routed(near.key, far.key, number, forged=forged))
    core.check(1)
    core.check()
    assert near.ban is ReasonForBan.INVALID_SIGNATURE
    core.check()
    assert numbers(far) == []
    assert near.peer.checking == {}


def test_behind_one_that_the_client_bans_for_nothing_counts(core: Slow) -> None:
    near, far, _ = core.ready("near"), core.ready("far"), core.ready("other")
    core.manager.context.client.on_routed = lambda message: Ban(ReasonForBan.BAD_BLOCK)  # type: ignore[method-assign]
    near.raw(routed(near.key, ME, 1) + routed(near.key, far.key, 2))
    core.check(1)
    core.check()
    assert near.ban is ReasonForBan.BAD_BLOCK
    assert numbers(far) == []


def test_no_more_are_checked_at_once_than_so_many_bytes(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    half = MOST_CHECKED // 2
    for number in (1, 2, 3):
        near.raw(routed(near.key, far.key, number, half - 200))
    assert len(core.waiting) == 2
    core.check()
    assert len(core.waiting) == 2
    core.check()
    core.check()
    assert numbers(far) == [1, 2, 3]


def test_a_large_frame_of_another_kind_does_not_wait(core: Slow) -> None:
    near, far = core.ready("near"), core.ready("far")
    block = BORSH.encode(Block(bytes(LARGE_MESSAGE)))
    near.raw(routed(near.key, far.key, 1) + frame_prefix(len(block)) + block)
    assert near.peer.last_kind == "Block"
    core.check()
    assert numbers(far) == [1]


@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
@pytest.mark.parametrize("onward", ["borsh", "protobuf"])
def test_it_is_passed_on_as_a_small_one_is(dialect: str, onward: str) -> None:
    core = Slow()
    near, far = core.ready("near", dialect=dialect), core.ready("far", dialect=onward)
    frames = []
    for length in (10, LARGE_MESSAGE):
        near.raw(routed(near.key, far.key, 7, length, dialect=dialect))
        if core.waiting:
            core.check()
        frames += far.told(Routed)
    small, large = frames
    assert large.num_hops == small.num_hops
    assert large.created_at == small.created_at
    assert large.message.ttl == small.message.ttl == 8
    assert large.message.body == small.message.body[:5] + bytes(LARGE_MESSAGE)
    assert large.message.author.verify(routed_digest(large.message), large.message.signature)


def test_the_outcomes() -> None:
    core = Slow()
    near, key = core.ready("near"), key_of("far")
    core.ready("far")
    near.raw(routed(near.key, key, 1))
    assert core.waiting[0].outcome() == "valid"
    core.check()
    near.raw(routed(near.key, key, 2, forged=True))
    assert core.waiting[0].outcome() == "forged"
