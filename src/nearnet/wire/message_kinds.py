"""What nodes of 2026 take of each kind of message: its largest frame and its rate (`network-2026.md` §4, §5).

A kind is a small number, so that the buckets of a connection are lists: a routed message has the index of its body, all
unknown bodies share one number, and the other messages follow. Both rules are of protobuf connections.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = [
    "BODIES",
    "KEYS",
    "KINDS",
    "MESSAGES",
    "MOST_HASHES",
    "MOST_ROUTED",
    "MOST_TABLE",
    "MOST_TRACKED_SHARDS",
    "MOST_TRANSACTION",
    "SMALL",
    "Kind",
    "Rate",
    "body_number",
    "routed_too_large",
    "too_large",
    "too_large_to_take",
]

MOST_HASHES: Final = 20
"""Hashes in one BlockHeadersRequest; more are abuse."""

MOST_TRACKED_SHARDS: Final = 128
"""Shards in one Handshake; more do not read."""

MOST_TRANSACTION: Final = 16 * 2**20
"""Bytes of the borsh form inside a Transaction."""

MOST_ROUTED: Final = 64 * 2**20
"""Bytes of the borsh form of a routed message."""

MOST_TABLE: Final = 64 * 2**20
"""Bytes of a SyncRoutingTable that are taken all the same: a node of 2025 sends its whole table in one. 200 000 edges,
the most that are taken from one message by default, are 41 MiB. More than 32 MiB are never sent."""

SMALL: Final = 512 * 2**10
"""Bytes of a frame that is of no kind too large."""

_MEDIUM: Final = 32 * 2**20
_LARGE: Final = 128 * 2**20
_LARGEST: Final = 512 * 2**20


class Rate(NamedTuple):
    """A token bucket, as `MessageRate` of the config: full at first, then `refill_rate` messages a second."""

    maximum_size: int
    refill_rate: float
    initial_size: int | None = None


class Kind(NamedTuple):
    """One kind of message. `rate` is None for a kind without a limit, `keys` are its other names in the config."""

    name: str
    most_bytes: int = _MEDIUM
    rate: Rate | None = None
    keys: tuple[str, ...] = ()


def _each_second(count: int) -> Rate:
    return Rate(count, float(count))


_EPOCH_SYNC: Final = Rate(1, 1 / 30)
_STATE: Final = _each_second(100)
_DATA: Final = _each_second(1000)

_BODY_KINDS: Final = (
    Kind("BlockApproval", SMALL, _each_second(2000)),
    Kind("ForwardTx", _MEDIUM, _each_second(30_000)),
    Kind("TxStatusRequest", SMALL, _each_second(30_000)),
    Kind("TxStatusResponse", _MEDIUM, _each_second(30_000)),
    Kind("QueryRequest"),
    Kind("QueryResponse"),
    Kind("ReceiptOutcomeRequest"),
    Kind("Unused"),
    Kind("StateRequestHeader", SMALL, _STATE),
    Kind("StateRequestPart", SMALL, _STATE),
    Kind("StateResponse", _MEDIUM, _STATE),
    Kind("PartialEncodedChunkRequest", _MEDIUM, _each_second(5000)),
    Kind("PartialEncodedChunkResponse", _MEDIUM, _each_second(5000)),
    Kind("PartialEncodedChunk"),
    Kind("Ping", SMALL),
    Kind("Pong", SMALL),
    Kind("VersionedPartialEncodedChunk", _MEDIUM, _each_second(5000)),
    Kind("VersionedStateResponse", _LARGE, _STATE),
    Kind("PartialEncodedChunkForward", _MEDIUM, _DATA),
    Kind("Unknown"),
    Kind("Unknown"),
    Kind("ChunkStateWitnessAck", SMALL, _DATA),
    Kind("PartialEncodedStateWitness", _LARGE, _DATA),
    Kind("PartialEncodedStateWitnessForward", _LARGE, _DATA),
    Kind("VersionedChunkEndorsement", SMALL, _each_second(20_000), ("ChunkEndorsement",)),
    Kind("Unknown"),
    Kind("Unknown"),
    Kind("StatePartRequest", SMALL, _STATE),
    Kind("ChunkContractAccesses", _MEDIUM, _DATA),
    Kind("ContractCodeRequest", _MEDIUM, _DATA),
    Kind("ContractCodeResponse", _LARGE, _DATA),
    Kind("PartialEncodedContractDeploys", _LARGE, _DATA),
    Kind("StateHeaderRequest", SMALL, _STATE),
    Kind("SpicePartialData", _LARGE, _DATA),
    Kind("StateRequestAck", SMALL, _STATE),
    Kind("SpiceChunkEndorsement", SMALL, _each_second(20_000)),
    Kind("SpiceDataRequest", _MEDIUM, _DATA, ("SpicePartialDataRequest",)),
    Kind("SpiceChunkContractAccesses", _MEDIUM, _DATA),
    Kind("SpiceContractCodeRequest", _MEDIUM, _DATA),
    Kind("SpiceContractCodeResponse", _LARGE, _DATA),
    Kind("VersionedPartialEncodedStateWitness", _LARGE, _DATA, ("PartialEncodedStateWitness",)),
    Kind("VersionedPartialEncodedStateWitnessForward", _LARGE, _DATA, ("PartialEncodedStateWitnessForward",)),
    Kind("Unknown"),
)
"""By the index of the body; the last one stands for all indices from its own on."""

_MESSAGE_KINDS: Final = (
    Kind("Handshake", SMALL),
    Kind("Tier1Handshake", SMALL),
    Kind("Tier3Handshake", SMALL),
    Kind("HandshakeV2"),
    Kind("HandshakeFailure", SMALL),
    Kind("LastEdge", SMALL),
    Kind("Disconnect", SMALL),
    Kind("Challenge", SMALL),
    Kind("SyncRoutingTable", _MEDIUM, Rate(10, 1.0)),
    Kind("RequestUpdateNonce", SMALL, _each_second(100)),
    Kind("ResponseUpdateNonce"),
    Kind("PeersRequest", SMALL, _each_second(10)),
    Kind("PeersResponse", _MEDIUM, _each_second(10)),
    Kind("SyncAccountsData", _MEDIUM, _each_second(10)),
    Kind("SyncSnapshotHosts", _MEDIUM, _each_second(10)),
    Kind("DistanceVector"),
    Kind("BlockRequest", SMALL, _each_second(10)),
    Kind("Block", _MEDIUM, _each_second(10)),
    Kind("OptimisticBlock", _MEDIUM, _each_second(10)),
    Kind("BlockHeadersRequest", SMALL, _each_second(100)),
    Kind("BlockHeaders", _MEDIUM, _each_second(100)),
    Kind("Transaction", _MEDIUM, _each_second(30_000)),
    Kind("StateRequestHeader", SMALL, _STATE),
    Kind("StateRequestPart", SMALL, _STATE),
    Kind("StateResponse", _LARGE, _STATE, ("VersionedStateResponse",)),
    Kind("EpochSyncRequest", SMALL, _EPOCH_SYNC),
    Kind("EpochSyncResponse", _LARGEST, _EPOCH_SYNC),
    Kind("EpochSyncFinalizationRequest"),
    Kind("EpochSyncFinalizationResponse"),
)
"""By the name of the message's class; routed messages are above."""

