from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PublicKey(_message.Message):
    __slots__ = ("borsh",)
    BORSH_FIELD_NUMBER: _ClassVar[int]
    borsh: bytes
    def __init__(self, borsh: _Optional[bytes] = ...) -> None: ...

class Signature(_message.Message):
    __slots__ = ("borsh",)
    BORSH_FIELD_NUMBER: _ClassVar[int]
    borsh: bytes
    def __init__(self, borsh: _Optional[bytes] = ...) -> None: ...

class PeerInfo(_message.Message):
    __slots__ = ("borsh",)
    BORSH_FIELD_NUMBER: _ClassVar[int]
    borsh: bytes
    def __init__(self, borsh: _Optional[bytes] = ...) -> None: ...

class Edge(_message.Message):
    __slots__ = ("borsh",)
    BORSH_FIELD_NUMBER: _ClassVar[int]
    borsh: bytes
    def __init__(self, borsh: _Optional[bytes] = ...) -> None: ...

class PartialEdgeInfo(_message.Message):
    __slots__ = ("borsh",)
    BORSH_FIELD_NUMBER: _ClassVar[int]
    borsh: bytes
    def __init__(self, borsh: _Optional[bytes] = ...) -> None: ...

class AnnounceAccount(_message.Message):
    __slots__ = ("borsh",)
    BORSH_FIELD_NUMBER: _ClassVar[int]
    borsh: bytes
    def __init__(self, borsh: _Optional[bytes] = ...) -> None: ...

class Opaque(_message.Message):
    __slots__ = ("borsh",)
    BORSH_FIELD_NUMBER: _ClassVar[int]
    borsh: bytes
    def __init__(self, borsh: _Optional[bytes] = ...) -> None: ...

class CryptoHash(_message.Message):
    __slots__ = ("hash",)
    HASH_FIELD_NUMBER: _ClassVar[int]
    hash: bytes
    def __init__(self, hash: _Optional[bytes] = ...) -> None: ...

class Timestamp(_message.Message):
    __slots__ = ("seconds", "nanos")
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    NANOS_FIELD_NUMBER: _ClassVar[int]
    seconds: int
    nanos: int
    def __init__(self, seconds: _Optional[int] = ..., nanos: _Optional[int] = ...) -> None: ...

class GenesisId(_message.Message):
    __slots__ = ("chain_id", "hash")
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    chain_id: str
    hash: CryptoHash
    def __init__(self, chain_id: _Optional[str] = ..., hash: _Optional[_Union[CryptoHash, _Mapping]] = ...) -> None: ...

class PeerChainInfo(_message.Message):
    __slots__ = ("genesis_id", "height", "tracked_shards", "archival")
    GENESIS_ID_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TRACKED_SHARDS_FIELD_NUMBER: _ClassVar[int]
    ARCHIVAL_FIELD_NUMBER: _ClassVar[int]
    genesis_id: GenesisId
    height: int
    tracked_shards: _containers.RepeatedScalarFieldContainer[int]
    archival: bool
    def __init__(self, genesis_id: _Optional[_Union[GenesisId, _Mapping]] = ..., height: _Optional[int] = ..., tracked_shards: _Optional[_Iterable[int]] = ..., archival: bool = ...) -> None: ...

class Handshake(_message.Message):
    __slots__ = ("protocol_version", "oldest_supported_version", "sender_peer_id", "target_peer_id", "sender_listen_port", "sender_chain_info", "partial_edge_info", "owned_account")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    OLDEST_SUPPORTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    SENDER_PEER_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_PEER_ID_FIELD_NUMBER: _ClassVar[int]
    SENDER_LISTEN_PORT_FIELD_NUMBER: _ClassVar[int]
    SENDER_CHAIN_INFO_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_EDGE_INFO_FIELD_NUMBER: _ClassVar[int]
    OWNED_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    oldest_supported_version: int
    sender_peer_id: PublicKey
    target_peer_id: PublicKey
    sender_listen_port: int
    sender_chain_info: PeerChainInfo
    partial_edge_info: PartialEdgeInfo
    owned_account: AccountKeySignedPayload
    def __init__(self, protocol_version: _Optional[int] = ..., oldest_supported_version: _Optional[int] = ..., sender_peer_id: _Optional[_Union[PublicKey, _Mapping]] = ..., target_peer_id: _Optional[_Union[PublicKey, _Mapping]] = ..., sender_listen_port: _Optional[int] = ..., sender_chain_info: _Optional[_Union[PeerChainInfo, _Mapping]] = ..., partial_edge_info: _Optional[_Union[PartialEdgeInfo, _Mapping]] = ..., owned_account: _Optional[_Union[AccountKeySignedPayload, _Mapping]] = ...) -> None: ...

