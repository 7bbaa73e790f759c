"""What a scenario may expect. Each condition looks at cores through a `Stage`, so that it means the same in the
simulator and on real sockets."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nearnet.core.peer_manager.manager import PeerManager
    from nearnet.keys import PeerId
    from nearnet.sim.generations import Gate

__all__ = [
    "Accounts",
    "AllAgree",
    "AtLeastPeers",
    "Condition",
    "Connected",
    "Counts",
    "Dropped",
    "EdgeCount",
    "Events",
    "Heard",
    "HeightAtLeast",
    "NonceWithin",
    "NotConnected",
    "Open",
    "Peers",
    "Pings",
    "RoutedDrops",
    "Routes",
    "Silent",
    "Stage",
    "Validations",
    "routes",
]


class Stage(Protocol):
    """Where a scenario runs, as conditions see it."""

    def core(self, node: int) -> PeerManager | None:
        """The core of a node that is up."""

    def id(self, node: int) -> PeerId:
        """Its id."""

    def index(self, peer: PeerId) -> int | str:
        """Which node has this id; else a text."""

    def kinds(self, node: int) -> Mapping[str, int]:
        """How many events of each kind it has told."""

    def client(self, node: int) -> object:
        """Its client."""

    def gate(self, node: int) -> Gate | None:
        """The gate of a reference node of some year; None for a node of ours."""

    def wall(self, node: int) -> float:
        """Its wall clock."""

    def heard(self, client: str) -> list[str]:
        """What a raw client has received: names of messages, in order; ``closed`` at the end."""

    @property
    def count(self) -> int:
        """How many nodes there are."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that holds or does not."""

    def holds(self, stage: Stage) -> bool:
        """Whether it is so now."""
        raise NotImplementedError

    def seen(self, stage: Stage) -> object:
        """What is the case instead."""
        return None


@dataclass(frozen=True, slots=True)
class _Exactly(Condition):
    """What is counted at `node` is exactly `count`."""

    node: int
    count: int

    def holds(self, stage: Stage) -> bool:
        """Whether it is."""
        return self.seen(stage) == self.count


@dataclass(frozen=True, slots=True)
class _Pair(Condition):
    """What both ends say of a connection."""

    node: int
    other: int

    def _said(self, stage: Stage) -> list[bool | None]:
        """Whether each of them has it; None from one that is down."""
        ends = (stage.core(self.node), stage.id(self.other)), (stage.core(self.other), stage.id(self.node))
        return [None if core is None else other in core.peers for core, other in ends]


def routes(stage: Stage, node: int) -> dict[int | str, list[int | str]]:
    """A node's routing table by numbers: peer -> next hops."""
    core = stage.core(node)
    if core is None:
        return {}
    found = {peer: core.table.next_hops(peer) for peer in core.table.peers()}
    return {
        stage.index(peer): sorted((stage.index(hop) for hop in hops), key=str) for peer, hops in found.items() if hops
    }


@dataclass(frozen=True, slots=True)
class Routes(Condition):
    """The routing table of `node` is exactly this: peer -> next hops. ``Routes(0, {1: [1], 2: [1]})``."""

    node: int
    table: Mapping[int, list[int]]

    def holds(self, stage: Stage) -> bool:
        """Whether it is."""
        return self.seen(stage) == self.table

    def seen(self, stage: Stage) -> object:
        """What it is."""
        return routes(stage, self.node)


@dataclass(frozen=True, slots=True)
class Connected(_Pair):
    """Both ends of a connection are Ready."""

    def holds(self, stage: Stage) -> bool:
        """Whether both say so."""
        return self._said(stage) == [True, True]


@dataclass(frozen=True, slots=True)
class NotConnected(_Pair):
    """Neither end says that there is a connection."""

    def holds(self, stage: Stage) -> bool:
        """Whether neither does."""
        return True not in self._said(stage)


