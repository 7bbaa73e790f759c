"""Log lines: one an event, ten a second and peer."""

from __future__ import annotations

import logging

import pytest
from told_events import PEER
from told_events import told as line

from nearnet.keys import SecretKey
from nearnet.net import event_logging
from nearnet.net.event_logging import LINES_PER_SECOND, EventLogging


def test_a_line_names_the_event_the_peer_and_what_follows(caplog: pytest.LogCaptureFixture) -> None:
    write = EventLogging()
    with caplog.at_level(logging.DEBUG, "nearnet"):
        write(line("banned", reason="Abusive", seconds=60.0))
        write(line("routes", peer=None, reachable=4))
        write(line("degraded", peer=None))
    assert caplog.messages == [
        f"! banned {PEER} for Abusive: its connections are refused for 60 s",
        "= routes reachable=4",
        "! the storage is degraded: disk full; what is to be written is kept and tried again",
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING", "DEBUG", "ERROR"]


def test_the_root_logger_is_left_alone() -> None:
    before = logging.getLogger().handlers[:]
    EventLogging()(line("banned"))
    assert logging.getLogger().handlers == before
    assert logging.getLogger("nearnet").handlers == []


@pytest.mark.threat(80)
def test_a_peer_cannot_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    write = EventLogging()
    for _ in range(1000):
        write(line("malformed", time=5.5))
        write(line("malformed", time=5.5, peer=None, address="10.0.0.7:999"))
    write(line("malformed", time=5.5, peer=SecretKey.from_seed("other").public_key))
    assert len(caplog.messages) == 2 * LINES_PER_SECOND + 1
    caplog.clear()
    write(line("malformed", time=6.0))
    assert caplog.messages[0] == f"! suppressed {1000 - LINES_PER_SECOND} lines about {PEER}"
    assert len(caplog.messages) == 2


@pytest.mark.threat(80)
def test_ten_lines_a_second_with_what_was_suppressed(caplog: pytest.LogCaptureFixture) -> None:
    write = EventLogging()
    for second in (5.0, 6.0):
        for _ in range(100):
            write(line("malformed", time=second))
    assert len(caplog.messages) == 2 * LINES_PER_SECOND
    caplog.clear()
    write.tell_suppressed(6.5)
    assert caplog.messages == []
    write.tell_suppressed(7.0)
    write.tell_suppressed(8.0)
    assert caplog.messages == [f"! suppressed {100 - LINES_PER_SECOND + 1} lines about {PEER}"]


def test_one_line_for_each_cause(caplog: pytest.LogCaptureFixture) -> None:
    write = EventLogging()
    with caplog.at_level(logging.INFO, "nearnet"):
        write(line("banned", reason="Abusive", seconds=60.0))
        write(line("disconnected", reason="banned: Abusive", address="10.0.0.7:9"))
        write(line("handshake_failed", reason="its genesis is another", address="10.0.0.7:9"))
        write(line("dial_failed", reason="its genesis is another", address="10.0.0.7:9"))
        write(line("dial_failed", time=9.0, reason="its genesis is another", address="10.0.0.7:9"))
    assert [message.partition(" ")[0] for message in caplog.messages] == ["!", "x", "x"]
    assert [record.nearnet.kind for record in caplog.records] == [  # type: ignore[attr-defined]
        "banned",
        "handshake_failed",
        "dial_failed",
    ]


def test_what_a_forgotten_source_had_suppressed_is_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_logging, "_SOURCES", 1)
    write = EventLogging()
    for _ in range(LINES_PER_SECOND + 5):
        write(line("malformed", peer=None, address="10.0.0.1:1"))
    write(line("malformed", peer=None, address="10.0.0.2:1"))
    assert "! suppressed 5 lines about 10.0.0.1" in caplog.messages


def test_quiet_sources_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_logging, "_SOURCES", 2)
    write = EventLogging()
    for number in range(5):
        write(line("malformed", peer=None, address=f"10.0.0.{number}:1"))
    assert list(write._sources) == ["10.0.0.3", "10.0.0.4"]


def test_what_is_not_logged_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    write = EventLogging()
    with caplog.at_level(logging.ERROR, "nearnet"):
        write(line("connected"))
    assert (caplog.messages, write._sources) == ([], {})
