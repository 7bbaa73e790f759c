"""Routed messages across the dialects: forwarded by offsets, in every wrapper the same hash (`wire.md` §6)."""

from dataclasses import replace

import pytest
from golden_protobuf import CASES
from hypothesis import given
from hypothesis import strategies as st
from protobuf_values import hashes, keys, moments, signatures

from nearnet.errors import Malformed, MissingSignature, UnknownMessage
from nearnet.keys import CryptoHash, SecretKey
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import Routed, RoutedMessage
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.protobuf.fields import delimited, varint
from nearnet.wire.protobuf.routed import MOST_HOPS
from nearnet.wire.routed_body import TIER1_BODIES
from nearnet.wire.routed_frame import routed_bytes, routed_digest

PROTO, BORSH = dialect_named("protobuf"), dialect_named("borsh")
ROUTED = [case for case in CASES if "body_borsh_v1" in case["fields"]]
KEY = SecretKey.from_seed("a key")
TARGET = SecretKey.from_seed("a target").public_key
MESSAGE = RoutedMessage(TARGET, KEY.public_key, KEY.sign(bytes(32)), 100, b"\x0e" + bytes(41))
PLAIN = routed_bytes(MESSAGE)
TIER2 = (1, 2, 3, 11, 12, 14, 15, 21, 27, 31, 32, 34, 18)

messages = st.builds(
    RoutedMessage,
    keys | hashes,
    keys,
    signatures,
    st.integers(2, 255),
    st.binary(max_size=200).map(lambda b: b"\x0e" + b),
)


def v1(borsh=PLAIN, created_at=None, hops=0):
    """Field 17 as the compiled code writes it."""
    stamp = None if created_at is None else pb.Timestamp(seconds=created_at[0], nanos=created_at[1])
    routed = pb.RoutedMessage(borsh=borsh, created_at=stamp, num_hops=hops)
    return pb.PeerMessage(routed=routed).SerializeToString()


def v3(message=MESSAGE, tier=2, index=5, rest=bytes(41), signature=True, **fields):
    """Field 37."""
    to_hash = isinstance(message.target, CryptoHash)
    routed = pb.RoutedMessageV3(
        target=pb.PeerIdOrHash(
            peer_id=None if to_hash else pb.PublicKey(borsh=message.target),
            hash=pb.CryptoHash(hash=message.target) if to_hash else None,
        ),
        author=pb.PublicKey(borsh=message.author),
        ttl=message.ttl,
        borsh_body=bytes((tier - 1, index)) + rest,
        signature=pb.Signature(borsh=message.signature) if signature else None,
    )
    for name, value in fields.items():
        setattr(routed, name, value)
    return pb.PeerMessage(routed_v3=routed).SerializeToString()


def read(frame):
    """Field 17 as the compiled code reads it."""
    return pb.PeerMessage.FromString(frame).routed


@pytest.mark.parametrize("case", ROUTED, ids=lambda case: case["name"])
def test_vectors(case):
    fields = case["fields"]
    rf = PROTO.routed(bytes.fromhex(case["proto"]))
    assert rf.digest().hex() == fields["hash"]
    assert rf.author.verify(rf.digest(), rf.signature) == fields["verify"]
    assert (rf.ttl, rf.num_hops) == (fields["ttl"], fields["num_hops"])
    assert rf.created_at == (None if fields["created_at"] is None else (fields["created_at"], 0))
    assert not rf.is_v3


@pytest.mark.interop("Routed")
@given(messages, st.none() | moments, st.integers(0, 2**32 - 1))
def test_forwarded_among_todays(message, created_at, hops):
    frame = PROTO.encode(Routed(message, created_at, hops))
    assert frame == v1(routed_bytes(message), created_at, hops)
    forwarded = PROTO.forward(PROTO.routed(frame))
    assert forwarded == v1(routed_bytes(replace(message, ttl=message.ttl - 1)), created_at, min(hops + 1, MOST_HOPS))


