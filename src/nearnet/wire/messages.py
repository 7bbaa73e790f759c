"""The messages, one frozen slotted class each, shared by both dialects (`wire.md` §4, §5, §6).

Keys, hashes, signatures and edges are `bytes` subclasses: the value *is* its borsh form, so that they compare, hash,
store and send at no cost. A field named `data` is opaque: it belongs to the chain client and is carried untouched.
`messages_today.py` has those that only protobuf can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

from nearnet.keys import CryptoHash, PeerId, Signature
from nearnet.wire import messages_today as today
from nearnet.wire.edge_bytes import Edge

__all__ = [
    "AnnounceAccount",
    "Block",
    "BlockHeaders",
    "BlockHeadersRequest",
    "BlockRequest",
    "Challenge",
    "Disconnect",
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
    "PartialEdgeInfo",
    "PeerChainInfo",
    "PeerInfo",
    "PeersRequest",
    "PeersResponse",
    "ProtocolVersionMismatch",
    "RequestUpdateNonce",
    "ResponseUpdateNonce",
    "Routed",
    "RoutedMessage",
    "SocketAddress",
    "SyncRoutingTable",
    "Transaction",
]


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
    owned_account: today.SignedPayload | None = None
    """Protobuf only."""
    tier: int = 2
    """1, 2 or 3: of which of today's networks (`wire.md` §6); this one is 2, borsh knows no other."""


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
    | today.SyncAccountsData
    | today.DistanceVector
    | today.SyncSnapshotHosts
    | today.StateRequestHeader
    | today.StateRequestPart
    | today.StateResponse
    | today.OptimisticBlock
)
"""Whatever one frame may hold."""
