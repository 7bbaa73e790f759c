"""What each node of a connected part of a network can know of its edges.

A node of the documented era takes every edge. A protobuf connection carries no counters (`behaviour.md` §10), so an
edge whose nonce is a counter is known where a way of documented-era connections leads from its ends, and nowhere else.
An edge whose nonce is a time goes everywhere, while the clocks of the part are near each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nearnet.core.routing_table.edge import is_dated
from nearnet.sim.generations import AHEAD

if TYPE_CHECKING:
    from nearnet.keys import PeerId
    from nearnet.sim.node import SimNode

__all__ = ["Part", "components_of"]

_Pair = tuple["PeerId", "PeerId"]

_NEAR: Final = AHEAD - 15.0
"""Seconds by which the clocks of a part may differ, so that every edge is near enough to now for everybody: an edge
more than five minutes ahead is not taken, and a nonce may be a few seconds ahead of its maker's clock."""

_LONG_KNOWN: Final = 90.0
"""Seconds for which nothing has happened in a quiet network. An edge that is less than `AHEAD` minus this ahead of a
clock was near enough to it when it was told."""

_OLD: Final = 1700.0
"""Seconds of age of an edge that may have been dropped for it: half an hour, but for the latest pieces of work."""


class Part:
    """The nodes of a connected part, all up and at rest."""

    def __init__(self, nodes: list[SimNode]) -> None:
        self.nodes = nodes
        self._by_id = {node.id: node for node in nodes}
        ids = self._by_id
        links: dict[PeerId, list[PeerId]] = {}
        self._edges: dict[_Pair, int] = {}
        """The newest nonce of each pair that is connected, as its ends have it."""
        for node in nodes:
            peers = {peer_id: peer for peer_id, peer in node.core.peers.items() if peer_id in ids}
            links[node.id] = [peer_id for peer_id, peer in peers.items() if not peer.is_protobuf]
            for peer_id in peers:
                edge = node.core.table.get(node.id, peer_id)
                if edge is not None and edge.is_active:
                    self._edges[edge.key] = max(edge.nonce, self._edges.get(edge.key, 0))
        self._group = {peer: number for number, group in enumerate(components_of(links)) for peer in group}
        """Nodes of the same number are joined by documented-era connections."""
        walls = [node.now.wall for node in nodes if node.gate is None or node.gate.generation.dialect != "borsh"]
        self._walls = (min(walls), max(walls)) if walls else (0.0, 0.0)

    def can_take(self, node: SimNode, pair: _Pair, nonce: int) -> bool:
        """Return whether the active edge of a connected pair must have reached `node`."""
        if not is_dated(nonce):
            return self._group[node.id] == self._group[pair[0]]
        first, last = self._walls
        if last - first <= _NEAR:
            return True
        return nonce - first <= AHEAD - _LONG_KNOWN and last - nonce <= _OLD

    def wrong_about(self, node: SimNode) -> dict[_Pair, str]:
        """Return the pairs that `node` is wrong about, and how."""
        group, me = self._group, self._group[node.id]
        held: dict[_Pair, int] = {}
        wrong: dict[_Pair, str] = {}
        for edge in node.core.table.edges():
            a, b = pair = edge.key
            if not edge.is_active or a not in group or b not in group:
                continue
            held[pair] = edge.nonce
            # The end of a counter's link is told like the link itself: nobody else can know it.
            if pair not in self._edges and (is_dated(edge.nonce) or me in (group[a], group[b])):
                wrong[pair] = f"held with {edge.nonce}, but they are not connected"
        for pair, nonce in self._edges.items():
            if held.get(pair) != nonce and self.can_take(node, pair, nonce):
                wrong[pair] = f"{nonce} expected, {held.get(pair, 'nothing')} held"
        return wrong

    def has_way(self, node: SimNode, target: SimNode) -> bool:
        """Return whether a message of `node` must reach `target`: always, but where counters hide nodes from others.

        There a node may know a way that a node on it does not know: what goes that way is lost.
        """
        if len(set(self._group.values())) == 1 or all(map(is_dated, self._edges.values())):
            return True
        return self._leads(node.id, target.id, ())

    def _leads(self, start: PeerId, target: PeerId, way: tuple[PeerId, ...]) -> bool:
        """Return whether every next hop from `start`, and so on, leads to `target`; `way` is what lies behind."""
        if start == target:
            return True
        if start in way or start not in self._by_id:
            return False
        hops = self._by_id[start].core.table.next_hops(target)
        return bool(hops) and all(self._leads(hop, target, (*way, start)) for hop in hops)


def components_of(links: dict[PeerId, list[PeerId]]) -> list[list[PeerId]]:
    """The connected parts of a graph."""
    parts, seen = [], dict.fromkeys(links, False)
    for start in links:
        if seen[start]:
            continue
        seen[start] = True
        part = [start]
        for peer in part:
            for other in links[peer]:
                if not seen[other]:
                    seen[other] = True
                    part.append(other)
        parts.append(part)
    return parts