@pytest.mark.interop("bridge")
@given(messages, st.none() | moments, st.integers(0, 2**32 - 1))
def test_from_today_to_borsh(message, created_at, hops):
    rf = PROTO.routed(v1(routed_bytes(message), created_at, hops))
    assert BORSH.carries(rf)
    assert BORSH.forward(rf) == BORSH.encode(Routed(replace(message, ttl=message.ttl - 1)))


@pytest.mark.interop("bridge")
@given(messages)
def test_from_borsh_to_today(message):
    rf = BORSH.routed(BORSH.encode(Routed(message)))
    forwarded = PROTO.forward(rf)
    assert forwarded == v1(routed_bytes(replace(message, ttl=message.ttl - 1)), None, 1)


@pytest.mark.parametrize("size", [50, 200, 5_000, 100_000])
def test_any_size(size):
    message = replace(MESSAGE, body=b"\x03" + bytes(size))
    rf = PROTO.routed(v1(routed_bytes(message), (5, 6), 127))
    assert rf.digest() == routed_digest(message)
    assert rf.message() == message
    assert PROTO.forward(rf) == v1(routed_bytes(replace(message, ttl=99)), (5, 6), 128)
    assert BORSH.forward(rf) == BORSH.encode(Routed(replace(message, ttl=99)))


B, T, H = delimited(1, PLAIN), delimited(2, b"\x08\x05"), b"\x20\x07"


@pytest.mark.parametrize(
    ("content", "created_at", "hops"),
    [
        (B, None, 0),
        (B + T, (5, 0), 0),
        (B + H, None, 7),
        (B + T + H, (5, 0), 7),
        (H + T + B, (5, 0), 7),
        (delimited(1, b"old") + H + B + b"\x20\x09", None, 9),
        (B + delimited(2, b"\x08\x01\x10\x02") + T + H, (5, 0), 7),
        (delimited(9, b"new") + B + H + b"\x28\x01", None, 7),
        (B + delimited(2, b"\x08\x05\x18\x01"), (5, 0), 0),
        (B + delimited(2, b""), (0, 0), 0),
        (B + b"\x20" + varint(2**32 + 3), None, 3),
        (B + b"\x25" + bytes(4), None, 0),
        (B + delimited(2, b"\x08" + b"\xff" * 9 + b"\x01"), (-1, 0), 0),
        (B + delimited(2, b"\x08" + b"\xff" * 9 + b"\x7f"), (-1, 0), 0),
        (B + b"\x12\x04\x08\x05\x20\x07", (5, 0), 0),
    ],
)
def test_any_order_the_last_counts(content, created_at, hops):
    for frame in (
        delimited(17, content),
        delimited(26, b"") + delimited(17, content),
        delimited(17, content) + delimited(80, b"new"),
        delimited(17, b"an older one") + delimited(17, content),
    ):
        rf = PROTO.routed(frame)
        assert (rf.message(), rf.created_at, rf.num_hops) == (MESSAGE, created_at, hops)
        forwarded = read(PROTO.forward(rf))
        assert forwarded.borsh == routed_bytes(replace(MESSAGE, ttl=99))
        assert forwarded.HasField("created_at") == (created_at is not None)
        assert forwarded.num_hops == hops + 1


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        T + H,
        b"\x0a\x03ab",
        B + b"\x12\x05\x08",
        B + delimited(2, b"\x08"),
        B + b"\x20",
        delimited(1, PLAIN[:-42]),
        delimited(1, PLAIN[: len(PLAIN) - 41]) + b"\x0f",
        b"\x0a" + b"\xff" * 11,
    ],
)
def test_malformed(content):
    with pytest.raises(Malformed):
        PROTO.routed(delimited(17, content))


def test_a_message_ends_where_its_field_ends():
    """What comes behind in the frame is no part of it, were it cut short."""
    cut = PLAIN[: -len(MESSAGE.body)]
    with pytest.raises(Malformed):
        PROTO.routed(delimited(17, delimited(1, cut) + T))
    rf = PROTO.routed(delimited(17, delimited(1, cut + b"\x0e") + T))
    assert rf.message().body == b"\x0e"


