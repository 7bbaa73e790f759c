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
from typing import TYPE_CHECKING, Any, NamedTuple

from nearnet.wire.edge_layout import is_active, pair_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nearnet.config.models import LimitsSection
    from nearnet.keys import PeerId
    from nearnet.wire.edge_bytes import Edge

__all__ = ["INTERVAL", "SWEEP", "TAKEN", "EdgeChange", "Graph", "History"]

INTERVAL = 10.0
"""Seconds from one sample to the next."""

SWEEP = 20_000
"""Slots of the table compared by one `look`: some 1 ms, 15 ms when all of them differ."""

TAKEN = 2000
"""Changes taken in by one `look`: some 5 ms. A larger table, and many changes at once, take several."""

_TOLD_OF_ONE = 200
"""Changes told of one peer."""


class EdgeChange(NamedTuple):
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
        mine: list[tuple[Edge, float]] = []
        others: list[tuple[Edge, float]] = []
        count = 0
        for edge, since in self._active():
            count += 1
            ends = pair_of(edge)
            group = mine if ends.startswith(self.me) or ends.endswith(self.me) else others
            if len(group) < self.most:
                group.append((edge, since))
        told = [*mine, *others][: self.most]
        numbers = {self.me: 0}
        first, second = [], []
        for edge, _ in told:
            peer0, peer1 = edge.key
            first.append(numbers.setdefault(peer0, len(numbers)))
            second.append(numbers.setdefault(peer1, len(numbers)))
        return {
            "seq": self.seq,
            "time": self.time,
            "peers": [str(peer) for peer in numbers],
            "first": first,
            "second": second,
            "since": [round(since, 1) for _, since in told],
            "left_out": count - len(told),
        }

    def _active(self) -> Iterator[tuple[Edge, float]]:
        """Edges that were active then, with their since. Of a changed one the oldest change tells how it was before."""
        before = {pair_of(change.edge): change for change in reversed(self.undo)}
        for edge, since in zip(self.edges, self.since, strict=True):
            if edge is not None and is_active(edge) and (not before or pair_of(edge) not in before):
                yield edge, since
        for change in before.values():
            if not change.active:
                yield change.edge, change.since


@dataclass(slots=True)
class _Sweep:
    """One moment's table, as far as it was compared, and as far as what differs was taken in."""

    slots: list[Edge | None]
    wall: float
    next: int = 0
    taken: int = 0
    changed: list[int] = field(default_factory=list)
    went: dict[bytes, float] = field(default_factory=dict)
    """Active edges that are no longer where they were: by their ends, from when they were active."""
    came: set[bytes] = field(default_factory=set)
    """Ends of the active edges that are where they were not."""


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

    def look(self, slots: Sequence[Edge | None], wall: float) -> bool:
        """Compare the next part of the table with what was last seen there; whether more of it is left.

        The table of one moment is compared to its end before the next is taken: an edge that leaves one slot and turns
        up in another meanwhile is not a change.
        """
        if self._sweep is None:
            grown = len(slots) - len(self._edges)
            self._edges.extend([None] * grown)
            self._since.extend([0.0] * grown)
            self._sweep = _Sweep(list(slots), wall)
        sweep = self._sweep
        self._compare(sweep)
        if sweep.next == len(self._edges):
            self._take(sweep)
            if sweep.taken == len(sweep.changed):
                self._sweep = None
        return self._sweep is not None

    def _compare(self, sweep: _Sweep) -> None:
        part = range(sweep.next, min(sweep.next + SWEEP, len(self._edges)))
        sweep.next = part.stop
        before = self._edges[part.start : part.stop]
        after = sweep.slots[part.start : part.stop]
        for slot in compress(part, map(is_not, before, after)):
            sweep.changed.append(slot)
            old, new = self._edges[slot], sweep.slots[slot]
            if old is not None and is_active(old):
                sweep.went[pair_of(old)] = self._since[slot]
            if new is not None and is_active(new):
                sweep.came.add(pair_of(new))

    def _take(self, sweep: _Sweep) -> None:
        some = sweep.changed[sweep.taken : sweep.taken + TAKEN]
        sweep.taken += len(some)
        for slot in some:
            old, new = self._edges[slot], sweep.slots[slot]
            since = self._since[slot]
            self._edges[slot] = new
            if old is not None and is_active(old) and pair_of(old) not in sweep.came:
                self._went += 1
                self._log(EdgeChange(sweep.wall, old, False, since))
            if new is not None and is_active(new):
                known = sweep.went.get(pair_of(new)) if sweep.went else None
                self._since[slot] = sweep.wall if known is None else known
                if known is None:
                    self._appeared += 1
                    self._log(EdgeChange(sweep.wall, new, True, sweep.wall))

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
