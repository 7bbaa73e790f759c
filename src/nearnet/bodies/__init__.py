"""What a routed message carries, as typed values: for `Node.send_routed`, `Node.request` and a client's `on_routed`.

The bodies that this package reads have a class of their own. All others belong to the chain: an `Opaque` has the kind
of such a body and its bytes, as in ``Opaque(BodyKind.QUERY_REQUEST, b"...")``. `decode_body` reads the `body` of a
`RoutedMessage`. The classes are in a module of their own, because two of them share their names with messages.
"""

from __future__ import annotations

from enum import IntEnum

from nearnet.wire.routed_body import (
    Body,
    Opaque,
    Ping,
    Pong,
    ReceiptOutcomeRequest,
    StateRequestHeader,
    StateRequestPart,
    TxStatusRequest,
    decode_body,
    encode_body,
)

__all__ = [
    "Body",
    "BodyKind",
    "Opaque",
    "Ping",
    "Pong",
    "ReceiptOutcomeRequest",
    "StateRequestHeader",
    "StateRequestPart",
    "TxStatusRequest",
    "decode_body",
    "encode_body",
]


class BodyKind(IntEnum):
    """The first byte of each kind of body, of both dialects (`network-2026.md` §2)."""

    BLOCK_APPROVAL = 0
    FORWARD_TX = 1
    TX_STATUS_REQUEST = 2
    TX_STATUS_RESPONSE = 3
    QUERY_REQUEST = 4
    QUERY_RESPONSE = 5
    RECEIPT_OUTCOME_REQUEST = 6
    STATE_REQUEST_HEADER = 8
    STATE_REQUEST_PART = 9
    STATE_RESPONSE = 10
    PARTIAL_ENCODED_CHUNK_REQUEST = 11
    PARTIAL_ENCODED_CHUNK_RESPONSE = 12
    PARTIAL_ENCODED_CHUNK = 13
    PING = 14
    PONG = 15
    VERSIONED_PARTIAL_ENCODED_CHUNK = 16
    VERSIONED_STATE_RESPONSE = 17
    PARTIAL_ENCODED_CHUNK_FORWARD = 18
    CHUNK_STATE_WITNESS_ACK = 21
    PARTIAL_ENCODED_STATE_WITNESS = 22
    PARTIAL_ENCODED_STATE_WITNESS_FORWARD = 23
    VERSIONED_CHUNK_ENDORSEMENT = 24
    STATE_PART_REQUEST = 27
    CHUNK_CONTRACT_ACCESSES = 28
    CONTRACT_CODE_REQUEST = 29
    CONTRACT_CODE_RESPONSE = 30
    PARTIAL_ENCODED_CONTRACT_DEPLOYS = 31
    STATE_HEADER_REQUEST = 32
    SPICE_PARTIAL_DATA = 33
    STATE_REQUEST_ACK = 34
    SPICE_CHUNK_ENDORSEMENT = 35
    SPICE_DATA_REQUEST = 36
    SPICE_CHUNK_CONTRACT_ACCESSES = 37
    SPICE_CONTRACT_CODE_REQUEST = 38
    SPICE_CONTRACT_CODE_RESPONSE = 39
    VERSIONED_PARTIAL_ENCODED_STATE_WITNESS = 40
    VERSIONED_PARTIAL_ENCODED_STATE_WITNESS_FORWARD = 41
