import pytest

from nearnet.keys import CryptoHash, Signature
from nearnet.sim.signatures import FastKey, made_up_edge
from nearnet.sim.third_keys import SHORTEST, has_third_key
from nearnet.wire import messages as m
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge

A, B = sorted((FastKey("a"), FastKey("b")), key=lambda key: key.public_key)
THIRD = b"\2" + bytes(1952)
SECP = b"\1" + b"\7" * 64
SIGNATURE = A.sign(bytes(32))
PLAIN = made_up_edge(A, B, 3)
REMOVED = Edge(made_up_edge(A, B, 3)[:-1] + b"\1\1" + SIGNATURE)
OLD_CURVE = Edge(A.public_key + SECP + bytes(8) + SIGNATURE + b"\1" + bytes(65) + b"\0")
WITH_THIRD = Edge(A.public_key + THIRD + bytes(8) + SIGNATURE + b"\2" + bytes(3309) + b"\0")
ADDRESSES = (None, m.SocketAddress("1.2.3.4", 5), m.SocketAddress("::1", 6))
MANY = (PLAIN, REMOVED, OLD_CURVE) * 5


def announcement(peer=A.public_key):
    return m.AnnounceAccount("one.near", peer, CryptoHash(bytes(32)), Signature(bytes(65)))


def info(number, peer=A.public_key):
    return m.PeerInfo(peer, ADDRESSES[number % 3], "one.near" if number % 2 else None)


def peers(*more):
    return m.PeersResponse((*(info(number) for number in range(60)), *more))


@pytest.mark.parametrize("name", ["borsh", "protobuf"])
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (m.SyncRoutingTable(MANY, (announcement(),)), False),
        (m.SyncRoutingTable((*MANY, WITH_THIRD), (announcement(),)), True),
        (m.SyncRoutingTable((WITH_THIRD, *MANY), ()), True),
        (m.SyncRoutingTable(MANY, (announcement(), announcement(THIRD))), True),
        (peers(), False),
        (peers(m.PeerInfo(THIRD)), True),
    ],
    ids=["no such key", "an edge at the end", "an edge in front", "an announcement", "peers without", "a peer"],
)
def test_it_is_found_wherever_it_is(name, message, expected):
    frame = dialect_named(name).encode(message)
    assert len(frame) > SHORTEST
    assert has_third_key(name, type(message).__name__, frame) is expected


def test_the_second_list_of_peers_is_read_too():
    frame = dialect_named("protobuf").encode(m.PeersResponse((), (m.PeerInfo(THIRD),)))
    assert has_third_key("protobuf", "PeersResponse", frame)


def test_other_messages_are_not_read():
    frame = dialect_named("borsh").encode(m.SyncRoutingTable((WITH_THIRD,), ()))
    assert not has_third_key("borsh", "Block", frame)


@pytest.mark.parametrize("name", ["borsh", "protobuf"])
def test_what_does_not_read_has_none(name):
    frame = dialect_named(name).encode(m.SyncRoutingTable(MANY, ()))
    for length in range(SHORTEST, len(frame)):
        assert not has_third_key(name, "SyncRoutingTable", frame[:length])
    assert not has_third_key(name, "SyncRoutingTable", bytes((frame[0], *b"\xff" * 3000)))
