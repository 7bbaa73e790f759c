"""The daemon's log on stderr: text for people, one JSON object a line for machines. A library must not do this."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING

from nearnet.errors import ConfigError

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["LEVELS", "set_log_level", "set_up_log"]

LEVELS = ("debug", "info", "warning", "error")


class _Text(logging.Formatter):
    """``12:34:56.789 I what happened``, in UTC."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%H:%M:%S"
    default_msec_format = "%s.%03d"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname).1s %(message)s")


class _Json(logging.Formatter):
    """One object a line; an event's own fields are in it."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": record.created, "level": record.levelname.lower(), "logger": record.name}
        event = getattr(record, "nearnet", None)
        line |= {"message": record.getMessage()} if event is None else event.as_dict()
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def set_log_level(level: str) -> None:
    """From now on; `ConfigError` for an unknown one."""
    if level.lower() not in LEVELS:
        raise ConfigError(f"{level!r} is no log level; it is one of {', '.join(LEVELS)}")
    logging.getLogger("nearnet").setLevel(level.upper())


def set_up_log(level: str, form: str, stream: TextIO) -> None:
    """Write the package's log to `stream` as ``text`` or ``json``."""
    set_log_level(level)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logger = logging.getLogger("nearnet")
    logger.handlers = [handler]
    logger.propagate = False
