"""Today's golden messages both ways, and what a frame of today's may hold besides (`wire.md` §6)."""

import gzip
import json
from contextlib import suppress
from pathlib import Path

import pytest
from golden_protobuf import CASES, frame_of, value_of
from hypothesis import given
from hypothesis import strategies as st
from protobuf_values import MESSAGES

from nearnet.errors import Malformed, UnknownMessage, Unsupported, WireError
from nearnet.keys import CryptoHash, SecretKey, Signature
from nearnet.wire import messages as m
from nearnet.wire.borsh.dialect import at_once
from nearnet.wire.dialect import dialect_named
from nearnet.wire.protobuf.dialect import ProtoDialect
from nearnet.wire.protobuf.fields import delimited, varint
from nearnet.wire.routed_body import NEVER_TO_PROTOBUF

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
DIALECT = ProtoDialect()
BORSH = dialect_named("borsh")
TRACE = m.TraceContext(bytes(range(16)), bytes(8), 2)
KEY = SecretKey.from_seed("today").public_key
HASH = CryptoHash(bytes(range(32)))


@pytest.mark.scenario(97)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_vectors(case):
    frame = bytes.fromhex(case["proto"])
    message = DIALECT.decode(frame)
    assert message == value_of(case)
    assert DIALECT.encode(message) == frame
    assert DIALECT.can_encode(message)
    assert (DIALECT.routed(frame) is not None) == isinstance(message, m.Routed)
    kind = case["variant"] if case["variant"].startswith(("Tier1", "Tier3")) else type(message).__name__
    assert DIALECT.kind(frame) == kind


@pytest.mark.scenario(97)
@given(MESSAGES)
def test_round_trip(message):
    frame = DIALECT.encode(message)
    assert frame[0] >= 32
    assert DIALECT.decode(frame) == message


@pytest.mark.scenario(97)
def test_every_field_starts_above_borsh():
    assert all(varint(number << 3 | wire)[0] >= 32 for number in range(4, 2**12) for wire in range(6))