class HandshakeFailure(_message.Message):
    __slots__ = ("reason", "peer_info", "genesis_id", "version", "oldest_supported_version")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        UNKNOWN: _ClassVar[HandshakeFailure.Reason]
        PROTOCOL_VERSION_MISMATCH: _ClassVar[HandshakeFailure.Reason]
        GENESIS_MISMATCH: _ClassVar[HandshakeFailure.Reason]
        INVALID_TARGET: _ClassVar[HandshakeFailure.Reason]
    UNKNOWN: HandshakeFailure.Reason
    PROTOCOL_VERSION_MISMATCH: HandshakeFailure.Reason
    GENESIS_MISMATCH: HandshakeFailure.Reason
    INVALID_TARGET: HandshakeFailure.Reason
    REASON_FIELD_NUMBER: _ClassVar[int]
    PEER_INFO_FIELD_NUMBER: _ClassVar[int]
    GENESIS_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OLDEST_SUPPORTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    reason: HandshakeFailure.Reason
    peer_info: PeerInfo
    genesis_id: GenesisId
    version: int
    oldest_supported_version: int
    def __init__(self, reason: _Optional[_Union[HandshakeFailure.Reason, str]] = ..., peer_info: _Optional[_Union[PeerInfo, _Mapping]] = ..., genesis_id: _Optional[_Union[GenesisId, _Mapping]] = ..., version: _Optional[int] = ..., oldest_supported_version: _Optional[int] = ...) -> None: ...

class LastEdge(_message.Message):
    __slots__ = ("edge",)
    EDGE_FIELD_NUMBER: _ClassVar[int]
    edge: Edge
    def __init__(self, edge: _Optional[_Union[Edge, _Mapping]] = ...) -> None: ...

class SyncRoutingTable(_message.Message):
    __slots__ = ("edges", "accounts")
    EDGES_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    edges: _containers.RepeatedCompositeFieldContainer[Edge]
    accounts: _containers.RepeatedCompositeFieldContainer[AnnounceAccount]
    def __init__(self, edges: _Optional[_Iterable[_Union[Edge, _Mapping]]] = ..., accounts: _Optional[_Iterable[_Union[AnnounceAccount, _Mapping]]] = ...) -> None: ...

class UpdateNonceRequest(_message.Message):
    __slots__ = ("partial_edge_info",)
    PARTIAL_EDGE_INFO_FIELD_NUMBER: _ClassVar[int]
    partial_edge_info: PartialEdgeInfo
    def __init__(self, partial_edge_info: _Optional[_Union[PartialEdgeInfo, _Mapping]] = ...) -> None: ...

class UpdateNonceResponse(_message.Message):
    __slots__ = ("edge",)
    EDGE_FIELD_NUMBER: _ClassVar[int]
    edge: Edge
    def __init__(self, edge: _Optional[_Union[Edge, _Mapping]] = ...) -> None: ...

class PeersRequest(_message.Message):
    __slots__ = ("max_peers", "max_direct_peers")
    MAX_PEERS_FIELD_NUMBER: _ClassVar[int]
    MAX_DIRECT_PEERS_FIELD_NUMBER: _ClassVar[int]
    max_peers: int
    max_direct_peers: int
    def __init__(self, max_peers: _Optional[int] = ..., max_direct_peers: _Optional[int] = ...) -> None: ...

class PeersResponse(_message.Message):
    __slots__ = ("peers", "direct_peers")
    PEERS_FIELD_NUMBER: _ClassVar[int]
    DIRECT_PEERS_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedCompositeFieldContainer[PeerInfo]
    direct_peers: _containers.RepeatedCompositeFieldContainer[PeerInfo]
    def __init__(self, peers: _Optional[_Iterable[_Union[PeerInfo, _Mapping]]] = ..., direct_peers: _Optional[_Iterable[_Union[PeerInfo, _Mapping]]] = ...) -> None: ...

class BlockHeadersRequest(_message.Message):
    __slots__ = ("block_hashes",)
    BLOCK_HASHES_FIELD_NUMBER: _ClassVar[int]
    block_hashes: _containers.RepeatedCompositeFieldContainer[CryptoHash]
    def __init__(self, block_hashes: _Optional[_Iterable[_Union[CryptoHash, _Mapping]]] = ...) -> None: ...

