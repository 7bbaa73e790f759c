"""The messages, one frozen slotted class each, shared by both dialects (`wire.md` §4, §5, §6).

Keys, hashes, signatures and edges are `bytes` subclasses: the value *is* its borsh form, so that they compare, hash,
store and send at no cost. A field named `data` is opaque: it belongs to the chain client and is carried untouched.
Some messages have a form in one dialect only. Times are (unix seconds, nanoseconds), as protobuf's Timestamp.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from nearnet.keys import CryptoHash, PeerId, PublicKey, Signature, check_signature
from nearnet.wire.edge_bytes import Edge

__all__ = [
    "MOST_SHARDS",
    "AccountData",
    "AnnounceAccount",
    "Block",
    "BlockHeaders",
    "BlockHeadersRequest",
    "BlockRequest",
    "Challenge",
    "Disconnect",
    "DistanceVector",
    "EpochSyncFinalizationRequest",
    "EpochSyncFinalizationResponse",
    "EpochSyncRequest",
    "EpochSyncResponse",
    "GenesisId",
    "GenesisMismatch",
    "Handshake",
    "HandshakeFailure",
    "HandshakeV2",
    "InvalidTarget",
    "LastEdge",
    "Message",
    "OptimisticBlock",
    "OwnedAccount",
    "PartialEdgeInfo",
    "PeerAddr",
    "PeerChainInfo",
    "PeerInfo",
    "PeersRequest",
    "PeersResponse",
    "ProtocolVersionMismatch",
    "RequestUpdateNonce",
    "ResponseUpdateNonce",
    "Routed",
    "RoutedMessage",
    "SignedPayload",
    "SnapshotHostInfo",
    "SocketAddress",
    "StateRequestHeader",
    "StateRequestPart",
    "StateResponse",
    "SyncAccountsData",
    "SyncRoutingTable",
    "SyncSnapshotHosts",
    "TraceContext",
    "Transaction",
]

MOST_SHARDS: Final = 512
"""Shards of one host of snapshots. A message in which a host has more does not read (`network-2026.md` §4)."""

_U64 = struct.Struct("<Q")
_COUNT = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class PeerAddr:
    """Where a peer listens, as a validator tells it of its proxies."""

    addr: SocketAddress
    peer_id: PeerId

    def __str__(self) -> str:
        return f"{self.peer_id}@{self.addr}"


@dataclass(frozen=True, slots=True)
class AccountData:
    """How a validator is reached. The newer one has the higher (version, timestamp)."""

    peer_id: PeerId
    account_key: PublicKey
    proxies: tuple[PeerAddr, ...]
    version: int
    timestamp: tuple[int, int]


@dataclass(frozen=True, slots=True)
class OwnedAccount:
    """Says that the node of `peer_id` has the validator's key `account_key`."""

    account_key: PublicKey
    peer_id: PeerId
    timestamp: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SignedPayload:
    """A statement signed with an account's key (`AccountKeySignedPayload`); `payload` is kept as received."""

    payload: bytes
    signature: Signature

    def verify(self, key: PublicKey) -> bool:
        """Whether `key` signed it. The payload itself is signed: the one signature that is not over a sha256."""
        return check_signature(key, self.signature, self.payload) == "valid"


@dataclass(frozen=True, slots=True)
class SyncAccountsData:
    """What validators tell: all of it, or what is new (`incremental`); asks for all of the other's."""

    accounts: tuple[SignedPayload, ...] = ()
    incremental: bool = False
    requesting_full_sync: bool = False


@dataclass(frozen=True, slots=True)
class DistanceVector:
    """How far `root` is from others, with the edges that prove it."""

    root: PeerId
    distances: tuple[tuple[PeerId, int], ...] = ()
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class SnapshotHostInfo:
    """A peer that offers state snapshots."""

    peer_id: PeerId
    sync_hash: CryptoHash
    epoch_height: int
    shards: tuple[int, ...]
    signature: Signature

    def digest(self) -> CryptoHash:
        """What is signed: the sha256 of borsh (sync_hash, epoch_height, shards). The peer id is not in it."""
        shards = b"".join(map(_U64.pack, self.shards))
        return CryptoHash.of(self.sync_hash + _U64.pack(self.epoch_height) + _COUNT.pack(len(self.shards)) + shards)