# --- field 37 ------------------------------------------------------------------------------------


@pytest.mark.scenario(99)
@pytest.mark.interop("RoutedMessageV3")
@pytest.mark.parametrize("index", range(13))
@pytest.mark.parametrize("target", [TARGET, CryptoHash(bytes(range(32)))])
def test_a_signed_v3_is_the_v1_that_it_stands_for(index, target):
    message = replace(MESSAGE, target=target, body=bytes((TIER2[index],)) + bytes(41))
    message = replace(message, signature=KEY.sign(routed_digest(message)))
    rf = PROTO.routed(v3(message, 2, index, created_at=-3, num_hops=4))
    assert rf.digest() == routed_digest(message) == PROTO.routed(v1(routed_bytes(message))).digest()
    assert rf.author.verify(rf.digest(), rf.signature)
    assert (rf.message(), rf.created_at, rf.num_hops, rf.is_v3) == (message, (-3, 0), 4, True)
    assert PROTO.forward(rf) == v1(routed_bytes(replace(message, ttl=99)), (-3, 0), 5)
    assert BORSH.forward(rf) == BORSH.encode(Routed(replace(message, ttl=99)))


@pytest.mark.interop("RoutedMessageV3")
@pytest.mark.parametrize("index", range(len(TIER1_BODIES)))
def test_a_signed_v3_of_tier_1_is_the_v1_that_it_stands_for(index):
    message = replace(MESSAGE, body=bytes((TIER1_BODIES[index],)) + bytes(41))
    message = replace(message, signature=KEY.sign(routed_digest(message)))
    rf = PROTO.routed(v3(message, 1, index))
    assert rf.message() == message
    assert rf.author.verify(rf.digest(), rf.signature)
    assert PROTO.forward(rf) == v1(routed_bytes(replace(message, ttl=99)), hops=1), "field 37 is never written"


@pytest.mark.interop("RoutedMessageV3")
@pytest.mark.parametrize(("tier", "index"), [(1, 0), (1, 16), (2, 5)])
def test_a_v3_without_a_signature_is_told_apart(tier, index):
    """Its sender is banned for it; see `tests/core/routed/test_routed.py`."""
    with pytest.raises(MissingSignature):
        PROTO.routed(v3(MESSAGE, tier, index, signature=False))


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    "frame",
    [
        v3(ttl=256),
        v3(ttl=2**32 - 1),
        v3(borsh_body=b""),
        v3(borsh_body=b"\0"),
        v3(borsh_body=b"\2\0"),
        v3(replace(MESSAGE, author=KEY.public_key[:-1])),
        v3(replace(MESSAGE, signature=MESSAGE.signature + b"x")),
        v3(replace(MESSAGE, target=CryptoHash(bytes(31)))),
        delimited(37, b""),
        delimited(37, b"\xff"),
    ],
    ids=range(10),
)
def test_malformed_v3(frame):
    with pytest.raises(Malformed):
        PROTO.routed(frame)


def test_parts_that_make_up_for_each_other_are_malformed():
    """A target that is a byte short and an author that is a byte long are no target and no author."""
    with pytest.raises(Malformed):
        PROTO.routed(v3(replace(MESSAGE, target=TARGET[:-1], author=TARGET[-1:] + KEY.public_key)))


@pytest.mark.parametrize(("tier", "index"), [(1, 17), (2, 13), (2, 255)])
def test_bodies_of_the_future_are_unknown(tier, index):
    with pytest.raises(UnknownMessage):
        PROTO.routed(v3(tier=tier, index=index))


def test_unknown_fields_of_a_v3_are_counted():
    counted = []
    inner = pb.PeerMessage.FromString(v3()).routed_v3.SerializeToString()
    target = delimited(1, delimited(1, delimited(1, TARGET)) + delimited(9, b"new"))
    rf = PROTO.routed(delimited(37, inner + target + delimited(60, b"new")), counted.append)
    assert rf.message() == MESSAGE
    assert counted == [2]
