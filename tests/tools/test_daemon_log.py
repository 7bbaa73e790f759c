"""The daemon's log: lines for people, objects for machines."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from told_events import told

from nearnet.errors import ConfigError
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
    log.info("event", extra={"nearnet": told("banned", None, time=12.5, seq=7)})
    try:
        raise ValueError("a fault")
    except ValueError:
        log.exception("! unhandled")
    plain, event, fault = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (plain["level"], plain["logger"], plain["message"]) == ("info", "nearnet.node", "plain\nwith a line break")
    assert (event["kind"], event["reason"], event["seq"]) == ("banned", "Abusive", 7)
    assert event["time"] == 12.5
    assert event["message"] == "event"
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


def test_a_line_that_a_peer_would_forge() -> None:
    stream = io.StringIO()
    set_up_log("info", "text", stream)
    LOG.info("its genesis is x\n12:00:00.000 E forged\x1b[2J")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_a_traceback_for_people() -> None:
    stream = io.StringIO()
    set_up_log("info", "text", stream)
    try:
        raise ValueError("a fault")
    except ValueError:
        LOG.exception("! unhandled")
    first, second, *_, last = stream.getvalue().splitlines()
    assert first.endswith(" E ! unhandled")
    assert (second, last) == ("Traceback (most recent call last):", "ValueError: a fault")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    stream = Terminal()
    set_up_log("info", "text", stream)
    LOG.info("calm")
    LOG.error("trouble")
    calm, trouble = stream.getvalue().splitlines()
    assert "\x1b" not in calm
    assert ("\x1b[31m" in trouble) is coloured


def test_the_import_comes_with_the_first_line_or_before() -> None:
    """A start needs no structlog."""
    script = (
        "import logging, sys\n"
        "from nearnet.tools.daemon_log import load_renderer, set_up_log\n"
        "set_up_log('info', 'json', sys.stdout)\n"
        "assert 'structlog' not in sys.modules\n"
        "load_renderer()\n"
        "assert 'structlog' in sys.modules\n"
        "logging.getLogger('nearnet').info('told')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["message"] == "told"
