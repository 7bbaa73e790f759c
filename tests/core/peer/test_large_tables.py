"""Tables that are decoded in steps: nothing of what follows overtakes them, nothing of a bad one is used."""

import pytest
from hand import Core, edge_of, key_of

from nearnet.core.peer.inbound import LARGE_TABLE
from nearnet.core.runtime.actions import PauseReading, ResumeReading
from nearnet.wire.borsh.dialect import STEP, BorshDialect
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import PeersRequest, PeersResponse, SyncRoutingTable

EDGE = edge_of(key_of("x"), key_of("y"))
TABLE = BorshDialect().encode(SyncRoutingTable((EDGE,) * (LARGE_TABLE // len(EDGE) + 2 * STEP)))


@pytest.fixture
def core():
    return Core(verify=False)


@pytest.mark.threat(72)
def test_a_large_table_takes_several_turns_and_what_follows_waits(core):
    hand = core.ready()
    request = BorshDialect().encode(PeersRequest())
    hand.raw(frame_prefix(len(TABLE)) + TABLE + frame_prefix(len(request)) + request)
    assert PauseReading(hand.peer.id) in core.others
    assert core.verifies == []
    turns = 0
    while not core.verifies:
        core.manager.on_timer(core.now)
        core.act()
        turns += 1
    assert turns >= 3
    core.advance(1)
    assert ResumeReading(hand.peer.id) in core.others
    assert len(hand.told(PeersResponse)) == 1


def test_a_large_table_that_ends_too_early_is_dropped_whole(core):
    hand = core.ready()
    hand.frame(TABLE[:-10])
    core.advance(1)
    assert core.verifies == []
    assert core.kinds().count("malformed") == 1
    hand.say(PeersRequest())
    assert len(hand.told(PeersResponse)) == 1, "it is read again"


def test_bytes_after_a_large_table_are_too_many(core):
    hand = core.ready()
    hand.frame(TABLE + b"!")
    core.advance(1)
    assert core.verifies == []
    assert core.kinds().count("malformed") == 1


def test_a_sender_that_goes_takes_its_table_along(core):
    hand = core.ready()
    hand.frame(TABLE)
    core.manager.lost(hand.peer, "gone", core.now)
    core.advance(1)
    assert core.verifies == []


def test_two_that_came_before_ready_are_both_taken(core):
    hand = core.dialed("early")
    hand.frame(TABLE)
    hand.frame(TABLE)
    hand.shake()
    core.advance(1)
    assert hand.peer.is_ready
    assert hand.peer.paused == {}
    assert core.verifies
