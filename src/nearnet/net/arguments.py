"""The arguments of an embedding program's calls: each is checked before anything is sent, dialed or stored.

Every `ConfigError` here names the argument, what was expected and what was given.
"""

from __future__ import annotations

import ipaddress

from nearnet.client import Client
from nearnet.config import NetworkConfig, parse_peer
from nearnet.errors import ConfigError, ReasonForBan
from nearnet.events import NodeEvent
from nearnet.keys import CryptoHash, PeerId, SecretKey, Signature
from nearnet.wire.account_id import valid_account_id
from nearnet.wire.messages import AnnounceAccount, PeerInfo, SocketAddress
from nearnet.wire.routed_body import EXPECTS_RESPONSE, PING, Body, body_name, encode_body

__all__ = [
    "LONGEST",
    "as_announcement",
    "as_blacklist",
    "as_body",
    "as_events",
    "as_peer",
    "as_peer_id",
    "as_reason",
    "as_request",
    "as_seconds",
    "as_size",
    "as_target",
    "as_ttl",
    "check_parts",
]

LONGEST = 1e11
"""The longest duration in seconds, about 3000 years: what is added to a clock stays a sensible float."""


def check_parts(config: object, key: object, client: object) -> None:
    """Raise `ConfigError` unless a node can be made of these; the key and the client may be missing."""
    if not isinstance(config, NetworkConfig):
        raise _wrong("config", "a NetworkConfig", config)
    if key is not None and not isinstance(key, SecretKey):
        raise ConfigError(f"invalid key: expected a SecretKey, got a {type(key).__name__}")  # It may hold a secret.
    if client is not None and not isinstance(client, Client):
        raise _wrong("client", "an object with the methods of nearnet.Client", client)


def as_peer_id(peer: object) -> PeerId:
    """Return the id of a peer that is given as one, or as text (``KEY`` or ``KEY@HOST:PORT``)."""
    if isinstance(peer, str):
        return parse_peer(peer).info.id
    if isinstance(peer, PeerId):
        return peer
    raise _wrong("peer", "a PeerId or a text such as ed25519:...", peer)


def as_peer(peer: object) -> tuple[PeerInfo, str | None]:
    """Return a peer to dial, and its ``HOST:PORT`` when its host is a name that must be resolved."""
    host: str | None = None
    if isinstance(peer, str):
        written = parse_peer(peer)
        info, host = written.info, written.host
    elif isinstance(peer, PeerInfo):
        info = peer
        if not isinstance(info.id, PeerId):
            raise _wrong("id of the peer", "a PeerId", info.id)
        if info.addr is not None and not isinstance(info.addr, SocketAddress):
            raise _wrong("address of the peer", "a SocketAddress or None", info.addr)
    else:
        raise _wrong("peer", "a PeerInfo or a text such as ed25519:...@10.0.0.7:24567", peer)
    if host is not None:
        _check_port(int(host.rpartition(":")[2]))
    elif info.addr is not None:
        _check_port(info.addr.port)
    return info, host


def _check_port(port: object) -> None:
    if type(port) is not int or not 1 <= port <= 65535:
        raise _wrong("port to dial", "1 to 65535", port)


def as_target(target: object) -> PeerId | CryptoHash | str:
    """Return where a routed message goes: a peer, back along the way of a message's hash, or an account."""
    if isinstance(target, (PeerId, CryptoHash)):
        return target
    if isinstance(target, str):
        if ":" in target:
            return as_peer_id(target)
        if valid_account_id(target):
            return target
    raise _wrong("target", "a PeerId, a peer as text, an account id or the CryptoHash of a message", target)


def as_body(body: object) -> bytes:
    """Return the bytes of a routed body, which is given as such or as a typed one (`nearnet.bodies`)."""
    if isinstance(body, bytes) and body:
        return bytes(body)
    if not isinstance(body, Body):
        raise _wrong("body", "a body of nearnet.bodies, or at least one byte", body)
    try:
        return encode_body(body)
    except Exception as error:
        raise ConfigError(f"the body {body!r:.200} cannot be written: {error}; check the types of its fields") from None


def as_request(body: object) -> bytes:
    """Return the bytes of a body that nodes reply to."""
    data = as_body(body)
    if data[0] == PING:
        raise ConfigError("a Ping is no request: call ping, which waits for its Pong")
    if data[0] not in EXPECTS_RESPONSE:
        known = ", ".join(body_name(index) for index in sorted(EXPECTS_RESPONSE - {PING}))
        raise ConfigError(f"nodes keep no way back for a {body_name(data[0])}: expected one of {known}")
    return data


def as_ttl(ttl: object) -> int | None:
    """Return how many connections a routed message may pass; None is `network.routed_message_ttl`."""
    if ttl is None or (type(ttl) is int and 1 <= ttl <= 255):
        return ttl
    raise _wrong("ttl", "a whole number from 1 to 255", ttl)


def as_seconds(name: str, value: object) -> float:
    """Return a duration in seconds: a number of at least 0."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LONGEST:
        return float(value)  # NaN is not between the two either.
    raise _wrong(name, f"a number of seconds from 0 to {LONGEST:g}", value)


def as_size(name: str, value: object) -> int:
    """Return a number of things that are kept: at least one."""
    if type(value) is int and value >= 1:
        return value
    raise _wrong(name, "a whole number of at least 1", value)


def as_events(types: tuple[type[NodeEvent], ...]) -> tuple[type[NodeEvent], ...]:
    """Return classes of events; a stream or a wait of anything else would never see one."""
    for one in types:
        if not isinstance(one, type) or not issubclass(one, NodeEvent):
            raise _wrong("event", "a class of nearnet.events such as Banned", one)
    return types


def as_reason(reason: object) -> ReasonForBan:
    """Return a reason that a peer may be banned for."""
    if isinstance(reason, ReasonForBan) and reason in ReasonForBan.to_give():
        return reason
    raise _wrong("reason", "a ReasonForBan other than the reserved INVALID_DISTANCE_VECTOR", reason)


def as_blacklist(entries: object) -> tuple[tuple[str, int | None], ...]:
    """Return addresses to refuse: (IP, port), or (IP, None) for every port."""
    if not isinstance(entries, tuple):
        raise _wrong("blacklist", "a tuple of (IP, port or None)", entries)
    return tuple(_as_refused(entry) for entry in entries)


def _as_refused(entry: object) -> tuple[str, int | None]:
    match entry:
        case (str(ip), None):
            port = None
        case (str(ip), int(port)) if not isinstance(port, bool) and 0 <= port <= 65535:
            pass
        case _:
            raise _wrong("entry of the blacklist", "(IP, port or None)", entry)
    try:
        return str(ipaddress.ip_address(ip)), port
    except ValueError:
        raise _wrong("entry of the blacklist", "an IP address as text", entry) from None


def as_announcement(announcement: object) -> AnnounceAccount:
    """Return an announcement whose fields have their types."""
    if not isinstance(announcement, AnnounceAccount):
        raise _wrong("announcement", "an AnnounceAccount", announcement)
    for name, kind in (("account_id", str), ("peer_id", PeerId), ("epoch_id", CryptoHash), ("signature", Signature)):
        value = getattr(announcement, name)
        if not isinstance(value, kind):
            raise _wrong(f"{name} of the announcement", f"a {kind.__name__}", value)
    return announcement


def _wrong(name: str, expected: str, given: object) -> ConfigError:
    text = repr(given)
    return ConfigError(f"invalid {name}: expected {expected}, got {text if len(text) <= 200 else text[:200] + '..'}")
