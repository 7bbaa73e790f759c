"""Defaults < file < environment < flags, with each value's origin and all errors at once in words (`config.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nearnet.config.in_words import section_of, unknown_fields, without_unknown
from nearnet.config.network_config import NetworkConfig
from nearnet.config.sources import Layer, environment_layer, file_layer, set_layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pydantic import BaseModel

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
    return NetworkConfig.model_validate(dict(data))


def _join(layers: Sequence[Layer]) -> LoadedConfig:
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = _merge(NetworkConfig, merged, layer.data)
    warnings = tuple(
        f"unknown field {path} ({layer.origin_of(path)}) is ignored"
        for layer in layers
        for path in unknown_fields(NetworkConfig, layer.data)
    )
    config = NetworkConfig.model_validate(without_unknown(NetworkConfig, merged))
    return LoadedConfig(config, tuple(layers), warnings)


# --- the shape of the models -------------------------------------------------------------------------


def _merge(model: type[BaseModel], under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for name, value in over.items():
        section, below = section_of(model, name), under.get(name)
        if section is not None and isinstance(value, dict) and isinstance(below, dict):
            merged[name] = _merge(section, below, value)
        else:
            merged[name] = value
    return merged


def _flat(model: type[BaseModel], data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        section = section_of(model, name)
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
