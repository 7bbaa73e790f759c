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

from nearnet import ml_dsa
from nearnet.base58 import b58decode, b58encode, most_letters
from nearnet.errors import BadKey, BadSignatureEncoding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nearnet.ml_dsa import MlDsaCheck

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
    "is_ml_dsa",
    "many_checks",
    "ml_dsa_check",
    "signature_row",
    "sodium_address",
    "use_check",
    "use_ml_dsa",
    "uses_pynacl",
]

_TYPES: Final = ("ed25519", "secp256k1", "ml-dsa-65")
"""By the tag byte. Keys of the third type are read and, where a library can, verified; this node never has one."""

_SECRET_TYPES: Final = _TYPES[:2]
_KEY_LENGTH: Final = (32, 64, 1952)
_SIGNATURE_LENGTH: Final = (64, 65, 3309)
_ML_DSA: Final = 2
"""The tag of ML-DSA-65 (`network-2026.md` §3)."""

_SHORT_TEXT: Final = 200
"""Characters that a text of the first two types may have; 90 is the longest that is right."""

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
_ML_DSA_KEY_ROWS: Final = frozenset(length + 32 + 1952 for length in _SIGNATURE_LENGTH)
"""Lengths of the rows that have a key of ML-DSA-65, whatever the type of their signature."""

_ml_dsa: MlDsaCheck | None = None
_ml_dsa_is_known = False
"""Whether `_ml_dsa` was looked for, or set."""

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


def _split_text(text: str, what: str, lengths: tuple[int, ...]) -> bytes:
    """Return tag and content. The length of the text is checked first: decoding takes quadratic time."""
    name, _, rest = text.rpartition(":")
    if name not in ("", *_TYPES):
        raise BadKey(
            f"invalid {what} {text[:100]!r}: expected ed25519:, secp256k1: or ml-dsa-65: and base58, got {name[:100]!r}"
        )
    tag = _TYPES.index(name) if name else 0
    length = lengths[tag]
    try:
        data = b58decode(rest, max(_SHORT_TEXT, most_letters(length)))
    except BadKey as error:
        raise BadKey(f"invalid {what} {text[:100]!r}: {error}") from None
    if len(data) != length:
        raise BadKey(f"invalid {what} {text[:100]!r}: expected {length} bytes, got {len(data)}")
    return bytes((tag,)) + data


def _check_length(data: bytes, what: str, lengths: tuple[int, ...]) -> None:
    """Raise `BadKey` for an unknown tag or another length than the tag's."""
    if not data or data[0] >= len(lengths) or len(data) != 1 + lengths[data[0]]:
        tag = f"tag {data[0]}" if data else "no tag"
        forms = ", ".join(f"{one} and {length} bytes ({_TYPES[one]})" for one, length in enumerate(lengths))
        raise BadKey(f"invalid {what}: expected tag {forms}; got {len(data)} bytes with {tag}")


def is_ml_dsa(value: bytes) -> bool:
    """Return whether a key or a signature is of ML-DSA-65: a type that this node does not use."""
    return value[:1] == b"\2"


class PublicKey(bytes):
    """Index byte (0 ed25519, 1 secp256k1, 2 ML-DSA-65), then 32, 64 or 1952 bytes.

    The constructor does not check; `from_bytes` does.
    """

    __slots__ = ()

    @classmethod
    def from_bytes(cls, data: bytes) -> PublicKey:
        """Checked: `BadKey` for another length or index. A point off the curve is found when it verifies nothing."""
        _check_length(data, "public key", _KEY_LENGTH)
        return cls(data)

    @classmethod
    def from_text(cls, text: str) -> PublicKey:
        """From ``ed25519:...``, ``secp256k1:...`` or ``ml-dsa-65:...``; without a prefix it is ed25519."""
        return cls(_split_text(text, "public key", _KEY_LENGTH))

    @property
    def key_type(self) -> str:
        """``ed25519``, ``secp256k1`` or ``ml-dsa-65``."""
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
    """Index byte, then 64 (ed25519), 65 (secp256k1: r, s, recovery id) or 3309 bytes (ML-DSA-65).

    Empty: there is none.
    """

    __slots__ = ()

    @classmethod
    def from_bytes(cls, data: bytes) -> Signature:
        """Checked: `BadKey` for another length or index, `BadSignatureEncoding` for ed25519 top bits that none has."""
        _check_length(data, "signature", _SIGNATURE_LENGTH)
        if data[0] == 0 and data[64] & 0xE0:
            raise BadSignatureEncoding("an ed25519 signature never has any of its top three bits set")
        return cls(data)

    @classmethod
    def from_text(cls, text: str) -> Signature:
        """From ``ed25519:...``, ``secp256k1:...`` or ``ml-dsa-65:...``."""
        return cls.from_bytes(_split_text(text, "signature", _SIGNATURE_LENGTH))

    @property
    def key_type(self) -> str:
        """``ed25519``, ``secp256k1`` or ``ml-dsa-65``."""
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
        if key_type not in _SECRET_TYPES:
            raise BadKey(f"invalid type of a secret key {key_type!r}: expected ed25519 or secp256k1")
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
        if kind == _TYPES[_ML_DSA]:
            raise BadKey("a secret key is ed25519 or secp256k1; nearnet does not sign with ml-dsa-65")
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
    """``valid``, ``forged``, or ``strict``: refused by libsodium where the real nodes accept (`wire.md` §3).

    ``strict`` also for each signature of a key of ML-DSA-65 that does not hold, or that nothing here can check.
    """
    kind = public_key[0]
    if kind == _ML_DSA:
        return _ml_dsa_outcome(public_key[1:], signature[1:], digest)
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

    No two kinds of key and signature are as long together: 128 bytes are of ed25519, 161 of secp256k1, 5293 of
    ML-DSA-65.
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
    if len(row) in _ML_DSA_KEY_ROWS:
        return _ml_dsa_outcome(row[-1952:], row[:-1984], row[-1984:-1952])
    return "forged"


def _ml_dsa_outcome(key: bytes, signature: bytes, signed: bytes) -> str:
    """Return ``valid`` or ``strict``, never ``forged``: nobody is banned for it.

    How a node signs with such a key is inferred (`network-2026.md` §3): no live node could be asked, so a check that
    fails may be ours to blame.
    """
    check = ml_dsa_check() if len(signature) == _SIGNATURE_LENGTH[_ML_DSA] else None
    return "valid" if check is not None and check(key, signature, signed) else "strict"


def ml_dsa_check() -> MlDsaCheck | None:
    """Return the check of ML-DSA-65 signatures; None where no library has one. It is loaded when first asked for."""
    global _ml_dsa, _ml_dsa_is_known
    if not _ml_dsa_is_known:
        _ml_dsa, _ml_dsa_is_known = ml_dsa.load(), True
    return _ml_dsa


def use_ml_dsa(check: MlDsaCheck | None) -> MlDsaCheck | None:
    """Check ML-DSA-65 signatures of this process by `check` from now on, None: not at all; return what was in use."""
    global _ml_dsa, _ml_dsa_is_known
    before = ml_dsa_check()
    _ml_dsa, _ml_dsa_is_known = check, True
    return before


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