@dataclass(frozen=True, slots=True)
class Peers(_Exactly):
    """`node` has exactly so many peers."""

    def seen(self, stage: Stage) -> object:
        """How many it has."""
        core = stage.core(self.node)
        return None if core is None else len(core.peers)


@dataclass(frozen=True, slots=True)
class AtLeastPeers(Condition):
    """`node` has so many peers or more."""

    node: int
    count: int

    def holds(self, stage: Stage) -> bool:
        """Whether it has."""
        core = stage.core(self.node)
        return core is not None and len(core.peers) >= self.count


@dataclass(frozen=True, slots=True)
class Pings(Condition):
    """`node` was delivered exactly so many pings, and got so many pongs to its own."""

    node: int
    pings: int | None = None
    pongs: int | None = None

    def holds(self, stage: Stage) -> bool:
        """Whether both counts are right."""
        pings, pongs = self.seen(stage)
        return (self.pings is None or pings == self.pings) and (self.pongs is None or pongs == self.pongs)

    def seen(self, stage: Stage) -> tuple[int, int]:
        """Both counts. A pong to a ping with a nonce of one's own was not asked for by the core: it drops it."""
        core = stage.core(self.node)
        if core is None:
            return 0, 0
        unasked = core.routed.drops.get(("Pong", "Unsolicited"), 0)
        return core.routed.delivered.get("Ping", 0), core.routed.delivered.get("Pong", 0) + unasked


@dataclass(frozen=True, slots=True)
class Accounts(Condition):
    """`node` knows who serves these accounts: account -> node."""

    node: int
    served: tuple[tuple[str, int], ...]

    def holds(self, stage: Stage) -> bool:
        """Whether it does."""
        core = stage.core(self.node)
        return core is not None and all(core.announcements.owner(name) == stage.id(n) for name, n in self.served)


@dataclass(frozen=True, slots=True)
class Validations(_Exactly):
    """The client of `node` was asked to judge exactly so many announcements."""

    def seen(self, stage: Stage) -> object:
        """How many."""
        return getattr(stage.client(self.node), "validations", None)


@dataclass(frozen=True, slots=True)
class HeightAtLeast(Condition):
    """The highest Block that `node` knows has this number or a higher one."""

    node: int
    height: int

    def holds(self, stage: Stage) -> bool:
        """Whether it has."""
        return int(getattr(stage.client(self.node), "height", -1)) >= self.height

    def seen(self, stage: Stage) -> object:
        """Which."""
        return getattr(stage.client(self.node), "height", -1)


@dataclass(frozen=True, slots=True)
class Events(Condition):
    """`node` has told between `least` and `most` events of this kind."""

    node: int
    kind: str
    least: int = 0
    most: int | None = None

    def holds(self, stage: Stage) -> bool:
        """Whether it has."""
        count = stage.kinds(self.node).get(self.kind, 0)
        return self.least <= count and (self.most is None or count <= self.most)

    def seen(self, stage: Stage) -> object:
        """How many."""
        return stage.kinds(self.node).get(self.kind, 0)


@dataclass(frozen=True, slots=True)
class Counts(Condition):
    """A counter of `node`'s metrics is at most this."""

    node: int
    metric: str
    most: int
    label: str = ""

    def holds(self, stage: Stage) -> bool:
        """Whether it is."""
        return int(str(self.seen(stage))) <= self.most

    def seen(self, stage: Stage) -> object:
        """What it is; 0 for a node that is down."""
        core = stage.core(self.node)
        return 0 if core is None else core.context.counters.get((self.metric, self.label), 0)


@dataclass(frozen=True, slots=True)
class Dropped(Condition):
    """The gate of `node`, a reference node, has applied `rule` between `least` and `most` times (`generations.py`)."""

    node: int
    rule: str
    least: int = 0
    most: int | None = 0

    def holds(self, stage: Stage) -> bool:
        """Whether it has."""
        count = int(str(self.seen(stage)))
        return self.least <= count and (self.most is None or count <= self.most)

    def seen(self, stage: Stage) -> object:
        """How often it has."""
        gate = stage.gate(self.node)
        return 0 if gate is None else gate.total(self.rule)


