"""Which peers offer state snapshots (`behaviour.md` §10; `wire.md` §6): verified, the newest of each kept, relayed.

All is told at Ready. What is new is told in batches, at most one message per `snapshot_hosts_interval` and neighbor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nearnet.core.gossip.telling import BEHIND_BYTES
from nearnet.core.runtime.limits import LruDict
from nearnet.errors import ReasonForBan
from nearnet.keys import is_ml_dsa
from nearnet.wire.messages import SyncSnapshotHosts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nearnet.core.context import Context
    from nearnet.core.peer.peer import Peer
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.timers import Timer
    from nearnet.keys import PeerId
    from nearnet.wire.messages import SnapshotHostInfo

__all__ = ["HOSTS_AT_ONCE", "HOSTS_WAITING", "SnapshotHosts"]

HOSTS_AT_ONCE: Final = 200
"""Verified in one go: 13 ms, so that the loop stays free."""

HOSTS_WAITING: Final = 1000
"""Hosts that wait for one neighbor's next batch: as many as a node keeps by default. With the most shards a message of
them has 5.3 MB; the neighbors share the objects, at about 4.5 kB each. Of more the oldest are left out and counted."""


class SnapshotHosts:
    """The newest word of each host, at most `snapshot_hosts_cache_size` (about 4.5 kB each with the most shards)."""

    __slots__ = ("_context", "_hosts", "_relays")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._hosts: LruDict[PeerId, SnapshotHostInfo] = LruDict(context.config.network.snapshot_hosts_cache_size)
        self._relays: dict[Peer, _Relay] = {}

    def all(self) -> list[SnapshotHostInfo]:
        """What is known, the least recent first."""
        return list(self._hosts.values())

    def ready(self, peer: Peer, now: Now) -> None:
        """A protobuf neighbor is told all, were it nothing."""
        if peer.is_protobuf:
            self._relays[peer] = _Relay(now.mono)
            self._send(peer, self.all())

    def closed(self, peer: Peer) -> None:
        """Forget a connection that has ended."""
        self._relays.pop(peer, None)

    def _send(self, peer: Peer, hosts: Iterable[SnapshotHostInfo]) -> None:
        self._context.count("near_sync_snapshot_hosts", "sent")
        peer.send(SyncSnapshotHosts(tuple(hosts)))

    # --- in --------------------------------------------------------------------------------------

    def received(self, peer: Peer, message: SyncSnapshotHosts, now: Now) -> None:
        """A neighbor's hosts. What is right is kept, also when something else in it costs the neighbor a ban."""
        self._context.count("near_sync_snapshot_hosts", "received")
        usable = tuple(host for host in message.hosts if not (is_ml_dsa(host.peer_id) or is_ml_dsa(host.signature)))
        self._context.unsupported_key("SyncSnapshotHosts", len(message.hosts) - len(usable))
        self._go_on(peer, *_without_offence(usable), now)

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
            self._relay(peer, new, now)
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

    # --- on --------------------------------------------------------------------------------------

    def _relay(self, source: Peer, new: list[SnapshotHostInfo], now: Now) -> None:
        for peer, relay in self._relays.items():
            if peer is not source:
                for host in new:
                    if relay.waiting.put(host.peer_id, host) is not None:
                        self._context.limits.hit("snapshot_hosts_waiting")
                self._arm(peer, relay, now)

    def _arm(self, peer: Peer, relay: _Relay, now: Now) -> None:
        if relay.timer is None:
            due = max(now.mono, relay.last + self._context.config.nearnet.timing.snapshot_hosts_interval)
            relay.timer = self._context.timers.at(due, lambda now: self._flush(peer, relay, now))
            peer.keep(relay.timer)

    def _flush(self, peer: Peer, relay: _Relay, now: Now) -> None:
        """Send what waits; a neighbor that is slow to read gets it, in its newest form, an interval later."""
        relay.timer = None
        relay.last = now.mono
        if peer.queued > BEHIND_BYTES:
            self._arm(peer, relay, now)
            return
        hosts, relay.waiting = list(relay.waiting.values()), LruDict(HOSTS_WAITING)
        self._send(peer, hosts)


class _Relay:
    """What waits to be told to one neighbor; it was told something at `last`."""

    __slots__ = ("last", "timer", "waiting")

    def __init__(self, last: float) -> None:
        self.last = last
        self.timer: Timer | None = None
        self.waiting: LruDict[PeerId, SnapshotHostInfo] = LruDict(HOSTS_WAITING)


def _without_offence(
    hosts: tuple[SnapshotHostInfo, ...],
) -> tuple[tuple[SnapshotHostInfo, ...], ReasonForBan | None]:
    """Those before one that is told twice, and what is to follow for it."""
    seen: dict[PeerId, None] = {}
    for at, host in enumerate(hosts):
        if host.peer_id in seen:
            return hosts[:at], ReasonForBan.ABUSIVE
        seen[host.peer_id] = None
    return hosts, None
