"""The RoutingTable (document §2.2, §8, §9): all edges, the next hops to every peer, and what leaves for the disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nearnet.core.actions import Persist
from nearnet.core.components import Components
from nearnet.core.edge_table import EdgeTable
from nearnet.core.graph import Routes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nearnet.config import NetworkConfig
    from nearnet.core.actions import Write
    from nearnet.core.clock import Now
    from nearnet.core.graph import Snapshot
    from nearnet.core.limits import LimitCounters
    from nearnet.keys import PeerId
    from nearnet.store.base import StoreReader
    from nearnet.wire.edge_bytes import Edge

__all__ = ["LAG", "RETRY_PRUNE", "RoutingTable"]

LAG = 10
"""A neighbour's counter that lags further behind the largest is pulled up to this (`behaviour.md` §4)."""

RETRY_PRUNE = 60.0
"""Seconds until what could not be stored is tried again."""


@dataclass(frozen=True, slots=True)
class _Moving:
    """A component on its way to disk: until it is there, memory keeps it."""

    token: int
    peers: dict[PeerId, float]
    edges: list[Edge]


class RoutingTable:
    """The whole graph as known here; makes `Persist`s, sends nothing."""

    def __init__(
        self, me: PeerId, config: NetworkConfig, store: StoreReader, counters: LimitCounters
    ) -> None:
        self.me = me
        self._limits = config.nearnet.limits
        self._timing = config.nearnet.timing
        self._counters = counters
        self._edges = EdgeTable(me)
        self._components = Components(store)
        self._routes = Routes(0, [], [0], [0], [0])
        self._hops: dict[PeerId, tuple[PeerId, ...]] = {}
        """Next hops by peer, as asked for since the routes last changed."""
        self._used: dict[PeerId, int] = {}
        """How often each neighbour was the next hop."""
        self._most_used = 0
        self._unreachable_since: dict[PeerId, float] = {}
        self._moving: _Moving | None = None
        self._retry_at = 0.0
        self._next_token = 0
        self._writes: list[Write] = []
        self._restored: list[Edge] = []
        self.needs_recalculation = False

    # --- what is held ----------------------------------------------------------------------------

    @property
    def slots(self) -> Sequence[Edge | None]:
        """Every edge, in the order of arrival; None where one was."""
        return self._edges.slots

    @property
    def edge_count(self) -> int:
        """Edges held, removed ones too."""
        return len(self._edges)

    @property
    def active_count(self) -> int:
        """Active edges held."""
        return self._edges.active_count

    @property
    def peer_count(self) -> int:
        """Peers in the graph, ourselves among them."""
        return len(self._edges.index)

    @property
    def reachable_count(self) -> int:
        """Peers that we have a way to, ourselves not counted."""
        return self.peer_count - len(self._unreachable_since) - 1

    def edges(self) -> list[Edge]:
        """Every edge held."""
        return [edge for edge in self._edges.slots if edge is not None]

    def peers(self) -> list[PeerId]:
        """Every peer in the graph, ourselves first."""
        return list(self._edges.index)

    def get(self, a: PeerId, b: PeerId) -> Edge | None:
        """The edge between two peers, in either order."""
        slot = self._edges.slot_of(a, b) if a < b else self._edges.slot_of(b, a)
        return None if slot is None else self._edges.slots[slot]

    # --- taking edges in -------------------------------------------------------------------------

    def select_new(self, edges: Iterable[Edge], source: PeerId) -> list[Edge]:
        """What is newer than held, the newest of each, within the limits; nothing is verified or kept here."""
        newest: dict[tuple[PeerId, PeerId], Edge] = {}
        for edge in edges:
            key = edge.key
            other = newest.get(key)
            if other is None or edge.nonce > other.nonce:
                newest[key] = edge
        room = self._limits.edges_total - len(self._edges)
        told = self._edges.told_by.get(self._edges.index.get(source, -1), 0)
        room = min(room, self._limits.edges_per_source - told)
        taken: list[Edge] = []
        for (peer0, peer1), edge in newest.items():
            slot = self._edges.slot_of(peer0, peer1)
            if slot is None:
                if room <= 0 or self._too_many_peers(peer0, peer1):
                    full = len(self._edges) >= self._limits.edges_total
                    self._counters.hit("edges_total" if full else "edges_per_source")
                    continue
                room -= 1
            else:
                held = self._edges.slots[slot]
                if held is not None and edge.nonce <= held.nonce:
                    continue
            taken.append(edge)
        return taken

    def _too_many_peers(self, peer0: PeerId, peer1: PeerId) -> bool:
        index = self._edges.index
        if len(index) + (peer0 not in index) + (peer1 not in index) <= self._limits.graph_peers:
            return False
        self._counters.hit("graph_peers")
        return True

    def add(self, edges: Iterable[Edge], source: PeerId | None, now: Now) -> list[Edge]:
        """Take verified edges in; returns those that were really new. A peer that was on disk comes back with them."""
        table = self._edges
        number = table.index.get(source) if source is not None else None
        added: list[Edge] = []
        for edge in edges:
            peer0, peer1 = edge.key
            held = self.get(peer0, peer1)
            if held is None:
                self._restore(peer0, now)
                self._restore(peer1, now)
                held = self.get(peer0, peer1)
            if held is not None and edge.nonce <= held.nonce:
                continue
            self._put(edge, number, now)
            added.append(edge)
        return added

    def _put(self, edge: Edge, number: int | None, now: Now) -> None:
        known = len(self._edges.index)
        if number is None:
            self._edges.put(edge)
        else:
            self._edges.put(edge, number)
        if len(self._edges.index) != known:
            for peer in edge.key:
                if peer != self.me and self._routes.distance(self._edges.index[peer]) is None:
                    self._unreachable_since.setdefault(peer, now.mono)
        self.needs_recalculation = True

    def _restore(self, peer: PeerId, now: Now) -> None:
        """Bring the peer's component back from disk (document §12.1)."""
        if peer in self._edges.index:
            return
        edges, rows = self._components.load(peer)
        self._writes.extend(rows)
        for edge in edges:
            held = self.get(*edge.key)
            if held is None or edge.nonce > held.nonce:
                self._put(edge, None, now)
                self._restored.append(edge)

    def take_restored(self) -> list[Edge]:
        """Edges that came back from disk since the last call."""
        restored, self._restored = self._restored, []
        return restored

    def take_writes(self) -> list[Write]:
        """Rows to store since the last call: those of components that came back."""
        writes, self._writes = self._writes, []
        return writes

    # --- next hops -------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The graph for `shortest_paths`; what changes from now on needs another."""
        self.needs_recalculation = False
        return self._edges.snapshot()

    def apply(self, routes: Routes, now: Now) -> None:
        """Use what `shortest_paths` found, unless peers were renumbered meanwhile."""
        if routes.generation != self._edges.generation:
            self.needs_recalculation = True
            return
        self._routes = routes
        self._hops.clear()
        since = self._unreachable_since
        peers = self._edges.peers
        self._unreachable_since = {
            peer: since.get(peer, now.mono)
            for number in routes.unreachable()
            if (peer := peers[number]) is not None
        }
        for peer in peers[len(routes) :]:
            if peer is not None and peer in since:
                self._unreachable_since[peer] = since[peer]

    def distance(self, peer: PeerId) -> int | None:
        """Hops to a peer, None when there is no way."""
        number = self._edges.index.get(peer)
        return None if number is None else self._routes.distance(number)

    def next_hops(self, peer: PeerId) -> tuple[PeerId, ...]:
        """Our neighbours that start a shortest path to it."""
        number = self._edges.index.get(peer)
        if number is None:
            return ()
        cached = self._hops.get(peer)
        if cached is None:
            hops = [self._edges.peers[hop] for hop in self._routes.next_hops(number)]
            cached = self._hops[peer] = tuple(hop for hop in hops if hop is not None)
        return cached

    def find_next_hop(self, peer: PeerId) -> PeerId | None:
        """One of the next hops: the least used."""
        hops = self._hops.get(peer) or self.next_hops(peer)
        if not hops:
            return None
        used, floor = self._used, self._most_used - LAG
        best, least = hops[0], used.get(hops[0], 0)
        for hop in hops[1:]:
            if used.get(hop, 0) < least:
                best, least = hop, used.get(hop, 0)
        count = used[best] = max(least, floor) + 1
        if count > self._most_used:
            self._most_used = count
        return best

    # --- what leaves for the disk ----------------------------------------------------------------

    def next_prune(self, now: Now) -> float | None:
        """When `prune` is to be called next, None while all are reachable."""
        if self._moving is not None or not self._unreachable_since:
            return None
        due = min(self._unreachable_since.values()) + self._timing.prune_check_after
        return max(due, self._retry_at)

    def prune(self, now: Now) -> Persist | None:
        """When somebody is unreachable for long enough, have all such peers' edges stored as one component.

        They leave memory in `persisted`, when they are safely stored.
        """
        due = self.next_prune(now)
        if due is None or due > now.mono:
            return None
        after = self._timing.prune_unreachable_after
        gone = {peer: since for peer, since in self._unreachable_since.items() if now.mono - since >= after}
        numbers = {self._edges.index[peer]: None for peer in gone}
        slots = self._edges.slots
        edges = [edge for slot in self._edges.slots_touching(numbers) if (edge := slots[slot]) is not None]
        self._next_token += 1
        self._moving = _Moving(self._next_token, gone, edges)
        return Persist(tuple(self._components.stow(gone, edges)), token=self._next_token)

    def persisted(self, token: int, error: str | None, now: Now) -> None:
        """How storing a component went. On failure its edges stay in memory, and it is tried again."""
        moving = self._moving
        if moving is None or moving.token != token:
            return
        self._moving = None
        if error is not None:
            self._retry_at = now.mono + RETRY_PRUNE
            return
        if any(self._unreachable_since.get(peer) != since for peer, since in moving.peers.items()):
            return
        for edge in moving.edges:
            slot = self._edges.slot_of(*edge.key)
            if slot is not None and self._edges.slots[slot] == edge:
                self._edges.remove(slot)
        self._hops.clear()
        for peer in moving.peers:
            if peer not in self._edges.index:
                del self._unreachable_since[peer]
        self.needs_recalculation = True
