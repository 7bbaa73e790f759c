"""Protobuf by hand: every form of a field, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearnet.errors import Malformed
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.protobuf.fields import (
    DELIMITED,
    MOST_FIELDS,
    SMALLEST_FIELD,
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


def all_fields(data, at=0, end=None):
    return list(fields(data, at, len(data) if end is None else end))


@given(st.integers(0, 2**64 - 1))
def test_varints_round_trip(value):
    data = varint(value)
    assert read_varint(b"x" + data + b"y", 1, len(data) + 2) == (value, len(data) + 1)


def test_negative_numbers_take_ten_bytes():
    assert varint(-1) == b"\xff" * 9 + b"\x01"
    assert read_varint(varint(-1), 0, 10) == (2**64 - 1, 10)


def test_only_the_low_64_bits_count():
    assert read_varint(b"\xff" * 9 + b"\x7f", 0, 10) == (2**64 - 1, 10)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 10, b"\xff" * 10 + b"\x01"])
def test_varints_that_do_not_end(data):
    with pytest.raises(Malformed):
        read_varint(data, 0, len(data))


def test_a_varint_ends_within_its_message():
    with pytest.raises(Malformed):
        read_varint(b"\x80\x01", 0, 1)


def test_every_wire_type():
    data = b"\x08\x96\x01" + delimited(2, b"abc") + b"\x1d" + bytes(4) + b"\x21" + bytes(8)
    assert all_fields(data) == [(1, VARINT, 150, 0), (2, DELIMITED, 5, 8), (3, 5, 9, 13), (4, 1, 14, 22)]


def test_groups_are_skipped_whole():
    group = b"\x9b\x06" + b"\x08\x05" + b"\x0b\x12\x01a\x0c" + b"\x1d" + bytes(4) + b"\x9c\x06"
    assert all_fields(group + b"\x08\x07") == [(99, 3, 2, len(group)), (1, VARINT, 7, 0)]
    assert all_fields(b"\x0b" * 100 + b"\x0c" * 100) == [(1, 3, 1, 200)]


@pytest.mark.threat(3)
def test_what_is_in_groups_is_bounded_as_well():
    with pytest.raises(Malformed, match="deep"):
        all_fields(b"\x0b" * 101 + b"\x0c" * 101)
    with pytest.raises(Malformed, match="more fields"):
        all_fields(b"\x0b" + b"\x08\x00" * MOST_FIELDS + b"\x0c")


@pytest.mark.threat(4)
@pytest.mark.parametrize("data", [b"\x0b\x14\x0c", b"\x0b\x08\x01", b"\x0b\x08", b"\x0b\x0c\x0c", b"\x0b\x0e\x0c"])
def test_groups_that_do_not_end(data):
    with pytest.raises(Malformed):
        all_fields(data)


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00",
        varint(2**32) + b"\x00",
        b"\x0b",
        b"\x0c",
        b"\x0e",
        b"\x0a\x02a",
        b"\x0d\0\0\0",
        b"\x09" + bytes(7),
        b"\x0a",
        b"\x08",
    ],
)
def test_what_is_no_message(data):
    with pytest.raises(Malformed):
        all_fields(data)


def test_the_largest_number():
    assert all_fields(varint(2**32 - 8) + b"\x05") == [(2**29 - 1, VARINT, 5, 0)]


def test_fields_end_with_their_message():
    with pytest.raises(Malformed):
        all_fields(delimited(1, b"abc") + b"more", end=4)


@pytest.mark.threat(3)
def test_fields_are_bounded_by_their_bytes():
    assert len(all_fields(b"\x08\x00" * MOST_FIELDS)) == MOST_FIELDS
    with pytest.raises(Malformed, match="more fields"):
        all_fields(b"\x08\x00" * (MOST_FIELDS + MOST_FIELDS // 8))
    entries = delimited(1, bytes(SMALLEST_FIELD - 2)) * 10 * MOST_FIELDS
    assert len(list(fields(entries, 0, len(entries), lists=True))) == 10 * MOST_FIELDS
    with pytest.raises(Malformed, match="more fields"):
        all_fields(entries)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_timestamps(seconds, nanos):
    unknown = Unknown()
    data = write_timestamp((seconds, nanos))
    assert pb.Timestamp(seconds=seconds, nanos=nanos).SerializeToString() == data
    assert read_timestamp(data, 0, len(data), unknown) == (seconds, nanos)
    assert unknown.count == 0
    data += delimited(3, b"new")
    assert read_timestamp(data, 0, len(data), unknown) == (seconds, nanos)
    assert unknown.count == 1


def test_signed_numbers():
    assert [signed(value, 32) for value in (5, 2**32 - 1, 2**63, 2**31)] == [5, -1, 0, -(2**31)]


def test_the_range_of_borsh_bytes():
    unknown = Unknown()
    usual = delimited(1, b"borsh")
    assert borsh_range(b"xx" + usual, 2, 2 + len(usual), unknown) == (4, 9)
    assert borsh_range(b"", 0, 0, unknown) == (0, 0)
    assert borsh_range(b"\x0a\x00", 0, 2, unknown) == (2, 2)
    assert borsh_range(usual + delimited(1, b"last"), 0, len(usual) + 6, unknown) == (9, 13)
    assert unknown.count == 0
    other = delimited(7, b"other") + b"\x08\x01"
    assert borsh_range(other + usual, 0, len(other + usual), unknown) == (len(other) + 2, len(other) + 7)
    assert unknown.count == 2
