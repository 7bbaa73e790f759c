"""What bytes of the wire mean, in either dialect: frames or messages as trees (`cli.md`, decode).

A protobuf frame that nobody writes in that way (a V3 that is signed, fields in another order) reads, and is encoded
as this node would send it: `equal` is False for it.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nearnet.errors import ConfigError, FrameTooLarge, WireError
from nearnet.tools.message_fields import message_fields, variant
from nearnet.wire.dialect import detect, dialect_named
from nearnet.wire.framing import Framer

__all__ = ["Decoded", "decode_all", "frames_in", "tree"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """One message: its tree, or why there is none; whether encoding it again gives the same bytes."""

    fields: dict[str, Any]
    readable: bool
    equal: bool


def frames_in(text: str) -> Iterator[bytes]:
    """Messages in hexadecimal text, a frame or a message a line; blanks and ``0x`` are fine. `ConfigError` in words."""
    for number, line in enumerate(text.splitlines(), 1):
        digits = "".join(line.split()).removeprefix("0x")
        if not digits:
            continue
        if len(digits) % 2 or any(digit not in string.hexdigits for digit in digits):
            raise ConfigError(f"line {number} is not hexadecimal: {digits[:40]!r}")
        yield from _split(bytes.fromhex(digits))


def _split(data: bytes) -> list[bytes]:
    """Frames when the bytes are exactly that, else one message without its length."""
    framer, frames = Framer(), []
    framer.feed(data)
    try:
        while (frame := framer.next_frame()) is not None:
            frames.append(frame)
    except FrameTooLarge:
        return [data]
    return frames if frames and not framer.buffered else [data]


def decode_all(frames: Iterable[bytes]) -> Iterator[Decoded]:
    """Each message in the dialect that its first byte tells."""
    for frame in frames:
        yield _decode(frame)


def _decode(frame: bytes) -> Decoded:
    head: dict[str, Any] = {"length": len(frame)}
    if not frame:
        return Decoded({**head, "error": "an empty frame holds no message"}, False, False)
    dialect = dialect_named(detect(frame[0]))
    head |= {"dialect": dialect.name, "name": dialect.kind(frame)}
    unknown: list[int] = []
    try:
        message = dialect.decode(frame, unknown.append)
        trace = dialect.trace_context(frame)
    except WireError as error:
        return Decoded({**head, "error": str(error)}, False, False)
    if dialect.name == "protobuf":
        head["variant"] = variant(message)
    if unknown:
        head["unknown_fields"] = sum(unknown)
    if trace is not None:
        head["trace_context"] = {"trace_id": trace.trace_id.hex(), "span_id": trace.span_id.hex()}
    same = dialect.can_encode(message) and dialect.encode(message, trace) == frame
    return Decoded({**head, "fields": message_fields(message, dialect.name)}, True, same)


def tree(value: Any, indent: int = 0) -> Iterator[str]:
    """Lines for people: one field each, what is inside further in."""
    pad = "  " * indent
    for key, one in value.items():
        if isinstance(one, dict):
            yield f"{pad}{key}:"
            yield from tree(one, indent + 1)
        elif isinstance(one, list) and one and isinstance(one[0], dict):
            for index, item in enumerate(one):
                yield f"{pad}{key}[{index}]:"
                yield from tree(item, indent + 1)
        else:
            yield f"{pad}{key}: {_shown(one)}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_shown, value)) or "none"
    return str(value)
