"""The daemon's log on stderr: text for people, one JSON object a line for machines. A library must not do this.

Rendered by structlog, which is imported with the first line: a start needs none, and that import is a third of it.
"""

from __future__ import annotations

import json
import logging
import os
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nearnet.errors import ConfigError
from nearnet.net.event_sentences import one_line

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import TextIO

    from structlog.typing import ProcessorReturnValue

__all__ = ["LEVELS", "load_renderer", "set_log_level", "set_up_log"]

LEVELS = ("debug", "info", "warning", "error")

_COLOURS = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m"}


class _Rendered(logging.Formatter):
    """Standard records, by structlog's processors."""

    def __init__(self, form: str, colours: bool) -> None:
        super().__init__()
        self._form = form
        self._colours = colours

    @cached_property
    def inner(self) -> logging.Formatter:
        """structlog's formatter."""
        from structlog.processors import JSONRenderer, format_exc_info
        from structlog.stdlib import ProcessorFormatter

        render: list[Any] = [_text if self._form == "text" else JSONRenderer(_json)]
        if self._colours:
            render.append(_coloured)
        return ProcessorFormatter(
            processors=[_fields, ProcessorFormatter.remove_processors_meta, format_exc_info, *render]
        )

    def format(self, record: logging.LogRecord) -> str:
        return self.inner.format(record)


def _fields(_: Any, __: str, event: MutableMapping[str, Any]) -> ProcessorReturnValue:
    """Time, level, logger and message first; an event's own fields are in it."""
    record: logging.LogRecord = event["_record"]
    told = getattr(record, "nearnet", None)
    line = {"time": record.created, "level": record.levelname.lower(), "logger": record.name}
    line |= {"message": event["event"]}
    line |= getattr(record, "fields", {}) if told is None else told.as_dict()
    rest = {name: event[name] for name in ("_record", "_from_structlog", "exc_info") if name in event}
    return {**line, **rest}


def _text(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    """``12:34:56.789 I what happened``, in UTC; a traceback below it."""
    seconds = event["time"]
    clock = time.strftime("%H:%M:%S", time.gmtime(seconds))
    line = f"{clock}.{int(seconds * 1000) % 1000:03d} {event['level'][0].upper()} {one_line(event['message'])}"
    return f"{line}\n{event['exception']}" if "exception" in event else line


def _coloured(_: Any, __: str, line: Any) -> str:
    level = {"W": "warning", "E": "error", "C": "critical"}.get(line[13:14])
    return f"{_COLOURS[level]}{line}\x1b[0m" if level else str(line)


def _json(line: dict[str, Any], **_: Any) -> str:
    if "exception" in line:
        line["traceback"] = line.pop("exception")
    return json.dumps(line, default=str)


def set_log_level(level: str) -> None:
    """From now on; `ConfigError` for an unknown one."""
    if level.lower() not in LEVELS:
        raise ConfigError(f"{level!r} is no log level; it is one of {', '.join(LEVELS)}")
    logging.getLogger("nearnet").setLevel(level.upper())


def set_up_log(level: str, form: str, stream: TextIO) -> None:
    """Write the package's log to `stream` as ``text`` or ``json``; in colour on a terminal unless NO_COLOR is set."""
    set_log_level(level)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Rendered(form, form == "text" and stream.isatty() and not os.environ.get("NO_COLOR")))
    logger = logging.getLogger("nearnet")
    logger.handlers = [handler]
    logger.propagate = False


def load_renderer() -> None:
    """Have the import behind us, on a thread, before the first line needs it."""
    for handler in logging.getLogger("nearnet").handlers:
        if isinstance(handler.formatter, _Rendered):
            _ = handler.formatter.inner
