"""Which peers offer state snapshots (`behaviour.md` §10; `wire.md` §6): verified, the newest of each kept, relayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nearnet.core.limits import LruDict
from nearnet.errors import ReasonForBan
from nearnet.wire.messages_today import SyncSnapshotHosts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nearnet.core.clock import Now
    from nearnet.core.context import Context
    from nearnet.core.peer import Peer
    from nearnet.keys import PeerId
    from nearnet.wire.messages_today import SnapshotHostInfo

__all__ = ["HOSTS_AT_ONCE", "MOST_SHARDS", "SnapshotHosts"]

MOST_SHARDS: Final = 512
"""Of one host; more is abuse."""

HOSTS_AT_ONCE: Final = 200
"""Verified in one go: 13 ms, so that the loop stays free."""


class SnapshotHosts:
    """The newest word of each host, at most `snapshot_hosts_cache_size` (about 4.5 kB each with the most shards)."""

    __slots__ = ("_context", "_hosts")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._hosts: LruDict[PeerId, SnapshotHostInfo] = LruDict(context.config.network.snapshot_hosts_cache_size)

    def all(self) -> list[SnapshotHostInfo]:
        """What is known, the least recent first."""
        return list(self._hosts.values())

    def ready(self, peer: Peer) -> None:
        """A neighbour of today's is told all, were it nothing."""
        if peer.is_today:
            self._send(peer, self.all())

    def _send(self, peer: Peer, hosts: list[SnapshotHostInfo]) -> None:
        self._context.count("near_sync_snapshot_hosts", "sent")
        peer.send(SyncSnapshotHosts(tuple(hosts)))

    def received(self, peer: Peer, message: SyncSnapshotHosts, now: Now) -> None:
        """A neighbour's hosts. What is right is kept, also when something else in it costs the neighbour a ban."""
        self._context.count("near_sync_snapshot_hosts", "received")
        self._go_on(peer, *_without_offence(message.hosts), now)

    def _go_on(self, peer: Peer, hosts: tuple[SnapshotHostInfo, ...], final: ReasonForBan | None, now: Now) -> None:
        """One piece of them; the rest at the next turn."""
        if not peer.is_ready:
            return
        new, forged = self._take(hosts[:HOSTS_AT_ONCE])
        rest = hosts[HOSTS_AT_ONCE:]
        offence = ReasonForBan.INVALID_SIGNATURE if forged else None if rest else final
        if new:
            self._context.notify("snapshot_hosts", peer.peer_id, added=len(new), total=len(self._hosts))
            self._context.count("near_broadcast_msg", "SyncSnapshotHosts")
            for other in self._context.peers.values():
                if other.is_today and other is not peer:
                    self._send(other, new)
        if offence is not None:
            self._context.ban(peer.ready_id, offence, now)
        elif rest:
            self._context.timers.at(now.mono, lambda now: self._go_on(peer, rest, final, now))

    def _take(self, hosts: Iterable[SnapshotHostInfo]) -> tuple[list[SnapshotHostInfo], bool]:
        """Those that are new; whether one is forged, after which none is looked at."""
        new: list[SnapshotHostInfo] = []
        for host in hosts:
            known = self._hosts.get(host.peer_id)
            if not host.shards or (known is not None and host.epoch_height <= known.epoch_height):
                continue
            if not host.peer_id.verify(host.digest(), host.signature):
                return new, True
            self._hosts.put(host.peer_id, host)
            new.append(host)
        return new, False


def _without_offence(
    hosts: tuple[SnapshotHostInfo, ...],
) -> tuple[tuple[SnapshotHostInfo, ...], ReasonForBan | None]:
    """Those before one that is told twice or has too many shards, and what is to follow for it."""
    seen: dict[PeerId, None] = {}
    for at, host in enumerate(hosts):
        if host.peer_id in seen or len(host.shards) > MOST_SHARDS:
            return hosts[:at], ReasonForBan.ABUSIVE
        seen[host.peer_id] = None
    return hosts, None
