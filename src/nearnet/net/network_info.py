"""What a node is connected to, at one moment, and how fast bytes flow (document §2.4, network info)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nearnet.wire.messages import PeerInfo

if TYPE_CHECKING:
    from nearnet.core.peer.peer import Peer
    from nearnet.core.peer_manager.manager import PeerManager
    from nearnet.core.runtime.clock import Now
    from nearnet.keys import PeerId
    from nearnet.wire.messages import PeerChainInfo, SocketAddress

__all__ = ["ConnectedPeer", "NetworkInfo", "Traffic", "network_info"]


@dataclass(frozen=True, slots=True)
class ConnectedPeer:
    """One Ready connection."""

    info: PeerInfo
    address: SocketAddress
    """The remote end of the socket; `info.addr` is where the peer listens."""
    direction: str
    """``"inbound"`` when the peer dialed, ``"outbound"`` when this node did."""
    dialect: str
    """``"borsh"`` or ``"protobuf"``."""
    protocol_version: int
    """The peer's, as its handshake told."""
    nonce: int
    """The nonce of the edge between the two."""
    chain_info: PeerChainInfo | None
    """What the peer told of its chain."""
    connected_seconds: float
    """Seconds since the TCP connection was made."""
    idle_seconds: float
    """Seconds since its last message."""
    sent_bytes: int
    """To the peer, since the connection was made."""
    received_bytes: int
    """From the peer, since the connection was made."""
    sent_bytes_per_sec: int
    received_bytes_per_sec: int
    send_queue_bytes: int
    """Bytes that wait to be sent to it."""
    last_ping_ms: float | None
    """Milliseconds of the last routed ping to it; None before the first."""


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """What the chain client is told every `peer_stats_period`, and `Node.network_info` answers."""

    peer_id: PeerId
    address: SocketAddress | None
    peers: tuple[ConnectedPeer, ...]
    peer_max_count: int
    sent_bytes_per_sec: int
    received_bytes_per_sec: int
    known_producers: tuple[tuple[str, PeerId], ...]
    """Accounts that were announced, each with the peer that serves it."""
    known_edges: int
    reachable_peers: int


class Traffic:
    """Bytes per second, over the samples of the last minute."""

    def __init__(self, samples: int = 12) -> None:
        self._samples: deque[tuple[float, int, int, dict[Peer, tuple[int, int]]]] = deque(maxlen=samples)
        self._ended = (0, 0)
        self._counted: dict[Peer, tuple[int, int]] = {}

    def sample(self, peers: list[Peer], mono: float) -> None:
        """Look at the counters; call it every few seconds with all connections."""
        sent, received = self._ended
        now = {peer: (peer.sent_bytes, peer.received_bytes) for peer in peers}
        for peer in self._counted:
            if peer not in now:
                sent += peer.sent_bytes
                received += peer.received_bytes
        self._ended = (sent, received)
        self._counted = now
        total_sent = sent + sum(counts[0] for counts in now.values())
        total_received = received + sum(counts[1] for counts in now.values())
        self._samples.append((mono, total_sent, total_received, now))

    @property
    def per_second(self) -> tuple[int, int]:
        """Bytes sent and received in a second; zero before the second sample."""
        if len(self._samples) < 2:
            return 0, 0
        (start, sent, received, _), (end, all_sent, all_received, _) = self._samples[0], self._samples[-1]
        elapsed = max(end - start, 1e-9)
        return int((all_sent - sent) / elapsed), int((all_received - received) / elapsed)

    def of(self, peer: Peer, mono: float) -> tuple[int, int]:
        """Bytes that one connection sent and received in a second; since it began, before its first sample."""
        start, sent, received = peer.connected_at, 0, 0
        for at, _, _, counted in self._samples:
            if peer in counted:
                start, (sent, received) = at, counted[peer]
                break
        elapsed = max(mono - start, 1.0)
        return int((peer.sent_bytes - sent) / elapsed), int((peer.received_bytes - received) / elapsed)


def network_info(core: PeerManager, traffic: Traffic, now: Now) -> NetworkInfo:
    """This moment's."""
    sent, received = traffic.per_second
    return NetworkInfo(
        peer_id=core.peer_id,
        address=core.context.listen_address,
        peers=tuple(_connected(peer, traffic.of(peer, now.mono), now) for peer in core.peers.values()),
        peer_max_count=core.config.network.max_num_peers,
        sent_bytes_per_sec=sent,
        received_bytes_per_sec=received,
        known_producers=tuple((one.account_id, one.peer_id) for one in core.announcements.all()),
        known_edges=core.table.edge_count,
        reachable_peers=core.table.reachable_count,
    )


def _connected(peer: Peer, per_second: tuple[int, int], now: Now) -> ConnectedPeer:
    return ConnectedPeer(
        info=peer.info or PeerInfo(peer.ready_id),
        address=peer.address,
        direction=peer.direction,
        dialect=peer.dialect.name if peer.dialect is not None else "",
        protocol_version=peer.protocol_version,
        nonce=peer.edge.nonce if peer.edge is not None else 0,
        chain_info=peer.chain_info,
        connected_seconds=now.mono - peer.connected_at,
        idle_seconds=now.mono - peer.last_received,
        sent_bytes=peer.sent_bytes,
        received_bytes=peer.received_bytes,
        sent_bytes_per_sec=per_second[0],
        received_bytes_per_sec=per_second[1],
        send_queue_bytes=peer.queued,
        last_ping_ms=peer.last_ping_ms,
    )
