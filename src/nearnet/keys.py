"""Keys, signatures and hashes (document §6.1, §6.2; `wire.md` §3).

Each public value is a `bytes` subclass that *is* its borsh form, so that it compares, hashes, sorts and sends as such:
the order of `PeerId`s is the order of these bytes. What is signed is always the 32 bytes of a sha256.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final, Protocol

import coincurve
from nacl._sodium import ffi, lib  # type: ignore[import-not-found]
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from nearnet.base58 import b58decode, b58encode
from nearnet.errors import BadKey, BadSignatureEncoding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Open = Callable[[object, object, bytes, int, bytes], int]

__all__ = [
    "ROW",
    "CryptoHash",
    "ManyChecks",
    "PeerId",
    "PublicKey",
    "SecretKey",
    "Signature",
    "check_signature",
    "check_signatures",
    "many_checks",
    "signature_row",
    "sodium_address",
    "use_check",
    "uses_pynacl",
]

_TYPES: Final = ("ed25519", "secp256k1")
_KEY_LENGTH: Final = (32, 64)
_SIGNATURE_LENGTH: Final = (64, 65)

_NULL: Final = ffi.NULL
_sodium_open: Open = lib.crypto_sign_open
"""libsodium's check, or another of its form: see `use_check`."""

_many: ManyChecks | None = None
"""The same check of many, in one call."""

ROW: Final = 128
"""Bytes of a `signature_row` of ed25519."""

_SIGNED: Final = 96
"""Of these, signature and digest: what `crypto_sign_open` takes for a signed message."""

_SECP256K1_ROW: Final = 161

_P: Final = 2**255 - 19
_SMALL_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
        _P - 1,
        _P,
        _P + 1,
    }
)
"""y of the eight points whose order divides the cofactor, and their encodings that are not canonical."""


class ManyChecks(Protocol):
    """Checks of many ed25519 signatures, in one call without the interpreter's lock."""

    def first_refused(self, rows: bytes, start: int, count: int) -> int:
        """Of `count` rows of `ROW` bytes the first one refused, from `start` on; `count` when none is."""

    def first_refused_edge(self, edges: bytes, count: int) -> int:
        """Of `count` edges of two ed25519 keys, not removed, the first one that does not hold; `count` when all do."""


def _split_text(text: str, what: str) -> tuple[int, bytes]:
    kind, _, rest = text.rpartition(":")
    if kind not in ("", *_TYPES):
        raise BadKey(f"{kind!r} is no key type; a {what} starts with ed25519: or secp256k1:")
    try:
        return (_TYPES.index(kind) if kind else 0), b58decode(rest)
    except BadKey as error:
        raise BadKey(f"{text[:100]!r} is no {what}: {error}") from None


