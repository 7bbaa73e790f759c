import pytest

from nearnet.errors import Malformed
from nearnet.wire.borsh.primitives import Reader, Writer


def test_primitives_both_ways():
    writer = Writer()
    writer.u8(7)
    writer.u16(0x1234)
    writer.u32(0x12345678)
    writer.u64(2**64 - 1)
    writer.string("zäh")
    writer.vec([1, 2], 2, writer.u8)
    writer.option(None, writer.u8)
    writer.option(5, writer.u8)
    writer.raw(b"end")
    data = writer.getvalue()
    assert data[:7] == b"\7\x34\x12\x78\x56\x34\x12"
    reader = Reader(data)
    assert (reader.u8(), reader.u16(), reader.u32(), reader.u64()) == (7, 0x1234, 0x12345678, 2**64 - 1)
    assert reader.string() == "zäh"
    assert reader.vec(Reader.u8, 1) == (1, 2)
    assert reader.option(Reader.u8) is None
    assert reader.option(Reader.u8) == 5
    assert reader.left == 3
    assert reader.rest() == b"end"
    reader.finish()


@pytest.mark.parametrize("data", [b"", b"\1\2\3", b"\xff\xff\xff\xffab"])
def test_short(data):
    with pytest.raises(Malformed):
        Reader(data).string()


def test_bool_is_0_or_1():
    assert Reader(b"\1").bool() is True
    assert Reader(b"\0").bool() is False
    with pytest.raises(Malformed, match="2 is no bool"):
        Reader(b"\2").bool()


def test_strings_are_utf8():
    with pytest.raises(Malformed, match="UTF-8"):
        Reader(b"\1\0\0\0\xff").string()


@pytest.mark.threat(3)
def test_a_count_is_held_against_what_is_left():
    built = []
    with pytest.raises(Malformed, match="4294967295 items claimed in 2 bytes"):
        Reader(b"\xff\xff\xff\xffab").vec(lambda _: built.append(1), 1)
    assert built == []


def test_nothing_may_be_left():
    with pytest.raises(Malformed, match="1 bytes left over"):
        Reader(b"a").finish()
