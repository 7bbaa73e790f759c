"""Structures of today's messages, and what is none."""

import pytest

from nearnet.errors import Malformed
from nearnet.keys import CryptoHash, SecretKey
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import GenesisId, PartialEdgeInfo, PeerInfo, SocketAddress
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.protobuf.fields import Unknown, delimited
from nearnet.wire.protobuf.structures import (
    MOST_PARSED_BYTES,
    parse,
    read_address,
    read_genesis_id,
    read_hash,
    read_partial,
    read_peer,
    read_public_key,
    read_signature_bytes,
    read_timestamp,
    read_whole_edge,
    write_address,
    write_genesis_id,
    write_hash,
    write_key,
    write_partial,
    write_peer,
    write_signature,
    write_timestamp,
)

KEY = SecretKey.from_seed("a key").public_key
SIGNATURE = SecretKey.from_seed("a key").sign(bytes(32))
HASH = CryptoHash(bytes(range(32)))
EDGE = Edge.build(KEY, KEY, 1, SIGNATURE, SIGNATURE)


def test_round_trips():
    assert read_public_key(write_key(KEY).borsh) == KEY
    assert read_signature_bytes(write_signature(SIGNATURE).borsh) == SIGNATURE
    assert read_hash(write_hash(HASH).hash) == HASH
    genesis = GenesisId("chain", HASH)
    assert read_genesis_id(write_genesis_id(genesis)) == genesis
    partial = PartialEdgeInfo(2**63 + 1, SIGNATURE)
    assert read_partial(write_partial(partial)) == partial
    for ip in ("1.2.3.4", "2001:db8::1"):
        info = PeerInfo(KEY, SocketAddress(ip, 65535), "alice.near")
        assert read_peer(write_peer(info)) == info
        assert read_address(write_address(info.addr)) == info.addr
    assert read_timestamp(write_timestamp((-1, 5))) == (-1, 5)
    assert read_whole_edge(b"x" + EDGE, 1, 1 + len(EDGE)) == EDGE


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    "read",
    [
        lambda: read_public_key(KEY[:-1]),
        lambda: read_public_key(b""),
        lambda: read_signature_bytes(SIGNATURE + b"x"),
        lambda: read_signature_bytes(SIGNATURE[:-1] + b"\xff"),
        lambda: read_hash(bytes(31)),
        lambda: read_whole_edge(EDGE + b"x", 0, len(EDGE) + 1),
        lambda: read_whole_edge(EDGE, 0, len(EDGE) - 1),
        lambda: read_peer(write_peer(PeerInfo(KEY)) + b"x"),
        lambda: read_partial(pb.PartialEdgeInfo(borsh=bytes(8) + SIGNATURE + b"x")),
        lambda: read_genesis_id(pb.GenesisId(chain_id="no hash")),
        lambda: read_address(pb.SocketAddr(ip=bytes(5), port=1)),
        lambda: read_address(pb.SocketAddr(ip=bytes(4), port=65536)),
        lambda: parse(pb.GenesisId, b"\x0a\x01\xff", Unknown()),
        lambda: parse(pb.GenesisId, b"\x0a\x05", Unknown()),
        lambda: parse(pb.Disconnect, bytes(MOST_PARSED_BYTES + 1), Unknown()),
    ],
)
def test_what_is_malformed(read):
    with pytest.raises(Malformed):
        read()


def test_unknown_fields_of_a_structure_count_once():
    unknown = Unknown()
    assert parse(pb.Disconnect, b"\x08\x01", unknown).remove_from_connection_store
    assert unknown.count == 0
    hidden = pb.GenesisId(chain_id="c").SerializeToString() + delimited(2, delimited(9, b"") * 50)
    assert parse(pb.GenesisId, hidden + delimited(8, b""), unknown).chain_id == "c"
    assert unknown.count == 1
