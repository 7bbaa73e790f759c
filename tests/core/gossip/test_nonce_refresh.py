"""Fresh nonces on live edges (`behaviour.md` §10), also those that a bridge asks of the documented era's nodes."""

import pytest
from hand import ME, Core

from nearnet.core.routing_table.edge import build_edge, is_dated, sign_edge, unix_nonce
from nearnet.wire.messages import RequestUpdateNonce, ResponseUpdateNonce, SyncRoutingTable


def requests(hand):
    """What the core asks of a hand now, and the edges with which the hand would answer."""
    partials = [request.partial_edge_info for request in hand.told(RequestUpdateNonce)]
    return [build_edge(hand.key, ME.public_key, one.nonce, one.signature) for one in partials]


def renewing(core, hand, seconds):
    """Time passes; the hand signs what it is asked; the nonces asked for."""
    nonces = []
    for _ in range(int(seconds)):
        core.advance(1)
        for edge in requests(hand):
            nonces.append(edge.nonce)
            hand.say(SyncRoutingTable((edge,)) if hand.peer.is_protobuf else ResponseUpdateNonce(edge))
    return nonces


@pytest.mark.scenario(69)
def test_the_dialer_asks_after_ten_minutes_and_again():
    core = Core()
    hand = core.dialed("today", dialect="protobuf")
    (ours,) = [message for message in hand.read() if hasattr(message, "partial_edge_info")]
    hand.shake(ours.partial_edge_info.nonce)
    first = hand.edge().nonce
    assert first == unix_nonce(core.now.wall)
    start = int(core.now.wall)
    nonces = renewing(core, hand, 1900)
    assert [round((nonce - start) / 60) for nonce in nonces] == [10, 20, 30]
    core.advance(1)
    assert hand.peer.edge.nonce == hand.edge().nonce == nonces[-1]
    assert hand.peer.is_ready


def test_who_was_dialed_waits_to_be_asked():
    core = Core()
    hand = core.ready("today", dialect="protobuf")
    assert renewing(core, hand, 1500) == []
    core.advance(600)
    assert hand.peer.is_ready
    assert hand.edge().nonce == unix_nonce(core.now.wall - 2100), "it is live, whatever its age"


def test_counters_stay_where_only_the_documented_era_is():
    core = Core()
    hand = core.ready("old")
    assert renewing(core, hand, 1300) == []
    assert hand.edge().nonce == 1


def test_a_bridge_asks_the_documented_era_for_a_time():
    core = Core()
    old, older = core.ready("old"), core.ready("older")
    assert renewing(core, old, 3) == []
    today = core.ready("today", dialect="protobuf")
    assert [is_dated(nonce) for nonce in renewing(core, old, 2)] == [True]
    asked = [edge.nonce for edge in requests(older)]
    assert len(asked) == 1, "the other one is asked as well, and does not answer"
    told = {edge.key: edge.nonce for table in today.told(SyncRoutingTable) for edge in table.edges}
    assert told[old.edge().key] == old.edge().nonce
    assert older.edge().key not in told
    late = core.ready("late")
    core.advance(0.1)
    assert is_dated(late.peer.edge.nonce) is False
    assert len(renewing(core, old, 1300)) == 2


def test_a_newcomer_to_a_bridge_is_asked_at_once():
    core = Core()
    core.ready("today", dialect="protobuf")
    late = core.hand("late")
    late.shake()
    assert late.peer.is_ready
    core.advance(0.01)


def test_a_time_is_kept_fresh_also_when_the_last_of_today_has_gone():
    core = Core()
    old, today = core.ready("old"), core.ready("today", dialect="protobuf")
    assert len(renewing(core, old, 2)) == 1
    core.manager.lost(today.peer, "gone", core.now)
    assert len(renewing(core, old, 1210)) == 2
    core.manager.lost(old.peer, "gone", core.now)
    core.advance(700)


@pytest.mark.interop("bridge")
@pytest.mark.parametrize("hours", [0.5, 1, 5, 30])
def test_the_documented_era_may_come_back_with_the_successor_of_a_time(hours):
    """Its node knows no other nonce than the one after the last, however long ago that was."""
    core = Core()
    core.ready("today", dialect="protobuf")
    old = core.ready("old")
    (nonce,) = renewing(core, old, 700)
    core.manager.lost(old.peer, "gone", core.now)
    core.advance(hours * 3600)
    again = core.hand("old")
    again.shake(nonce + 2)
    assert again.peer.is_ready
    core.advance(0.1)
    assert is_dated(again.edge().nonce)
    stranger = core.hand("stranger")
    stranger.say(stranger.handshake(nonce + 2))
    assert stranger.closed == ("nonce out of range" if hours >= 0.5 else None)


def test_what_the_other_end_renewed_is_not_asked_again():
    core = Core()
    core.ready("today", dialect="protobuf")
    old = core.ready("old")
    renewing(core, old, 500)
    nonce = unix_nonce(core.now.wall)
    old.say(RequestUpdateNonce(sign_edge(old.key, ME.public_key, nonce)))
    assert old.edge().nonce == nonce
    assert renewing(core, old, 400) == [], "at ten minutes it is fresh"
    assert len(renewing(core, old, 400)) == 1
