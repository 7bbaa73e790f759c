"""Defaults < file < environment < flags, with each value's origin and all errors at once in words (`config.md`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from nearnet.config.models import MessageRates
from nearnet.config.network_config import NetworkConfig
from nearnet.config.sources import Layer, environment_layer, file_layer, set_layer
from nearnet.errors import ConfigError
from nearnet.wire.message_kinds import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["LoadedConfig", "config_from", "load_config"]

_DEFAULT = "default"
_LOWERED = "lowered to fit"


@dataclass(frozen=True)
class LoadedConfig:
    """A config, the layers it was made of, and warnings in words."""

    config: NetworkConfig
    layers: tuple[Layer, ...]
    warnings: tuple[str, ...]

    @cached_property
    def origins(self) -> dict[str, str]:
        """Where each value came from, by path, such as ``network.addr``. Found out when asked: a start needs it not."""
        return _origins(self.config, self.layers)

    def values(self) -> dict[str, Any]:
        """Every value by its path, as JSON knows it; in the models' order."""
        return dict(_flat(NetworkConfig, self.config.model_dump(mode="json")))


def load_config(
    path: Path | None,
    environ: Mapping[str, str] | None = None,
    settings: Iterable[str | tuple[str, Any, str]] = (),
    base: Mapping[str, Any] | None = None,
) -> LoadedConfig:
    """From a file (if any), environment variables and flags (`set_layer`).

    `base` lies under the file: what is known from elsewhere, such as a reference node's genesis.json. Raises
    `ConfigError`: one line per wrong field with what was expected and what was given.
    """
    layers = [Layer("genesis.json", dict(base), {})] if base else []
    if path is not None:
        layers.append(file_layer(path))
    layers += [environment_layer(environ or {}), set_layer(settings)]
    return _join(layers)


def config_from(data: Mapping[str, Any]) -> NetworkConfig:
    """From plain values, as in config.json; `ConfigError` lists all that is wrong, unknown fields included."""
    loaded = _join([Layer("call", dict(data), {})])
    if loaded.warnings:
        raise ConfigError("\n".join(loaded.warnings))
    return loaded.config


def _join(layers: Sequence[Layer]) -> LoadedConfig:
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = _merge(NetworkConfig, merged, layer.data)
    warnings = tuple(
        f"unknown field {path} ({layer.origin_of(path)}) is ignored"
        for layer in layers
        for path in _unknown(NetworkConfig, layer.data)
    )
    try:
        config = NetworkConfig.model_validate(merged)
    except ValidationError as error:
        raise ConfigError("\n".join(_all_wrong(merged, error))) from None
    return LoadedConfig(config, tuple(layers), warnings)


# --- the shape of the models -------------------------------------------------------------------------


def _section(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The model of a field that is itself an object of the config."""
    field = model.model_fields.get(name)
    kind = None if field is None or get_origin(field.annotation) else field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _merge(model: type[BaseModel], under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for name, value in over.items():
        section, below = _section(model, name), under.get(name)
        if section is not None and isinstance(value, dict) and isinstance(below, dict):
            merged[name] = _merge(section, below, value)
        else:
            merged[name] = value
    return merged


def _unknown(model: type[BaseModel], data: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in data.items():
        section = _section(model, name) or _optional_section(model, name)
        if name not in model.model_fields:
            yield prefix + name
        elif section is not None and isinstance(value, dict):
            yield from _unknown(section, value, f"{prefix}{name}.")
        elif model is MessageRates and isinstance(value, dict):
            yield from (f"{prefix}{name}.{kind}" for kind in value if kind not in KEYS)


def _optional_section(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """Return the model of a field that is an object of the config or null."""
    field = model.model_fields.get(name)
    if field is None or get_origin(field.annotation) is not UnionType:
        return None
    kinds = get_args(field.annotation)
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _flat(model: type[BaseModel], data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        section = _section(model, name)
        if section is None:
            yield prefix + name, value
        else:
            yield from _flat(section, value, f"{prefix}{name}.")


# --- origins -----------------------------------------------------------------------------------------


def _origins(config: NetworkConfig, layers: Sequence[Layer]) -> dict[str, str]:
    origins = {}
    plain = config.model_dump(mode="json")
    defaults = dict(_flat(NetworkConfig, NetworkConfig().model_dump(mode="json")))
    for path, value in _flat(NetworkConfig, plain):
        told = [layer.origin_of(path) for layer in layers if _has(layer.data, path)]
        derived = value != defaults[path]
        origins[path] = told[-1] if told else _derived(path) if derived else _DEFAULT
    return origins


def _derived(path: str) -> str:
    """Not told, and yet another value than the default's: another field stands for it."""
    if path == "genesis_hash":
        return "known for chain_id"
    lowered = ("ideal_connections_hi", "ideal_connections_lo", "safe_set_size", "minimum_outbound_peers")
    return _LOWERED if path.removeprefix("network.") in lowered else "follows another field"


def _has(data: Any, path: str) -> bool:
    for name in path.split("."):
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
    return True


# --- errors in words ---------------------------------------------------------------------------------


def _all_wrong(data: dict[str, Any], error: ValidationError) -> list[str]:
    """A line per wrong field, then the wrong combinations among the fields that are right."""
    lines: dict[str, None] = {}
    wrong: list[str] = []
    for one in error.errors(include_url=False):
        path = ".".join(map(str, one["loc"]))
        if not path:
            lines.update(dict.fromkeys(one["msg"].removeprefix("Value error, ").splitlines()))
        elif path not in wrong:
            wrong.append(path)
            lines[f"{path}: expected {_expected(one)}, got {_given(one['input'])}"] = None
    if wrong:
        rest = data
        for path in wrong:
            rest = _without(rest, path.split("."))
        lines.update(dict.fromkeys(_wrong_combinations(rest, wrong)))
    return list(lines)


def _wrong_combinations(data: dict[str, Any], wrong: Sequence[str]) -> Iterator[str]:
    """What the rest of the fields breaks; a rule that names a field known as wrong already says nothing."""
    names = [path.split(".")[-1] for path in wrong]
    try:
        NetworkConfig.model_validate(data)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            lines = one["msg"].removeprefix("Value error, ").splitlines()
            yield from (line for line in lines if not any(name in line for name in names))


def _without(data: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """A copy without what is at `path`; a wrong entry of a list takes the whole list."""
    name, *rest = path
    below = data.get(name)
    if rest and isinstance(below, dict):
        return {**data, name: _without(below, rest)}
    return {key: value for key, value in data.items() if key != name}


def _expected(error: Any) -> str:
    bounds = error.get("ctx", {})
    words = {
        "int_type": "a whole number",
        "int_parsing_size": "a smaller whole number",
        "float_type": "a number",
        "finite_number": "a number",
        "bool_type": "true or false",
        "string_type": "a text",
        "string_too_short": "a text that is not empty",
        "list_type": "a list",
        "tuple_type": "a list",
        "dict_type": "an object",
        "model_type": "an object",
        "model_attributes_type": "an object",
        "missing": "a value",
        "greater_than_equal": f"at least {bounds.get('ge')}",
        "less_than_equal": f"at most {bounds.get('le')}",
        "less_than": f"less than {bounds.get('lt')}",
        "literal_error": f"one of {bounds.get('expected')}",
    }
    kind = error["type"]
    if kind == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    return words.get(kind, str(error["msg"]))


def _given(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
