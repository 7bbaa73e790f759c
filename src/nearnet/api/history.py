"""The last hour of one node, bounded: samples of its counters, and every edge that appeared or went (`cli.md`).

Nothing here reads a clock or a node; `history_recorder.py` does. The graph at a past moment is the graph now with the
changes since then undone, newest first.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field
from itertools import compress, islice
from operator import is_not
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nearnet.config.models import LimitsSection
    from nearnet.keys import PeerId
    from nearnet.wire.edge_bytes import Edge

__all__ = ["INTERVAL", "SWEEP", "EdgeChange", "Graph", "History"]

INTERVAL = 10.0
"""Seconds from one sample to the next."""

SWEEP = 50_000
"""Slots of the table compared by one `look`: some 2 ms. A larger table is compared in parts, one a second."""

_TOLD_OF_ONE = 200
"""Changes told of one peer."""

_Key = tuple["PeerId", "PeerId"]


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """An active edge appeared at `time`, or went: by a removal, or out of the table."""

    time: float
    edge: Edge
    active: bool
    since: float
    """From when it was active."""

    def as_dict(self) -> dict[str, Any]:
        """As the RPC tells it."""
        peer0, peer1 = self.edge.key
        return {"time": self.time, "peer0": str(peer0), "peer1": str(peer1), "active": self.active}


@dataclass(frozen=True, slots=True)
class Graph:
    """What is needed to tell the graph at one moment; its own copy, so that another thread may work on it."""

    me: PeerId
    seq: int
    time: float
    most: int
    """Edges told at most."""
    edges: Sequence[Edge | None]
    since: Sequence[float]
    undo: Sequence[EdgeChange]
    """Oldest first."""

    def as_dict(self) -> dict[str, Any]:
        """Peers once, edges as three columns: numbers of both peers, and since when. We are 0; our own edges first."""
        me, numbers = self.me, {self.me: 0}
        active = self._active()
        told = sorted(active, key=lambda key: me not in key) if len(active) > self.most else list(active)
        first, second = [], []
        for peer0, peer1 in told[: self.most]:
            first.append(numbers.setdefault(peer0, len(numbers)))
            second.append(numbers.setdefault(peer1, len(numbers)))
        return {
            "seq": self.seq,
            "time": self.time,
            "peers": [str(peer) for peer in numbers],
            "first": first,
            "second": second,
            "since": [round(active[key], 1) for key in told[: self.most]],
            "left_out": max(0, len(told) - self.most),
        }

    def _active(self) -> dict[_Key, float]:
        held = zip(self.edges, self.since, strict=True)
        active = {edge.key: since for edge, since in held if edge is not None and edge.is_active}
        for change in reversed(self.undo):
            if change.active:
                active.pop(change.edge.key, None)
            else:
                active[change.edge.key] = change.since
        return active


@dataclass(slots=True)
class _Sweep:
    """One moment's table, as far as it was compared."""

    slots: list[Edge | None]
    wall: float
    next: int = 0
    changed: list[int] = field(default_factory=list)


