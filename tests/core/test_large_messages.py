"""Large routed messages are hashed and checked off the loop: what was sent after one waits, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hand import ME, Core, Hand, key_of

from nearnet.core.actions import CheckMessage, PauseReading, ResumeReading
from nearnet.core.large_messages import LARGE_MESSAGE, MOST_BEHIND
from nearnet.errors import ReasonForBan
from nearnet.keys import SecretKey, Signature
from nearnet.wire.borsh_dialect import BorshDialect
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import PeersRequest, PeersResponse, Routed, RoutedMessage
from nearnet.wire.routed_body import Opaque, encode_body
from nearnet.wire.routed_frame import routed_digest

BORSH = BorshDialect()


def routed(
    author: SecretKey, target: SecretKey, number: int, length: int = LARGE_MESSAGE, forged: bool = False
) -> bytes:
    """The frame of a signed message whose body is of that length and number."""
    body = encode_body(Opaque(0, number.to_bytes(4, "big") + bytes(length)))
    message = RoutedMessage(target.public_key, author.public_key, Signature(b""), 9, body)
    signature = author.sign(bytes(32) if forged else routed_digest(message))
    content = BORSH.encode(Routed(replace(message, signature=signature)))
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

    def check(self) -> None:
        """The message that has waited longest."""
        action = self.waiting[0]
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
    behind = routed(near.key, far.key, 2, MOST_BEHIND)
    near.raw(routed(near.key, far.key, 1) + behind[:10])
    near.raw(behind[10:MOST_BEHIND])
    assert PauseReading(near.peer) not in core.others
    near.raw(behind[MOST_BEHIND:-5])
    assert core.others.count(PauseReading(near.peer)) == 1
    core.check()
    assert core.others.count(ResumeReading(near.peer)) == 1
    near.raw(behind[-5:])
    core.check()
    assert numbers(far) == [1, 2]


def test_large_ones_before_ready_take_their_turn() -> None:
    """On a connection that we dialled: they are kept until Ready, and looked at in their order."""
    core = Slow()
    far = core.ready("far")
    near = core.dialled("near")
    for number in (1, 2):
        near.raw(routed(near.key, far.key, number))
    near.shake()
    assert len(core.waiting) == 1
    assert numbers(far) == [2], "the one behind it is checked at once"
    core.check()
    assert numbers(far) == [1]


def test_the_outcomes() -> None:
    core = Slow()
    near, key = core.ready("near"), key_of("far")
    core.ready("far")
    near.raw(routed(near.key, key, 1))
    assert core.waiting[0].outcome() == "valid"
    core.check()
    near.raw(routed(near.key, key, 2, forged=True))
    assert core.waiting[0].outcome() == "forged"
