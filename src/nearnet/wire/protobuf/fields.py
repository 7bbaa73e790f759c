"""Protobuf's bytes by hand (`wire.md` §6): fields by their offsets, for what passes through and for long lists.

What the library would copy, or blow up (a list of empty entries takes two bytes each on the wire and dozens in memory),
is read here. Every loop is bounded by the bytes it reads: see `fields`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nearnet.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "DELIMITED",
    "MOST_FIELDS",
    "SMALLEST_FIELD",
    "VARINT",
    "Unknown",
    "borsh_range",
    "delimited",
    "fields",
    "read_timestamp",
    "read_varint",
    "signed",
    "varint",
    "write_timestamp",
]

VARINT: Final = 0
DELIMITED: Final = 2
_GROUP: Final = 3
_GROUP_END: Final = 4
_FIXED: Final = {1: 8, 5: 4}
_U64: Final = 2**64 - 1
_MOST_VARINT_BYTES: Final = 10

MOST_FIELDS: Final = 1000
"""Fields that one message may have, entries of long lists apart."""

_TAGS: Final = 2**32
"""A field's number has 29 bits, its wire type three."""

_DEEPEST_GROUP: Final = 100
"""As in the format's own library."""

SMALLEST_FIELD: Final = 32
"""Bytes that the fields beyond `MOST_FIELDS` of a message with long lists take on average: its entries are longer."""

_SHORT: Final = (
    *(bytes((number,)) for number in range(2**7)),
    *(bytes((number & 0x7F | 0x80, number >> 7)) for number in range(2**7, 2**10)),
)
"""The varints of small numbers: a length is one mostly."""


class Unknown:
    """Counts the unknown fields that were skipped in one frame."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


def read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The varint at `at` (its low 64 bits) and where it ends; `Malformed` when it does not end before `end`."""
    if at < end:  # One or two bytes, as nearly all are: half of the time of the loop.
        low = data[at]
        if low < 0x80:
            return low, at + 1
        if at + 1 < end and (high := data[at + 1]) < 0x80:
            return low & 0x7F | high << 7, at + 2
    value = shift = 0
    last = min(end, at + _MOST_VARINT_BYTES)
    while at < last:
        byte = data[at]
        at += 1
        if byte < 0x80:
            return (value | byte << shift) & _U64, at
        value |= (byte & 0x7F) << shift
        shift += 7
    raise Malformed("a varint does not end")


def varint(value: int) -> bytes:
    """The varint of a number below 2^64; a negative one as protobuf has it, in ten bytes."""
    if 0 <= value < 2**10:
        return _SHORT[value]
    value &= _U64
    out = bytearray()
    while value > 127:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def delimited(number: int, content: bytes) -> bytes:
    """A field of that number that holds these bytes: a string of bytes, or a message."""
    return varint(number << 3 | DELIMITED) + varint(len(content)) + content


def fields(data: bytes, at: int, end: int, lists: bool = False) -> Iterator[tuple[int, int, int, int]]:
    """Each field of the message that lies there: (number, wire type, value or start, end).

    The third is the value of a varint (its end is 0), else where the field's content starts. `lists`: the message
    has long lists. `Malformed` when the bytes are no message, or more fields than such a message ever has.
    A group, with all that is in it, is one field of its wire type: nobody has known ones, so it is there to be skipped.
    """
    left = MOST_FIELDS + ((end - at) // SMALLEST_FIELD if lists else 0)
    while at < end:
        tag, at = read_varint(data, at, end)
        wire = tag & 7
        left -= 1
        if left < 0 or not 7 < tag < _TAGS:
            raise Malformed(f"{tag >> 3} is no field's number" if left >= 0 else "more fields than any message has")
        if wire == DELIMITED:
            length, at = read_varint(data, at, end)
            if length > end - at:
                raise Malformed(f"a field of {length} bytes in {end - at}")
            yield tag >> 3, wire, at, at + length
            at += length
        elif wire == VARINT:
            value, at = read_varint(data, at, end)
            yield tag >> 3, wire, value, 0
        else:
            start = at
            at, left = _skip(data, at, end, tag, left)
            yield tag >> 3, wire, start, at


def _skip(data: bytes, at: int, end: int, tag: int, left: int) -> tuple[int, int]:
    """Where a number of fixed length, or a group, ends, and how many fields may follow; `at` is behind its tag."""
    groups: list[int] = []
    while True:
        wire = tag & 7
        if wire in _FIXED:
            at += _FIXED[wire]
        elif wire == DELIMITED:
            length, at = read_varint(data, at, end)
            at += length
        elif wire == VARINT:
            _, at = read_varint(data, at, end)
        elif wire == _GROUP and len(groups) < _DEEPEST_GROUP:
            groups.append(tag >> 3)
        elif wire != _GROUP_END or not groups or groups.pop() != tag >> 3:
            raise Malformed("a group too deep, or one that ends before it starts, or no wire type")
        if at > end:
            raise Malformed(f"a field that ends {at - end} bytes behind its message")
        if not groups:
            return at, left
        tag, at = read_varint(data, at, end)
        left -= 1
        if left < 0 or not 7 < tag < _TAGS:
            raise Malformed(f"{tag >> 3} is no field's number" if left >= 0 else "more fields than any message has")


def signed(value: int, bits: int) -> int:
    """The low bits of a varint as a signed number."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def read_timestamp(data: bytes, at: int, end: int, unknown: Unknown) -> tuple[int, int]:
    """A Timestamp: unix seconds and nanoseconds."""
    seconds = nanos = 0
    for number, wire, value, _ in fields(data, at, end):
        if number == 1 and wire == VARINT:
            seconds = signed(value, 64)
        elif number == 2 and wire == VARINT:
            nanos = signed(value, 32)
        else:
            unknown.count += 1
    return seconds, nanos


def write_timestamp(moment: tuple[int, int]) -> bytes:
    """The inverse of `read_timestamp`."""
    seconds, nanos = moment
    return (b"\x08" + varint(seconds) if seconds else b"") + (b"\x10" + varint(nanos) if nanos else b"")


def borsh_range(data: bytes, at: int, end: int, unknown: Unknown) -> tuple[int, int]:
    """Where the bytes of a message ``{1 bytes}`` lie; an empty range when there are none."""
    if end - at > 2 and data[at] == 0x0A:
        length, start = read_varint(data, at + 1, end)
        if start + length == end:  # As everybody writes it: nothing else is there.
            return start, end
    start = stop = at
    for number, wire, first, last in fields(data, at, end):
        if number == 1 and wire == DELIMITED:
            start, stop = first, last
        else:
            unknown.count += 1
    return start, stop
