"""Where the edges lie (document §6.4): peers as numbers, edges in slots, at under 500 bytes an edge all in.

Slots keep the order of arrival, so that a table can be told in pieces; a freed one is None until it is taken again.
`PairIndex` finds the slot of a pair, `EdgeRoom` says whether the graph may grow by an edge (`threats.md` row 36), and
`LeastUsed` chooses among next hops.
"""

from __future__ import annotations

from array import array
from contextlib import suppress
from typing import TYPE_CHECKING

from nearnet.core.routing_table.graph import Snapshot
from nearnet.keys import PeerId
from nearnet.wire.edge_layout import has_ml_dsa, is_active, nonce_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nearnet.config.models import LimitsSection
    from nearnet.core.runtime.limits import LimitCounters
    from nearnet.keys import PeerId
    from nearnet.wire.edge_bytes import Edge

__all__ = [
    "LAG",
    "LATEST",
    "EdgeRoom",
    "EdgeTable",
    "LeastUsed",
    "PairIndex",
]

_END = 2**32 - 1
"""Ends a chain; no slot has this number."""

_LOAD = 2
"""Edges a bucket."""


class PairIndex:
    """Maps (first, second) to a slot, where the columns `first` and `second` hold the slots' pairs."""

    __slots__ = ("_chain", "_factors", "_first", "_heads", "_mask", "_second", "_size", "_split")

    def __init__(self, first: array[int], second: array[int], salt: int) -> None:
        """`salt`: a secret, so that nobody can choose pairs that share a bucket; it changes nothing that is seen."""
        self._first, self._second = first, second
        self._factors = salt % 2**29 | 1, (salt >> 29) % 2**29 | 1
        self._heads = array("I", [_END])
        """By bucket, its first slot."""
        self._chain = array("I")
        """By slot, the next one of its bucket."""
        self._mask = 0
        self._split = 0
        """Buckets before this one have been split in this doubling."""
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def _mixed(self, first: int, second: int) -> int:
        """Stays below 2**62 while there are fewer than 2**30 peers: larger numbers are objects, also where compiled."""
        factor0, factor1 = self._factors
        mixed = first * factor0 + second * factor1
        return mixed ^ mixed >> 17

    def _bucket(self, first: int, second: int) -> int:
        mixed = self._mixed(first, second)
        bucket = mixed & self._mask
        return mixed & (2 * self._mask + 1) if bucket < self._split else bucket

    def get(self, first: int, second: int) -> int | None:
        """The slot of this pair, None when it is not there."""
        slot = self._heads[self._bucket(first, second)]
        while slot != _END:
            if self._second[slot] == second and self._first[slot] == first:
                return slot
            slot = self._chain[slot]
        return None

    def add(self, slot: int, first: int, second: int) -> None:
        """A slot with its pair, which is in the columns, and not here yet."""
        heads, chain = self._heads, self._chain
        bucket = self._bucket(first, second)
        if slot == len(chain):
            chain.append(heads[bucket])
        else:
            chain[slot] = heads[bucket]
        heads[bucket] = slot
        self._size += 1
        if self._size > _LOAD * len(heads):
            self._grow()

    def remove(self, slot: int) -> None:
        """A slot whose pair is still in the columns."""
        chain = self._chain
        bucket = self._bucket(self._first[slot], self._second[slot])
        at = self._heads[bucket]
        if at == slot:
            self._heads[bucket] = chain[slot]
        else:
            while chain[at] != slot:
                at = chain[at]
            chain[at] = chain[slot]
        self._size -= 1

    def _grow(self) -> None:
        """One bucket more: it takes its share of the one that is next to be split."""
        chain, firsts, seconds = self._chain, self._first, self._second
        slot = self._heads[self._split]
        stays = goes = _END
        while slot != _END:
            following = chain[slot]  # One bit more of its hash (see `_bucket`) says where it belongs.
            if self._mixed(firsts[slot], seconds[slot]) & self._mask + 1:
                chain[slot], goes = goes, slot
            else:
                chain[slot], stays = stays, slot
            slot = following
        self._heads[self._split] = stays
        self._heads.append(goes)
        self._split += 1
        if self._split > self._mask:
            self._mask = 2 * self._mask + 1
            self._split = 0


LAG = 10
"""A neighbor's counter that lags further behind the largest is pulled up to this."""


class LeastUsed:
    """Counts by neighbor how often it was the next hop."""

    __slots__ = ("_used",)

    def __init__(self) -> None:
        self._used: dict[PeerId, int] = {}

    def choose(self, hops: tuple[PeerId, ...]) -> PeerId:
        """The least used of at least one; it counts as used."""
        used = self._used
        best = hops[0]
        least = most = used.get(best, 0)
        for hop in hops[1:]:
            count = used.get(hop, 0)
            if count < least:
                best, least = hop, count
            elif count > most:
                most = count
        used[best] = max(least, most - LAG) + 1
        return best

    def keep(self, neighbors: Iterable[PeerId | None]) -> None:
        """Forget all but these."""
        used = self._used
        self._used = {peer: used[peer] for peer in neighbors if peer in used}


