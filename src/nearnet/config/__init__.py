"""The configuration: models, where each value comes from, errors in words (`config.md`)."""

from __future__ import annotations

from nearnet.config.network_config import NetworkConfig
from nearnet.config.values import BootNode, parse_peer, parse_socket

__all__ = ["BootNode", "NetworkConfig", "parse_peer", "parse_socket"]
