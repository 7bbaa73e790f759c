"""One tree of errors. Each class says what follows when a peer causes it: ban, close, drop or retry.

Every message is one sentence that names what was wrong and, where somebody can act, what to do.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "AlreadyRunning",
    "BadKey",
    "BadSignatureEncoding",
    "ConfigError",
    "FrameTooLarge",
    "InvalidRoutedSignature",
    "Malformed",
    "MissingSignature",
    "NearnetError",
    "NoAnswer",
    "NotConnected",
    "PeerRefused",
    "ReasonForBan",
    "RouteNotFound",
    "StoreError",
    "StoreMismatch",
    "UnknownMessage",
    "Unsupported",
    "WireError",
]


class ReasonForBan(IntEnum):
    """Why a peer was banned (`behaviour.md` §6). Stored as one byte, shown by `label`."""

    NONE = 0
    BAD_BLOCK = 1
    BAD_BLOCK_HEADER = 2
    HEIGHT_FRAUD = 3
    BAD_HANDSHAKE = 4
    BAD_BLOCK_APPROVAL = 5
    ABUSIVE = 6
    INVALID_SIGNATURE = 7
    INVALID_PEER_ID = 8
    INVALID_HASH = 9
    INVALID_EDGE = 10
    INVALID_DISTANCE_VECTOR = 11
    """Reserved (`network-2026.md` §7): read from old stores, never given."""
    EPOCH_SYNC_INVALID_RESPONSE = 12
    EPOCH_SYNC_INVALID_FINALIZATION_RESPONSE = 13
    BLACKLISTED = 14
    PROVIDED_NOT_ENOUGH_HEADERS = 15
    BAD_CHUNK_STATE_WITNESS = 16

    @property
    def label(self) -> str:
        """The field's name for it, such as ``InvalidEdge``."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    @classmethod
    def to_give(cls) -> list[ReasonForBan]:
        """Return the reasons that a peer may be banned for today."""
        return [reason for reason in cls if reason is not cls.INVALID_DISTANCE_VECTOR]

    @classmethod
    def from_label(cls, label: str) -> ReasonForBan:
        """The reason of that name, in any case; `ConfigError` lists the names otherwise."""
        for reason in cls.to_give():
            if reason.label.lower() == label.replace("_", "").lower():
                return reason
        known = ", ".join(reason.label for reason in cls.to_give())
        raise ConfigError(f"{label!r} is no reason for a ban; it is one of {known}")


class NearnetError(Exception):
    """Whatever this package raises on purpose."""


class ConfigError(NearnetError):
    """The call, the config or a key file is wrong: nothing was started (exit code 2)."""


class BadKey(ConfigError):
    """A key or signature in text or bytes does not read as one."""


class BadSignatureEncoding(BadKey):
    """An ed25519 signature with top bits that no signature has (`wire.md` §3): malformed, not merely wrong."""


class StoreError(NearnetError):
    """The database could not be read or written. Retry: what was to be written is kept in memory."""


class StoreMismatch(StoreError):
    """The database belongs to another genesis, or to a newer schema: refused, never mixed."""


class AlreadyRunning(NearnetError):
    """The port or the home folder is in use by another process."""


class WireError(NearnetError):
    """Bytes from a peer that cannot be used."""


class Malformed(WireError):
    """A known message that does not decode. Drop it whole and count it; the ninth in a minute closes."""


class MissingSignature(Malformed):
    """A routed message without a signature. Ban the peer that sent it: every node signs what it makes."""


class UnknownMessage(WireError):
    """An index or field that this version does not know. Skip and count; never a reason to close."""


class Unsupported(WireError):
    """A message that a dialect has no form for, and that was to be sent in it. Do not send it."""


class FrameTooLarge(WireError):
    """A length over the limit (`wire.md` §1). Close; a peer that proved its id is banned (`Abusive`)."""


class RouteNotFound(NearnetError):
    """A routed message of our own has nowhere to go; `reason` is the metric's label."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type[RouteNotFound], tuple[str, str], dict[str, object]]:
        """Copies and pickles are made of both arguments."""
        return type(self), (self.reason, str(self)), self.__dict__


class InvalidRoutedSignature(NearnetError):
    """A routed message's signature is forged. Ban the neighbor that sent it: it should have checked the signature."""


class NotConnected(NearnetError):
    """The peer named is not connected (or not known) here."""


class PeerRefused(NearnetError):
    """A connection attempt ended without a connection; the message says why."""


class NoAnswer(NearnetError):
    """What was asked of a peer was not answered in time. Retry, or look at the routes."""
