"""Looks at a running node once a second, and keeps what it sees as its `History`."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from nearnet.api.history import INTERVAL, History
from nearnet.net.network_info import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nearnet.core.peer.peer import Peer
    from nearnet.net.node import Node

__all__ = ["BUSY", "PERIOD", "HistoryRecorder", "TrafficByType"]

PERIOD = 1.0
"""Seconds from one look at the table to the next."""

BUSY = 0.05
"""Seconds instead, while what a look began is not done."""

_Counts = dict[str, tuple[int, int]]


class TrafficByType:
    """How many messages and bytes of each type went since the last call, over all connections, ended ones too.

    One that began and ended in between is not seen.
    """

    def __init__(self, side: str) -> None:
        """`side`: ``"sent"`` or ``"received"``."""
        self._counters = f"{side}_by_type"
        self._before: dict[Peer, _Counts] = {}

    def since_last(self, peers: Iterable[Peer]) -> dict[str, list[int]]:
        """Type to [messages, bytes]; only what is not zero."""
        now = {peer: self._counts(peer) for peer in peers}
        total: dict[str, list[int]] = {}
        for peer in dict.fromkeys([*now, *self._before]):
            before = self._before.get(peer, {})
            for kind, (messages, size) in self._counts(peer).items():
                old_messages, old_size = before.get(kind, (0, 0))
                if messages > old_messages:
                    sums = total.setdefault(kind, [0, 0])
                    sums[0] += messages - old_messages
                    sums[1] += size - old_size
        self._before = now
        return total

    def _counts(self, peer: Peer) -> _Counts:
        return {kind: (counts[0], counts[1]) for kind, counts in getattr(peer, self._counters).items()}


class HistoryRecorder:
    """Records from `start` to `stop`; `history` can be read at any time."""

    def __init__(self, node: Node) -> None:
        self._node = node
        now = node.driver.now()
        self.history = History(node.peer_id, node.config.nearnet.limits, now.wall)
        self._traffic = Traffic(samples=2)
        self._sent, self._received = TrafficByType("sent"), TrafficByType("received")
        self._events: Counter[str] = Counter()
        self._last_event = 0
        self._sample_due = now.mono
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Record from now on."""
        period = PERIOD
        try:
            if self.look():
                period = BUSY
        finally:
            self._timer = asyncio.get_running_loop().call_later(period, self.start)

    def stop(self) -> None:
        """Record no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self) -> bool:
        """One look at the node: the table, new events, and a sample when it is due. Whether there is more to see."""
        node, now = self._node, self._node.driver.now()
        is_unfinished = self.history.look(node.core.table.slots, now.wall)
        self._count_events()
        if now.mono >= self._sample_due:
            self._sample_due = now.mono + INTERVAL
            self._traffic.sample(node.driver.peers(), now.mono)
            self.history.add_sample(self._sample(now.wall))
        return is_unfinished

    def _count_events(self) -> None:
        newest = self._last_event
        for event in reversed(self._node.recent_events):
            if event.seq <= self._last_event:
                break
            newest = max(newest, event.seq)
            self._events[event.kind] += 1
        self._last_event = newest

    def _sample(self, wall: float) -> dict[str, Any]:
        core, peers = self._node.core, self._node.driver.peers()
        appeared, went = self.history.take_counts()
        sent, received = self._traffic.per_second
        outbound = core.context.outbound_count
        sample = {
            "time": wall,
            "inbound": len(core.peers) - outbound,
            "outbound": outbound,
            "pending": len(core.context.connections) - len(core.peers),
            "known_peers": len(core.peer_store),
            "bans": len(core.peer_store.bans()),
            "accounts": len(core.announcements),
            "graph_peers": core.table.peer_count,
            "reachable": core.table.reachable_count,
            "edges": core.table.edge_count,
            "active_edges": core.table.active_count,
            "edges_appeared": appeared,
            "edges_went": went,
            "sent_bytes_per_sec": sent,
            "received_bytes_per_sec": received,
            "queued_bytes": sum(peer.queued for peer in core.peers.values()),
            "sent_by_type": self._sent.since_last(peers),
            "received_by_type": self._received.since_last(peers),
            "events": dict(self._events),
        }
        self._events.clear()
        return sample

    # --- telling -----------------------------------------------------------------------------------

    async def graph(self, at: float | None, since: int | None) -> dict[str, Any]:
        """`nearnet_graph`: what changed since a `seq` where that is known, else a whole graph, made on a thread."""
        wall = self._node.driver.now().wall
        if since is not None and (changes := self.history.changes_since(since, wall)) is not None:
            return changes
        return await asyncio.to_thread(self.history.graph(wall, at).as_dict)
