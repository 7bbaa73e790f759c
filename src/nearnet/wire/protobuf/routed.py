"""Routed messages in protobuf by their offsets (`wire.md` §6, fields 17 and 37): what passes through is never parsed.

Unknown fields of a routed message are skipped and counted, and not passed on; neither is a trace, which is of one link.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from nearnet.errors import Malformed, MissingSignature, UnknownMessage
from nearnet.wire.protobuf.fields import (
    DELIMITED,
    VARINT,
    Unknown,
    borsh_range,
    delimited,
    fields,
    read_timestamp,
    read_varint,
    signed,
    varint,
    write_timestamp,
)
from nearnet.wire.routed_body import TIER1_BODIES
from nearnet.wire.routed_frame import RoutedFrame

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

__all__ = [
    "MOST_HOPS",
    "forward_routed",
    "read_routed",
    "read_routed_v3",
    "read_usual",
    "write_routed",
]

MOST_HOPS: Final = 2**32 - 2
"""Protobuf nodes fall over a count that overflows."""

_ROUTED_TAG: Final = varint(17 << 3 | DELIMITED)
_BORSH: Final = b"\x0a"
_STAMP: Final = b"\x12"
_HOPS: Final = b"\x20"
"""Tags of a RoutedMessage's fields 1, 2 and 4."""

_VARINT: Final = rb"(?:[\x80-\xff]{0,8}+[\x00-\x7f]|[\x80-\xff]{9}[\x00\x01])"
_USUAL_TAIL: Final = re.compile(
    rb"(?:\x12([\x00-\x7f])((?:\x08%b)?(?:\x10%b)?))?(?:\x20(%b))?" % (_VARINT, _VARINT, _VARINT), re.DOTALL
)
"""What follows the borsh bytes: created_at (its length and content), num_hops. A third of what it costs by fields."""

_U32: Final = 2**32 - 1
_TIER2: Final = (1, 2, 3, 11, 12, 14, 15, 21, 27, 31, 32, 34, 18)
"""Index of a tier-2 body -> its index as a `RoutedMessageBody`, as in `TIER1_BODIES`; what follows is the same."""


def read_usual(frame: bytes) -> RoutedFrame | None:
    """A frame as everybody writes it: field 17 alone, and in it fields 1, 2 and 4 in order. None for any other."""
    length = len(frame)
    if frame[:2] != _ROUTED_TAG:
        return None
    size, at = read_varint(frame, 2, length)
    if at + size != length or frame[at : at + 1] != _BORSH:
        return None
    size, start = read_varint(frame, at + 1, length)
    end = start + size
    if end == length:
        return RoutedFrame(frame, start, None, 0, end=end)
    tail = _USUAL_TAIL.fullmatch(frame, end) if end < length else None
    if tail is None:
        return None
    stamp_length, stamp, hops = tail.groups()
    if stamp is not None and stamp_length[0] != len(stamp):
        return None
    num_hops = read_varint(hops, 0, len(hops))[0] & _U32 if hops else 0
    return RoutedFrame(frame, start, stamp, num_hops, end=end)


def read_routed(data: bytes, at: int, end: int, unknown: Unknown) -> RoutedFrame:
    """Field 17: the borsh V1 message, when it was made, and how far it came; in any order, the last of each counts."""
    borsh: tuple[int, int] | None = None
    stamp: bytes | None = None
    hops = 0
    for number, wire, start, stop in fields(data, at, end):
        if number == 1 and wire == DELIMITED:
            borsh = start, stop
        elif number == 2 and wire == DELIMITED:
            stamp = write_timestamp(read_timestamp(data, start, stop, unknown))
        elif number == 4 and wire == VARINT:
            hops = start & _U32
        else:
            unknown.count += 1
    if borsh is None:
        raise Malformed("a routed message without its bytes")
    return RoutedFrame(data, borsh[0], stamp, hops, end=borsh[1])


def forward_routed(rf: RoutedFrame, less_one: Callable[[RoutedFrame, int, bytes, bytes], T]) -> T:
    """Field 17 of what came in any dialect, a hop further; a timestamp that was not there is not added.

    `less_one`: `RoutedFrame.less_one`, or that in pieces.
    """
    hops = min((rf.num_hops or 0) + 1, MOST_HOPS)
    size, stamp = rf.end - rf.start, rf.stamp
    head = _BORSH + varint(size)
    tail = _HOPS + varint(hops)
    if stamp is not None:
        tail = _STAMP + varint(len(stamp)) + stamp + tail
    return less_one(rf, rf.start, _ROUTED_TAG + varint(len(head) + size + len(tail)) + head, tail)


def write_routed(borsh: bytes, created_at: tuple[int, int] | None, num_hops: int) -> bytes:
    """Field 17."""
    content = _BORSH + varint(len(borsh)) + borsh
    if created_at is not None:
        content += delimited(2, write_timestamp(created_at))
    if num_hops:
        content += _HOPS + varint(num_hops)
    return _ROUTED_TAG + varint(len(content)) + content


# --- V3 ------------------------------------------------------------------------------------------


def read_routed_v3(data: bytes, at: int, end: int, unknown: Unknown) -> RoutedFrame:
    """Read field 37 as the V1 message that it stands for: it has the same hash, so the same signature.

    Raises `MissingSignature` for a message without one. The form is read only: field 17 is what everybody writes.
    """
    parts: dict[int, bytes] = {}
    numbers: dict[int, int] = {}
    for number, wire, start, stop in fields(data, at, end):
        if number == 1 and wire == DELIMITED:
            parts[1] = _target(data, start, stop, unknown)
        elif number in (2, 5) and wire == DELIMITED:
            first, last = borsh_range(data, start, stop, unknown)
            parts[number] = data[first:last]
        elif number == 4 and wire == DELIMITED:
            parts[4] = data[start:stop]
        elif number in (3, 6, 7) and wire == VARINT:
            numbers[number] = start
        else:
            unknown.count += 1
    ttl, body = numbers.get(3, 0) & _U32, parts.get(4, b"")
    if ttl > 255:
        raise Malformed(f"a ttl of {ttl}")
    index = _body_index(body)
    target, author = parts.get(1, b""), parts.get(2, b"")
    signature = parts.get(5, b"")
    if not signature:
        raise MissingSignature("a routed message has no signature")
    header = target + author + signature
    stamp = write_timestamp((signed(numbers[6], 64), 0)) if 6 in numbers else None
    hops = numbers.get(7, 0) & _U32
    rf = RoutedFrame(header + bytes((ttl, index)) + body[2:], 0, stamp, hops, is_v3=True)
    if (rf.author_at, rf.sig_at, rf.ttl_at) != (len(target), len(target) + len(author), len(header)):
        raise Malformed("a part of a routed message has another length than its type")
    return rf


def _target(data: bytes, at: int, end: int, unknown: Unknown) -> bytes:
    target = b""
    for number, wire, start, stop in fields(data, at, end):
        if number in (1, 2) and wire == DELIMITED:
            first, last = borsh_range(data, start, stop, unknown)
            target = bytes((number - 1,)) + data[first:last]
        else:
            unknown.count += 1
    return target


def _body_index(body: bytes) -> int:
    """Return the index as a `RoutedMessageBody` of a `TieredMessageBody`."""
    if len(body) < 2 or body[0] > 1:
        raise Malformed("a routed message whose body is of no tier")
    table = _TIER2 if body[0] else TIER1_BODIES
    if body[1] >= len(table):
        raise UnknownMessage(f"{body[1]} is no body of tier {body[0] + 1}")
    return table[body[1]]
