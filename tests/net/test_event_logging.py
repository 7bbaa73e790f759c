"""Log lines: one an event, ten a second and peer."""

from __future__ import annotations

import logging

import pytest

from nearnet.keys import SecretKey
from nearnet.net import event_logging
from nearnet.net.event_logging import LINES_PER_SECOND, EventLogging
from nearnet.net.events import NodeEvent

PEER = SecretKey.from_seed("peer").public_key


def line(kind: str, time: float = 1.0, peer: object = PEER, **data: object) -> NodeEvent:
    return NodeEvent(1, time, kind, peer, data)  # type: ignore[arg-type]


def test_a_line_names_the_event_the_peer_and_what_follows(caplog: pytest.LogCaptureFixture) -> None:
    write = EventLogging()
    with caplog.at_level(logging.DEBUG, "nearnet"):
        write(line("banned", reason="Abusive"))
        write(line("routes", peer=None, reachable=4))
        write(line("degraded", peer=None))
    assert caplog.messages == [f"! banned {PEER} reason=Abusive", "= routes reachable=4", "! degraded"]
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