class BlockHeadersResponse(_message.Message):
    __slots__ = ("block_headers",)
    BLOCK_HEADERS_FIELD_NUMBER: _ClassVar[int]
    block_headers: _containers.RepeatedCompositeFieldContainer[Opaque]
    def __init__(self, block_headers: _Optional[_Iterable[_Union[Opaque, _Mapping]]] = ...) -> None: ...

class BlockRequest(_message.Message):
    __slots__ = ("block_hash",)
    BLOCK_HASH_FIELD_NUMBER: _ClassVar[int]
    block_hash: CryptoHash
    def __init__(self, block_hash: _Optional[_Union[CryptoHash, _Mapping]] = ...) -> None: ...

class BlockResponse(_message.Message):
    __slots__ = ("block",)
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    block: Opaque
    def __init__(self, block: _Optional[_Union[Opaque, _Mapping]] = ...) -> None: ...

class RoutedMessage(_message.Message):
    __slots__ = ("borsh", "created_at", "num_hops")
    BORSH_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    NUM_HOPS_FIELD_NUMBER: _ClassVar[int]
    borsh: bytes
    created_at: Timestamp
    num_hops: int
    def __init__(self, borsh: _Optional[bytes] = ..., created_at: _Optional[_Union[Timestamp, _Mapping]] = ..., num_hops: _Optional[int] = ...) -> None: ...

class PeerIdOrHash(_message.Message):
    __slots__ = ("peer_id", "hash")
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    peer_id: PublicKey
    hash: CryptoHash
    def __init__(self, peer_id: _Optional[_Union[PublicKey, _Mapping]] = ..., hash: _Optional[_Union[CryptoHash, _Mapping]] = ...) -> None: ...

class RoutedMessageV3(_message.Message):
    __slots__ = ("target", "author", "ttl", "borsh_body", "signature", "created_at", "num_hops")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    BORSH_BODY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    NUM_HOPS_FIELD_NUMBER: _ClassVar[int]
    target: PeerIdOrHash
    author: PublicKey
    ttl: int
    borsh_body: bytes
    signature: Signature
    created_at: int
    num_hops: int
    def __init__(self, target: _Optional[_Union[PeerIdOrHash, _Mapping]] = ..., author: _Optional[_Union[PublicKey, _Mapping]] = ..., ttl: _Optional[int] = ..., borsh_body: _Optional[bytes] = ..., signature: _Optional[_Union[Signature, _Mapping]] = ..., created_at: _Optional[int] = ..., num_hops: _Optional[int] = ...) -> None: ...

class Disconnect(_message.Message):
    __slots__ = ("remove_from_connection_store",)
    REMOVE_FROM_CONNECTION_STORE_FIELD_NUMBER: _ClassVar[int]
    remove_from_connection_store: bool
    def __init__(self, remove_from_connection_store: bool = ...) -> None: ...

class SocketAddr(_message.Message):
    __slots__ = ("ip", "port")
    IP_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    ip: bytes
    port: int
    def __init__(self, ip: _Optional[bytes] = ..., port: _Optional[int] = ...) -> None: ...

class PeerAddr(_message.Message):
    __slots__ = ("addr", "peer_id")
    ADDR_FIELD_NUMBER: _ClassVar[int]
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    addr: SocketAddr
    peer_id: PublicKey
    def __init__(self, addr: _Optional[_Union[SocketAddr, _Mapping]] = ..., peer_id: _Optional[_Union[PublicKey, _Mapping]] = ...) -> None: ...

class AccountKeySignedPayload(_message.Message):
    __slots__ = ("payload", "signature")
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    payload: bytes
    signature: Signature
    def __init__(self, payload: _Optional[bytes] = ..., signature: _Optional[_Union[Signature, _Mapping]] = ...) -> None: ...

class AccountKeyPayload(_message.Message):
    __slots__ = ("account_data", "owned_account")
    ACCOUNT_DATA_FIELD_NUMBER: _ClassVar[int]
    OWNED_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account_data: AccountData
    owned_account: OwnedAccount
    def __init__(self, account_data: _Optional[_Union[AccountData, _Mapping]] = ..., owned_account: _Optional[_Union[OwnedAccount, _Mapping]] = ...) -> None: ...

