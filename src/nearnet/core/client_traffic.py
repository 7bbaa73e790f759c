"""How much of a neighbour's traffic goes to the chain client (`threats.md` row 53)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nearnet.core.limits import LruDict, TokenBucket

if TYPE_CHECKING:
    from nearnet.core.clock import Now
    from nearnet.keys import PeerId

__all__ = ["ClientTraffic"]

_FOR_CLIENT: Final = frozenset(
    {
        "Block",
        "BlockHeaders",
        "BlockHeadersRequest",
        "BlockRequest",
        "Challenge",
        "EpochSyncFinalizationRequest",
        "EpochSyncFinalizationResponse",
        "EpochSyncRequest",
        "EpochSyncResponse",
        "Transaction",
    }
)
"""Messages of the chain's own."""

_EPOCH_SYNC_PERIOD: Final = 30.0
"""Seconds between the EpochSyncRequests of one peer that are taken; the rest is dropped without an answer."""

_PEERS: Final = 256
"""Peers whose rate is kept: twice the most connections; by id, so that a new connection brings no new burst."""


class ClientTraffic:
    """Decides what the client is given."""

    __slots__ = ("_epoch_sync",)

    def __init__(self) -> None:
        self._epoch_sync: LruDict[PeerId, TokenBucket] = LruDict(_PEERS)

    def allow(self, peer_id: PeerId, kind: str, now: Now) -> bool:
        """Whether a message of that class from that peer goes to the client now."""
        if kind != "EpochSyncRequest":
            return kind in _FOR_CLIENT
        bucket = self._epoch_sync.get(peer_id)
        if bucket is None:
            bucket = TokenBucket(1 / _EPOCH_SYNC_PERIOD, 1, now.mono)
            self._epoch_sync.put(peer_id, bucket)
        return bucket.take(now.mono)
