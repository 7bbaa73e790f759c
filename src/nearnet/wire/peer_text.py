"""Peers as operators write them (`wire.md` §7): ``KEY``, then ``@HOST:PORT``, ``@ACCOUNT``, both or none."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from nearnet.errors import ConfigError
from nearnet.keys import PeerId, is_ml_dsa
from nearnet.wire.account_id import valid_account_id
from nearnet.wire.messages import PeerInfo, SocketAddress

__all__ = ["PeerAddress", "parse_address", "parse_peer", "parse_peers", "why_not_dialed"]


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """A peer as written: `host` may be a name that is still to be resolved."""

    id: PeerId
    host: str | None = None
    port: int | None = None
    account_id: str | None = None

    @property
    def has_ip(self) -> bool:
        """Whether `host` is an IP address, so that nothing is to be resolved."""
        return self.host is not None and _as_ip(self.host) is not None

    def info(self) -> PeerInfo:
        """As told to others; without an address while the host is a name."""
        address = SocketAddress(self.host, self.port) if self.has_ip and self.host and self.port is not None else None
        return PeerInfo(self.id, address, self.account_id)

    def __str__(self) -> str:
        host = None if self.host is None else str(SocketAddress(self.host, self.port or 0))
        return "@".join(str(part) for part in (self.id, host, self.account_id) if part is not None)


def _as_ip(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, IPv6 in brackets; `ConfigError` in words."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if _as_ip(host) is None or ":" not in host:
            raise ConfigError(f"{text!r} has no IPv6 address in its brackets")
    elif ":" in host:
        raise ConfigError(f"{text!r}: an IPv6 address stands in brackets, as in [::1]:24567")
    is_number = port.isascii() and port.isdigit() and len(port) <= 5  # int() raises for thousands of digits.
    if not colon or not host or not is_number or int(port) > 65535:
        raise ConfigError(f"{text[:200]!r} is not HOST:PORT with a port of 0 to 65535")
    return _as_ip(host) or host, int(port)


def parse_peer(text: str) -> PeerAddress:
    """One peer; `ConfigError` (or its `BadKey`) says what is wrong with it."""
    parts = text.strip().split("@")
    peer_id = PeerId.from_text(parts[0])
    if len(parts) > 3:
        raise ConfigError(f"{text!r} has more than a key, an address and an account")
    host: str | None = None
    port: int | None = None
    rest = parts[1:]
    if rest and ":" in rest[0]:
        host, port = parse_address(rest.pop(0))
    elif len(rest) == 2:
        raise ConfigError(f"{text!r}: {rest[0]!r} is not HOST:PORT")
    account_id = rest[0] if rest else None
    if account_id is not None and not valid_account_id(account_id):
        raise ConfigError(f"{text!r}: {account_id!r} is neither HOST:PORT nor an account id")
    return PeerAddress(peer_id, host, port, account_id)


def why_not_dialed(peer_id: PeerId) -> str | None:
    """Return why nearnet never dials this peer, None where it may: it uses no keys of ML-DSA-65."""
    if not is_ml_dsa(peer_id):
        return None
    return f"cannot dial {str(peer_id)[:40]}..: expected a key of ed25519 or secp256k1, got one of ml-dsa-65"


def parse_peers(text: str) -> tuple[PeerAddress, ...]:
    """A comma-separated list, blanks allowed; empty for an empty text."""
    return tuple(parse_peer(part) for part in text.split(",") if part.strip())