class PublicKey(bytes):
    """Index byte (0 ed25519, 1 secp256k1), then 32 or 64 bytes. The constructor does not check; `from_bytes` does."""

    __slots__ = ()

    @classmethod
    def from_bytes(cls, data: bytes) -> PublicKey:
        """Checked: `BadKey` for another length or index. A point off the curve is found when it verifies nothing."""
        if not data or data[0] > 1 or len(data) != 1 + _KEY_LENGTH[data[0]]:
            raise BadKey("a public key is 1 + 32 bytes (ed25519) or 1 + 64 bytes (secp256k1)")
        return cls(data)

    @classmethod
    def from_text(cls, text: str) -> PublicKey:
        """From ``ed25519:...`` or ``secp256k1:...``; without a prefix it is ed25519."""
        kind, data = _split_text(text, "public key")
        if len(data) != _KEY_LENGTH[kind]:
            raise BadKey(f"{text[:100]!r} is no public key: {len(data)} bytes, not {_KEY_LENGTH[kind]}")
        return cls(bytes((kind,)) + data)

    @property
    def key_type(self) -> str:
        """``ed25519`` or ``secp256k1``."""
        return _TYPES[self[0]]

    @property
    def data(self) -> bytes:
        """The key without its index."""
        return self[1:]

    def verify(self, digest: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's of the 32 bytes `digest`."""
        return check_signature(self, signature, digest) == "valid"

    def __str__(self) -> str:
        return f"{self.key_type}:{b58encode(self[1:])}"

    def __repr__(self) -> str:
        return f"PublicKey({str(self)!r})"


PeerId = PublicKey
"""A peer is its public key (document §6.2)."""


class Signature(bytes):
    """Index byte, then 64 (ed25519) or 65 bytes (secp256k1: r, s, recovery id). Empty: there is none."""

    __slots__ = ()

    @classmethod
    def from_bytes(cls, data: bytes) -> Signature:
        """Checked: `BadKey` for another length or index, `BadSignatureEncoding` for ed25519 top bits that none has."""
        if not data or data[0] > 1 or len(data) != 1 + _SIGNATURE_LENGTH[data[0]]:
            raise BadKey("a signature is 1 + 64 bytes (ed25519) or 1 + 65 bytes (secp256k1)")
        if data[0] == 0 and data[64] & 0xE0:
            raise BadSignatureEncoding("an ed25519 signature never has any of its top three bits set")
        return cls(data)

    @classmethod
    def from_text(cls, text: str) -> Signature:
        """From ``ed25519:...`` or ``secp256k1:...``."""
        kind, data = _split_text(text, "signature")
        if len(data) != _SIGNATURE_LENGTH[kind]:
            raise BadKey(f"{text[:120]!r} is no signature: {len(data)} bytes, not {_SIGNATURE_LENGTH[kind]}")
        return cls.from_bytes(bytes((kind,)) + data)

    @property
    def key_type(self) -> str:
        """``ed25519`` or ``secp256k1``."""
        return _TYPES[self[0]]

    def __str__(self) -> str:
        return f"{self.key_type}:{b58encode(self[1:])}" if self else ""

    def __repr__(self) -> str:
        return f"Signature({str(self)!r})"


class CryptoHash(bytes):
    """32 bytes of a sha256; text form base58."""

    __slots__ = ()

    @classmethod
    def of(cls, data: bytes) -> CryptoHash:
        """The sha256 of `data`."""
        return cls(hashlib.sha256(data).digest())

    @classmethod
    def from_text(cls, text: str) -> CryptoHash:
        """From base58; `BadKey` for another length than 32 bytes."""
        data = b58decode(text)
        if len(data) != 32:
            raise BadKey(f"{text[:60]!r} is no hash: {len(data)} bytes, not 32")
        return cls(data)

    def __str__(self) -> str:
        return b58encode(self)

    def __repr__(self) -> str:
        return f"CryptoHash({str(self)!r})"


class SecretKey:
    """Signs. It shows itself only by `text`, never in `repr`."""

    __slots__ = ("_coin", "_secret", "public_key")

    def __init__(self, key_type: str, secret: bytes) -> None:
        """`secret`: 32 bytes, an ed25519 seed or a secp256k1 scalar."""
        if key_type not in _TYPES:
            raise BadKey(f"{key_type!r} is no key type: ed25519 or secp256k1")
        self._coin: coincurve.PrivateKey | None = None
        if key_type == "ed25519":
            public, self._secret = crypto_sign_seed_keypair(secret)
            self.public_key = PublicKey(b"\0" + public)
            return
        try:
            self._coin = coincurve.PrivateKey(secret)
        except ValueError:
            raise BadKey("these 32 bytes are no secp256k1 secret: zero, or over the group's order") from None
        self._secret = secret
        self.public_key = PublicKey(b"\1" + self._coin.public_key.format(compressed=False)[1:])

    @classmethod
    def generate(cls, key_type: str = "ed25519") -> SecretKey:
        """A new one from the system's random source."""
        return cls(key_type, os.urandom(32))

    @classmethod
    def from_seed(cls, text: str, key_type: str = "ed25519") -> SecretKey:
        """A test key: the text's first 32 bytes, padded on the right with spaces (`wire.md` §3)."""
        return cls(key_type, text.encode()[:32].ljust(32))

    @classmethod
    def from_text(cls, text: str) -> SecretKey:
        """From ``ed25519:`` and 64 bytes (seed, public key), or ``secp256k1:`` and 32. No error shows the text."""
        kind, _, rest = text.rpartition(":")
        try:
            data = b58decode(rest)
        except BadKey:
            raise BadKey("the secret key is not base58") from None
        if kind in ("", "ed25519") and len(data) == 64:
            key = cls("ed25519", data[:32])
            if key.public_key[1:] != data[32:]:
                raise BadKey("the secret key's two halves do not belong together")
            return key
        if kind == "secp256k1" and len(data) == 32:
            return cls("secp256k1", data)
        raise BadKey("a secret key is ed25519: and 64 bytes, or secp256k1: and 32 bytes, in base58")

    @property
    def text(self) -> str:
        """The text form, for the key file."""
        return f"{self.public_key.key_type}:{b58encode(self._secret)}"

    def sign(self, digest: bytes) -> Signature:
        """The signature of the 32 bytes `digest`."""
        if self._coin is not None:
            return Signature(b"\1" + self._coin.sign_recoverable(digest, hasher=None))
        return Signature(b"\0" + crypto_sign(digest, self._secret)[:64])

    def __repr__(self) -> str:
        return f"<SecretKey of {self.public_key}>"


def check_signature(public_key: bytes, signature: bytes, digest: bytes) -> str:
    """``valid``, ``forged``, or ``strict``: refused by libsodium where the real nodes accept (`wire.md` §3)."""
    kind = public_key[0]
    if kind != signature[0]:
        return "forged"
    if kind:
        return "valid" if _secp256k1_holds(public_key, signature, digest) else "forged"
    signed = signature[1:] + digest
    if not _sodium_open(_NULL, _NULL, signed, len(signed), public_key[1:]):
        return "valid"
    return "strict" if _only_strict(public_key[1:], signature[1:33]) else "forged"


def signature_row(public_key: bytes, digest: bytes, signature: bytes) -> bytes:
    """One check as one piece of bytes, for `check_signatures`: signature, digest (of 32 bytes) and key, without kinds.

    No two kinds of key and signature are as long together: 128 bytes are of ed25519, 161 of secp256k1.
    """
    return signature[1:] + digest + public_key[1:]


def check_signatures(rows: Sequence[bytes], until_forged: bool = False) -> list[str]:
    """`check_signature` of each `signature_row`, in order; `until_forged`: none after a forged one."""
    many, count = _many, len(rows)
    if many is None or set(map(len, rows)) != {ROW}:
        return _one_by_one(rows, until_forged)
    joined, outcomes, at = b"".join(rows), ["valid"] * count, 0
    while (at := many.first_refused(joined, at, count)) < count:
        outcomes[at] = _refused(rows[at])
        at += 1
        if until_forged and outcomes[at - 1] == "forged":
            return outcomes[:at]
    return outcomes


def _one_by_one(rows: Sequence[bytes], until_forged: bool) -> list[str]:
    outcomes: list[str] = []
    for row in rows:
        outcomes.append(_check_row(row))
        if until_forged and outcomes[-1] == "forged":
            break
    return outcomes


def _check_row(row: bytes) -> str:
    if len(row) == ROW:
        # PyNaCl's own crypto_sign_open makes two buffers for a copy of the message that nobody wants: 3 % of the whole.
        return _refused(row) if _sodium_open(_NULL, _NULL, row, _SIGNED, row[_SIGNED:]) else "valid"
    if len(row) == _SECP256K1_ROW and _secp256k1_holds(b"\1" + row[97:], b"\1" + row[:65], row[65:97]):
        return "valid"
    return "forged"


def _refused(row: bytes) -> str:
    """What it means that libsodium refuses this one."""
    return "strict" if _only_strict(row[_SIGNED:], row[:32]) else "forged"


def use_check(single: Open | None, many: ManyChecks | None = None) -> tuple[Open, ManyChecks | None]:
    """Check ed25519 signatures of this process by these from now on; returns what was in use.

    `single` (None: PyNaCl's) has the form of libsodium's `crypto_sign_open`: 0 when the signature holds.
    """
    global _sodium_open, _many
    before = _sodium_open, _many
    _sodium_open, _many = single or lib.crypto_sign_open, many
    return before


def many_checks() -> ManyChecks | None:
    """Those in use, None when signatures are checked one by one."""
    return _many


def uses_pynacl() -> bool:
    """Whether PyNaCl's library is in use."""
    return _sodium_open is lib.crypto_sign_open


def sodium_address(name: str) -> int:
    """Where libsodium's function of this name is in memory: for code that is compiled."""
    return int(ffi.cast("uintptr_t", ffi.addressof(lib, name)))


def _only_strict(key: bytes, r: bytes) -> bool:
    """Whether a false answer may be libsodium's alone: a small-order key or R, or a key that is not canonical."""
    y = int.from_bytes(key, "little") & (2**255 - 1)
    r_y = int.from_bytes(r, "little") & (2**255 - 1)
    return y >= _P or y in _SMALL_ORDER_Y or r_y in _SMALL_ORDER_Y


def _secp256k1_holds(public_key: bytes, signature: bytes, digest: bytes) -> bool:
    """Verified with the key, not recovered; the recovery id must be 0..3, s must be low."""
    if signature[65] > 3:
        return False
    try:
        key = coincurve.PublicKey(b"\4" + public_key[1:])
        der = coincurve.ecdsa.cdata_to_der(coincurve.ecdsa.deserialize_compact(signature[1:65]))
        return key.verify(der, digest, hasher=None)
    except ValueError:
        return False
