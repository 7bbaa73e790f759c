import pytest

from nearnet.errors import Malformed
from nearnet.keys import CryptoHash, PublicKey, signature_row
from nearnet.wire.routed_body import EXPECTS_RESPONSE
from nearnet.wire.routed_frame import RoutedFrame, routed_bytes, routed_digest
from tests.vectors_file import vectors


@pytest.mark.scenario(99)
@pytest.mark.parametrize("case", vectors("borsh")["routed"], ids=lambda case: f"{case['body']} {case['ttl']}")
def test_vectors(case):
    data = bytes.fromhex(case["borsh"])
    frame = RoutedFrame(b"\x0d" + data, 1)
    assert frame.digest().hex() == case["hash"]
    assert (frame.ttl, frame.body_index) == (int(case["ttl"]), int(case["body_borsh"][:2], 16))
    assert (str(frame.author), str(frame.signature)) == (case["author"], case["signature"])
    assert frame.author.verify(frame.digest(), frame.signature)
    assert (frame.body_index in EXPECTS_RESPONSE) == case["expects_response"]
    assert frame.signature_row() == signature_row(frame.author, frame.digest(), frame.signature)
    assert str(frame.target) == (case["target_peer"] or case["target_hash"])
    message = frame.message()
    assert routed_bytes(message) == data
    assert routed_digest(message).hex() == case["hash"]
    assert (message.ttl, message.body.hex()) == (frame.ttl, case["body_borsh"])
    assert isinstance(message.target, PublicKey if case["target_peer"] else CryptoHash)


def test_a_large_body_is_hashed_without_joining():
    case = vectors("borsh")["routed"][0]
    data = bytes.fromhex(case["borsh"])
    frame = RoutedFrame(data + bytes(100_000), 0)
    assert frame.digest() == routed_digest(frame.message())


@pytest.mark.parametrize("more", [b"", bytes(100_000)])
def test_less_one(more):
    data = bytes.fromhex(vectors("borsh")["routed"][0]["borsh"]) + more
    frame = RoutedFrame(b"xy" + data, 2)
    again = RoutedFrame(frame.less_one(2), 0)
    assert again.ttl == frame.ttl - 1
    assert again.digest() == frame.digest()
    assert frame.less_one(0) == b"xy" + again.frame


def test_bad_headers():
    data = bytes.fromhex(vectors("borsh")["routed"][0]["borsh"])
    for end in range(len(data) - len(vectors("borsh")["routed"][0]["body_borsh"]) // 2 + 1):
        with pytest.raises(Malformed, match="cut short"):
            RoutedFrame(data[:end], 0)
    with pytest.raises(Malformed, match="kind of target"):
        RoutedFrame(b"\2" + data[1:], 0)
    with pytest.raises(Malformed, match="unknown key"):
        RoutedFrame(data[:34] + b"\7" + data[35:], 0)
    top = RoutedFrame(data, 0).ttl_at - 1
    with pytest.raises(Malformed, match="top bits"):
        RoutedFrame(data[:top] + b"\xff" + data[top + 1 :], 0)
