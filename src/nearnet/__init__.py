"""NEAR Protocol's peer-to-peer network: `Node` to embed, `NetworkConfig` to set it up, `Client` to answer for a chain.

Each name is imported when it is first used, so that a program that needs one part does not load the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nearnet.client import Ban, Client, DefaultClient
    from nearnet.config import NetworkConfig
    from nearnet.errors import (
        AlreadyRunning,
        BadKey,
        ConfigError,
        NearnetError,
        NoAnswer,
        NotConnected,
        PeerRefused,
        ReasonForBan,
        RouteNotFound,
        StoreError,
        StoreMismatch,
    )
    from nearnet.keys import CryptoHash, PeerId, PublicKey, SecretKey, Signature
    from nearnet.net.events import NodeEvent, Overflow
    from nearnet.net.node import Node
    from nearnet.net.waiting import Pong
    from nearnet.wire.messages import AnnounceAccount, PeerInfo, RoutedMessage

__all__ = [
    "AlreadyRunning",
    "AnnounceAccount",
    "BadKey",
    "Ban",
    "Client",
    "ConfigError",
    "CryptoHash",
    "DefaultClient",
    "NearnetError",
    "NetworkConfig",
    "NoAnswer",
    "Node",
    "NodeEvent",
    "NotConnected",
    "Overflow",
    "PeerId",
    "PeerInfo",
    "PeerRefused",
    "Pong",
    "PublicKey",
    "ReasonForBan",
    "RouteNotFound",
    "RoutedMessage",
    "SecretKey",
    "Signature",
    "StoreError",
    "StoreMismatch",
]

_HOMES = {
    "Ban": "client",
    "Client": "client",
    "DefaultClient": "client",
    "NetworkConfig": "config",
    "CryptoHash": "keys",
    "PeerId": "keys",
    "PublicKey": "keys",
    "SecretKey": "keys",
    "Signature": "keys",
    "NodeEvent": "net.events",
    "Overflow": "net.events",
    "Node": "net.node",
    "Pong": "net.waiting",
    "AnnounceAccount": "wire.messages",
    "PeerInfo": "wire.messages",
    "RoutedMessage": "wire.messages",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'nearnet' has no attribute {name!r}")
    value = getattr(import_module(f"nearnet.{_HOMES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