class AccountData(_message.Message):
    __slots__ = ("peer_id", "account_key", "proxies", "version", "timestamp")
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_KEY_FIELD_NUMBER: _ClassVar[int]
    PROXIES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    peer_id: PublicKey
    account_key: PublicKey
    proxies: _containers.RepeatedCompositeFieldContainer[PeerAddr]
    version: int
    timestamp: Timestamp
    def __init__(self, peer_id: _Optional[_Union[PublicKey, _Mapping]] = ..., account_key: _Optional[_Union[PublicKey, _Mapping]] = ..., proxies: _Optional[_Iterable[_Union[PeerAddr, _Mapping]]] = ..., version: _Optional[int] = ..., timestamp: _Optional[_Union[Timestamp, _Mapping]] = ...) -> None: ...

class OwnedAccount(_message.Message):
    __slots__ = ("account_key", "peer_id", "timestamp")
    ACCOUNT_KEY_FIELD_NUMBER: _ClassVar[int]
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    account_key: PublicKey
    peer_id: PublicKey
    timestamp: Timestamp
    def __init__(self, account_key: _Optional[_Union[PublicKey, _Mapping]] = ..., peer_id: _Optional[_Union[PublicKey, _Mapping]] = ..., timestamp: _Optional[_Union[Timestamp, _Mapping]] = ...) -> None: ...

class SyncAccountsData(_message.Message):
    __slots__ = ("accounts_data", "incremental", "requesting_full_sync")
    ACCOUNTS_DATA_FIELD_NUMBER: _ClassVar[int]
    INCREMENTAL_FIELD_NUMBER: _ClassVar[int]
    REQUESTING_FULL_SYNC_FIELD_NUMBER: _ClassVar[int]
    accounts_data: _containers.RepeatedCompositeFieldContainer[AccountKeySignedPayload]
    incremental: bool
    requesting_full_sync: bool
    def __init__(self, accounts_data: _Optional[_Iterable[_Union[AccountKeySignedPayload, _Mapping]]] = ..., incremental: bool = ..., requesting_full_sync: bool = ...) -> None: ...

class DistanceVector(_message.Message):
    __slots__ = ("root", "distances", "edges")
    class Distance(_message.Message):
        __slots__ = ("destination", "distance")
        DESTINATION_FIELD_NUMBER: _ClassVar[int]
        DISTANCE_FIELD_NUMBER: _ClassVar[int]
        destination: PublicKey
        distance: int
        def __init__(self, destination: _Optional[_Union[PublicKey, _Mapping]] = ..., distance: _Optional[int] = ...) -> None: ...
    ROOT_FIELD_NUMBER: _ClassVar[int]
    DISTANCES_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    root: PublicKey
    distances: _containers.RepeatedCompositeFieldContainer[DistanceVector.Distance]
    edges: _containers.RepeatedCompositeFieldContainer[Edge]
    def __init__(self, root: _Optional[_Union[PublicKey, _Mapping]] = ..., distances: _Optional[_Iterable[_Union[DistanceVector.Distance, _Mapping]]] = ..., edges: _Optional[_Iterable[_Union[Edge, _Mapping]]] = ...) -> None: ...

class SnapshotHostInfo(_message.Message):
    __slots__ = ("peer_id", "sync_hash", "epoch_height", "shards", "signature")
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    SYNC_HASH_FIELD_NUMBER: _ClassVar[int]
    EPOCH_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SHARDS_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    peer_id: PublicKey
    sync_hash: CryptoHash
    epoch_height: int
    shards: _containers.RepeatedScalarFieldContainer[int]
    signature: Signature
    def __init__(self, peer_id: _Optional[_Union[PublicKey, _Mapping]] = ..., sync_hash: _Optional[_Union[CryptoHash, _Mapping]] = ..., epoch_height: _Optional[int] = ..., shards: _Optional[_Iterable[int]] = ..., signature: _Optional[_Union[Signature, _Mapping]] = ...) -> None: ...

class SyncSnapshotHosts(_message.Message):
    __slots__ = ("hosts",)
    HOSTS_FIELD_NUMBER: _ClassVar[int]
    hosts: _containers.RepeatedCompositeFieldContainer[SnapshotHostInfo]
    def __init__(self, hosts: _Optional[_Iterable[_Union[SnapshotHostInfo, _Mapping]]] = ...) -> None: ...

