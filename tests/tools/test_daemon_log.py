"""The daemon's log: lines for people, objects for machines."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from nearnet.errors import ConfigError
from nearnet.net.events import NodeEvent
from nearnet.tools.daemon_log import LEVELS, set_log_level, set_up_log

LOG = logging.getLogger("nearnet")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The package's logger is everybody's."""
    before = (LOG.level, LOG.handlers, LOG.propagate)
    yield
    LOG.setLevel(before[0])
    LOG.handlers, LOG.propagate = before[1], before[2]


def test_a_line_for_people() -> None:
    stream = io.StringIO()
    set_up_log("info", "text", stream)
    logging.getLogger("nearnet.node").warning("! behind %s", "somebody")
    logging.getLogger("nearnet.node").debug("not shown")
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d\d\d W ! behind somebody\n", stream.getvalue())


def test_an_object_a_line_for_machines() -> None:
    stream = io.StringIO()
    set_up_log("debug", "json", stream)
    log = logging.getLogger("nearnet.node")
    log.info("plain\nwith a line break")
    log.info("event", extra={"nearnet": NodeEvent(7, 12.5, "banned", None, {"reason": "Abusive"})})
    try:
        raise ValueError("a fault")
    except ValueError:
        log.exception("! unhandled")
    plain, event, fault = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (plain["level"], plain["logger"], plain["message"]) == ("info", "nearnet.node", "plain\nwith a line break")
    assert (event["kind"], event["reason"], event["seq"]) == ("banned", "Abusive", 7)
    assert event["time"] == 12.5
    assert "ValueError: a fault" in fault["traceback"]


def test_a_second_call_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    set_up_log("info", "text", first)
    set_up_log("info", "text", second)
    LOG.info("once")
    assert (first.getvalue(), second.getvalue().count("once")) == ("", 1)
    assert not LOG.propagate, "an embedding program's own log is left alone"


def test_levels() -> None:
    stream = io.StringIO()
    set_up_log("error", "text", stream)
    for level in LEVELS:
        set_log_level(level.upper())
        assert LOG.getEffectiveLevel() == getattr(logging, level.upper())
    with pytest.raises(ConfigError, match="'loud' is no log level; it is one of debug, info, warning, error"):
        set_log_level("loud")
