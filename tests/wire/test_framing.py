"""Frames of every split (`wire.md` §1; `threats.md` rows 1, 2, 6)."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearnet.errors import FrameTooLarge
from nearnet.wire.framing import MAX_FRAME, Framer, frame_prefix


def frames_of(chunks):
    framer, seen = Framer(), []
    for chunk in chunks:
        framer.feed(chunk)
        while (frame := framer.next_frame()) is not None:
            seen.append(frame)
    return seen, framer


CONTENTS = [b"", b"a", b"bcd" * 5, b"", b"x" * 20]
STREAM = b"".join(frame_prefix(len(content)) + content for content in CONTENTS)


@pytest.mark.threat(6)
def test_every_two_splits():
    for first in range(len(STREAM) + 1):
        for second in range(first, len(STREAM) + 1):
            seen, framer = frames_of([STREAM[:first], STREAM[first:second], STREAM[second:]])
            assert seen == CONTENTS
            assert framer.buffered == 0


def test_byte_by_byte():
    seen, framer = frames_of([STREAM[i : i + 1] for i in range(len(STREAM))])
    assert seen == CONTENTS
    assert framer.buffered == 0


@pytest.mark.threat(6)
@pytest.mark.scenario(75)
@given(st.lists(st.binary(max_size=300), max_size=20), st.data())
def test_random_splits(contents, data):
    stream = b"".join(frame_prefix(len(content)) + content for content in contents)
    chunks = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        chunks.append(stream[:size])
        stream = stream[size:]
    assert frames_of(chunks)[0] == contents


@pytest.mark.scenario(51)
def test_limit():
    framer = Framer()
    framer.feed(frame_prefix(MAX_FRAME))
    assert framer.next_frame() is None
    assert framer.pending_length == MAX_FRAME == 2**29
    framer = Framer()
    framer.feed(frame_prefix(2**29 + 1))
    with pytest.raises(FrameTooLarge):
        framer.next_frame()


@pytest.mark.threat(2)
def test_nothing_is_reserved_on_a_claim():
    tracemalloc.start()
    framers = [Framer() for _ in range(60)]
    for framer in framers:
        framer.feed(frame_prefix(MAX_FRAME))
        assert framer.next_frame() is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_pending_length_and_buffered():
    framer = Framer()
    assert framer.pending_length is None
    framer.feed(frame_prefix(10)[:2])
    assert framer.pending_length is None
    assert framer.buffered == 2
    framer.feed(frame_prefix(10)[2:])
    assert framer.pending_length == 10
    framer.feed(b"12345")
    assert (framer.buffered, framer.next_frame()) == (9, None)
    framer.feed(b"67890" + frame_prefix(0) + b"rest")
    assert framer.next_frame() == b"1234567890"
    assert framer.next_frame() == b""
    assert framer.buffered == 4


def test_a_large_frame_is_joined_once():
    framer = Framer()
    framer.feed(frame_prefix(1000) + b"a")
    for _ in range(998):
        framer.feed(b"b")
        assert framer.next_frame() is None
    framer.feed(b"c")
    assert framer.next_frame() == b"a" + b"b" * 998 + b"c"


def test_what_a_frame_lacks():
    framer = Framer()
    assert framer.missing == 0
    framer.feed(b"\x0a\0\0")
    assert framer.missing == 0, "its length is not known"
    framer.feed(b"\0abc")
    assert framer.next_frame() is None
    assert framer.missing == 7
    framer.feed(b"defgh")
    assert framer.missing == 2
    framer.feed(b"ijkl")
    assert framer.missing == 0
    assert framer.next_frame() == b"abcdefghij"
