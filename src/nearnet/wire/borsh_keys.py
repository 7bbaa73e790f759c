"""Keys, signatures and hashes out of borsh bytes (`wire.md` §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.errors import BadKey, Malformed
from nearnet.keys import PublicKey, Signature

if TYPE_CHECKING:
    from nearnet.wire.borsh import Reader

__all__ = ["read_public_key", "read_signature"]


def read_public_key(reader: Reader) -> PublicKey:
    """A `PublicKey`; `Malformed` for an unknown index."""
    index = reader.u8()
    if index > 1:
        raise Malformed(f"{index} is no key type")
    return PublicKey(bytes((index,)) + reader.take(64 if index else 32))


def read_signature(reader: Reader) -> Signature:
    """A `Signature`; `Malformed` for an unknown index or bits that no signature has."""
    index = reader.u8()
    if index > 1:
        raise Malformed(f"{index} is no signature type")
    try:
        return Signature.from_bytes(bytes((index,)) + reader.take(65 if index else 64))
    except BadKey as error:
        raise Malformed(str(error)) from None
