"""The known peers at start: the operator's, then those of the store (`behaviour.md` §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.addresses import normalise
from nearnet.core.known_peer import PeerStatus, TrustLevel, decode_known_peer
from nearnet.core.peer_table import KnownPeer
from nearnet.errors import Malformed

if TYPE_CHECKING:
    from nearnet.config import BootNode, NetworkConfig
    from nearnet.core.clock import Now
    from nearnet.core.known_peer import KnownPeerState
    from nearnet.core.peer_table import PeerTable
    from nearnet.keys import PeerId
    from nearnet.store.base import StoreReader

__all__ = ["COLUMN", "load_peers"]

COLUMN = "Peers"


def load_peers(table: PeerTable, me: PeerId, config: NetworkConfig, store: StoreReader, now: Now) -> int:
    """Fill an empty table: who was connected is not any more, bans stay, the operator's peers always join.

    Returns how many stored rows did not decode.
    """
    for node in config.network.boot_nodes:
        if node.info.id != me:
            _pin(table, node, now, boot=True)
    for node in config.nearnet.persistent_peers:
        if node.info.id != me:
            _pin(table, node, now, boot=False)
    unreadable = 0
    states = []
    for _, value in store.items(COLUMN):
        try:
            states.append(decode_known_peer(value))
        except Malformed:
            unreadable += 1
    # The oldest first: when they are more than we keep, it is the newest that stay.
    for state in sorted(states, key=lambda state: (state.last_seen, state.peer_info.id)):
        if state.peer_info.id != me:
            _load(table, state, config.network.ban_window, now)
    return unreadable


def _pin(table: PeerTable, node: BootNode, now: Now, boot: bool) -> None:
    info = node.info
    peer = table.get(info.id)
    if peer is None:
        peer = KnownPeer(info.id, now.unix_ns, now.unix_ns, now.mono, account_id=info.account_id)
        peer.boot, peer.persistent = boot, not boot
        table.add(peer)
    peer.boot |= boot
    peer.persistent |= not boot
    peer.host = peer.host or node.host
    if info.addr is not None and table.at(normalise(info.addr)) is None:
        table.move(peer, normalise(info.addr))
        peer.trust = TrustLevel.SIGNED


def _load(table: PeerTable, state: KnownPeerState, ban_window: float, now: Now) -> None:
    info = state.peer_info
    age = max(0.0, now.wall - state.last_seen / 1e9)
    status = PeerStatus.NOT_CONNECTED if state.status is PeerStatus.CONNECTED else state.status
    ban, ban_ends = state.ban, 0.0
    if ban is not None:
        ban_ends = now.mono + ban.time_ns / 1e9 + ban_window - now.wall
        if ban_ends <= now.mono:
            status, ban = PeerStatus.NOT_CONNECTED, None
    peer = table.get(info.id)
    if peer is None:
        peer = KnownPeer(info.id, 0, 0, 0.0, account_id=info.account_id, status=status)
        if not table.add(peer)[0]:
            return
    peer.first_seen, peer.last_seen, peer.seen_at = state.first_seen, state.last_seen, now.mono - age
    peer.ban, peer.ban_ends = ban, ban_ends
    table.set_status(peer, status)
    if info.addr is not None and peer.addr is None:
        owner = table.at(normalise(info.addr))
        if owner is None or not owner.pinned:
            table.move(peer, normalise(info.addr))
