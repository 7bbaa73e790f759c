"""Rules about addresses: which may be told by whom, and which count as one host (`threats.md` limits, rows 57-60)."""

from __future__ import annotations

import ipaddress
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from nearnet.wire.messages import SocketAddress

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Blacklist", "Scope", "host_group", "is_loopback", "may_tell", "normalise", "scope", "source_group"]


class Scope(IntEnum):
    """How far an address reaches; a peer may tell addresses of its own scope or wider."""

    LOOPBACK = 0
    PRIVATE = 1
    PUBLIC = 2


_KEPT = 4096
"""Answers of each question here. Lists of peers name the same few hundred addresses again and again, and to parse one
costs 5 µs, to classify it 10. About 1 MB each, when full."""


@lru_cache(_KEPT)
def _parse(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    parsed = ipaddress.ip_address(ip)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return parsed if mapped is None else mapped


@lru_cache(_KEPT)
def normalise(address: SocketAddress) -> SocketAddress:
    """The one form of an address: IPv4-mapped IPv6 as IPv4, IPv6 compressed (row 59)."""
    return SocketAddress(str(_parse(address.ip)), address.port)


def is_loopback(ip: str) -> bool:
    """127.0.0.0/8 and ::1, where the per-address rules are skipped unless `limits.per_ip_on_loopback`."""
    return _parse(ip).is_loopback


@lru_cache(_KEPT)
def scope(ip: str) -> Scope | None:
    """The address's scope; None when nobody can be dialed there (unspecified, multicast, reserved IPv4)."""
    parsed = _parse(ip)
    if parsed.is_loopback:
        return Scope.LOOPBACK
    if parsed.is_unspecified or parsed.is_multicast or (parsed.version == 4 and parsed.is_reserved):
        return None
    return Scope.PUBLIC if parsed.is_global else Scope.PRIVATE


def may_tell(address: SocketAddress, teller_ip: str, allow_private: bool | str) -> bool:
    """Whether to take `address` from a peer at `teller_ip`, by `limits.allow_private` ("auto", True or False)."""
    reach = scope(address.ip)
    if reach is None or address.port == 0:
        return False
    if isinstance(allow_private, bool):
        return allow_private or reach is Scope.PUBLIC
    teller = scope(teller_ip)
    return reach >= (Scope.PUBLIC if teller is None else teller)


@lru_cache(_KEPT)
def source_group(ip: str) -> str:
    """The network that an address is in: IPv4 /16, IPv6 /56."""
    parsed = _parse(ip)
    network = ipaddress.ip_network((parsed, 16 if parsed.version == 4 else 56), strict=False)
    return str(network)


def host_group(ip: str) -> str:
    """What counts as one host: an IPv4 address, an IPv6 /56."""
    parsed = _parse(ip)
    return str(parsed) if parsed.version == 4 else source_group(ip)


class Blacklist:
    """The operator's list of addresses never to talk to: ``IP`` (every port) or ``IP:port`` (row 60: advisory)."""

    __slots__ = ("_addresses", "_ips")

    def __init__(self, entries: Iterable[tuple[str, int | None]]) -> None:
        """Each entry is an IP and a port, or None for every port."""
        self._ips: dict[str, None] = {}
        self._addresses: dict[SocketAddress, None] = {}
        for ip, port in entries:
            if port is None:
                self._ips[str(_parse(ip))] = None
            else:
                self._addresses[normalise(SocketAddress(ip, port))] = None

    def has_ip(self, ip: str) -> bool:
        """Whether every port of this IP is listed."""
        return bool(self._ips) and str(_parse(ip)) in self._ips

    def has(self, address: SocketAddress) -> bool:
        """Whether the IP, or the IP with this port, is listed."""
        return self.has_ip(address.ip) or (bool(self._addresses) and normalise(address) in self._addresses)
