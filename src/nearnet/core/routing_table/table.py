"""The RoutingTable (document §2.2, §8, §9): all edges, the next hops to every peer, and what leaves for the disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nearnet.core.routing_table.components import Components
from nearnet.core.routing_table.edge import is_current
from nearnet.core.routing_table.edge_table import EdgeRoom, EdgeTable, LeastUsed
from nearnet.core.routing_table.expiry import DatedEdges
from nearnet.core.routing_table.graph import NO_ROUTES
from nearnet.core.runtime.actions import Persist
from nearnet.keys import PeerId
from nearnet.wire.edge_layout import ends_of, involves, nonce_of, pair_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from nearnet.config import NetworkConfig
    from nearnet.core.routing_table.components import Component
    from nearnet.core.routing_table.graph import Routes, Snapshot
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.journal import Journal
    from nearnet.core.runtime.limits import LimitCounters
    from nearnet.core.runtime.store_reader import StoreReader
    from nearnet.wire.edge_bytes import Edge

__all__ = ["RETRY_PRUNE", "RoutingTable"]

RETRY_PRUNE = 60.0
"""Seconds until what could not be stored is tried again."""


@dataclass(slots=True)
class _Moving:
    """A component on its way to disk: until it is there for certain, memory keeps it."""

    token: int
    component: Component
    slots: list[int]
    """Where its edges lie."""
    since: dict[PeerId, float]
    """From when each of its peers is unreachable."""
    ends: int
    """Ends of edges at its peers: more of them later means a new edge."""
    is_stored: bool = False


class RoutingTable:
    """The whole graph as known here; makes `Persist`s, sends nothing."""

    def __init__(
        self, me: PeerId, config: NetworkConfig, store: StoreReader, journal: Journal, counters: LimitCounters
    ) -> None:
        self.me = me
        self._journal = journal
        self._limits = config.nearnet.limits
        self._timing = config.nearnet.timing
        self._counters = counters
        self._edges = EdgeTable(me)
        self.latest = self._edges.latest
        self._room = EdgeRoom(self._limits, self._edges, counters)
        self.dated = DatedEdges(config.nearnet.timing.edge_expires_after)
        self.components = Components(store)
        self._routes: Routes = NO_ROUTES
        self._hops: dict[PeerId, tuple[PeerId, ...]] = {}
        """Next hops by peer, as asked for since the routes last changed."""
        self._hop_use = LeastUsed()
        self._unreachable_since: dict[PeerId, float] = {}
        self._moving: _Moving | None = None
        self._retry_at, self._next_token = 0.0, 0
        self._restored: list[Edge] = []
        self.needs_recalculation = False
        self._is_settled = True
        """Whether the routes are of exactly the edges held, and no snapshot is out."""

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
    def ml_dsa_count(self) -> int:
        """Edges held that have a key of ML-DSA-65."""
        return self._edges.ml_dsa_count

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

    def edges_of(self, peer: PeerId) -> list[Edge]:
        """Those that this peer of the graph is an end of."""
        return [edge for slot in self._edges.slots_of(peer) if (edge := self._edges.slots[slot]) is not None]

    def peers(self) -> list[PeerId]:
        """Every peer in the graph, ourselves first."""
        return [peer for peer in self._edges.peers if peer is not None]

    def get(self, a: bytes, b: bytes) -> Edge | None:
        """The edge between two peers, in either order."""
        slot = self._edges.slot_of(a, b) if a < b else self._edges.slot_of(b, a)
        return None if slot is None else self._edges.slots[slot]

    # --- taking edges in -------------------------------------------------------------------------

    def select_new(self, edges: Iterable[Edge], source: PeerId) -> list[Edge]:
        """What is newer than held, the newest of each, within the limits; nothing is verified or kept here."""
        taken: list[Edge] = []
        newest, unseen = _newest(edges), 0
        roomy = self._room.for_all(len(newest), source)
        for edge in newest:
            peer0, peer1 = ends_of(edge)
            held = self.get(peer0, peer1)
            if held is None:
                if not (roomy or self._room.for_one(peer0, peer1, source, unseen)):
                    continue
                if not self._room.for_key_type(edge):
                    continue
                unseen += 1
            elif nonce_of(edge) <= nonce_of(held):
                continue
            taken.append(edge)
        return taken

    def add(self, edges: Collection[Edge], source: PeerId | None, now: Now) -> list[Edge]:
        """Take verified edges in; returns those that were really new. `source` None: of our own making, no limit.

        A peer that has a component on disk comes back with it: see `take_restored`.
        """
        added: list[Edge] = []
        table = self._edges
        roomy = self._room.for_all(len(edges), source)
        for edge in edges:
            peer0, peer1 = ends = ends_of(edge)
            slot = table.slot_of(peer0, peer1)
            if slot is None:
                if not (roomy or self._room.for_one(peer0, peer1, source)):
                    continue
                if not (peer0 in table.index and peer1 in table.index) and self._restore(ends, now):
                    slot = table.slot_of(peer0, peer1)
                    roomy = self._room.for_all(len(edges), source)
                if slot is None and not self._room.for_key_type(edge):
                    continue
            if self._put(edge, ends, slot, source, now):
                added.append(edge)
        return added

    def _put(self, edge: Edge, ends: tuple[bytes, bytes], slot: int | None, source: PeerId | None, now: Now) -> bool:
        """Unless what lies in its slot is as new."""
        table = self._edges
        index, known, active = table.index, len(table.index), table.active_count
        if slot is None:
            slot = table.insert(edge, ends, source)
        elif not table.replace(slot, edge):
            return False
        self.dated.note(slot, nonce_of(edge))
        new_peers = len(index) != known
        if new_peers:
            for number in table.ends(slot):
                peer = table.peers[number]
                if peer is not None and self._routes.distance(number) is None:
                    self._unreachable_since.setdefault(peer, now.mono)
        more = table.active_count - active
        if new_peers or (more and not (self._is_settled and self._routes.hold_with(*table.ends(slot), more > 0))):
            self.needs_recalculation, self._is_settled = True, False
        return True

    def _restore(self, peers: Iterable[bytes], now: Now) -> bool:
        """Bring the components of peers that turn up back from disk, and of those that turn up with them; if any."""
        index = self._edges.index
        waiting = [PeerId(peer) for peer in peers if peer not in index]
        met: set[bytes] = set(waiting)
        back: dict[PeerId, None] = {}
        while waiting:
            peer = waiting.pop()
            component = None if peer in back else self.components.of(peer)
            if component is None:
                continue
            if len(self._edges) + len(component.edges) >= self._limits.edges_total:
                self._counters.hit("edges_total")
                continue
            self._journal.write_all(component.dropped())
            back.update(dict.fromkeys(component.peers))
            for edge in component.edges:
                ends = ends_of(edge)
                for end in ends:
                    if end not in index and end not in met and end not in back:
                        met.add(end)
                        waiting.append(PeerId(end))
                current = involves(edge, self.me) or is_current(nonce_of(edge), now.wall, self.dated.expires_after)
                slot = self._edges.slot_of(*ends)
                fits = current and (slot is not None or self._room.for_key_type(edge))
                if fits and self._put(edge, ends, slot, None, now):
                    self._restored.append(edge)
        return bool(back)

    def take_restored(self) -> list[Edge]:
        """Edges that came back from disk since the last call."""
        restored, self._restored = self._restored, []
        return restored

    # --- next hops -------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The graph for `shortest_paths`; what changes from now on needs another. Give its routes to `apply` first.

        The number of a peer that leaves meanwhile is not given again before, so that in its routes it is nobody else.
        """
        self.needs_recalculation = self._is_settled = False
        return self._edges.snapshot()

    def apply(self, routes: Routes, now: Now) -> None:
        """Use what `shortest_paths` found of the last snapshot."""
        self._routes = routes
        self._edges.settle()
        self._is_settled = not self.needs_recalculation
        self._hops.clear()
        peers, since = self._edges.peers, self._unreachable_since
        self._hop_use.keep(peers[hop] for hop in routes.neighbors)
        unreachable = [*routes.unreachable, *range(len(routes), len(peers))]
        self._unreachable_since = {
            peer: since.get(peer, now.mono) for number in unreachable if (peer := peers[number]) is not None
        }
        self._finish_moving(now)

    def distance(self, peer: PeerId) -> int | None:
        """Hops to a peer, None when there is no way."""
        number = self._edges.index.get(peer)
        return None if number is None else self._routes.distance(number)

    def next_hops(self, peer: PeerId) -> tuple[PeerId, ...]:
        """Our neighbors that start a shortest path to it."""
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
        return self._hop_use.choose(hops) if hops else None

    # --- what grows too old ----------------------------------------------------------------------

    @property
    def may_forget(self) -> bool:
        """Whether `forget` may be called: not while some move to disk."""
        return self._moving is None

    def forget(self, slots: Iterable[int], is_kept: Callable[[Edge], bool]) -> None:
        """Let the edges in these slots go, but those kept and our own: ours hold the last nonces."""
        table = self._edges
        for slot in slots:
            edge = table.slots[slot]
            if edge is None or involves(edge, self.me) or is_kept(edge):
                continue
            table.remove(slot)
            self.needs_recalculation, self._is_settled = True, False
            for peer in edge.key:
                if peer not in table.index:
                    self._unreachable_since.pop(peer, None)
                    self._hops.pop(peer, None)

    # --- what leaves for the disk ----------------------------------------------------------------

    def next_prune(self, now: Now) -> float | None:
        """When `prune` is to be called next, None while all are reachable."""
        if self._moving is not None or not self._unreachable_since:
            return None
        due = min(self._unreachable_since.values()) + self._timing.prune_check_after
        return max(due, self._retry_at)

    def prune(self, now: Now) -> Persist | None:
        """When somebody is unreachable for long enough, have all such peers' edges stored as one component.

        They leave memory after `persisted`, when they are safely stored; a peer that has no other edge leaves as well.
        """
        due = self.next_prune(now)
        if due is None or due > now.mono:
            return None
        after = self._timing.prune_unreachable_after
        table = self._edges
        slots = table.slots_touching(
            [peer for peer, since in self._unreachable_since.items() if now.mono - since >= after]
        )
        peers = table.peers_only_in(slots)
        component = self.components.new(peers, [edge for slot in slots if (edge := table.slots[slot]) is not None])
        since = {peer: self._unreachable_since[peer] for peer in peers}
        self._next_token += 1
        self._moving = _Moving(self._next_token, component, slots, since, table.ends_of(peers))
        return Persist(tuple(component.stored()), token=self._next_token)

    def persisted(self, token: int, error: str | None, now: Now) -> None:
        """How storing a component went. On failure its edges stay in memory, and it is tried again (row 64)."""
        moving = self._moving
        if moving is None or moving.token != token:
            return
        if error is not None:
            self._keep(moving, now)
            return
        moving.is_stored = True
        self._finish_moving(now)

    def _finish_moving(self, now: Now) -> None:
        """Let go of what is stored, once the routes tell for certain that all of it is still unreachable."""
        moving = self._moving
        if moving is None or not moving.is_stored or not self._is_settled:
            return
        table = self._edges
        edges = zip(moving.slots, moving.component.edges, strict=True)
        if (
            any(self._unreachable_since.get(peer) != since for peer, since in moving.since.items())
            or table.ends_of(moving.since) != moving.ends
            or any(table.slots[slot] != edge for slot, edge in edges)
        ):
            self._keep(moving, now)
            return
        self._moving = None
        for slot in moving.slots:
            table.remove(slot)
        for peer in moving.since:
            del self._unreachable_since[peer]
        self._hops.clear()
        self.needs_recalculation, self._is_settled = True, False

    def _keep(self, moving: _Moving, now: Now) -> None:
        """Memory stays as it is, so the disk has to forget."""
        self._moving = None
        self._retry_at = now.mono + RETRY_PRUNE
        self._journal.write_all(moving.component.dropped())


def _newest(edges: Iterable[Edge]) -> Collection[Edge]:
    """Of each edge the form with the highest nonce."""
    newest: dict[bytes, Edge] = {}
    for edge in edges:
        pair = pair_of(edge)
        other = newest.get(pair)
        if other is None or nonce_of(edge) > nonce_of(other):
            newest[pair] = edge
    return newest.values()