@dataclass(frozen=True, slots=True)
class SyncSnapshotHosts:
    """Peers that offer state snapshots, all of them or what is new."""

    hosts: tuple[SnapshotHostInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class StateRequestHeader:
    """For the chain client, asked of a neighbor (the routed one is in `routed_body`)."""

    shard_id: int
    sync_hash: CryptoHash


@dataclass(frozen=True, slots=True)
class StateRequestPart:
    """For the chain client, asked of a neighbor (the routed one is in `routed_body`)."""

    shard_id: int
    sync_hash: CryptoHash
    part_id: int


@dataclass(frozen=True, slots=True)
class StateResponse:
    """For the chain client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class OptimisticBlock:
    """For the chain client: the block's inner part (opaque), its signature and its hash."""

    data: bytes
    signature: Signature
    hash: CryptoHash


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Which trace a message belongs to (OpenTelemetry): 16 and 8 bytes, and whether it is sampled.

    `sampling_priority` is 0 (unknown), 1 or 2 (rejected automatically, or by a user), 3 or 4 (kept by either).
    """

    trace_id: bytes
    span_id: bytes
    sampling_priority: int = 0


@dataclass(frozen=True, slots=True, order=True)
class SocketAddress:
    """An IP address and a port. `ip` is the text form without brackets; `str()` gives ``ip:port`` or ``[ip6]:port``."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """A peer as told to others; text form ``KEY@IP:PORT@ACCOUNT`` (`wire.md` §7)."""

    id: PeerId
    addr: SocketAddress | None = None
    account_id: str | None = None

    def __str__(self) -> str:
        return "@".join(str(part) for part in (self.id, self.addr, self.account_id) if part is not None)


@dataclass(frozen=True, slots=True)
class GenesisId:
    """Which chain a node is of."""

    chain_id: str
    hash: CryptoHash


@dataclass(frozen=True, slots=True)
class PeerChainInfo:
    """What a peer says of its chain (`PeerChainInfoV2`)."""

    genesis_id: GenesisId
    height: int = 0
    tracked_shards: tuple[int, ...] = ()
    archival: bool = False


@dataclass(frozen=True, slots=True)
class PartialEdgeInfo:
    """One end's half of an edge: the nonce it proposes and its signature of it."""

    nonce: int
    signature: Signature


@dataclass(frozen=True, slots=True)
class AnnounceAccount:
    """Says that `peer_id` serves `account_id` in an epoch; signed by the account's key (`wire.md` §4)."""

    account_id: str
    peer_id: PeerId
    epoch_id: CryptoHash
    signature: Signature


@dataclass(frozen=True, slots=True)
class RoutedMessage:
    """A message on its way to `target`: a peer, or the hash of the request that it answers (V1)."""

    target: PeerId | CryptoHash
    author: PeerId
    signature: Signature
    ttl: int
    body: bytes
    """The borsh `RoutedMessageBody`: one index byte, then that body's fields."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """Document §7.5. `sender_listen_port` is None when the sender told none (protobuf: 0)."""

    protocol_version: int
    oldest_supported_version: int
    sender_peer_id: PeerId
    target_peer_id: PeerId
    sender_listen_port: int | None
    sender_chain_info: PeerChainInfo
    partial_edge_info: PartialEdgeInfo
    owned_account: SignedPayload | None = None
    """Protobuf only."""
    tier: int = 2
    """1, 2 or 3: of which of the protobuf networks (`wire.md` §6); this one is 2, borsh knows no other."""


@dataclass(frozen=True, slots=True)
class ProtocolVersionMismatch:
    """The other side's versions."""

    version: int
    oldest_supported_version: int


@dataclass(frozen=True, slots=True)
class GenesisMismatch:
    """The other side's genesis."""

    genesis_id: GenesisId


@dataclass(frozen=True, slots=True)
class InvalidTarget:
    """The other side is not the peer that was meant."""


@dataclass(frozen=True, slots=True)
class HandshakeFailure:
    """Why a handshake was not taken, with who the answering node is."""

    peer_info: PeerInfo
    reason: ProtocolVersionMismatch | GenesisMismatch | InvalidTarget


@dataclass(frozen=True, slots=True)
class LastEdge:
    """A proposed nonce was not above this edge's."""

    edge: Edge


@dataclass(frozen=True, slots=True)
class SyncRoutingTable:
    """Edges and announcements, all of them or what is new (document §7.8)."""

    edges: tuple[Edge, ...] = ()
    accounts: tuple[AnnounceAccount, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestUpdateNonce:
    """Asks the other end to sign a newer nonce for our edge."""

    partial_edge_info: PartialEdgeInfo


@dataclass(frozen=True, slots=True)
class ResponseUpdateNonce:
    """The edge as it now stands."""

    edge: Edge


@dataclass(frozen=True, slots=True)
class PeersRequest:
    """Asks for peers; the limits are told by protobuf peers only."""

    max_peers: int | None = None
    max_direct_peers: int | None = None


@dataclass(frozen=True, slots=True)
class PeersResponse:
    """Known peers, and (protobuf) those connected now."""

    peers: tuple[PeerInfo, ...] = ()
    direct_peers: tuple[PeerInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockHeadersRequest:
    """For the chain client."""

    hashes: tuple[CryptoHash, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockHeaders:
    """For the chain client: a borsh list; protobuf needs and tells each header by itself too."""

    data: bytes
    headers: tuple[bytes, ...] | None = None


@dataclass(frozen=True, slots=True)
class BlockRequest:
    """For the chain client."""

    hash: CryptoHash


@dataclass(frozen=True, slots=True)
class Block:
    """For the chain client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """For the chain client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Routed:
    """A routed message on one link; `created_at` (unix seconds, nanoseconds) and `num_hops` are protobuf's."""

    message: RoutedMessage
    created_at: tuple[int, int] | None = None
    num_hops: int | None = None


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The sender is about to close; the flag (protobuf) asks to forget the stored connection."""

    remove_from_connection_store: bool = False


@dataclass(frozen=True, slots=True)
class Challenge:
    """For the chain client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class HandshakeV2:
    """Index 16, long retired: read, never sent."""


@dataclass(frozen=True, slots=True)
class EpochSyncRequest:
    """For the chain client (borsh: 32 bytes; protobuf: none)."""

    epoch_id: CryptoHash | None = None


@dataclass(frozen=True, slots=True)
class EpochSyncResponse:
    """For the chain client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class EpochSyncFinalizationRequest:
    """For the chain client."""

    epoch_id: CryptoHash


@dataclass(frozen=True, slots=True)
class EpochSyncFinalizationResponse:
    """For the chain client."""

    data: bytes


Message = (
    Handshake
    | HandshakeFailure
    | LastEdge
    | SyncRoutingTable
    | RequestUpdateNonce
    | ResponseUpdateNonce
    | PeersRequest
    | PeersResponse
    | BlockHeadersRequest
    | BlockHeaders
    | BlockRequest
    | Block
    | Transaction
    | Routed
    | Disconnect
    | Challenge
    | HandshakeV2
    | EpochSyncRequest
    | EpochSyncResponse
    | EpochSyncFinalizationRequest
    | EpochSyncFinalizationResponse
    | SyncAccountsData
    | DistanceVector
    | SyncSnapshotHosts
    | StateRequestHeader
    | StateRequestPart
    | StateResponse
    | OptimisticBlock
)
"""Whatever one frame may hold."""
