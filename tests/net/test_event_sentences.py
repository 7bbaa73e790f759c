"""Events in words."""

from __future__ import annotations

import logging

import pytest
from told_events import EXAMPLES, PEER
from told_events import told as event

from nearnet.events import NodeEvent
from nearnet.net.event_sentences import describe, one_line, wording


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            event("connected", address="10.0.0.7:24567", direction="inbound", dialect="borsh", connections=3),
            f"connected to {PEER} at 10.0.0.7:24567: inbound, borsh",
        ),
        (
            event("banned", reason="Abusive", seconds=10800.0),
            f"banned {PEER} for Abusive: its connections are refused for 10800 s",
        ),
        (
            event("handshake_failed", None, address="10.0.0.7:9", reason="banned"),
            "a stranger at 10.0.0.7:9 and we shook no hands: banned",
        ),
        (event("degraded", None, part="storage", why=None), "the storage works again"),
        (event("degraded", None, part="storage", why="disk full"), "the storage is degraded: disk full"),
        (
            event("stalled", None, input="timer", seconds=0.081),
            "the event loop was held for 0.081 s (timer): all else waited",
        ),
        (
            event("handshake_failed", address=None, reason="another genesis"),
            f"{PEER} at - and we shook no hands: another genesis",
        ),
        (
            event("malformed", address="10.0.0.7:9", why="too short"),
            f"a message of {PEER} at 10.0.0.7:9 does not read: too short; it is dropped",
        ),
        (event("edges", None, added=2, total=5), "edges added=2 total=5"),
        (event("announcement", account_id="a.near"), f"announcement {PEER} account_id=a.near epoch_id="),
    ],
)
def test_sentences(told: NodeEvent, sentence: str) -> None:
    assert describe(told).startswith(sentence)


@pytest.mark.parametrize(
    ("told", "level", "words"),
    [
        (
            event("network_moved_on", None, version=120, oldest=119, own=88),
            logging.WARNING,
            ["the network has moved on", "119 to 120", "our own is 88", "nearnet.protocol_versions pins"],
        ),
        (event("newer_protocol", None, version=90, own=88), logging.WARNING, ["version 90", "our own 88", "upgrade"]),
        (event("newer_protocol_over", None, own=88), logging.INFO, ["our own 88 any more"]),
        (
            event("cut_off", None, version=120, own=88, advice="upgrade nearnet"),
            logging.ERROR,
            ["every recent dial failed", "our protocol version 88", "is 120): upgrade nearnet"],
        ),
        (event("cut_off_over", None, own=88), logging.INFO, ["no longer refuse our protocol version 88"]),
        (event("clock_ahead", None, seconds=400), logging.WARNING, ["400 s ahead", "timedatectl set-ntp true"]),
        (event("clock_ahead_over", None), logging.INFO, ["not ahead of our peers' any more"]),
    ],
)
def test_what_the_operator_must_know_in_time(told: NodeEvent, level: int, words: list[str]) -> None:
    assert wording(told).level == level
    assert [word for word in words if word not in describe(told)] == []


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_each_sentence_has_all_its_values(kind: str) -> None:
    sentence = describe(event(kind))
    assert "{" not in sentence
    assert " - " not in f" {sentence} ", "a dash stands for a value that the event does not have"


def test_what_is_for_debugging_only() -> None:
    assert wording(event("edges")).level == logging.DEBUG
    assert wording(event("degraded", None, part="storage", why=None)).level == logging.INFO
    assert wording(event("degraded", None, part="storage", why="full")).level == logging.ERROR


@pytest.mark.threat(80)
def test_what_a_peer_tells_stays_one_short_line() -> None:
    told = describe(event("handshake_failed", address="1.2.3.4:5", reason="x\n12:00:00 E forged\x1b[2J" + "y" * 9999))
    assert "\n" not in told
    assert "\x1b" not in told
    assert len(told) < 500
    assert one_line("a\nb") == "a\N{REPLACEMENT CHARACTER}b"
