"""The messages that only today's nodes know (`wire.md` §6): protobuf has a form for them, borsh has none.

Times are (unix seconds, nanoseconds), as protobuf's Timestamp.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nearnet.keys import CryptoHash, PeerId, PublicKey, Signature, check_signature
from nearnet.wire.edge_bytes import Edge

if TYPE_CHECKING:
    from nearnet.keys import SecretKey
    from nearnet.wire.messages import SocketAddress

__all__ = [
    "MOST_SHARDS",
    "AccountData",
    "DistanceVector",
    "OptimisticBlock",
    "OwnedAccount",
    "PeerAddr",
    "SignedPayload",
    "SnapshotHostInfo",
    "StateRequestHeader",
    "StateRequestPart",
    "StateResponse",
    "SyncAccountsData",
    "SyncSnapshotHosts",
    "TraceContext",
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

    @classmethod
    def of(cls, content: AccountData | OwnedAccount, key: SecretKey) -> SignedPayload:
        """That statement, signed with an (ed25519) account key."""
        from nearnet.wire.proto_payload import write_payload

        payload = write_payload(content)
        return cls(payload, key.sign(payload))

    def verify(self, key: PublicKey) -> bool:
        """Whether `key` signed it. The payload itself is signed: the one signature that is not over a sha256."""
        return check_signature(key, self.signature, self.payload) == "valid"

    def content(self) -> AccountData | OwnedAccount:
        """What it states; `Malformed` when it does not read."""
        from nearnet.wire.proto_payload import read_payload  # Only today's peers need protobuf.

        return read_payload(self.payload)

    def account_data(self) -> AccountData | None:
        """What it states when that is account data; `Malformed` when it does not read."""
        content = self.content()
        return content if isinstance(content, AccountData) else None

    def owned_account(self) -> OwnedAccount | None:
        """What it states when that is an owned account; `Malformed` when it does not read."""
        content = self.content()
        return content if isinstance(content, OwnedAccount) else None


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
    """For the chain client, asked of a neighbour (the routed one is in `routed_body`)."""

    shard_id: int
    sync_hash: CryptoHash


@dataclass(frozen=True, slots=True)
class StateRequestPart:
    """For the chain client, asked of a neighbour (the routed one is in `routed_body`)."""

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
