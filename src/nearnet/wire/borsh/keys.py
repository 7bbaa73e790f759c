"""Keys, signatures and hashes out of borsh bytes (`wire.md` §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.errors import BadKey, Malformed
from nearnet.keys import PublicKey, Signature
from nearnet.wire.borsh.primitives import KEY, SIGNATURE

if TYPE_CHECKING:
    from nearnet.wire.borsh.primitives import Reader

__all__ = ["read_public_key", "read_signature"]


def read_public_key(reader: Reader) -> PublicKey:
    """A `PublicKey`; `Malformed` for an unknown index."""
    index = reader.u8()
    if index >= len(KEY):
        raise Malformed(f"invalid type of a public key: expected 0 to {len(KEY) - 1}, got {index}")
    return PublicKey(bytes((index,)) + reader.take(KEY[index] - 1))


def read_signature(reader: Reader) -> Signature:
    """A `Signature`; `Malformed` for an unknown index or bits that no signature has."""
    index = reader.u8()
    if index >= len(SIGNATURE):
        raise Malformed(f"invalid type of a signature: expected 0 to {len(SIGNATURE) - 1}, got {index}")
    try:
        return Signature.from_bytes(bytes((index,)) + reader.take(SIGNATURE[index] - 1))
    except BadKey as error:
        raise Malformed(str(error)) from None
