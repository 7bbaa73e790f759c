"""What the tests of the routing core share: edges with empty signatures, and a RoutingTable with its store."""

from __future__ import annotations

from typing import Any

from peer_fakes import ME, START, peer_id, rows_of

from nearnet.config import NetworkConfig
from nearnet.core.routing_table.components import Component
from nearnet.core.routing_table.edge_table import EdgeTable
from nearnet.core.routing_table.graph import shortest_paths
from nearnet.core.routing_table.table import RoutingTable, _Moving
from nearnet.core.runtime.clock import Now
from nearnet.core.runtime.journal import Journal
from nearnet.core.runtime.limits import LimitCounters
from nearnet.keys import PeerId
from nearnet.store.memory import MemoryStore
from nearnet.wire.edge_bytes import Edge

HOUR = 3600.0
SIGNATURE = bytes(65)


def edge(a: int, b: int, nonce: int = 1) -> Edge:
    """Between two peers by number (0: ourselves); removed when the nonce is even."""
    a, b = sorted((a, b))
    return Edge.build(peer_id(a), peer_id(b), nonce, SIGNATURE, SIGNATURE, None if nonce % 2 else (True, SIGNATURE))


def something_that_moves() -> _Moving:
    """A component on its way to disk."""
    return _Moving(1, Component(bytes(8), (), []), [], {}, 0)


def put(table: EdgeTable, edge: Edge, source: PeerId | None = None) -> int:
    """Take an edge in as the routing table does; its slot."""
    slot = table.slot_of(*edge.key)
    if slot is None:
        return table.insert(edge, edge.key, source)
    table.replace(slot, edge)
    return slot


class Table:
    """A routing table whose neighbors are told as numbers, over a store that takes every row at once.

    It holds one, as compiled classes have no subclasses in Python.
    """

    def __init__(self, store: MemoryStore | None = None, **limits: int):
        self.config = NetworkConfig.model_validate({"nearnet": {"limits": limits}})
        self.counters = LimitCounters(dict(self.config.nearnet.limits))
        self.store = store or MemoryStore()
        self.journal = Journal()
        self.routing = RoutingTable(ME, self.config, self.store, self.journal, self.counters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.routing, name)

    def learn(self, *edges: Edge, now: Now = START, source: int = 1) -> list[Edge]:
        """Add, store what that asks for, compute."""
        added = self.add(edges, peer_id(source), now)
        self.compute(now)
        return added

    def compute(self, now: Now = START) -> None:
        self.store.commit(rows_of(self.journal))
        self.apply(shortest_paths(self.snapshot()), now)
        self.store.commit(rows_of(self.journal))

    def prune_and_store(self, now: Now) -> bool:
        """Whether something left for the disk."""
        persist = self.prune(now)
        if persist is None:
            return False
        self.store.commit(persist.writes)
        self.persisted(persist.token, None, now)
        self.store.commit(rows_of(self.journal))
        return True

    def hops(self, number: int) -> list[int]:
        return [to_number(hop) for hop in self.next_hops(peer_id(number))]

    def held(self) -> dict[tuple[int, int], int]:
        """Every edge in memory: ends by number -> nonce."""
        return numbered(self.edges())

    def rows(self, column: str) -> dict[Any, bytes]:
        return dict(self.store.items(column))


def to_number(peer: bytes) -> int:
    return int.from_bytes(peer[1:], "big")


def numbered(edges: list[Edge]) -> dict[tuple[int, int], int]:
    return {(to_number(one.peer0), to_number(one.peer1)): one.nonce for one in edges}