class StateRequestHeader(_message.Message):
    __slots__ = ("shard_id", "sync_hash")
    SHARD_ID_FIELD_NUMBER: _ClassVar[int]
    SYNC_HASH_FIELD_NUMBER: _ClassVar[int]
    shard_id: int
    sync_hash: CryptoHash
    def __init__(self, shard_id: _Optional[int] = ..., sync_hash: _Optional[_Union[CryptoHash, _Mapping]] = ...) -> None: ...

class StateRequestPart(_message.Message):
    __slots__ = ("shard_id", "sync_hash", "part_id")
    SHARD_ID_FIELD_NUMBER: _ClassVar[int]
    SYNC_HASH_FIELD_NUMBER: _ClassVar[int]
    PART_ID_FIELD_NUMBER: _ClassVar[int]
    shard_id: int
    sync_hash: CryptoHash
    part_id: int
    def __init__(self, shard_id: _Optional[int] = ..., sync_hash: _Optional[_Union[CryptoHash, _Mapping]] = ..., part_id: _Optional[int] = ...) -> None: ...

class StateResponse(_message.Message):
    __slots__ = ("response",)
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    response: Opaque
    def __init__(self, response: _Optional[_Union[Opaque, _Mapping]] = ...) -> None: ...

class EpochSyncRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EpochSyncResponse(_message.Message):
    __slots__ = ("compressed_proof",)
    COMPRESSED_PROOF_FIELD_NUMBER: _ClassVar[int]
    compressed_proof: bytes
    def __init__(self, compressed_proof: _Optional[bytes] = ...) -> None: ...

class OptimisticBlock(_message.Message):
    __slots__ = ("inner", "signature", "hash")
    INNER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    inner: bytes
    signature: Signature
    hash: CryptoHash
    def __init__(self, inner: _Optional[bytes] = ..., signature: _Optional[_Union[Signature, _Mapping]] = ..., hash: _Optional[_Union[CryptoHash, _Mapping]] = ...) -> None: ...

class TraceContext(_message.Message):
    __slots__ = ("trace_id", "span_id", "sampling_priority")
    class SamplingPriority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        UNKNOWN: _ClassVar[TraceContext.SamplingPriority]
        AUTO_REJECT: _ClassVar[TraceContext.SamplingPriority]
        USER_REJECT: _ClassVar[TraceContext.SamplingPriority]
        AUTO_KEEP: _ClassVar[TraceContext.SamplingPriority]
        USER_KEEP: _ClassVar[TraceContext.SamplingPriority]
    UNKNOWN: TraceContext.SamplingPriority
    AUTO_REJECT: TraceContext.SamplingPriority
    USER_REJECT: TraceContext.SamplingPriority
    AUTO_KEEP: TraceContext.SamplingPriority
    USER_KEEP: TraceContext.SamplingPriority
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_PRIORITY_FIELD_NUMBER: _ClassVar[int]
    trace_id: bytes
    span_id: bytes
    sampling_priority: TraceContext.SamplingPriority
    def __init__(self, trace_id: _Optional[bytes] = ..., span_id: _Optional[bytes] = ..., sampling_priority: _Optional[_Union[TraceContext.SamplingPriority, str]] = ...) -> None: ...

