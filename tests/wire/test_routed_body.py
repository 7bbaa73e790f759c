import pytest

from nearnet.errors import Malformed
from nearnet.keys import PublicKey
from nearnet.wire.routed_body import (
    BODY_NAMES,
    EXPECTS_RESPONSE,
    NEVER_TO_PROTOBUF,
    Opaque,
    Ping,
    Pong,
    TxStatusRequest,
    body_name,
    decode_body,
    encode_body,
)
from tests.vectors_file import vectors


@pytest.mark.parametrize("case", vectors("borsh")["routed"], ids=lambda case: case["body"])
def test_vectors(case):
    data = bytes.fromhex(case["body_borsh"])
    body = decode_body(data)
    assert encode_body(body) == data
    assert body_name(data[0]) == case["body"]
    if not isinstance(body, Opaque):
        assert type(body).__name__ == case["body"]


def test_names():
    assert body_name(238) == body_name(-1) == "Unknown"
    assert set(BODY_NAMES) >= EXPECTS_RESPONSE
    assert not NEVER_TO_PROTOBUF & {14, 15}


def test_ping_and_pong():
    peer = PublicKey(bytes(33))
    assert decode_body(encode_body(Ping(7, peer))) == Ping(7, peer)
    assert decode_body(encode_body(Pong(7, peer))) == Pong(7, peer)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x0e", b"\x0e" + bytes(8) + b"\7" + bytes(32), b"\x0f" + bytes(41) + b"z", b"\x02\1\0\0\0A" + bytes(32)],
)
def test_malformed(data):
    with pytest.raises(Malformed):
        decode_body(data)


def test_unknown_bodies_stay_as_they_are():
    assert decode_body(b"\xeeabc") == Opaque(238, b"abc")
    assert encode_body(Opaque(238, b"abc")) == b"\xeeabc"


def test_account():
    data = b"\2" + b"\4\0\0\0near" + bytes(32)
    assert decode_body(data) == TxStatusRequest("near", bytes(32))
