"""The configuration: models, where each value comes from, errors in words (`config.md`)."""

from __future__ import annotations

from nearnet.config.loading import LoadedConfig, config_from, load_config
from nearnet.config.models import GENESIS_HASHES
from nearnet.config.network_config import NetworkConfig
from nearnet.config.values import BootNode, parse_peer, parse_socket

__all__ = [
    "GENESIS_HASHES",
    "BootNode",
    "LoadedConfig",
    "NetworkConfig",
    "config_from",
    "load_config",
    "parse_peer",
    "parse_socket",
]
