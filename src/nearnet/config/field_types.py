"""The types of the config's fields: what JSON may stand there, what it becomes, and how it is written again.

Every `ValueError` says what was expected; the loader adds the field and what was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from nearnet.config.values import BootNode, parse_blacklist, parse_duration, parse_peers, parse_socket
from nearnet.errors import BadKey, ConfigError
from nearnet.keys import CryptoHash, PublicKey
from nearnet.wire.messages import SocketAddress

__all__ = [
    "PROTOCOL_VERSIONS",
    "Address",
    "AllowPrivate",
    "Blacklist",
    "Count",
    "DialectName",
    "Duration",
    "Flag",
    "Hash",
    "LogLevel",
    "Number",
    "Peers",
    "Period",
    "ProtocolVersions",
    "PublicAddresses",
    "Texts",
    "VerifierName",
    "VersionRange",
    "Whitelist",
    "canonical_keys",
    "parse_hash",
]


def parse_hash(value: object) -> CryptoHash:
    """A hash from base58. One of digits only, such as the 32 ones of zero bytes, may have been taken for a number."""
    if isinstance(value, CryptoHash):
        return value
    text = str(value) if type(value) is int else value
    try:
        return CryptoHash.from_text(text if isinstance(text, str) else "")
    except BadKey as error:
        raise ValueError(f"a hash of 32 bytes in base58: {error}") from None


def _socket_text(value: object) -> str:
    """Checked, kept as text; "" and null stand for none."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise ValueError('IP:PORT, or "" for none')
    return str(parse_socket(value))


def _public_address(value: object) -> str:
    nodes = parse_peers([value])
    if len(nodes) != 1 or nodes[0].info.addr is None or nodes[0].info.account_id is not None:
        raise ValueError("KEY@IP:PORT, without a host name")
    return str(nodes[0])


def _level(value: object) -> object:
    text = value.lower() if isinstance(value, str) else value
    return {"warn": "warning", "trace": "debug"}.get(text, text) if isinstance(text, str) else text


def _versions(value: object) -> dict[str, VersionRange]:
    """Read the versions of each dialect; a dialect that is not named keeps its default."""
    if not isinstance(value, dict) or set(value) - set(PROTOCOL_VERSIONS):
        raise ValueError('{"borsh": [OWN, OLDEST], "protobuf": "auto" or [OWN, OLDEST]}')
    return PROTOCOL_VERSIONS | {name: _version_range(name, told) for name, told in value.items()}


def _version_range(name: str, value: object) -> VersionRange:
    if isinstance(value, VersionRange):
        return value
    default = PROTOCOL_VERSIONS[name]
    if value == "auto" and default.automatic:
        return default
    if not isinstance(value, (list, tuple)) or len(value) != 2 or any(type(one) is not int for one in value):
        choice = '"auto", or ' if default.automatic else ""
        raise ValueError(f"{choice}[OWN, OLDEST] as two whole numbers for {name}")
    own, oldest = value
    if not 0 <= oldest <= own < 2**32:
        raise ValueError(f"0 ≤ OLDEST ≤ OWN < 2^32 for {name}")
    return VersionRange(own, oldest)


def _versions_as_written(versions: dict[str, VersionRange]) -> dict[str, object]:
    return {name: "auto" if one.automatic else [one.own, one.oldest] for name, one in versions.items()}


def _verifier(value: object) -> object:
    if value == "solders":
        raise ValueError(
            '"auto" or "pynacl" (solders is no longer supported: PyNaCl checks all signatures; choose "auto", or '
            "remove the field)"
        )
    return value


def canonical_keys(value: object) -> object:
    """An object whose names are public keys, with these in their one text form."""
    if not isinstance(value, dict):
        raise ValueError('{PUBLIC_KEY: {"dialect": ..}}')
    try:
        return {str(PublicKey.from_text(str(key))): settings for key, settings in value.items()}
    except ConfigError as error:
        raise ValueError(f"public keys as names: {error}") from None


def _allow_private(value: object) -> object:
    if value == "auto" or isinstance(value, bool):
        return value
    raise ValueError('"auto", true or false')


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("a duration above 0")
    return seconds


@dataclass(frozen=True, slots=True)
class VersionRange:
    """The protocol versions that this node speaks in one dialect (`network-2026.md` §1)."""

    own: int
    oldest: int
    automatic: bool = False
    """True for "auto": a listener accepts newer versions too, and a dialer follows a peer that no longer accepts `own`.
    False for a pair in the config, which pins the range."""


PROTOCOL_VERSIONS = {"borsh": VersionRange(52, 50), "protobuf": VersionRange(88, 80, automatic=True)}
"""Default versions by dialect (`config.md`)."""

Duration = Annotated[float, BeforeValidator(parse_duration)]
Period = Annotated[float, BeforeValidator(lambda value: _positive(parse_duration(value)))]
Count = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Flag = Annotated[bool, Field(strict=True)]
Number = Annotated[float, Field(strict=True, ge=0)]
Address = Annotated[str, BeforeValidator(_socket_text)]
Texts = Annotated[tuple[str, ...], Field(strict=False)]
Peers = Annotated[
    tuple[BootNode, ...],
    BeforeValidator(parse_peers),
    PlainSerializer(lambda nodes: ",".join(map(str, nodes)), return_type=str),
]
Whitelist = Annotated[
    tuple[BootNode, ...],
    BeforeValidator(lambda value: parse_peers(value, need_place=False)),
    PlainSerializer(lambda nodes: ",".join(map(str, nodes)), return_type=str),
]
Hash = Annotated[CryptoHash, BeforeValidator(parse_hash), PlainSerializer(str, return_type=str)]
Blacklist = Annotated[
    tuple[tuple[str, int | None], ...],
    BeforeValidator(parse_blacklist),
    PlainSerializer(
        lambda entries: [ip if port is None else str(SocketAddress(ip, port)) for ip, port in entries],
        return_type=list[str],
    ),
]
DialectName = Literal["auto", "borsh", "protobuf"]
AllowPrivate = Annotated[Literal["auto"] | bool, BeforeValidator(_allow_private)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_level)]
VerifierName = Annotated[Literal["auto", "pynacl"], BeforeValidator(_verifier)]
ProtocolVersions = Annotated[
    dict[str, VersionRange],
    BeforeValidator(_versions),
    PlainSerializer(_versions_as_written, return_type=dict[str, Any]),
]
PublicAddresses = tuple[Annotated[str, BeforeValidator(_public_address)], ...]
