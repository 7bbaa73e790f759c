"""Protobuf structures to values and back (`wire.md` §6); most of them hold one borsh structure of §4."""

from __future__ import annotations

import ipaddress
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtoMessage

from nearnet.errors import BadKey, Malformed
from nearnet.keys import CryptoHash, PublicKey, Signature
from nearnet.wire.borsh.dialect import read_peer_info, write_peer_info
from nearnet.wire.borsh.keys import read_signature
from nearnet.wire.borsh.primitives import Reader, Writer
from nearnet.wire.edge_bytes import Edge, read_edge
from nearnet.wire.messages import GenesisId, PartialEdgeInfo, PeerInfo, SocketAddress
from nearnet.wire.protobuf import network_pb2 as pb

if TYPE_CHECKING:
    from nearnet.wire.protobuf.fields import Unknown

__all__ = [
    "MOST_PARSED_BYTES",
    "parse",
    "read_address",
    "read_genesis_id",
    "read_hash",
    "read_partial",
    "read_peer",
    "read_public_key",
    "read_signature_bytes",
    "read_timestamp",
    "read_whole_edge",
    "write_address",
    "write_genesis_id",
    "write_hash",
    "write_key",
    "write_partial",
    "write_peer",
    "write_signature",
    "write_timestamp",
]

_PEERS_KEPT = 4096
"""Peers whose form is kept, of each direction: lists name the same ones again every minute. About 2 MB, when full."""

_LONGEST_KEPT = 65 + 1 + 19 + 1 + 4 + 64
"""Bytes of the longest such form that is kept: a key, an address and an account. One with a key of ML-DSA-65 is longer,
and is not used."""

P = TypeVar("P", bound=ProtoMessage)

MOST_PARSED_BYTES: Final = 2**20
"""Of what is given to the library, which takes up to eight bytes of memory for one; none such is nearly so long."""

_U64: Final = struct.Struct("<Q")


def parse(kind: type[P], data: bytes, unknown: Unknown) -> P:
    """A message of that kind. Unknown fields in it, however many, count as one."""
    if len(data) > MOST_PARSED_BYTES:
        raise Malformed(f"a {kind.__name__} of {len(data)} bytes")
    try:
        message = kind.FromString(data)
    except DecodeError:
        raise Malformed(f"a {kind.__name__} does not read") from None
    size = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() != size:
        unknown.count += 1
    return message


def read_public_key(data: bytes) -> PublicKey:
    """The key in these bytes."""
    try:
        return PublicKey.from_bytes(data)
    except BadKey as error:
        raise Malformed(str(error)) from None


def read_signature_bytes(data: bytes) -> Signature:
    """The signature in these bytes."""
    try:
        return Signature.from_bytes(data)
    except BadKey as error:
        raise Malformed(str(error)) from None


def read_hash(data: bytes) -> CryptoHash:
    """The hash in these bytes."""
    if len(data) != 32:
        raise Malformed(f"a hash of {len(data)} bytes")
    return CryptoHash(data)


def read_whole_edge(data: bytes, at: int, end: int) -> Edge:
    """The edge that fills this range."""
    edge, stop = read_edge(data, at)
    if stop != end:
        raise Malformed("an edge that does not fill its field")
    return edge


def read_peer(data: bytes) -> PeerInfo:
    """The `PeerInfo` in these bytes."""
    return _read_peer(data) if len(data) > _LONGEST_KEPT else _kept_peer(data)


def _read_peer(data: bytes) -> PeerInfo:
    reader = Reader(data)
    info = read_peer_info(reader)
    reader.finish()
    return info


_kept_peer = lru_cache(_PEERS_KEPT)(_read_peer)


@lru_cache(_PEERS_KEPT)
def write_peer(info: PeerInfo) -> bytes:
    """The inverse of `read_peer`."""
    writer = Writer()
    write_peer_info(writer, info)
    return writer.getvalue()


def read_partial(message: pb.PartialEdgeInfo) -> PartialEdgeInfo:
    """One end's half of an edge."""
    reader = Reader(message.borsh)
    partial = PartialEdgeInfo(reader.u64(), read_signature(reader))
    reader.finish()
    return partial


def write_partial(partial: PartialEdgeInfo) -> pb.PartialEdgeInfo:
    """The inverse of `read_partial`."""
    return pb.PartialEdgeInfo(borsh=_U64.pack(partial.nonce) + partial.signature)


def read_genesis_id(message: pb.GenesisId) -> GenesisId:
    """Which chain."""
    return GenesisId(message.chain_id, read_hash(message.hash.hash))


def write_genesis_id(genesis_id: GenesisId) -> pb.GenesisId:
    """The inverse of `read_genesis_id`."""
    return pb.GenesisId(chain_id=genesis_id.chain_id, hash=write_hash(genesis_id.hash))


def read_address(message: pb.SocketAddr) -> SocketAddress:
    """An address: 4 or 16 bytes and a port."""
    if len(message.ip) not in (4, 16) or message.port > 0xFFFF:
        raise Malformed("a socket address of another length, or a port over 65535")
    return SocketAddress(str(ipaddress.ip_address(message.ip)), message.port)


def write_address(address: SocketAddress) -> pb.SocketAddr:
    """The inverse of `read_address`."""
    return pb.SocketAddr(ip=ipaddress.ip_address(address.ip).packed, port=address.port)


def read_timestamp(message: pb.Timestamp) -> tuple[int, int]:
    """Unix seconds and nanoseconds."""
    return message.seconds, message.nanos


def write_timestamp(moment: tuple[int, int]) -> pb.Timestamp:
    """The inverse of `read_timestamp`."""
    return pb.Timestamp(seconds=moment[0], nanos=moment[1])


def write_key(key: PublicKey) -> pb.PublicKey:
    """A key."""
    return pb.PublicKey(borsh=key)


def write_signature(signature: Signature) -> pb.Signature:
    """A signature."""
    return pb.Signature(borsh=signature)


def write_hash(value: CryptoHash) -> pb.CryptoHash:
    """A hash."""
    return pb.CryptoHash(hash=value)
