"""What a node told at one moment, and what flowed since the moment before."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Asked", "PeerRow", "Snapshot"]

_METHODS = ("status", "network_info", "nearnet_peers", "nearnet_routes", "nearnet_events")


class Asked(Protocol):
    """A node's RPC, such as `RpcClient`."""

    def call(self, method: str, **params: Any) -> Any:
        """The result; raises `NearnetError`."""


@dataclass(frozen=True, slots=True)
class PeerRow:
    """One connection; rates in bytes a second since the snapshot before, None at the first."""

    peer_id: str
    addr: str
    direction: str
    dialect: str
    seconds: float
    received: float | None
    sent: float | None
    queue: int
    ping_ms: float | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The results of the RPC methods, as they came, and when."""

    time: float
    status: dict[str, Any]
    network: dict[str, Any]
    peers: list[dict[str, Any]]
    routes: dict[str, dict[str, Any]]
    events: list[dict[str, Any]]

    @classmethod
    def ask(cls, rpc: Asked) -> Snapshot:
        """Blocks for five calls; `NearnetError` in words when the node does not answer."""
        return cls(time.monotonic(), *(rpc.call(method) for method in _METHODS))

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        results = (self.status, self.network, self.peers, self.routes, self.events)
        return dict(zip(_METHODS, results, strict=True))

    def rows(self, before: Snapshot | None) -> list[PeerRow]:
        """The connections, with what flows on each."""
        earlier = {} if before is None else {peer["peer_id"]: peer for peer in before.peers}
        elapsed = 1.0 if before is None else max(self.time - before.time, 1e-9)
        return [_row(peer, earlier.get(peer["peer_id"]), elapsed) for peer in self.peers]

    def traffic(self) -> list[tuple[str, int, int]]:
        """(kind of message, received, sent) over all connections, the most frequent first."""
        received: Counter[str] = Counter()
        sent: Counter[str] = Counter()
        for peer in self.peers:
            received.update(peer["received_by_type"])
            sent.update(peer["sent_by_type"])
        kinds = sorted(received.keys() | sent.keys(), key=lambda kind: (-received[kind] - sent[kind], kind))
        return [(kind, received[kind], sent[kind]) for kind in kinds]

    def distances(self) -> list[tuple[int, int]]:
        """(distance, how many peers are at it), the nearest first."""
        return sorted(Counter(way["distance"] for way in self.routes.values()).items())

    def events_after(self, seq: int) -> Iterator[dict[str, Any]]:
        """Those with a larger number, oldest first."""
        return (event for event in self.events if event.get("seq", 0) > seq)


def _row(peer: dict[str, Any], before: dict[str, Any] | None, elapsed: float) -> PeerRow:
    def rate(name: str) -> float | None:
        return None if before is None else max(0.0, (peer[name] - before[name]) / elapsed)

    return PeerRow(
        peer_id=peer["peer_id"],
        addr=peer["addr"] or "-",
        direction=peer["direction"],
        dialect=peer["dialect"] or "-",
        seconds=peer["connected_ms"] / 1000,
        received=rate("received_bytes"),
        sent=rate("sent_bytes"),
        queue=peer["send_queue_bytes"],
        ping_ms=peer["last_ping_ms"],
    )
