"""The golden messages of both dialects cut, flipped, joined and split at every byte (`threats.md` rows 4 and 6).

What comes of it is the documented errors, or a message that encodes to bytes that decode to itself.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from nearnet.errors import Malformed, WireError
from nearnet.wire.dialect import Dialect, dialect_named
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.messages import Message
from tests.vectors_file import vectors

BORSH = [(one["name"], bytes.fromhex(one["borsh"])) for one in vectors("borsh")["messages"]]
PROTOBUF = [(one["name"], bytes.fromhex(one["proto"])) for one in vectors("protobuf")["messages"]]
GOLDEN = [("borsh", *one) for one in BORSH] + [("protobuf", *one) for one in PROTOBUF]
each_message = pytest.mark.parametrize(
    ("dialect", "name", "frame"), GOLDEN, ids=[f"{one[0]} {one[1]}" for one in GOLDEN]
)

SAMPLES = 600
"""Places in one message at most; the few longer ones are taken at even distances, their first 200 bytes wholly."""


def places(frame: bytes) -> list[int]:
    """Where to do harm."""
    step = max(1, len(frame) // SAMPLES)
    return sorted({*range(min(200, len(frame))), *range(0, len(frame), step)})


def read(dialect: Dialect, frame: bytes) -> Message | None:
    """The message, and the same read again; None for the documented errors."""
    try:
        message = dialect.decode(frame)
    except WireError:
        return None
    if dialect.can_encode(message):
        assert dialect.decode(dialect.encode(message)) == message
    return message


@pytest.mark.threat(4)
@each_message
def test_cut_at_every_byte(dialect: str, name: str, frame: bytes) -> None:
    speaker = dialect_named(dialect)
    whole = speaker.decode(frame)
    for end in places(frame):
        assert read(speaker, frame[:end]) != whole, end


@pytest.mark.threat(4)
@each_message
def test_every_byte_flipped(dialect: str, name: str, frame: bytes) -> None:
    speaker = dialect_named(dialect)
    for at in places(frame):
        for mask in (0xFF, 1 << at % 8):
            harmed = frame[:at] + bytes((frame[at] ^ mask,)) + frame[at + 1 :]
            message = read(speaker, harmed)
            if message is not None and dialect == "borsh":
                assert speaker.encode(message) == harmed, "borsh has one form of each value"


@pytest.mark.threat(4)
@pytest.mark.parametrize(("one", "other"), list(pairwise(BORSH)), ids=lambda one: one[0])
def test_two_messages_in_one_frame(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    """What is behind the first is left over, unless the first takes any bytes for its own."""
    speaker = dialect_named("borsh")
    message = read(speaker, one[1] + other[1])
    assert message is None or speaker.encode(message) == one[1] + other[1]


@pytest.mark.threat(4)
@pytest.mark.parametrize(("one", "other"), list(pairwise(PROTOBUF)), ids=lambda one: one[0])
def test_two_messages_in_one_frame_of_todays(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    """The last one counts, as protobuf has it; never a mixture of two kinds."""
    speaker = dialect_named("protobuf")
    message = read(speaker, one[1] + other[1])
    kinds = {speaker.kind(one[1]), speaker.kind(other[1])}
    if len(kinds) == 2:
        assert message == speaker.decode(other[1])


@pytest.mark.threat(4)
@each_message
def test_bytes_left_over(dialect: str, name: str, frame: bytes) -> None:
    """Of borsh too many, of protobuf a field cut short; either is malformed, or bytes of the message."""
    speaker = dialect_named(dialect)
    message = read(speaker, frame + b"\x01")
    if message is not None:
        assert speaker.encode(message) == frame + b"\x01"


@pytest.mark.threat(6)
@pytest.mark.parametrize("golden", [BORSH, PROTOBUF], ids=["borsh", "protobuf"])
def test_split_at_every_byte_of_the_stream(golden: list[tuple[str, bytes]]) -> None:
    frames = [frame for _, frame in golden if len(frame) < 2000]
    stream = b"".join(frame_prefix(len(frame)) + frame for frame in frames)
    for at in range(len(stream)):
        framer = Framer()
        seen = []
        for piece in (stream[:at], stream[at : at + 3], stream[at + 3 :]):
            framer.feed(piece)
            while (frame := framer.next_frame()) is not None:
                seen.append(frame)
        assert seen == frames, at


def test_the_golden_messages_are_whole() -> None:
    assert all(read(dialect_named(dialect), frame) is not None for dialect, _, frame in GOLDEN)
    with pytest.raises(Malformed):
        dialect_named("borsh").decode(BORSH[0][1][:-1])
