"""The layers that a config is made of, each a tree of plain values: the file, the environment, the flags."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nearnet.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["Layer", "environment_layer", "file_layer", "read_json", "set_layer", "strip_comments"]

_NOT_CONFIG = ("NEARNET_BIN", "NEARNET_HOME", "NEARNET_PURE", "NEARNET_SHARED")
"""The home folder; where those who test a build from outside say that it and their suites lie."""

_PREFIX = "NEARNET_"
_STRING_OR_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*')


@dataclass(frozen=True, slots=True)
class Layer:
    """Some of the config's values, and the word for where they came from. `names` has better words for single paths."""

    origin: str
    data: dict[str, Any]
    names: Mapping[str, str]

    def origin_of(self, path: str) -> str:
        """Where the value at `path` of this layer came from."""
        return next((name for at, name in self.names.items() if f"{path}.".startswith(f"{at}.")), self.origin)


def strip_comments(text: str) -> str:
    """JSON without its ``//`` comments; line and column of what is left stay as they were."""
    return _STRING_OR_COMMENT.sub(lambda found: found[1] or "", text)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; `ConfigError` when it cannot be read or is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; run nearnet init") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"{path} cannot be read: {reason}") from None
    try:
        data = json.loads(strip_comments(text))
    except (json.JSONDecodeError, RecursionError) as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}" if isinstance(error, ValueError) else error
        raise ConfigError(f"{path} is not JSON: {where}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path} holds no JSON object")
    return data


def file_layer(path: Path) -> Layer:
    """config.json."""
    return Layer(f"file {path.name}", read_json(path), {})


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """``NEARNET_`` and the path, ``__`` for dots, as in ``NEARNET_NETWORK__MAX_NUM_PEERS``; an empty one counts too."""
    data: dict[str, Any] = {}
    names = {}
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in _NOT_CONFIG:
            path = name[len(_PREFIX) :].lower().replace("__", ".")
            _put(data, path, _value(environ[name]), name)
            names[path] = f"environment {name}"
    return Layer("environment", data, names)


def set_layer(settings: Iterable[str | tuple[str, Any, str]]) -> Layer:
    """The flags, in order: ``PATH=VALUE`` of ``--set``, or (path, value, flag's name) of a flag that has its own."""
    data: dict[str, Any] = {}
    names = {}
    for setting in settings:
        if isinstance(setting, str):
            path, equals, text = setting.partition("=")
            path, value, flag = path.strip(), _value(text), "--set"
            if not equals or not path:
                raise ConfigError(f"--set {setting!r} is not PATH=VALUE, such as network.max_num_peers=10")
        else:
            path, value, flag = setting
        _put(data, path, value, f"{flag} {path}")
        names[path] = f"flag {flag}"
    return Layer("flags", data, names)


def _value(text: str) -> Any:
    """JSON, else the text itself."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text


def _put(data: dict[str, Any], path: str, value: Any, what: str) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise ConfigError(f"{what} sets a field of {parent!r}, which is set to a plain value as well")
    data[name] = value
