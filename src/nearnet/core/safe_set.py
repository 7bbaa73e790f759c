"""Which connection to give up over `ideal_connections_hi` (`behaviour.md` §6, `threats.md` row 28)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.addresses import is_loopback, source_group

if TYPE_CHECKING:
    import random
    from collections.abc import Collection

    from nearnet.config import NetworkConfig
    from nearnet.core.clock import Now
    from nearnet.core.peer import Peer
    from nearnet.keys import PeerId

__all__ = ["choose_to_drop", "safe_set"]


def safe_set(peers: list[Peer], config: NetworkConfig, now: Now) -> dict[Peer, None]:
    """The connections never dropped by choice: outbound ones when few, archival ones when needed, then the
    longest-standing recent ones up to `safe_set_size`."""
    network = config.network
    safe: dict[Peer, None] = {}
    outbound = [peer for peer in peers if peer.direction == "outbound"]
    if len(outbound) <= network.minimum_outbound_peers:
        safe.update(dict.fromkeys(outbound))
    if config.archive:
        archival = [peer for peer in peers if peer.chain_info is not None and peer.chain_info.archival]
        if len(archival) <= network.archival_peer_connections_lower_bound:
            safe.update(dict.fromkeys(archival))
    for peer in sorted(peers, key=lambda peer: (peer.connected_at, peer.id)):
        if len(safe) >= network.safe_set_size:
            break
        if now.mono - peer.last_received <= network.peer_recent_time_window:
            safe[peer] = None
    return safe


def choose_to_drop(
    peers: list[Peer], persistent: Collection[PeerId], config: NetworkConfig, rng: random.Random, now: Now
) -> Peer | None:
    """One to close, or None: outside the safe set the newest of the most crowded /16; on loopback a random one."""
    if len(peers) <= config.network.ideal_connections_hi:
        return None
    safe = safe_set(peers, config, now)
    candidates = [peer for peer in peers if peer not in safe and peer.peer_id not in persistent]
    if not candidates:
        return None
    if all(is_loopback(peer.address.ip) for peer in candidates):
        return rng.choice(candidates)
    crowd: dict[object, list[Peer]] = {}
    for peer in candidates:
        crowd.setdefault(source_group(peer.address.ip), []).append(peer)
    largest = max(crowd.values(), key=len)
    return max(largest, key=lambda peer: (peer.connected_at, peer.id))
