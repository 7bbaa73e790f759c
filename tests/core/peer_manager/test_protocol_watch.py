"""What the operator is told before the node is cut off, and when it is (`network-2026.md` §1)."""

from __future__ import annotations

from typing import Any

import pytest
from hand import Core, Hand, key_of

from nearnet.core.peer_manager.protocol_watch import (
    CUT_OFF_BURST,
    FAILURE_WINDOW,
    FAILURES_KEPT,
    TOLD_AGAIN,
    VERSIONS_TOLD,
    ProtocolWatch,
)
from nearnet.keys import CryptoHash
from nearnet.wire.messages import (
    GenesisId,
    GenesisMismatch,
    Handshake,
    HandshakeFailure,
    PeerInfo,
    ProtocolVersionMismatch,
)

NEW = "protobuf"
KINDS = ("network_moved_on", "newer_protocol", "newer_protocol_over", "cut_off", "cut_off_over")
PINNED = {"protocol_versions": {"protobuf": [88, 80]}}


def watch_of(core: Core) -> ProtocolWatch:
    return core.manager.protocol_watch


def told(core: Core) -> list[str]:
    """The kinds of this module's events so far."""
    return [event.kind for event in core.events if event.kind in KINDS]


def data(core: Core, kind: str) -> Any:
    return next(event.data for event in core.events if event.kind == kind)


def refuse(hand: Hand, version: int, oldest: int) -> None:
    hand.say(HandshakeFailure(PeerInfo(hand.id), ProtocolVersionMismatch(version, oldest)))


def refused(core: Core, name: str, version: int = 120, oldest: int = 119) -> Hand:
    """A dial whose Handshakes are all refused."""
    hand = core.dialed(name, dialect=NEW)
    while hand.closed is None:
        refuse(hand, version, oldest)
    return hand


def follow(core: Core, name: str, version: int = 120, oldest: int = 119) -> Hand:
    """A dial that follows a newer range and becomes Ready."""
    hand = core.dialed(name, dialect=NEW)
    hand.read()
    refuse(hand, version, oldest)
    (ours,) = hand.told(Handshake)
    hand.shake(ours.partial_edge_info.nonce, protocol_version=ours.protocol_version)
    assert hand.peer.is_ready
    return hand


def test_nothing_is_told_while_all_is_well() -> None:
    core = Core()
    core.ready(dialect=NEW)
    core.ready("old")
    watch = watch_of(core)
    assert (watch.state(core.now), watch.newest_announced, told(core)) == ("ok", 84, [])
    assert watch.sentence(core.now) == "no connected peer announces a protocol version above our own 88"


def test_a_dial_that_follows_is_told_once_for_all_peers() -> None:
    core = Core()
    first = follow(core, "a")
    follow(core, "b")
    watch = watch_of(core)
    assert told(core) == ["network_moved_on"], "that a connected peer is newer is the same news"
    assert data(core, "network_moved_on") == {"version": 120, "oldest": 119, "own": 88}
    assert (watch.state(core.now), watch.newest_announced, watch.newest_connected) == ("warning", 120, 120)
    assert "announced protocol version 120, above our own 88: upgrade" in watch.sentence(core.now)
    core.manager.lost(first.peer, "gone", core.now)
    assert watch.state(core.now) == "warning"
    assert told(core) == ["network_moved_on"]


def test_a_newer_dialer_is_told_until_it_leaves() -> None:
    core = Core()
    hand = core.hand("a", dialect=NEW)
    hand.shake(protocol_version=90)
    other = core.hand("b", dialect=NEW)
    other.shake(protocol_version=90)
    assert told(core) == ["newer_protocol"]
    assert data(core, "newer_protocol") == {"version": 90, "own": 88}
    core.manager.lost(hand.peer, "gone", core.now)
    assert told(core) == ["newer_protocol"]
    core.manager.lost(other.peer, "gone", core.now)
    core.act()
    assert told(core) == ["newer_protocol", "newer_protocol_over"]
    assert watch_of(core).state(core.now) == "ok"
    assert watch_of(core).newest_announced == 90


def test_a_peer_with_another_version_each_time_makes_no_line_each() -> None:
    core = Core()
    for version in range(89, 120):
        hand = core.hand("hostile", dialect=NEW)
        core.advance(2)
        hand.shake(protocol_version=version)
        assert hand.peer.is_ready
        core.manager.lost(hand.peer, "gone", core.now)
        core.act()
    assert told(core) == ["newer_protocol", "newer_protocol_over"]
    core.advance(TOLD_AGAIN)
    core.hand("hostile", dialect=NEW).shake(protocol_version=200)
    assert told(core) == ["newer_protocol", "newer_protocol_over", "newer_protocol"]


def test_an_absurd_version_does_not_silence_the_real_one() -> None:
    core = Core()
    core.hand("hostile", dialect=NEW).shake(protocol_version=2**32 - 1)
    follow(core, "a", 2**32 - 1, 2**32 - 1)
    assert told(core) == ["newer_protocol", "network_moved_on"]
    core.advance(TOLD_AGAIN)
    follow(core, "b")
    assert told(core)[2:] == ["network_moved_on"]
    core.advance(TOLD_AGAIN)
    follow(core, "c")
    assert len(told(core)) == 3, "of one version once"


