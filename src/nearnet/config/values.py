"""Values of the config that are more than JSON: durations, peers, socket addresses (`config.md`, `wire.md` §7).

Every `ValueError` here says what was expected; the loader adds the field and what was given.
"""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass
from typing import Any

from nearnet.errors import ConfigError
from nearnet.wire import peer_text
from nearnet.wire.messages import PeerInfo, SocketAddress
from nearnet.wire.peer_text import parse_address

__all__ = ["BootNode", "parse_blacklist", "parse_duration", "parse_peer", "parse_peers", "parse_socket"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*")
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+")
_EXPECTED_DURATION = 'a duration of at least 0: seconds, a text such as "10m", or {"secs": N, "nanos": N}'
_LONGEST_DURATION = 1e11
"""About 3000 years, in seconds: what is added to a clock stays a sensible float."""


@dataclass(frozen=True, slots=True)
class BootNode:
    """A peer as an operator writes it: `info.addr` for an IP address, `host` (``NAME:PORT``) for a host name."""

    info: PeerInfo
    host: str | None = None

    def __str__(self) -> str:
        place = self.host if self.info.addr is None else self.info.addr
        return "@".join(str(part) for part in (self.info.id, place, self.info.account_id) if part is not None)


def parse_duration(value: object) -> float:
    """Seconds, from any of the three forms."""
    seconds = _seconds(value)
    if seconds is None or not 0 <= seconds <= _LONGEST_DURATION:
        raise ValueError(_EXPECTED_DURATION)
    return seconds


def _seconds(value: object) -> float | None:
    if isinstance(value, str):
        text = value.strip().lower()
        if _DURATION.fullmatch(text):
            return sum(float(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(text))
        return None
    if isinstance(value, dict):
        parts = [value.get("secs", 0), value.get("nanos", 0)]
        if not value or set(value) - {"secs", "nanos"} or any(type(part) is not int or part < 0 for part in parts):
            return None
        return float(parts[0]) + float(parts[1]) / 1e9
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def parse_socket(text: str) -> SocketAddress:
    """``IP:PORT`` or ``[IPv6]:PORT``; `ValueError` otherwise."""
    try:
        host, port = parse_address(text)
        return SocketAddress(str(ipaddress.ip_address(host)), port)
    except (ConfigError, ValueError):
        raise ValueError("IP:PORT or [IPv6]:PORT") from None


def parse_peer(text: str) -> BootNode:
    """One peer in any form of `wire.md` §7; `ConfigError` says which part is wrong."""
    written = peer_text.parse_peer(text)
    info = written.info()
    host = None if info.addr is not None or written.host is None else f"{written.host}:{written.port}"
    return BootNode(info, host)


def parse_peers(value: object, need_place: bool = True) -> tuple[BootNode, ...]:
    """Peers, comma separated in one text (or a list of texts); each with an address when `need_place`."""
    if isinstance(value, tuple) and all(isinstance(one, BootNode) for one in value):
        return value
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)) or not all(isinstance(one, str) for one in texts):
        raise ValueError("peers as one text, comma separated, such as KEY@HOST:PORT")
    nodes, wrong = [], []
    for text in texts:
        if not text.strip():
            continue
        try:
            node = parse_peer(text)
        except ConfigError as error:
            wrong.append(str(error))
            continue
        nodes.append(node)
        refusal = peer_text.why_not_dialed(node.info.id)
        if need_place and refusal is not None:
            wrong.append(refusal)
        if need_place and node.info.addr is None and node.host is None:
            wrong.append(f"{text.strip()} has no address, and nobody else tells where to dial it")
    if wrong:
        raise ValueError(f"peers as KEY@HOST:PORT, comma separated: {'; '.join(wrong)}")
    return tuple(nodes)


def parse_blacklist(value: Any) -> tuple[tuple[str, int | None], ...]:
    """Entries ``IP`` (every port, told as None) or ``IP:PORT``; IPv6 with a port in brackets."""
    if not isinstance(value, (list, tuple)):
        raise ValueError('a list of "IP" or "IP:PORT"')
    return tuple(_blacklisted(one) for one in value)


def _blacklisted(entry: Any) -> tuple[str, int | None]:
    if isinstance(entry, tuple):
        return entry
    if isinstance(entry, str):
        try:
            return str(ipaddress.ip_address(entry.strip("[]"))), None
        except ValueError:
            pass
        try:
            address = parse_socket(entry)
        except ValueError:
            pass
        else:
            return address.ip, address.port
    raise ValueError(f'a list of "IP" or "IP:PORT", and {str(entry)[:60]!r} is neither')
