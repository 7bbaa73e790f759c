"""Our clock against the times that peers tell in nonces (`network-2026.md` §4)."""

from __future__ import annotations

from typing import Any

import pytest
from hand import ME, Core, Hand

from nearnet.core.peer_manager.clock_watch import MOST_AHEAD, SAMPLE_AGE, SAMPLES, TOLD_AGAIN, TOLD_AT_ONCE, ClockWatch
from nearnet.core.routing_table.edge import next_nonce, sign_edge, unix_nonce
from nearnet.core.runtime.clock import Now
from nearnet.wire.messages import RequestUpdateNonce

NEW = "protobuf"


def watch_of(core: Core) -> ClockWatch:
    return core.manager.clock_watch


def told(core: Core) -> list[str]:
    return [kind for kind in core.kinds() if kind.startswith("clock_ahead")]


def call(core: Core, name: str, behind: float, ip: str = "127.0.0.1") -> Hand:
    """A peer whose clock is `behind` ours shakes hands."""
    hand = core.hand(name, ip, dialect=NEW)
    hand.shake(unix_nonce(core.now.wall - behind))
    return hand


def state(core: Core) -> str:
    return watch_of(core).state(core.now)


def test_no_peer_no_word() -> None:
    core = Core()
    assert (state(core), watch_of(core).ahead(core.now), told(core)) == ("ok", 0.0, [])
    assert watch_of(core).sentence(core.now) == "our clock is not more than 300 s ahead of our peers'"


def test_one_peer_alone_is_believed() -> None:
    core = Core()
    call(core, "a", 400)
    assert (state(core), told(core)) == ("warning", ["clock_ahead"])
    assert next(event.data for event in core.events if event.kind == "clock_ahead")["seconds"] in (399, 400)
    assert "s ahead of our peers': they drop our edges" in watch_of(core).sentence(core.now)


@pytest.mark.parametrize("behind", [0, MOST_AHEAD - 2, -400])
def test_what_is_no_reason_to_warn(behind: float) -> None:
    core = Core()
    call(core, "a", behind)
    call(core, "b", behind)
    assert (state(core), told(core)) == ("ok", [])


@pytest.mark.parametrize(
    ("others", "expected"), [([0.0], "ok"), ([400.0], "warning"), ([400.0, 0.0], "warning"), ([0.0, 0.0], "ok")]
)
def test_a_peer_alone_does_not_outvote_the_others(others: list[float], expected: str) -> None:
    core = Core()
    for number, behind in enumerate(others):
        call(core, f"other {number}", behind)
    call(core, "a", 1000)
    assert state(core) == expected


def test_one_sample_among_many_connections_is_not_enough() -> None:
    """Peers that we dialed answer with our own nonce: they tell no time."""
    core = Core()
    for name in ("b", "c"):
        dialed = core.dialed(name, dialect=NEW)
        (ours,) = dialed.read()
        dialed.shake(ours.partial_edge_info.nonce)
        assert dialed.peer.is_ready
    call(core, "a", 400)
    assert state(core) == "ok"


def test_many_keys_of_one_host_count_once() -> None:
    core = Core()
    core.ready("b", "10.0.0.2", NEW)
    core.ready("c", "10.0.0.3", NEW)
    for number in range(5):
        hand = call(core, f"hostile {number}", 900, "10.0.0.1")
        core.manager.lost(hand.peer, "gone", core.now)
    assert state(core) == "ok"


def test_a_clock_so_far_ahead_that_no_handshake_is_taken() -> None:
    core = Core()
    assert not call(core, "a", 5000).peer.is_ready
    assert state(core) == "warning"


def test_a_renewed_nonce_tells_the_time_too() -> None:
    core = Core()
    hand = core.ready(dialect=NEW)
    core.now = Now(core.now.mono, core.now.wall + 900)
    assert state(core) == "ok"
    hand.say(RequestUpdateNonce(sign_edge(hand.key, ME.public_key, hand.edge().nonce + 10)))
    assert state(core) == "warning"


def test_what_tells_no_time() -> None:
    core = Core()
    core.hand("borsh").shake(unix_nonce(core.now.wall - 900))
    hand = core.ready("a", dialect=NEW)
    watch = watch_of(core)
    watch.proposed(hand.peer, hand.id, 7, 0, core.now)
    last = unix_nonce(core.now.wall - 900)
    watch.proposed(hand.peer, hand.id, next_nonce(last), last, core.now)
    assert state(core) == "ok"


def test_over_and_again() -> None:
    core = Core()
    call(core, "a", 400)
    call(core, "b", 400)
    assert told(core) == ["clock_ahead"]
    call(core, "c", 0)
    call(core, "d", 0)
    assert told(core) == ["clock_ahead", "clock_ahead_over"]
    for name in ("e", "f", "g"):
        call(core, name, 400)
    assert told(core) == ["clock_ahead", "clock_ahead_over", "clock_ahead"]


def test_a_corrected_clock_ends_the_warning_without_a_peer() -> None:
    core = Core()
    call(core, "a", 400)
    core.now = Now(core.now.mono, core.now.wall - 400)
    core.advance(61)
    assert told(core) == ["clock_ahead", "clock_ahead_over"]
    assert watch_of(core).ahead(core.now) == 0.0


def test_the_warning_stays_while_nothing_changes_and_ends_with_its_samples() -> None:
    core = Core()
    call(core, "a", 400)
    core.advance(SAMPLE_AGE - 120)
    assert told(core) == ["clock_ahead"]
    core.advance(180)
    assert told(core) == ["clock_ahead", "clock_ahead_over"]


def test_samples_are_bounded() -> None:
    core = Core()
    for number in range(SAMPLES):
        call(core, f"wrong {number}", 400)
    assert state(core) == "warning"
    for number in range(SAMPLES):
        call(core, f"right {number}", 0)
    assert watch_of(core).ahead(core.now) < 2, "the newest peers are left"


def test_a_hostile_peer_does_not_flood_the_log() -> None:
    core = Core()
    hand: Any = core.ready(dialect=NEW)
    watch = watch_of(core)
    for _ in range(3 * TOLD_AT_ONCE):
        watch.proposed(hand.peer, hand.id, unix_nonce(core.now.wall - 900), 0, core.now)
        watch.proposed(hand.peer, hand.id, unix_nonce(core.now.wall), 0, core.now)
    core.act()
    assert told(core) == ["clock_ahead", "clock_ahead_over"] * TOLD_AT_ONCE
    core.advance(TOLD_AGAIN)
    watch.proposed(hand.peer, hand.id, unix_nonce(core.now.wall - 900), 0, core.now)
    core.act()
    assert len(told(core)) == 2 * TOLD_AT_ONCE + 1
