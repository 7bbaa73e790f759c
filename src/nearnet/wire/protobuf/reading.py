"""Each message out of its protobuf bytes (`wire.md` §6).

Long lists are read by their offsets and end at the first entry that does not read; the rest goes through the library.
A message that misses something that it must have is `Malformed`, whole.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any, Final

from nearnet.errors import Malformed
from nearnet.wire import messages as m
from nearnet.wire.borsh.dialect import STEP, at_once, decode_announcement
from nearnet.wire.edge_bytes import PLAIN_PAIR, Edge
from nearnet.wire.edge_layout import MIN_EDGE
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.protobuf.fields import DELIMITED, VARINT, Unknown, borsh_range, fields
from nearnet.wire.protobuf.structures import (
    parse,
    read_genesis_id,
    read_hash,
    read_partial,
    read_peer,
    read_public_key,
    read_signature_bytes,
    read_whole_edge,
)
from nearnet.wire.signed_payload import account_data_of, owned_account_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from nearnet.keys import CryptoHash, PublicKey

__all__ = ["MOST_PAYLOAD_READ", "READERS", "read_trace", "table_in_steps"]

MOST_PAYLOAD_READ: Final = 10_000
"""Bytes of a signed payload; a longer one is kept unread, as the core bans for it."""

_COUNT: Final = struct.Struct("<I")

_HEAD: Final = b"\n\xd0\x01\n\xcd\x01"
_PLAIN_EDGES: Final = re.compile(
    rb"((?:%b%b\0){1,%d}+)" % (_HEAD, PLAIN_PAIR, STEP)
    + rb"|\n\x92\x02\n\x8f\x02(%b\x01[\0\x01]\0.{63}[\0-\x1f])" % PLAIN_PAIR,
    re.DOTALL,
).match
"""Entries that are active edges of two ed25519 keys, `MIN_EDGE` bytes behind a `_HEAD` each, or one that was removed.
Nearly all are; by offsets one takes ten times as long."""

# --- entries of lists, by their offsets ----------------------------------------------------------


def _edge(data: bytes, at: int, end: int, unknown: Unknown) -> Edge:
    return read_whole_edge(data, *borsh_range(data, at, end, unknown))


def _borsh(data: bytes, at: int, end: int, unknown: Unknown) -> bytes:
    start, stop = borsh_range(data, at, end, unknown)
    return data[start:stop]


def _announcement(data: bytes, at: int, end: int, unknown: Unknown) -> m.AnnounceAccount:
    return decode_announcement(_borsh(data, at, end, unknown))


def _peer(data: bytes, at: int, end: int, unknown: Unknown) -> m.PeerInfo:
    return read_peer(_borsh(data, at, end, unknown))


def _hash(data: bytes, at: int, end: int, unknown: Unknown) -> CryptoHash:
    return read_hash(_borsh(data, at, end, unknown))


def _key(data: bytes, at: int, end: int, unknown: Unknown) -> PublicKey:
    return read_public_key(_borsh(data, at, end, unknown))


def _account(data: bytes, at: int, end: int, unknown: Unknown) -> m.SignedPayload:
    signed = _signed(parse(pb.AccountKeySignedPayload, data[at:end], unknown))
    if len(signed.payload) <= MOST_PAYLOAD_READ and account_data_of(signed) is None:
        raise Malformed("accounts data that states something else")
    return signed


def _signed(message: pb.AccountKeySignedPayload) -> m.SignedPayload:
    return m.SignedPayload(message.payload, read_signature_bytes(message.signature.borsh))


def _host(data: bytes, at: int, end: int, unknown: Unknown) -> m.SnapshotHostInfo:
    host = parse(pb.SnapshotHostInfo, data[at:end], unknown)
    if len(host.shards) > m.MOST_SHARDS:
        raise Malformed(f"too many shards of a host: expected at most {m.MOST_SHARDS}, got {len(host.shards)}")
    return m.SnapshotHostInfo(
        peer_id=read_public_key(host.peer_id.borsh),
        sync_hash=read_hash(host.sync_hash.hash),
        epoch_height=host.epoch_height,
        shards=tuple(host.shards),
        signature=read_signature_bytes(host.signature.borsh),
    )


def _distance(data: bytes, at: int, end: int, unknown: Unknown) -> tuple[PublicKey, int]:
    one = parse(pb.DistanceVector.Distance, data[at:end], unknown)
    return read_public_key(one.destination.borsh), one.distance


def _lists(
    data: bytes, at: int, end: int, unknown: Unknown, *readers: Callable[[bytes, int, int, Unknown], Any]
) -> tuple[list[Any], ...]:
    """The entries of fields 1, 2, .. of a message that has nothing but lists."""
    found: tuple[list[Any], ...] = tuple([] for _ in readers)
    most = len(readers)
    for number, wire, start, stop in fields(data, at, end, lists=True):
        if number <= most and wire == DELIMITED:
            found[number - 1].append(readers[number - 1](data, start, stop, unknown))
        else:
            unknown.count += 1
    return found


# --- messages ------------------------------------------------------------------------------------


def _handshake(data: bytes, at: int, end: int, unknown: Unknown, tier: int) -> m.Handshake:
    hand = parse(pb.Handshake, data[at:end], unknown)
    if hand.sender_listen_port > 0xFFFF:
        raise Malformed(f"{hand.sender_listen_port} is no port")
    owned = None
    if hand.HasField("owned_account"):
        owned = _signed(hand.owned_account)
        if owned_account_of(owned) is None:
            raise Malformed("an owned account that states something else")
    chain = hand.sender_chain_info
    return m.Handshake(
        protocol_version=hand.protocol_version,
        oldest_supported_version=hand.oldest_supported_version,
        sender_peer_id=read_public_key(hand.sender_peer_id.borsh),
        target_peer_id=read_public_key(hand.target_peer_id.borsh),
        sender_listen_port=hand.sender_listen_port or None,
        sender_chain_info=m.PeerChainInfo(
            read_genesis_id(chain.genesis_id), chain.height, tuple(chain.tracked_shards), chain.archival
        ),
        partial_edge_info=read_partial(hand.partial_edge_info),
        owned_account=owned,
        tier=tier,
    )


def _failure(data: bytes, at: int, end: int, unknown: Unknown) -> m.HandshakeFailure:
    failure = parse(pb.HandshakeFailure, data[at:end], unknown)
    info = read_peer(failure.peer_info.borsh)
    match failure.reason:
        case pb.HandshakeFailure.PROTOCOL_VERSION_MISMATCH:
            reason = m.ProtocolVersionMismatch(failure.version, failure.oldest_supported_version)
            return m.HandshakeFailure(info, reason)
        case pb.HandshakeFailure.GENESIS_MISMATCH:
            return m.HandshakeFailure(info, m.GenesisMismatch(read_genesis_id(failure.genesis_id)))
        case pb.HandshakeFailure.INVALID_TARGET:
            return m.HandshakeFailure(info, m.InvalidTarget())
    raise Malformed(f"{failure.reason} is no reason of a HandshakeFailure")


def table_in_steps(data: bytes, at: int, end: int, unknown: Unknown) -> Generator[None, None, m.SyncRoutingTable]:
    """A SyncRoutingTable, less than twice `STEP` entries at each `next`."""
    edges: list[Edge] = []
    accounts: list[m.AnnounceAccount] = []
    step = STEP
    while (plain := _PLAIN_EDGES(data, at, end)) is not None:
        at = plain.end()
        if plain.lastindex == 1:
            starts = range(plain.start() + len(_HEAD), at, len(_HEAD) + MIN_EDGE)
            edges += [Edge(data[start : start + MIN_EDGE]) for start in starts]
        else:
            edges.append(Edge(plain[2]))
        if len(edges) >= step:
            step = len(edges) + STEP
            yield
    for count, (number, wire, start, stop) in enumerate(fields(data, at, end, lists=True)):
        if number == 1 and wire == DELIMITED:
            edges.append(_edge(data, start, stop, unknown))
        elif number == 2 and wire == DELIMITED:
            accounts.append(_announcement(data, start, stop, unknown))
        else:
            unknown.count += 1
        if not count % STEP:
            yield
    return m.SyncRoutingTable(tuple(edges), tuple(accounts))


def _last_edge(data: bytes, at: int, end: int, unknown: Unknown) -> m.LastEdge:
    return m.LastEdge(_edge(data, *borsh_range(data, at, end, unknown), unknown))


def _nonce_request(data: bytes, at: int, end: int, unknown: Unknown) -> m.RequestUpdateNonce:
    return m.RequestUpdateNonce(read_partial(parse(pb.UpdateNonceRequest, data[at:end], unknown).partial_edge_info))


def _nonce_response(data: bytes, at: int, end: int, unknown: Unknown) -> m.ResponseUpdateNonce:
    return m.ResponseUpdateNonce(_edge(data, *borsh_range(data, at, end, unknown), unknown))


def _peers_request(data: bytes, at: int, end: int, unknown: Unknown) -> m.PeersRequest:
    asked = parse(pb.PeersRequest, data[at:end], unknown)
    return m.PeersRequest(
        asked.max_peers if asked.HasField("max_peers") else None,
        asked.max_direct_peers if asked.HasField("max_direct_peers") else None,
    )


def _peers_response(data: bytes, at: int, end: int, unknown: Unknown) -> m.PeersResponse:
    peers, direct = _lists(data, at, end, unknown, _peer, _peer)
    return m.PeersResponse(tuple(peers), tuple(direct))


def _headers_request(data: bytes, at: int, end: int, unknown: Unknown) -> m.BlockHeadersRequest:
    (hashes,) = _lists(data, at, end, unknown, _hash)
    return m.BlockHeadersRequest(tuple(hashes))


def _headers(data: bytes, at: int, end: int, unknown: Unknown) -> m.BlockHeaders:
    (headers,) = _lists(data, at, end, unknown, _borsh)
    return m.BlockHeaders(_COUNT.pack(len(headers)) + b"".join(headers), tuple(headers))


def _block_request(data: bytes, at: int, end: int, unknown: Unknown) -> m.BlockRequest:
    return m.BlockRequest(_hash(data, *borsh_range(data, at, end, unknown), unknown))


def _inner(data: bytes, at: int, end: int, unknown: Unknown) -> bytes:
    return _borsh(data, *borsh_range(data, at, end, unknown), unknown)


def _disconnect(data: bytes, at: int, end: int, unknown: Unknown) -> m.Disconnect:
    return m.Disconnect(parse(pb.Disconnect, data[at:end], unknown).remove_from_connection_store)


def _accounts(data: bytes, at: int, end: int, unknown: Unknown) -> m.SyncAccountsData:
    accounts: list[m.SignedPayload] = []
    flags = {2: 0, 3: 0}
    for number, wire, start, stop in fields(data, at, end, lists=True):
        if number == 1 and wire == DELIMITED:
            accounts.append(_account(data, start, stop, unknown))
        elif number in flags and wire == VARINT:
            flags[number] = start
        else:
            unknown.count += 1
    return m.SyncAccountsData(tuple(accounts), bool(flags[2]), bool(flags[3]))


def _distances(data: bytes, at: int, end: int, unknown: Unknown) -> m.DistanceVector:
    roots, distances, edges = _lists(data, at, end, unknown, _key, _distance, _edge)
    if not roots:
        raise Malformed("a distance vector without a root")
    return m.DistanceVector(roots[-1], tuple(distances), tuple(edges))


def _hosts(data: bytes, at: int, end: int, unknown: Unknown) -> m.SyncSnapshotHosts:
    (hosts,) = _lists(data, at, end, unknown, _host)
    return m.SyncSnapshotHosts(tuple(hosts))


def _state_header(data: bytes, at: int, end: int, unknown: Unknown) -> m.StateRequestHeader:
    asked = parse(pb.StateRequestHeader, data[at:end], unknown)
    return m.StateRequestHeader(asked.shard_id, read_hash(asked.sync_hash.hash))


def _state_part(data: bytes, at: int, end: int, unknown: Unknown) -> m.StateRequestPart:
    asked = parse(pb.StateRequestPart, data[at:end], unknown)
    return m.StateRequestPart(asked.shard_id, read_hash(asked.sync_hash.hash), asked.part_id)


def _epoch_sync_request(data: bytes, at: int, end: int, unknown: Unknown) -> m.EpochSyncRequest:
    unknown.count += sum(1 for _ in fields(data, at, end))  # The library takes what is no field where there are none.
    return m.EpochSyncRequest()


def _optimistic(data: bytes, at: int, end: int, unknown: Unknown) -> m.OptimisticBlock:
    parts = {1: b"", 2: b"", 3: b""}
    for number, wire, start, stop in fields(data, at, end):
        if number == 1 and wire == DELIMITED:
            parts[1] = data[start:stop]
        elif number in parts and wire == DELIMITED:
            parts[number] = _borsh(data, start, stop, unknown)
        else:
            unknown.count += 1
    return m.OptimisticBlock(parts[1], read_signature_bytes(parts[2]), read_hash(parts[3]))


READERS: Final[dict[int, Callable[[bytes, int, int, Unknown], m.Message]]] = {
    4: lambda data, at, end, unknown: _handshake(data, at, end, unknown, 2),
    5: _failure,
    6: _last_edge,
    7: lambda data, at, end, unknown: at_once(table_in_steps(data, at, end, unknown)),
    8: _nonce_request,
    9: _nonce_response,
    10: _peers_request,
    11: _peers_response,
    12: _headers_request,
    13: _headers,
    14: _block_request,
    15: lambda data, at, end, unknown: m.Block(_inner(data, at, end, unknown)),
    16: lambda data, at, end, unknown: m.Transaction(_borsh(data, at, end, unknown)),
    18: _disconnect,
    19: lambda data, at, end, unknown: m.Challenge(_borsh(data, at, end, unknown)),
    25: _accounts,
    27: lambda data, at, end, unknown: _handshake(data, at, end, unknown, 1),
    28: _distances,
    29: _state_header,
    30: _state_part,
    31: lambda data, at, end, unknown: m.StateResponse(_inner(data, at, end, unknown)),
    32: _hosts,
    33: lambda data, at, end, unknown: _handshake(data, at, end, unknown, 3),
    34: _epoch_sync_request,
    35: lambda data, at, end, unknown: m.EpochSyncResponse(_borsh(data, at, end, unknown)),
    36: _optimistic,
}
"""Field of the top message -> what reads it. Routed messages (17, 37) are `proto_routed.py`'s."""


def read_trace(data: bytes) -> m.TraceContext:
    """A `TraceContext`."""
    trace = parse(pb.TraceContext, data, Unknown())
    return m.TraceContext(trace.trace_id, trace.span_id, trace.sampling_priority)
