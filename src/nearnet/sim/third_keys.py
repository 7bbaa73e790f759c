"""Finds keys of the third type (ML-DSA-65, tag 2) in a frame, for simulated nodes that cannot decode them.

A node of 2022 or 2025 loses a whole table, or a whole list of peers, over one such key (`network-2026.md` §3). This
module reads the bytes itself, so that it does not depend on what our own codecs do with such keys.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from nearnet.errors import Malformed
from nearnet.wire.protobuf.fields import DELIMITED, fields

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SHORTEST", "has_third_key"]

SHORTEST: Final = 1953
"""Bytes of the shortest frame that may hold such a key: its tag and 1952 bytes."""

_THIRD: Final = 2
_KEYS: Final = (33, 65)
_SIGNATURES: Final = (65, 66)
"""Bytes of a key and of a signature, by the tag; a signature of tag 2 belongs to a key of tag 2, which comes first."""

_FIELDS: Final = {"SyncRoutingTable": 7, "PeersResponse": 11}
_unpack = struct.Struct("<I").unpack_from


class _Found(Exception):
    """A key of the third type was met."""


def has_third_key(dialect: str, kind: str, frame: bytes) -> bool:
    """Return whether a table or a list of peers holds a key of the third type.

    Return False for every other kind of message, and for bytes that do not read.
    """
    if len(frame) < SHORTEST or kind not in _FIELDS:
        return False
    try:
        if dialect == "borsh":
            _borsh(kind, frame)
        else:
            for number, value in _entries(frame, _FIELDS[kind]):
                _protobuf_entry(kind, number, value)
    except _Found:
        return True
    except (IndexError, struct.error, Malformed):
        return False
    return False


def _entries(frame: bytes, field: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number of the list and the borsh bytes of each entry of a protobuf message."""
    for number, wire, start, end in fields(frame, 0, len(frame)):
        if number != field or wire != DELIMITED:
            continue
        for entry, kind, first, last in fields(frame, start, end, lists=True):
            if kind != DELIMITED:
                continue
            for part, form, at, stop in fields(frame, first, last):
                if part == 1 and form == DELIMITED:
                    yield entry, frame[at:stop]


def _protobuf_entry(kind: str, number: int, value: bytes) -> None:
    if kind == "PeersResponse":
        _key(value, 0)
    elif number == 1:
        _key(value, _key(value, 0))
    else:
        _announcement(value, 0)


def _borsh(kind: str, frame: bytes) -> None:
    at = 5
    if kind == "PeersResponse":
        for _ in range(_unpack(frame, 1)[0]):
            at = _peer_info(frame, at)
        return
    for _ in range(_unpack(frame, 1)[0]):
        at = _edge(frame, at)
    count = _unpack(frame, at)[0]
    at += 4
    for _ in range(count):
        at = _announcement(frame, at)


def _key(data: bytes, at: int) -> int:
    """Return where the key that begins at `at` ends."""
    if data[at] == _THIRD:
        raise _Found
    return at + _KEYS[data[at]]


def _edge(data: bytes, at: int) -> int:
    at = _key(data, _key(data, at)) + 8
    for _ in range(2):
        at += _SIGNATURES[data[at]]
    removed = data[at]
    at += 1
    return at + 1 + _SIGNATURES[data[at + 1]] if removed else at


def _announcement(data: bytes, at: int) -> int:
    at = _key(data, at + 4 + _unpack(data, at)[0]) + 32
    return at + _SIGNATURES[data[at]]


def _peer_info(data: bytes, at: int) -> int:
    at = _key(data, at)
    if data[at]:
        at += 1 + (16 if data[at + 1] else 4) + 2
    at += 1
    return at + 5 + _unpack(data, at + 1)[0] if data[at] else at + 1