class PeerMessage(_message.Message):
    __slots__ = ("trace_context", "tier2_handshake", "tier1_handshake", "tier3_handshake", "handshake_failure", "last_edge", "sync_routing_table", "update_nonce_request", "update_nonce_response", "peers_request", "peers_response", "block_headers_request", "block_headers_response", "block_request", "block_response", "transaction", "routed", "disconnect", "challenge", "sync_accounts_data", "distance_vector", "state_request_header", "state_request_part", "state_response", "sync_snapshot_hosts", "epoch_sync_request", "epoch_sync_response", "optimistic_block", "routed_v3")
    TRACE_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    TIER2_HANDSHAKE_FIELD_NUMBER: _ClassVar[int]
    TIER1_HANDSHAKE_FIELD_NUMBER: _ClassVar[int]
    TIER3_HANDSHAKE_FIELD_NUMBER: _ClassVar[int]
    HANDSHAKE_FAILURE_FIELD_NUMBER: _ClassVar[int]
    LAST_EDGE_FIELD_NUMBER: _ClassVar[int]
    SYNC_ROUTING_TABLE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_NONCE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    UPDATE_NONCE_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    PEERS_REQUEST_FIELD_NUMBER: _ClassVar[int]
    PEERS_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEADERS_REQUEST_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEADERS_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    BLOCK_REQUEST_FIELD_NUMBER: _ClassVar[int]
    BLOCK_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    ROUTED_FIELD_NUMBER: _ClassVar[int]
    DISCONNECT_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    SYNC_ACCOUNTS_DATA_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_VECTOR_FIELD_NUMBER: _ClassVar[int]
    STATE_REQUEST_HEADER_FIELD_NUMBER: _ClassVar[int]
    STATE_REQUEST_PART_FIELD_NUMBER: _ClassVar[int]
    STATE_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    SYNC_SNAPSHOT_HOSTS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_SYNC_REQUEST_FIELD_NUMBER: _ClassVar[int]
    EPOCH_SYNC_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    OPTIMISTIC_BLOCK_FIELD_NUMBER: _ClassVar[int]
    ROUTED_V3_FIELD_NUMBER: _ClassVar[int]
    trace_context: TraceContext
    tier2_handshake: Handshake
    tier1_handshake: Handshake
    tier3_handshake: Handshake
    handshake_failure: HandshakeFailure
    last_edge: LastEdge
    sync_routing_table: SyncRoutingTable
    update_nonce_request: UpdateNonceRequest
    update_nonce_response: UpdateNonceResponse
    peers_request: PeersRequest
    peers_response: PeersResponse
    block_headers_request: BlockHeadersRequest
    block_headers_response: BlockHeadersResponse
    block_request: BlockRequest
    block_response: BlockResponse
    transaction: Opaque
    routed: RoutedMessage
    disconnect: Disconnect
    challenge: Opaque
    sync_accounts_data: SyncAccountsData
    distance_vector: DistanceVector
    state_request_header: StateRequestHeader
    state_request_part: StateRequestPart
    state_response: StateResponse
    sync_snapshot_hosts: SyncSnapshotHosts
    epoch_sync_request: EpochSyncRequest
    epoch_sync_response: EpochSyncResponse
    optimistic_block: OptimisticBlock
    routed_v3: RoutedMessageV3
    def __init__(self, trace_context: _Optional[_Union[TraceContext, _Mapping]] = ..., tier2_handshake: _Optional[_Union[Handshake, _Mapping]] = ..., tier1_handshake: _Optional[_Union[Handshake, _Mapping]] = ..., tier3_handshake: _Optional[_Union[Handshake, _Mapping]] = ..., handshake_failure: _Optional[_Union[HandshakeFailure, _Mapping]] = ..., last_edge: _Optional[_Union[LastEdge, _Mapping]] = ..., sync_routing_table: _Optional[_Union[SyncRoutingTable, _Mapping]] = ..., update_nonce_request: _Optional[_Union[UpdateNonceRequest, _Mapping]] = ..., update_nonce_response: _Optional[_Union[UpdateNonceResponse, _Mapping]] = ..., peers_request: _Optional[_Union[PeersRequest, _Mapping]] = ..., peers_response: _Optional[_Union[PeersResponse, _Mapping]] = ..., block_headers_request: _Optional[_Union[BlockHeadersRequest, _Mapping]] = ..., block_headers_response: _Optional[_Union[BlockHeadersResponse, _Mapping]] = ..., block_request: _Optional[_Union[BlockRequest, _Mapping]] = ..., block_response: _Optional[_Union[BlockResponse, _Mapping]] = ..., transaction: _Optional[_Union[Opaque, _Mapping]] = ..., routed: _Optional[_Union[RoutedMessage, _Mapping]] = ..., disconnect: _Optional[_Union[Disconnect, _Mapping]] = ..., challenge: _Optional[_Union[Opaque, _Mapping]] = ..., sync_accounts_data: _Optional[_Union[SyncAccountsData, _Mapping]] = ..., distance_vector: _Optional[_Union[DistanceVector, _Mapping]] = ..., state_request_header: _Optional[_Union[StateRequestHeader, _Mapping]] = ..., state_request_part: _Optional[_Union[StateRequestPart, _Mapping]] = ..., state_response: _Optional[_Union[StateResponse, _Mapping]] = ..., sync_snapshot_hosts: _Optional[_Union[SyncSnapshotHosts, _Mapping]] = ..., epoch_sync_request: _Optional[_Union[EpochSyncRequest, _Mapping]] = ..., epoch_sync_response: _Optional[_Union[EpochSyncResponse, _Mapping]] = ..., optimistic_block: _Optional[_Union[OptimisticBlock, _Mapping]] = ..., routed_v3: _Optional[_Union[RoutedMessageV3, _Mapping]] = ...) -> None: ...
