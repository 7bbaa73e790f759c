"""Options that several verbs have, and the home and config that they lead to."""

# Without postponed annotations, as typer reads them (see `app.py`).
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from nearnet.config import LoadedConfig, load_config
from nearnet.errors import ConfigError
from nearnet.home import Home, default_home

__all__ = ["HomeOption", "JsonOption", "SetOption", "home_path", "load_home", "store_location"]

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="The home folder; NEARNET_HOME or ~/.nearnet unless told.", metavar="DIR")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="Set any field of the config.", metavar="PATH=VALUE")
]


def home_path(home: Path | None) -> Path:
    """The folder asked for, or the default one."""
    return default_home() if home is None else home.expanduser()


def load_home(home: Path | None, settings: Iterable[str | tuple[str, Any, str]] = ()) -> tuple[Home, LoadedConfig]:
    """The folder and its config, with environment and flags over it; raises `ConfigError`."""
    found = Home.open(home_path(home))
    loaded = load_config(found.config_path, os.environ, settings, found.base)
    if found.chain_id is not None and loaded.origins["genesis_hash"] == "default":
        raise ConfigError(f"the genesis hash of {found.chain_id!r} is not known; tell it: --genesis-hash BASE58")
    return found, loaded


def store_location(home: Home, loaded: LoadedConfig) -> str | Path:
    """Where the store is: ``memory``, or a path."""
    return loaded.config.nearnet.store or home.store_path
