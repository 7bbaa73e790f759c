"""Bytes in hexadecimal to trees."""

import pytest

from nearnet.errors import ConfigError
from nearnet.tools.decode import decode_all, frames_in, tree
from nearnet.wire import messages as m
from nearnet.wire.dialect import dialect_named
from nearnet.wire.framing import frame_prefix
from nearnet.wire.protobuf.fields import delimited
from tests.vectors_file import vectors

PROTO = dialect_named("protobuf")
BOTH = [bytes.fromhex(case["proto"]) for case in vectors("protobuf")["messages"]]
BOTH += [bytes.fromhex(case["borsh"]) for case in vectors("borsh")["messages"]]
BOTH += [bytes.fromhex(case["message"]) for case in vectors("borsh")["routed"]]


def one(frame):
    (decoded,) = decode_all([frame])
    return decoded


def test_every_golden_message_reads_and_is_written_the_same():
    decoded = list(decode_all(BOTH))
    assert all(message.readable and message.equal for message in decoded)
    assert [message.fields["length"] for message in decoded] == list(map(len, BOTH))
    assert {message.fields["dialect"] for message in decoded} == {"borsh", "protobuf"}
    for message in decoded:
        assert list(tree(message.fields))


def test_hex_of_any_kind():
    assert list(frames_in("0x06\n\n  0 6\n0e")) == [b"\6", b"\6", b"\x0e"]
    framed = frame_prefix(1) + b"\6" + frame_prefix(2) + b"\x0e\0"
    assert list(frames_in(framed.hex())) == [b"\6", b"\x0e\0"]
    assert list(frames_in(framed.hex() + "00")) == [framed + b"\0"], "not frames alone: one message"
    assert list(frames_in("ffffffff00")) == [b"\xff\xff\xff\xff\0"]
    for text in ("0", "xy", "06\nzz"):
        with pytest.raises(ConfigError, match="not hexadecimal"):
            list(frames_in(text))


def test_names_of_both_dialects():
    assert {k: one(b"\6").fields[k] for k in ("dialect", "name")} == {"dialect": "borsh", "name": "PeersRequest"}
    asked = one(PROTO.encode(m.PeersRequest(512))).fields
    assert (asked["dialect"], asked["name"], asked["variant"]) == ("protobuf", "PeersRequest", "PeersRequest")
    assert asked["fields"]["max_peers"] == 512


def test_traces_and_unknown_fields_are_told():
    traced = one(PROTO.encode(m.Disconnect(), m.TraceContext(bytes(16), bytes(8), 1)))
    assert traced.equal
    assert traced.fields["trace_context"] == {"trace_id": "00" * 16, "span_id": "00" * 8}
    grown = one(PROTO.encode(m.Disconnect()) + delimited(90, b"new"))
    assert grown.readable
    assert not grown.equal
    assert grown.fields["unknown_fields"] == 1


@pytest.mark.parametrize("frame", [b"", b"\x1f", b"\x07", b"\x0d", delimited(90, b""), delimited(4, b"\xff")])
def test_what_does_not_read(frame):
    decoded = one(frame)
    assert not decoded.readable
    assert not decoded.equal
    assert decoded.fields["error"]


def test_lines_for_people():
    lines = list(tree({"a": None, "b": True, "c": [1, False], "d": [], "e": {"f": 1}, "g": [{"h": "x"}]}))
    assert lines == ["a: none", "b: yes", "c: 1, no", "d: none", "e:", "  f: 1", "g[0]:", "  h: x"]
