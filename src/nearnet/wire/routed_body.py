"""What a routed message carries (`wire.md` §5): one index byte, then the body's fields.

Bodies marked opaque belong to the chain client and are never decoded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nearnet.errors import Malformed
from nearnet.keys import CryptoHash, PeerId
from nearnet.wire.account_id import valid_account_id
from nearnet.wire.borsh.keys import read_public_key
from nearnet.wire.borsh.primitives import Reader, Writer

__all__ = [
    "BODY_NAMES",
    "EXPECTS_RESPONSE",
    "FORWARD_TX",
    "NEVER_TO_PROTOBUF",
    "PING",
    "PONG",
    "TIER1_BODIES",
    "TX_STATUS_REQUEST",
    "TX_STATUS_RESPONSE",
    "UNVERIFIED_IN_2025",
    "Body",
    "Opaque",
    "Ping",
    "Pong",
    "ReceiptOutcomeRequest",
    "StateRequestHeader",
    "StateRequestPart",
    "TxStatusRequest",
    "body_name",
    "decode_body",
    "encode_body",
]

FORWARD_TX: Final = 1
TX_STATUS_REQUEST: Final = 2
TX_STATUS_RESPONSE: Final = 3
PING: Final = 14
PONG: Final = 15

BODY_NAMES: Final = {
    0: "BlockApproval",
    1: "ForwardTx",
    2: "TxStatusRequest",
    3: "TxStatusResponse",
    4: "QueryRequest",
    5: "QueryResponse",
    6: "ReceiptOutcomeRequest",
    7: "Unused",
    8: "StateRequestHeader",
    9: "StateRequestPart",
    10: "StateResponse",
    11: "PartialEncodedChunkRequest",
    12: "PartialEncodedChunkResponse",
    13: "PartialEncodedChunk",
    14: "Ping",
    15: "Pong",
    16: "VersionedPartialEncodedChunk",
    17: "VersionedStateResponse",
    18: "PartialEncodedChunkForward",
    21: "ChunkStateWitnessAck",
    22: "PartialEncodedStateWitness",
    23: "PartialEncodedStateWitnessForward",
    24: "VersionedChunkEndorsement",
    27: "StatePartRequest",
    28: "ChunkContractAccesses",
    29: "ContractCodeRequest",
    30: "ContractCodeResponse",
    31: "PartialEncodedContractDeploys",
    32: "StateHeaderRequest",
    33: "SpicePartialData",
    34: "StateRequestAck",
    35: "SpiceChunkEndorsement",
    36: "SpiceDataRequest",
    37: "SpiceChunkContractAccesses",
    38: "SpiceContractCodeRequest",
    39: "SpiceContractCodeResponse",
    40: "VersionedPartialEncodedStateWitness",
    41: "VersionedPartialEncodedStateWitnessForward",
}
"""Index -> name, of both eras."""

EXPECTS_RESPONSE: Final = frozenset({2, 4, 6, 8, 9, 11, 14})
"""Indices whose way back is remembered."""

NEVER_TO_PROTOBUF: Final = frozenset({4, 5, 6, 7, 8, 9, 10, 13, 17, 19, 20, 25, 26})
"""Indices that protobuf nodes cannot read and fall over."""

TIER1_BODIES: Final = (0, 16, 18, 22, 23, 24, 28, 29, 30, 33, 35, 36, 37, 38, 39, 40, 41)
"""Indices of the bodies of tier 1, in the order of a tier-1 body's own index (`wire.md` §6)."""

UNVERIFIED_IN_2025: Final = frozenset(TIER1_BODIES) - {18}
"""Indices of the bodies that nodes of 2025 pass on without a check of the signature (`network-2026.md` §2).

They verify body 18, which they count to tier 2.
"""


def body_name(index: int) -> str:
    """Its name, ``Unknown`` for an index of no era, so that labels stay few."""
    return BODY_NAMES.get(index, "Unknown")


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks `source`'s target for a Pong."""

    nonce: int
    source: PeerId


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a Ping of that nonce."""

    nonce: int
    source: PeerId


@dataclass(frozen=True, slots=True)
class TxStatusRequest:
    """For the chain client."""

    account_id: str
    transaction_hash: CryptoHash


@dataclass(frozen=True, slots=True)
class ReceiptOutcomeRequest:
    """For the chain client."""

    receipt_id: CryptoHash


@dataclass(frozen=True, slots=True)
class StateRequestHeader:
    """For the chain client."""

    shard_id: int
    sync_hash: CryptoHash


@dataclass(frozen=True, slots=True)
class StateRequestPart:
    """For the chain client."""

    shard_id: int
    sync_hash: CryptoHash
    part_id: int


@dataclass(frozen=True, slots=True)
class Opaque:
    """Any other body: its index and its bytes."""

    index: int
    data: bytes


Body = Ping | Pong | TxStatusRequest | ReceiptOutcomeRequest | StateRequestHeader | StateRequestPart | Opaque


def decode_body(data: bytes) -> Body:
    """The body; `Malformed` when its fields do not read."""
    reader = Reader(data)
    index = reader.u8()
    body: Body
    match index:
        case 14:
            body = Ping(reader.u64(), read_public_key(reader))
        case 15:
            body = Pong(reader.u64(), read_public_key(reader))
        case 2:
            account_id = reader.string()
            if not valid_account_id(account_id):
                raise Malformed("a TxStatusRequest names no valid account")
            body = TxStatusRequest(account_id, CryptoHash(reader.take(32)))
        case 6:
            body = ReceiptOutcomeRequest(CryptoHash(reader.take(32)))
        case 8:
            body = StateRequestHeader(reader.u64(), CryptoHash(reader.take(32)))
        case 9:
            body = StateRequestPart(reader.u64(), CryptoHash(reader.take(32)), reader.u64())
        case _:
            body = Opaque(index, reader.rest())
    reader.finish()
    return body


def encode_body(body: Body) -> bytes:
    """The inverse of `decode_body`."""
    writer = Writer()
    match body:
        case Ping(nonce, source) | Pong(nonce, source):
            writer.u8(PING if isinstance(body, Ping) else PONG)
            writer.u64(nonce)
            writer.raw(source)
        case TxStatusRequest(account_id, transaction_hash):
            writer.u8(2)
            writer.string(account_id)
            writer.raw(transaction_hash)
        case ReceiptOutcomeRequest(receipt_id):
            writer.u8(6)
            writer.raw(receipt_id)
        case StateRequestHeader(shard_id, sync_hash):
            writer.u8(8)
            writer.u64(shard_id)
            writer.raw(sync_hash)
        case StateRequestPart(shard_id, sync_hash, part_id):
            writer.u8(9)
            writer.u64(shard_id)
            writer.raw(sync_hash)
            writer.u64(part_id)
        case _:
            writer.u8(body.index)
            writer.raw(body.data)
    return writer.getvalue()