@dataclass(frozen=True, slots=True)
class RoutedDrops(Condition):
    """`node` has dropped exactly so many routed messages with this body for this reason, of those it received."""

    node: int
    body: str
    reason: str
    count: int

    def holds(self, stage: Stage) -> bool:
        """Whether it has."""
        return self.seen(stage) == self.count

    def seen(self, stage: Stage) -> object:
        """How many it has dropped."""
        core = stage.core(self.node)
        return None if core is None else core.routed.drops.get((self.body, self.reason), 0)


@dataclass(frozen=True, slots=True)
class EdgeCount(_Exactly):
    """`node` holds exactly so many edges."""

    def seen(self, stage: Stage) -> object:
        """How many."""
        core = stage.core(self.node)
        return None if core is None else core.table.edge_count


@dataclass(frozen=True, slots=True)
class NonceWithin(Condition):
    """The edge of two nodes, as `node` holds it, has a nonce that is a time at most so many seconds old."""

    node: int
    one: int
    other: int
    seconds: float

    def holds(self, stage: Stage) -> bool:
        """Whether it has."""
        age = self.seen(stage)
        return isinstance(age, float) and -self.seconds <= age <= self.seconds

    def seen(self, stage: Stage) -> object:
        """Its age."""
        core = stage.core(self.node)
        edge = None if core is None else core.table.get(stage.id(self.one), stage.id(self.other))
        return None if edge is None or not edge.is_active else stage.wall(self.node) - edge.nonce


@dataclass(frozen=True, slots=True)
class AllAgree(Condition):
    """All nodes that are up hold the same edges, and reach each other."""

    def holds(self, stage: Stage) -> bool:
        """Whether they do."""
        cores = [core for core in map(stage.core, range(stage.count)) if core is not None]
        first = cores[0].table
        counts = (first.edge_count, first.active_count, len(cores) - 1)
        for core in cores:
            table = core.table
            if (table.edge_count, table.active_count) != counts[:2] or table.reachable_count < counts[2]:
                return False
        edges = {(edge.key, edge.nonce) for edge in first.edges()}
        return all({(edge.key, edge.nonce) for edge in core.table.edges()} == edges for core in cores[1:])


@dataclass(frozen=True, slots=True)
class Open(_Exactly):
    """`node` has exactly so many connections, pending ones too."""

    def seen(self, stage: Stage) -> object:
        """How many."""
        core = stage.core(self.node)
        return None if core is None else len(core.context.connections)


@dataclass(frozen=True, slots=True, init=False)
class Heard(Condition):
    """A raw client has received these messages in this order, others between them; ``closed`` is the end.

    Names may be patterns: ``Routed*``.
    """

    client: str
    names: tuple[str, ...]

    def __init__(self, client: str, *names: str) -> None:
        object.__setattr__(self, "client", client)
        object.__setattr__(self, "names", names)

    def holds(self, stage: Stage) -> bool:
        """Whether it has."""
        rest = iter(stage.heard(self.client))
        return all(any(fnmatchcase(heard, name) for heard in rest) for name in self.names)

    def seen(self, stage: Stage) -> object:
        """What it has received."""
        return stage.heard(self.client)


@dataclass(frozen=True, slots=True)
class Silent(Condition):
    """A raw client has received no message of this name (or pattern; without a name, none at all)."""

    client: str
    name: str = ""

    def holds(self, stage: Stage) -> bool:
        """Whether that is so."""
        heard = stage.heard(self.client)
        if self.name:
            return not any(fnmatchcase(name, self.name) for name in heard)
        return not [name for name in heard if name != "closed"]

    def seen(self, stage: Stage) -> object:
        """What it has received."""
        return stage.heard(self.client)
