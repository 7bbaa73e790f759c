"""The receive limits of the reference node of 2026, for the nodes of that year in the simulator.

The numbers are the reference's own (`network-2026.md` §4 and §5). They stand here a second time on purpose: the
simulator holds what our nodes send against them, so they must not follow a change of ours.
"""

from __future__ import annotations

from typing import Final

__all__ = ["BORSH_SIZES", "RATES", "most_bytes"]

_SMALL: Final = 512 * 2**10
_MEDIUM: Final = 32 * 2**20
_LARGE: Final = 128 * 2**20
_HUGE: Final = 512 * 2**20

_SIZES: Final = {
    **dict.fromkeys(
        (
            "BlockApproval",
            "BlockHeadersRequest",
            "BlockRequest",
            "Challenge",
            "ChunkStateWitnessAck",
            "Disconnect",
            "EpochSyncRequest",
            "Handshake",
            "HandshakeFailure",
            "LastEdge",
            "PeersRequest",
            "Ping",
            "Pong",
            "RequestUpdateNonce",
            "SpiceChunkEndorsement",
            "StateHeaderRequest",
            "StatePartRequest",
            "StateRequestAck",
            "StateRequestHeader",
            "StateRequestPart",
            "Tier1Handshake",
            "Tier3Handshake",
            "TxStatusRequest",
            "VersionedChunkEndorsement",
        ),
        _SMALL,
    ),
    **dict.fromkeys(
        (
            "ContractCodeResponse",
            "PartialEncodedContractDeploys",
            "PartialEncodedStateWitness",
            "PartialEncodedStateWitnessForward",
            "SpiceContractCodeResponse",
            "SpicePartialData",
            "StateResponse",
            "VersionedPartialEncodedStateWitness",
            "VersionedPartialEncodedStateWitnessForward",
            "VersionedStateResponse",
        ),
        _LARGE,
    ),
    "EpochSyncResponse": _HUGE,
}

BORSH_SIZES: Final = {"Transaction": 16 * 2**20, "Routed": 64 * 2**20}
"""Bytes of the borsh value that a frame of this kind may hold. The whole frame may be a few bytes longer."""

RATES: Final[dict[str, tuple[float, float]]] = {
    "SyncRoutingTable": (10, 1.0),
    **dict.fromkeys(("EpochSyncRequest", "EpochSyncResponse"), (1, 1 / 30)),
    **dict.fromkeys(("Transaction", "ForwardTx", "TxStatusRequest", "TxStatusResponse"), (30_000, 30_000.0)),
    **dict.fromkeys(
        (
            "BlockHeaders",
            "BlockHeadersRequest",
            "RequestUpdateNonce",
            "StateHeaderRequest",
            "StatePartRequest",
            "StateRequestAck",
            "StateRequestHeader",
            "StateRequestPart",
            "StateResponse",
            "VersionedStateResponse",
        ),
        (100, 100.0),
    ),
    "BlockApproval": (2000, 2000.0),
    **dict.fromkeys(("VersionedChunkEndorsement", "SpiceChunkEndorsement"), (20_000, 20_000.0)),
    **dict.fromkeys(
        ("PartialEncodedChunkRequest", "PartialEncodedChunkResponse", "VersionedPartialEncodedChunk"),
        (5000, 5000.0),
    ),
    **dict.fromkeys(
        (
            "ChunkContractAccesses",
            "ChunkStateWitnessAck",
            "ContractCodeRequest",
            "ContractCodeResponse",
            "PartialEncodedChunkForward",
            "PartialEncodedContractDeploys",
            "PartialEncodedStateWitness",
            "PartialEncodedStateWitnessForward",
            "SpiceChunkContractAccesses",
            "SpiceContractCodeRequest",
            "SpiceContractCodeResponse",
            "SpiceDataRequest",
            "SpicePartialData",
            "VersionedPartialEncodedStateWitness",
            "VersionedPartialEncodedStateWitnessForward",
        ),
        (1000, 1000.0),
    ),
    **dict.fromkeys(
        (
            "Block",
            "BlockRequest",
            "OptimisticBlock",
            "PeersRequest",
            "PeersResponse",
            "SyncAccountsData",
            "SyncSnapshotHosts",
        ),
        (10, 10.0),
    ),
}
"""Kind of message, or of routed body -> (burst, messages refilled per second), per connection."""


def most_bytes(kind: str) -> int:
    """Return the largest frame, in bytes, of a kind of message or of routed body."""
    return _SIZES.get(kind, _MEDIUM)
