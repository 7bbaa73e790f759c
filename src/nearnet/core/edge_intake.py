"""Edges on their way from a peer to the routing table (document §8.2 to §8.5).

Not newer than known: dropped without crypto. The rest goes to the EdgeValidator. An edge whose very bytes are already
with it, or wait to be taken into the table, is not checked again: its later tellers are remembered, share the outcome,
and are not told it back. A teller is a connection, not a peer: who comes back may have forgotten what it told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nearnet.core.actions import Verdict, Verify
from nearnet.core.edge import EdgeCheck
from nearnet.wire.edge_layout import ends_of, has_ml_dsa, is_active

if TYPE_CHECKING:
    from nearnet.core.peer import Peer
    from nearnet.core.routing_table import RoutingTable
    from nearnet.wire.edge_bytes import Edge

__all__ = ["EdgeIntake"]


class EdgeIntake:
    """Keeps what is being verified, or waits for its turn after that, by whom it was told."""

    __slots__ = ("_next_id", "_requests", "_tellers", "table", "verified_count")

    def __init__(self, table: RoutingTable) -> None:
        self.table = table
        self._next_id = 0
        self._requests: dict[int, tuple[Peer, tuple[EdgeCheck, ...]]] = {}
        self._tellers: dict[Edge, tuple[Peer, ...]] = {}
        self.verified_count = 0
        """Signature checks asked for since the start (`threats.md` rows 31, 35)."""

    @property
    def in_progress(self) -> int:
        """Edges with the EdgeValidator, or right and not yet `taken`."""
        return len(self._tellers)

    def split_echoes(self, edges: Sequence[Edge]) -> tuple[list[Edge], list[Edge]]:
        """Those that may be new, and the echoes: taken lately, and held byte for byte.

        Each neighbour tells what is new, all but the first in vain; a look by the bytes costs a tenth of one by ids.
        """
        latest = self.table.latest
        unheard = [edge for edge in edges if edge not in latest]
        return unheard, [] if len(unheard) == len(edges) else [edge for edge in edges if edge in latest]

    def offer(self, edges: Iterable[Edge], source: Peer) -> Verify | None:
        """What of these is to be verified; None when nothing is."""
        unmet: list[Edge] = []
        for edge in edges:
            tellers = self._tellers.get(edge)
            if tellers is None:
                unmet.append(edge)
            elif source not in tellers:
                self._tellers[edge] = (*tellers, source)
        checks: list[EdgeCheck] = []
        alone = (source,)
        for edge in self.table.select_new(unmet, source.ready_id):
            self._tellers[edge] = alone
            checks.append(self._check(edge))
        return self._request(source, checks)

    def verified(self, verdict: Verdict) -> tuple[list[Edge], list[Peer], list[Verify]]:
        """The EdgeValidator's answer: valid edges, who forged, and what must be asked again.

        The tellers of a valid edge may become more until it is `taken`.

        After a forgery nothing of that teller's list is used (document §8.4); what others had told too is asked again
        in their name.
        """
        source, checks = self._requests.pop(verdict.id)
        valid: list[Edge] = []
        forgers: list[Peer] = []
        for check, outcome in zip(checks, verdict.outcomes, strict=False):
            if outcome == "valid":
                valid.append(check.edge)
                continue
            tellers = self._tellers.pop(check.edge)
            if has_ml_dsa(check.edge):
                for teller in tellers:
                    teller.refused_ml_dsa += 1
            if outcome == "forged":
                forgers.extend(tellers)
        again: dict[Peer, list[EdgeCheck]] = {}
        for check in checks[len(verdict.outcomes) :]:
            others = tuple(teller for teller in self._tellers.pop(check.edge) if teller != source)
            if others:
                self._tellers[check.edge] = others
                again.setdefault(others[0], []).append(check)
        requests = [self._request(teller, list(rest)) for teller, rest in again.items()]
        return valid, forgers, [request for request in requests if request is not None]

    def taken(self, edge: Edge) -> tuple[Peer, ...]:
        """Who told a valid edge that goes into the table now: told again, it is known there."""
        return self._tellers.pop(edge)

    def _check(self, edge: Edge) -> EdgeCheck:
        check = EdgeCheck(edge, None if is_active(edge) else self.table.get(*ends_of(edge)))
        self.verified_count += check.signature_count
        return check

    def _request(self, source: Peer, checks: list[EdgeCheck]) -> Verify | None:
        if not checks:
            return None
        self._next_id += 1
        self._requests[self._next_id] = (source, tuple(checks))
        return Verify(self._next_id, tuple(checks))