@pytest.mark.threat(4)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_cut_is_malformed_and_keeps_its_kind(case):
    frame = bytes.fromhex(case["proto"])
    start = 3 if len(frame) > 129 else 2
    for end in range(start, len(frame), max(1, len(frame) // 200)):
        with pytest.raises(Malformed):
            DIALECT.decode(frame[:end])
        assert DIALECT.kind(frame[:end]) in ("Unknown", DIALECT.kind(frame))


@pytest.mark.threat(3, 4)
@given(st.sampled_from(CASES), st.data())
def test_flipped_bytes_raise_nothing_else(case, choose):
    frame = bytearray.fromhex(case["proto"])
    for _ in range(choose.draw(st.integers(1, 4))):
        frame[choose.draw(st.integers(0, len(frame) - 1))] = choose.draw(st.integers(0, 255))
    _read_all(bytes(frame))


@pytest.mark.threat(3, 4)
@given(st.binary(max_size=200))
def test_noise_raises_nothing_else(frame):
    _read_all(frame)


def _read_all(frame):
    """What decodes can be encoded and read again as the same."""
    DIALECT.kind(frame)
    DIALECT.peek_handshake_version(frame)
    for read in (DIALECT.routed, DIALECT.trace_context):
        with suppress(WireError):
            read(frame)
    try:
        message = DIALECT.decode(frame)
    except (Malformed, UnknownMessage):
        return
    if DIALECT.can_encode(message):
        assert DIALECT.decode(DIALECT.encode(message)) == message


@pytest.mark.threat(4)
@pytest.mark.interop("unknown messages and fields")
@pytest.mark.parametrize("frame", [b"", delimited(38, b"x"), delimited(26, b""), b"\x20\x07", delimited(1000, b"")])
def test_unknown_messages(frame):
    assert DIALECT.kind(frame) == "Unknown"
    assert DIALECT.routed(frame) is None
    assert DIALECT.peek_handshake_version(frame) is None
    with pytest.raises(UnknownMessage):
        DIALECT.decode(frame)


@pytest.mark.interop("unknown messages and fields")
def test_unknown_fields_are_skipped_and_counted():
    counted = []
    frame = frame_of("routing table")
    assert DIALECT.decode(frame, counted.append) == DIALECT.decode(frame)
    assert counted == []
    more = delimited(99, b"new") + frame + b"\xf8\x3f\x01"
    assert DIALECT.decode(more, counted.append) == DIALECT.decode(frame)
    assert counted == [2]
    assert DIALECT.decode(more) == DIALECT.decode(frame)
    grown = delimited(4, frame_of("handshake ed25519")[3:] + delimited(50, b"new"))
    assert DIALECT.decode(grown, counted.append) == DIALECT.decode(frame_of("handshake ed25519"))
    assert counted == [2, 1]
    routed = delimited(17, frame_of("routed Ping to peer")[4:] + delimited(50, b"new"))
    assert DIALECT.routed(routed, counted.append).ttl == 100
    assert DIALECT.routed(routed).ttl == 100
    assert counted == [2, 1, 1]


def test_a_table_in_steps():
    frame = frame_of("routing table")
    counted = []
    steps = DIALECT.table_in_steps(delimited(77, b"") + frame, counted.append)
    next(steps)  # A first piece is done, and not all of it.
    assert at_once(steps) == DIALECT.decode(frame)
    assert counted == [1]


def test_the_last_message_counts():
    assert DIALECT.decode(frame_of("block request") + frame_of("disconnect")) == m.Disconnect(True)
    assert DIALECT.kind(frame_of("block request") + frame_of("disconnect")) == "Disconnect"


@pytest.mark.threat(3)
def test_too_many_fields_are_malformed():
    with pytest.raises(Malformed, match="more fields"):
        DIALECT.decode(b"\x92\x01\x00" * 2000)
    table = delimited(7, b"\x0a\x00" * 2000)
    with pytest.raises(Malformed):
        DIALECT.decode(table)


@pytest.mark.interop("trace context")
def test_traces():
    frame = frame_of("disconnect")
    assert DIALECT.trace_context(frame) is None
    traced = DIALECT.encode(m.Disconnect(True), TRACE)
    assert traced[0] >= 32
    assert DIALECT.trace_context(traced) == TRACE
    assert DIALECT.decode(traced) == m.Disconnect(True)
    assert DIALECT.kind(traced) == "Disconnect"
    unasked = []
    DIALECT.decode(traced, unasked.append)
    assert unasked == [], "a trace is known"
    with pytest.raises(Malformed):
        DIALECT.trace_context(delimited(26, b"\x0a\x05x"))


@pytest.mark.scenario(73)
def test_a_version_is_read_whatever_follows():
    frame = frame_of("handshake ed25519")
    assert DIALECT.peek_handshake_version(frame) == 84
    assert DIALECT.peek_handshake_version(frame[:20]) == 84
    assert DIALECT.peek_handshake_version(delimited(4, b"\x08\x63\xff\xff\xff")) == 99
    assert DIALECT.peek_handshake_version(delimited(27, b"\x08\x07")) == 7
    assert DIALECT.peek_handshake_version(delimited(4, b"\x08\xff\xff\xff\xff\x0f")) == 2**32 - 1
    assert DIALECT.peek_handshake_version(delimited(4, b"\x10\x50")) == 0, "what is 0 is left out"
    assert DIALECT.peek_handshake_version(delimited(4, b"\x10")) is None
    assert DIALECT.peek_handshake_version(delimited(4, b"\x0d\x01\x00\x00\x00\x10\x01")) == 0, "of another wire type"
    assert DIALECT.peek_handshake_version(frame_of("disconnect")) is None
    assert DIALECT.peek_handshake_version(b"\x22") is None


def test_kinds_of_what_is_cut():
    assert DIALECT.kind(b"\x22\x05\x08") == "Handshake"
    assert DIALECT.kind(b"\x21\x05\x08") == "Unknown"
    assert DIALECT.kind(b"\xff\xff") == "Unknown"


@pytest.mark.parametrize(
    "message",
    [
        m.HandshakeV2(),
        m.EpochSyncFinalizationRequest(HASH),
        m.EpochSyncFinalizationResponse(b""),
        m.BlockHeaders(bytes(4)),
        m.Routed(m.RoutedMessage(KEY, KEY, Signature(b""), 5, b"\x01")),
        *(m.Routed(m.RoutedMessage(KEY, KEY, Signature(bytes(65)), 5, bytes((n,)))) for n in sorted(NEVER_TO_PROTOBUF)),
    ],
    ids=repr,
)
def test_what_protobuf_nodes_have_no_form_of(message):
    assert not DIALECT.can_encode(message)
    with pytest.raises(Unsupported):
        DIALECT.encode(message)


@pytest.mark.interop("retired bodies")
def test_retired_bodies_are_not_carried():
    for index in range(42):
        message = m.Routed(m.RoutedMessage(KEY, KEY, Signature(bytes(65)), 5, bytes((index,))))
        rf = BORSH.routed(BORSH.encode(message))
        assert DIALECT.carries(rf) == (index not in NEVER_TO_PROTOBUF)
        assert BORSH.carries(rf)


def test_every_frame_that_a_real_node_sent():
    recording = json.loads(gzip.decompress((VECTORS / "transcripts-protobuf.json.gz").read_bytes()))
    frames = [bytes.fromhex(frame) for _, _, who, frame in recording["steps"] if who == "node"]
    assert len(frames) > 80
    for frame in frames:
        assert DIALECT.encode(DIALECT.decode(frame, pytest.fail)) == frame