class History:
    """Memory: see docs/limits.md. `started` in unix seconds."""

    def __init__(self, me: PeerId, limits: LimitsSection, started: float) -> None:
        self._me = me
        self._limits = limits
        self._samples: deque[dict[str, Any]] = deque(maxlen=limits.history_samples)
        self._changes: deque[EdgeChange] = deque(maxlen=limits.history_edge_changes)
        self._known_from = started
        """Since when no change is missing."""
        self._edges: list[Edge | None] = []
        self._since = array("d")
        self._sweep: _Sweep | None = None
        self.seq = 0
        """Changes seen, ever."""
        self._appeared = self._went = 0

    # --- taking in ---------------------------------------------------------------------------------

    def look(self, slots: Sequence[Edge | None], wall: float) -> None:
        """Compare the next part of the table with what was last seen there.

        The table of one moment is compared to its end before the next is taken: an edge that leaves one slot and turns
        up in another meanwhile is not a change.
        """
        if self._sweep is None:
            grown = len(slots) - len(self._edges)
            self._edges.extend([None] * grown)
            self._since.extend([0.0] * grown)
            self._sweep = _Sweep(list(slots), wall)
        sweep, seen = self._sweep, self._edges
        part = range(sweep.next, min(sweep.next + SWEEP, len(seen)))
        differs = map(is_not, seen[part.start : part.stop], sweep.slots[part.start : part.stop])
        sweep.changed.extend(compress(part, differs))
        sweep.next = part.stop
        if part.stop == len(seen):
            self._sweep = None
            self._take(sweep)

    def _take(self, sweep: _Sweep) -> None:
        went: dict[_Key, tuple[Edge, float]] = {}
        came: dict[_Key, tuple[Edge, int]] = {}
        for slot in sweep.changed:
            before, after = self._edges[slot], sweep.slots[slot]
            self._edges[slot] = after
            if before is not None and before.is_active:
                went[before.key] = before, self._since[slot]
            if after is not None and after.is_active:
                came[after.key] = after, slot
        for key, (edge, since) in went.items():
            if key not in came:
                self._went += 1
                self._log(EdgeChange(sweep.wall, edge, False, since))
        for key, (edge, slot) in came.items():
            self._since[slot] = went[key][1] if key in went else sweep.wall
            if key not in went:
                self._appeared += 1
                self._log(EdgeChange(sweep.wall, edge, True, sweep.wall))

    def _log(self, change: EdgeChange) -> None:
        self.seq += 1
        if len(self._changes) == self._changes.maxlen:
            self._known_from = self._changes[0].time
        self._changes.append(change)

    def add_sample(self, sample: Mapping[str, Any]) -> None:
        """One more sample; its `time` in unix seconds. The oldest leaves when there is no room."""
        self._samples.append(dict(sample))

    def take_counts(self) -> tuple[int, int]:
        """How many edges appeared, and how many went, since the last call."""
        counts = self._appeared, self._went
        self._appeared = self._went = 0
        return counts

    # --- telling -----------------------------------------------------------------------------------

    def told(self, start: float | None, end: float | None) -> dict[str, Any]:
        """`nearnet_history`: samples from `start` to `end`, both included; None for no bound."""
        chosen = [
            sample
            for sample in self._samples
            if (start is None or sample["time"] >= start) and (end is None or sample["time"] <= end)
        ]
        return {"interval": INTERVAL, "graph_from": self._known_from, "samples": chosen}

    def changes_of(self, peer: PeerId) -> list[dict[str, Any]]:
        """The last edges of one peer that appeared or went, oldest first."""
        found = (
            change for change in reversed(self._changes) if change.edge.find(peer) >= 0 and peer in change.edge.key
        )
        return [change.as_dict() for change in islice(found, _TOLD_OF_ONE)][::-1]

    def changes_since(self, seq: int, wall: float) -> dict[str, Any] | None:
        """`nearnet_graph {since}`: what changed after `seq`; None when that is too long ago, or never was."""
        missing = self.seq - seq
        if not 0 <= missing <= min(len(self._changes), self._limits.graph_edges_told):
            return None
        changes = _last(self._changes, missing)
        return {"seq": self.seq, "time": wall, "changes": [change.as_dict() for change in changes]}

    def graph(self, wall: float, at: float | None = None) -> Graph:
        """The graph now, or `at` a moment, as far back as every change since then is known."""
        when = wall if at is None else min(max(at, self._known_from), wall)
        later = []
        if at is not None:
            for change in reversed(self._changes):
                if change.time <= when:
                    break
                later.append(change)
        undo = later[::-1]
        most = self._limits.graph_edges_told
        return Graph(self._me, self.seq - len(undo), when, most, self._edges[:], self._since[:], undo)


def _last(changes: deque[EdgeChange], count: int) -> list[EdgeChange]:
    return list(islice(reversed(changes), count))[::-1]
