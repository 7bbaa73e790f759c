"""Where the parts of an edge lie in its borsh bytes (`wire.md` §4): `Edge` has them by their names.

Functions of bytes, so that they can be compiled, as a kind of `bytes` cannot: what looks at each edge of a table calls
them, where a property would go through the interpreter.
"""

from __future__ import annotations

import struct
from typing import Final

from nearnet.wire.borsh.primitives import KEY

__all__ = ["MIN_EDGE", "ends_of", "has_ml_dsa", "involves", "is_active", "nonce_at", "nonce_of", "pair_of"]

MIN_EDGE: Final = 205
"""Bytes of the smallest edge, of two ed25519 keys and not removed: 33 + 33 + 8 + 65 + 65 + 1, and no other has that
length."""

_PLAIN_NONCE_AT: Final = 66
_ML_DSA: Final = 2
_MIN_ML_DSA_PAIR: Final = KEY[0] + KEY[_ML_DSA]
"""Bytes of the smallest pair of ids with a key of ML-DSA-65: nearly every other edge is shorter."""

_unpack = struct.Struct("<Q").unpack_from


def nonce_at(edge: bytes) -> int:
    """Where the nonce begins, behind both ids."""
    if len(edge) == MIN_EDGE:
        return _PLAIN_NONCE_AT
    middle = KEY[edge[0]]
    return middle + KEY[edge[middle]]


def nonce_of(edge: bytes) -> int:
    """Odd: active; even: removed."""
    nonce: int = _unpack(edge, nonce_at(edge))[0]
    return nonce


def is_active(edge: bytes) -> bool:
    """Whether the nonce is odd."""
    return edge[nonce_at(edge)] & 1 == 1


def ends_of(edge: bytes) -> tuple[bytes, bytes]:
    """Both ids, the smaller first, as plain bytes; of what `pair_of` gives too."""
    middle = KEY[edge[0]]
    return edge[:middle], edge[middle : middle + KEY[edge[middle]]]


def pair_of(edge: bytes) -> bytes:
    """Both ids in one piece: what the edge is known by, where its ends do not matter one by one."""
    return edge[: nonce_at(edge)]


def has_ml_dsa(edge: bytes) -> bool:
    """Return whether one of the two ids is a key of ML-DSA-65 (`network-2026.md` §3); also of what `pair_of` gives."""
    if len(edge) < _MIN_ML_DSA_PAIR:
        return False
    return edge[0] == _ML_DSA or edge[KEY[edge[0]]] == _ML_DSA


def involves(edge: bytes, peer: bytes) -> bool:
    """Whether `peer` is one of its ends."""
    return peer in ends_of(edge)