BODIES: Final = len(_BODY_KINDS)
"""Numbers below it are of routed messages."""

KINDS: Final = _BODY_KINDS + _MESSAGE_KINDS
"""Kind by number."""

MESSAGES: Final = {kind.name: BODIES + at for at, kind in enumerate(_MESSAGE_KINDS)}
"""Class of a message that is not routed -> number."""

_NEVER_LIMITED: Final = frozenset(
    {"Disconnect", "Handshake", "HandshakeFailure", "HandshakeV2", "LastEdge", "Tier1Handshake", "Tier3Handshake"}
)
"""Kinds that no setting limits: a connection begins and ends with them."""


def _keys() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for number, kind in enumerate(KINDS):
        for key in (kind.name, *kind.keys):
            if key != "Unknown" and key not in _NEVER_LIMITED:
                found[key] = (*found.get(key, ()), number)
    return found


KEYS: Final = _keys()
"""Key of `received_messages_rate_limits` -> the kinds that it stands for: our names and those of the reference node.

One key may stand for several kinds: for the old and the new form of a witness, or for a message and a routed body.
"""


def body_number(index: int) -> int:
    """Return the number of routed messages whose body has that index."""
    return index if index < BODIES else BODIES - 1


def too_large(kind: str, length: int) -> bool:
    """Return whether a frame of `length` bytes is more than a protobuf peer takes of that class of message.

    Routed messages are judged by `routed_too_large`; a name that is in no table is of none of the kinds listed.
    """
    if length <= SMALL or kind == "Routed":
        return False
    number = MESSAGES.get(kind)
    return length > (_MEDIUM if number is None else KINDS[number].most_bytes)


def too_large_to_take(kind: str, length: int) -> bool:
    """Return whether a frame that came from a protobuf peer is to be dropped for its size, as in `too_large`."""
    return too_large(kind, length) and (kind != "SyncRoutingTable" or length > MOST_TABLE)


def routed_too_large(index: int, length: int, borsh: int) -> bool:
    """Return whether a routed message is more than a protobuf peer takes of bodies of that index.

    `length` is that of the whole frame, `borsh` that of the borsh form in it, in bytes.
    """
    return borsh > MOST_ROUTED or length > KINDS[body_number(index)].most_bytes