LATEST = 4096
"""Edges known by their bytes as well, at 36 bytes each: what a network tells in the seconds that an echo takes."""

_NO_SOURCE = 2**32 - 1
"""Stands for edges of our own making, or from disk."""


class _Sources:
    """How many held edges each source told first. Sources are numbers, given again once nothing of theirs is held."""

    __slots__ = ("_counts", "_free", "_numbers", "_peers")

    def __init__(self) -> None:
        self._numbers: dict[PeerId, int] = {}
        self._peers: list[PeerId] = []
        self._counts: list[int] = []
        self._free: list[int] = []

    def count(self, peer: PeerId) -> int:
        number = self._numbers.get(peer)
        return 0 if number is None else self._counts[number]

    def add(self, peer: PeerId) -> int:
        number = self._numbers.get(peer)
        if number is None:
            if self._free:
                number = self._free.pop()
                self._peers[number] = peer
            else:
                number = len(self._peers)
                self._peers.append(peer)
                self._counts.append(0)
            self._numbers[peer] = number
        self._counts[number] += 1
        return number

    def remove(self, number: int) -> None:
        self._counts[number] -= 1
        if not self._counts[number]:
            del self._numbers[self._peers[number]]
            self._free.append(number)


class EdgeTable:
    """The newest form of each edge, and the numbering of peers; we are number 0."""

    __slots__ = (
        "_first",
        "_free_peers",
        "_free_slots",
        "_held",
        "_leaving",
        "_left",
        "_pairs",
        "_second",
        "_source",
        "_sources",
        "active",
        "active_count",
        "index",
        "latest",
        "ml_dsa_count",
        "peers",
        "slots",
    )

    def __init__(self, me: PeerId) -> None:
        self.index: dict[bytes, int] = {me: 0}
        """Peer -> its number."""
        self.peers: list[PeerId | None] = [me]
        self.slots: list[Edge | None] = []
        self.latest: dict[Edge | None, None] = {}
        """Some of the edges held, those put in last: at most `LATEST`."""
        self.active = bytearray()
        self.active_count = 0
        self.ml_dsa_count = 0
        """Edges held that have a key of ML-DSA-65."""
        self._first, self._second, self._source = array("I"), array("I"), array("I")
        # The hash of bytes is secret and another in each process, which is all that is needed of it.
        self._pairs = PairIndex(self._first, self._second, hash(me))
        self._sources = _Sources()
        self._held = array("I", [0])
        """Edges held of each peer by its number."""
        self._free_slots: list[int] = []
        self._free_peers: list[int] = []
        self._left: list[int] = []
        """Numbers of peers that have gone. They are given again when no routes in use, or being computed, know them."""
        self._leaving: list[int] = []

    def __len__(self) -> int:
        return len(self._pairs)

    def slot_of(self, peer0: bytes, peer1: bytes) -> int | None:
        """The slot of the edge between these two, smaller id first."""
        first, second = self.index.get(peer0), self.index.get(peer1)
        if first is None or second is None:
            return None
        return self._pairs.get(first, second)

    def number(self, peer: bytes) -> int:
        """The peer's number, given now when it is new."""
        number = self.index.get(peer)
        if number is None:
            peer = peer if isinstance(peer, PeerId) else PeerId(peer)
            if self._free_peers:
                number = self._free_peers.pop()
                self.peers[number] = peer
            else:
                number = len(self.peers)
                self.peers.append(peer)
                self._held.append(0)
            self.index[peer] = number
        return number

    def told_by(self, source: PeerId) -> int:
        """How many of the edges held this source told first."""
        return self._sources.count(source)

    def insert(self, edge: Edge, ends: tuple[bytes, bytes], source: PeerId | None = None) -> int:
        """Take an edge of two peers (its ends) of which none is held; its slot.

        `source` None: of our own making, or from disk.
        """
        slot = self._new_slot(self.number(ends[0]), self.number(ends[1]), source)
        self.ml_dsa_count += has_ml_dsa(edge)
        self._set(slot, edge)
        return slot

    def replace(self, slot: int, edge: Edge) -> bool:
        """Take an edge in place of an older form of it in this slot; False, and nothing, when that is no older."""
        held = self.slots[slot]
        if held is not None and nonce_of(edge) <= nonce_of(held):
            return False
        self._set(slot, edge)
        return True

    def _set(self, slot: int, edge: Edge) -> None:
        active, latest = is_active(edge), self.latest
        latest.pop(self.slots[slot], None)
        if len(latest) >= LATEST:
            latest.clear()
        latest[edge] = None
        self.active_count += active - self.active[slot]
        self.active[slot] = active
        self.slots[slot] = edge

    def _new_slot(self, first: int, second: int, source: PeerId | None) -> int:
        told_by = _NO_SOURCE if source is None else self._sources.add(source)
        if self._free_slots:
            slot = self._free_slots.pop()
            self._first[slot], self._second[slot], self._source[slot] = first, second, told_by
        else:
            slot = len(self.slots)
            self.slots.append(None)
            self.active.append(0)
            self._first.append(first)
            self._second.append(second)
            self._source.append(told_by)
        self._pairs.add(slot, first, second)
        self._held[first] += 1
        self._held[second] += 1
        return slot

    def remove(self, slot: int) -> None:
        """Forget the edge in this slot; a peer of which no edge is left loses its number."""
        first, second, source = self._first[slot], self._second[slot], self._source[slot]
        edge = self.slots[slot]
        self._pairs.remove(slot)
        self.latest.pop(edge, None)
        self.ml_dsa_count -= edge is not None and has_ml_dsa(edge)
        self.active_count -= self.active[slot]
        self.slots[slot] = None
        self.active[slot] = 0
        self._free_slots.append(slot)
        if source != _NO_SOURCE:
            self._sources.remove(source)
        for number in (first, second):
            self._held[number] -= 1
            if not self._held[number]:
                self._forget_peer(number)

    def _forget_peer(self, number: int) -> None:
        peer = self.peers[number]
        if number and peer is not None:
            del self.index[peer]
            self.peers[number] = None
            self._left.append(number)

    def settle(self) -> None:
        """The routes of the last snapshot are in use: who had gone before it is in no routes any more."""
        self._free_peers += self._leaving
        self._leaving = []

    def ends(self, slot: int) -> tuple[int, int]:
        """The numbers of the two peers of the edge in this slot."""
        return self._first[slot], self._second[slot]

    def ends_of(self, peers: Iterable[PeerId]) -> int:
        """How many ends of edges are at these peers."""
        return sum(self._held[self.index[peer]] for peer in peers)

    def slots_touching(self, peers: Iterable[PeerId]) -> list[int]:
        """The slots of all edges that have one of these peers."""
        numbers = {self.index[peer] for peer in peers}
        ends = zip(self._first, self._second, strict=True)
        return [
            slot
            for slot, (first, second) in enumerate(ends)
            if (first in numbers or second in numbers) and self.slots[slot] is not None
        ]

    def slots_of(self, peer: PeerId) -> list[int]:
        """The slots of all edges that have this peer."""
        number, slots = self.index[peer], []
        for column in (self._first, self._second):
            at = -1
            with suppress(ValueError):  # There is none after the last.
                while True:
                    at = column.index(number, at + 1)
                    if self.slots[at] is not None:
                        slots.append(at)
        return slots

    def peers_only_in(self, slots: Iterable[int]) -> list[PeerId]:
        """The peers, but ourselves, of which no edge would be left without these."""
        ends: dict[int, int] = {}
        for slot in slots:
            for number in (self._first[slot], self._second[slot]):
                ends[number] = ends.get(number, 0) + 1
        only = (self.peers[number] for number, count in ends.items() if number and count == self._held[number])
        return [peer for peer in only if peer is not None]

    def snapshot(self) -> Snapshot:
        """A copy for `shortest_paths`."""
        self._leaving += self._left
        self._left = []
        return Snapshot(self._first[:], self._second[:], bytes(self.active), len(self.peers))


