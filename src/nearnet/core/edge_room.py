"""Whether the graph may grow by an edge (`threats.md` row 36, limits): in all, by its teller, by its peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.wire.edge_layout import has_ml_dsa

if TYPE_CHECKING:
    from nearnet.config.models import LimitsSection
    from nearnet.core.edge_table import EdgeTable
    from nearnet.core.limits import LimitCounters
    from nearnet.keys import PeerId

__all__ = ["EdgeRoom"]


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
