"""Each message as the protobuf field that tells it (`wire.md` §6); `Unsupported` for what protobuf cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nearnet.errors import Unsupported
from nearnet.wire import messages as m
from nearnet.wire.borsh.dialect import encode_announcement
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.protobuf.fields import DELIMITED, delimited, varint
from nearnet.wire.protobuf.structures import (
    write_genesis_id,
    write_hash,
    write_key,
    write_partial,
    write_peer,
    write_signature,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["write_message", "write_trace"]

_TRACE: Final = 26
_HANDSHAKE_OF_TIER: Final = {1: 27, 2: 4, 3: 33}


def write_trace(trace: m.TraceContext) -> bytes:
    """The field of the top message that names the trace."""
    context = pb.TraceContext(trace_id=trace.trace_id, span_id=trace.span_id)
    context.sampling_priority = trace.sampling_priority  # type: ignore[assignment] # any number is kept
    return delimited(_TRACE, context.SerializeToString())


def write_message(message: m.Message) -> bytes:
    """The field of the top message that tells `message`; routed ones are `proto_routed.py`'s."""
    match message:
        case m.Handshake():
            return _handshake(message)
        case m.HandshakeFailure():
            return _failure(message)
        case m.LastEdge(edge):
            return delimited(6, _entries(1, (edge,)))
        case m.SyncRoutingTable(edges, accounts):
            return delimited(7, _entries(1, edges) + _entries(2, map(encode_announcement, accounts)))
        case m.RequestUpdateNonce(partial):
            return delimited(8, pb.UpdateNonceRequest(partial_edge_info=write_partial(partial)).SerializeToString())
        case m.ResponseUpdateNonce(edge):
            return delimited(9, _entries(1, (edge,)))
        case m.PeersRequest(most, most_direct):
            return delimited(10, pb.PeersRequest(max_peers=most, max_direct_peers=most_direct).SerializeToString())
        case m.PeersResponse(peers, direct):
            return delimited(11, _entries(1, map(write_peer, peers)) + _entries(2, map(write_peer, direct)))
        case m.Disconnect(flag):
            return delimited(18, pb.Disconnect(remove_from_connection_store=flag).SerializeToString())
    return _for_the_client(message)


def _for_the_client(message: m.Message) -> bytes:
    match message:
        case m.BlockHeadersRequest(hashes):
            return delimited(12, _entries(1, hashes))
        case m.BlockHeaders(_, headers) if headers is not None:
            return delimited(13, _entries(1, headers))
        case m.BlockRequest(value):
            return delimited(14, _entries(1, (value,)))
        case m.Block(data):
            return delimited(15, _entries(1, (data,)))
        case m.Transaction(data):
            return delimited(16, _opaque(data))
        case m.Challenge(data):
            return delimited(19, _opaque(data))
        case m.EpochSyncRequest():
            return delimited(34, b"")
        case m.EpochSyncResponse(data):
            return delimited(35, _opaque(data))
    return _of_today(message)


def _of_today(message: m.Message) -> bytes:
    match message:
        case m.SyncAccountsData(accounts, incremental, requesting):
            flags = pb.SyncAccountsData(incremental=incremental, requesting_full_sync=requesting)
            entries = b"".join(delimited(1, _signed(one).SerializeToString()) for one in accounts)
            return delimited(25, entries + flags.SerializeToString())
        case m.DistanceVector():
            return delimited(28, _distances(message))
        case m.StateRequestHeader(shard_id, value):
            asked = pb.StateRequestHeader(shard_id=shard_id, sync_hash=write_hash(value))
            return delimited(29, asked.SerializeToString())
        case m.StateRequestPart(shard_id, value, part_id):
            part = pb.StateRequestPart(shard_id=shard_id, sync_hash=write_hash(value), part_id=part_id)
            return delimited(30, part.SerializeToString())
        case m.StateResponse(data):
            return delimited(31, _entries(1, (data,)))
        case m.SyncSnapshotHosts(hosts):
            return delimited(32, b"".join(delimited(1, _host(one).SerializeToString()) for one in hosts))
        case m.OptimisticBlock(data, signature, value):
            block = pb.OptimisticBlock(inner=data, signature=write_signature(signature), hash=write_hash(value))
            return delimited(36, block.SerializeToString())
    raise Unsupported(f"protobuf nodes have no form of {type(message).__name__}")


def _opaque(data: bytes) -> bytes:
    return delimited(1, data) if data else b""  # An empty field is left out.


def _entries(number: int, items: Iterable[bytes]) -> bytes:
    """Fields of that number, each a message ``{1 bytes}``; many items have the same length, often all."""
    tag, items = varint(number << 3 | DELIMITED), tuple(items)
    heads: dict[int, bytes] = {}
    for length in set(map(len, items)):
        inner = b"\x0a" + varint(length) if length else b""  # An empty field is left out.
        heads[length] = tag + varint(len(inner) + length) + inner
    if len(heads) == 1:
        (head,) = heads.values()
        return head + head.join(items)
    return b"".join([part for item in items for part in (heads[len(item)], item)])


def _handshake(message: m.Handshake) -> bytes:
    chain = message.sender_chain_info
    hand = pb.Handshake(
        protocol_version=message.protocol_version,
        oldest_supported_version=message.oldest_supported_version,
        sender_peer_id=write_key(message.sender_peer_id),
        target_peer_id=write_key(message.target_peer_id),
        sender_listen_port=message.sender_listen_port or 0,
        sender_chain_info=pb.PeerChainInfo(
            genesis_id=write_genesis_id(chain.genesis_id),
            height=chain.height,
            tracked_shards=chain.tracked_shards,
            archival=chain.archival,
        ),
        partial_edge_info=write_partial(message.partial_edge_info),
        owned_account=None if message.owned_account is None else _signed(message.owned_account),
    )
    return delimited(_HANDSHAKE_OF_TIER[message.tier], hand.SerializeToString())


def _failure(message: m.HandshakeFailure) -> bytes:
    failure = pb.HandshakeFailure(peer_info=pb.PeerInfo(borsh=write_peer(message.peer_info)))
    match message.reason:
        case m.ProtocolVersionMismatch(version, oldest):
            failure.reason = pb.HandshakeFailure.PROTOCOL_VERSION_MISMATCH
            failure.version, failure.oldest_supported_version = version, oldest
        case m.GenesisMismatch(genesis_id):
            failure.reason = pb.HandshakeFailure.GENESIS_MISMATCH
            failure.genesis_id.CopyFrom(write_genesis_id(genesis_id))
        case _:
            failure.reason = pb.HandshakeFailure.INVALID_TARGET
    return delimited(5, failure.SerializeToString())


def _signed(signed: m.SignedPayload) -> pb.AccountKeySignedPayload:
    return pb.AccountKeySignedPayload(payload=signed.payload, signature=write_signature(signed.signature))


def _distances(message: m.DistanceVector) -> bytes:
    distances = [
        pb.DistanceVector.Distance(destination=write_key(peer), distance=distance)
        for peer, distance in message.distances
    ]
    vector = pb.DistanceVector(root=write_key(message.root), distances=distances)
    return vector.SerializeToString() + _entries(3, message.edges)


def _host(host: m.SnapshotHostInfo) -> pb.SnapshotHostInfo:
    return pb.SnapshotHostInfo(
        peer_id=write_key(host.peer_id),
        sync_hash=write_hash(host.sync_hash),
        epoch_height=host.epoch_height,
        shards=host.shards,
        signature=write_signature(host.signature),
    )