def test_the_warnings_remembered_are_bounded() -> None:
    core = Core()
    for number in range(VERSIONS_TOLD + 1):
        core.advance(TOLD_AGAIN)
        follow(core, f"new {number}", 120 + number, 119)
    core.advance(TOLD_AGAIN)
    follow(core, "again", 120, 119)
    assert told(core).count("network_moved_on") == VERSIONS_TOLD + 2, "the first one is forgotten by now"


def test_dials_that_follow_another_range_each_time_make_no_line_each() -> None:
    core = Core()
    for number in range(10):
        refused(core, f"hostile {number}", 100 + number, 95)
    assert told(core).count("network_moved_on") == 1


def test_a_borsh_version_is_none_of_these() -> None:
    core = Core()
    hand = core.dialed("a")
    refuse(hand, 4_000_000_000, 90)
    assert hand.closed == "it speaks versions 90 to 4000000000"
    assert (watch_of(core).newest_announced, watch_of(core).state(core.now), told(core)) == (0, "ok", [])


@pytest.mark.parametrize(
    ("nearnet", "reason"),
    [
        (
            {},
            "it speaks versions 119 to 120, above our own 88, and it does not accept its own version from us either: "
            "upgrade nearnet",
        ),
        (
            PINNED,
            "it speaks versions 119 to 120, above our own 88, which nearnet.protocol_versions pins: "
            'set nearnet.protocol_versions to "auto", or upgrade nearnet',
        ),
    ],
)
def test_cut_off_and_connected_again(nearnet: dict[str, Any], reason: str) -> None:
    core = Core(nearnet=nearnet)
    for name in ("a", "b", "c"):
        assert refused(core, name).closed == reason
    watch = watch_of(core)
    assert watch.state(core.now) == "error"
    assert told(core).count("cut_off") == 1
    assert data(core, "cut_off")["version"] == 120
    assert "no longer accept our protocol version 88 (the newest that any announced is 120)" in watch.sentence(core.now)
    assert reason.endswith(data(core, "cut_off")["advice"])
    core.ready("old", dialect=NEW)
    assert watch.state(core.now) == "ok"
    assert told(core)[-1] == "cut_off_over"


def test_a_pinned_pair_never_follows() -> None:
    core = Core(nearnet=PINNED)
    hand = core.dialed("a", dialect=NEW)
    (first,) = hand.read()
    assert first.protocol_version == 88
    refuse(hand, 120, 119)
    assert hand.told(Handshake) == []
    assert "network_moved_on" not in told(core)


def test_any_other_failure_is_not_being_cut_off() -> None:
    core = Core()
    refused(core, "a")
    assert watch_of(core).state(core.now) == "error"
    hand = core.dialed("b", dialect=NEW)
    hand.say(HandshakeFailure(PeerInfo(hand.id), GenesisMismatch(GenesisId("other", CryptoHash(bytes(32))))))
    assert watch_of(core).state(core.now) == "ok"
    assert told(core)[-1] == "cut_off_over"


def test_a_dead_address_says_nothing_about_versions() -> None:
    core = Core()
    refused(core, "a")
    core.manager.connect(PeerInfo(key_of("dead").public_key, core.dials[-1].peer.addr), core.now, NEW)
    core.act()
    core.manager.dial_failed(core.dials[-1], "Connection refused", core.now)
    assert watch_of(core).state(core.now) == "error"


def test_silence_after_a_refusal_counts_in_the_last_dialect_alone() -> None:
    """A peer that refuses, is followed and then says no more is behind the refusal."""
    core = Core()
    hand = core.dialed("a", dialect=NEW)
    refuse(hand, 120, 119)
    core.manager.lost(hand.peer, "closed by the peer", core.now)
    core.act()
    assert watch_of(core).state(core.now) == "error"
    core = Core(nearnet={"dialect": "auto"})
    hand = core.dialed("b", dialect=None)
    core.manager.lost(hand.peer, "closed by the peer", core.now)
    core.act()
    assert "dialect_refused" in core.kinds()
    assert watch_of(core).state(core.now) == "ok"


def test_it_is_over_when_the_last_failure_is_old() -> None:
    core = Core()
    refused(core, "a")
    core.advance(FAILURE_WINDOW / 2)
    refused(core, "b")
    core.advance(FAILURE_WINDOW - 1)
    assert watch_of(core).state(core.now) == "error"
    core.advance(2)
    assert watch_of(core).state(core.now) == "ok"
    assert told(core)[-1] == "cut_off_over"


def test_few_failures_are_kept() -> None:
    core = Core()
    hand = core.dialed("other", dialect=NEW)
    core.manager.lost(hand.peer, "closed by the peer", core.now)
    for number in range(FAILURES_KEPT - 1):
        refused(core, str(number))
    assert watch_of(core).state(core.now) == "ok"
    refused(core, "one more")
    assert watch_of(core).state(core.now) == "error", "the other failure has left"


def test_being_cut_off_again_and_again_is_told_a_few_times() -> None:
    core = Core()
    for number in range(2 * CUT_OFF_BURST):
        refused(core, f"new {number}")
        hand = core.ready("old", dialect=NEW)
        core.advance(2)
        core.manager.lost(hand.peer, "gone", core.now)
        core.act()
    assert told(core).count("cut_off") == told(core).count("cut_off_over") == CUT_OFF_BURST