class EdgeRoom:
    """Looks at the limits before an edge is taken that is not held yet. `source` None: of our own making, no limit."""

    __slots__ = ("_counters", "_edges", "_limits")

    def __init__(self, limits: LimitsSection, edges: EdgeTable, counters: LimitCounters) -> None:
        self._limits = limits
        self._edges = edges
        self._counters = counters

    def for_all(self, count: int, source: PeerId | None) -> bool:
        """Whether there is room for so many more edges, all of them of new peers: then none needs a look of its own."""
        if source is None:
            return True
        limits, edges = self._limits, self._edges
        return (
            len(edges) + count <= limits.edges_total
            and edges.told_by(source) + count <= limits.edges_per_source
            and len(edges.index) + 2 * count <= limits.graph_peers
        )

    def for_key_type(self, edge: bytes) -> bool:
        """Return whether one more edge with keys of these types is within the limits; count it when it is not.

        Only edges with a key of ML-DSA-65 are limited, whoever told them: they take fifty times the memory of others.
        Those on their way (`EDGES_IN_PROGRESS`) are not counted here, but each is asked about again before it is held.
        """
        if not has_ml_dsa(edge) or self._edges.ml_dsa_count < self._limits.ml_dsa_edges:
            return True
        self._counters.hit("ml_dsa_edges")
        return False

    def for_one(self, peer0: bytes, peer1: bytes, source: PeerId | None, unseen: int = 0) -> bool:
        """Whether one more is within the limits, after `unseen` others; counted when it is not."""
        full = None if source is None else self._full(peer0, peer1, source, unseen)
        if full is not None:
            self._counters.hit(full)
        return full is None

    def _full(self, peer0: bytes, peer1: bytes, source: PeerId, unseen: int) -> str | None:
        """The limit that it would break, if any."""
        limits, edges = self._limits, self._edges
        if len(edges) + unseen >= limits.edges_total:
            return "edges_total"
        if edges.told_by(source) + unseen >= limits.edges_per_source:
            return "edges_per_source"
        if len(edges.index) + (peer0 not in edges.index) + (peer1 not in edges.index) > limits.graph_peers:
            return "graph_peers"
        return None
