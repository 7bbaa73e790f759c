"""How much a core may hold: every collection in it, found by walking through it, has few entries or a bound here.

A new cache cannot be forgotten: the first scenario that fills it is told its name (`threats.md`, limits).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from nearnet.core.gossip.exchange import EDGES_AT_ONCE, EDGES_IN_PROGRESS
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.routing_table.edge_table import LATEST
from nearnet.core.runtime.limits import LruDict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nearnet.config import NetworkConfig

__all__ = ["FEW", "bounds", "holdings", "over"]

FEW = 300
"""Entries that need no bound of their own: one for each connection, each kind of message, each limit, .."""

_COLLECTIONS = (dict, list, tuple, set, frozenset, deque)
_ASIDE = ("nearnet.config", "nearnet.keys", "nearnet.sim", "nearnet.store", "nearnet.client")
"""What is no part of the core's own state."""
_Slots = tuple[tuple[str, str], ...]
"""Name and ``Class.name`` of each."""

_SINGLE = {bool, bytes, float, int, str, type(None)}
"""What holds nothing."""


def bounds(config: NetworkConfig) -> dict[str, int]:
    """Entries by ``Class.attribute``, ``[]`` for what lies in it; an `LruDict` has its own."""
    limits, timing = config.nearnet.limits, config.nearnet.timing
    edges, peers = limits.edges_total, limits.graph_peers
    known = limits.known_peers + config.network.max_num_peers + len(config.network.boot_nodes)
    on_their_way = EDGES_IN_PROGRESS + EDGES_AT_ONCE
    by_edge = ("EdgeTable.slots", "EdgeTable._free_slots", "Gossip._edges[]", "Peer.missed", "RoutingTable._restored")
    by_peer = (
        "EdgeTable._free_peers",
        "EdgeTable._leaving",
        "EdgeTable._left",
        "EdgeTable.index",
        "EdgeTable.peers",
        "Routes.unreachable",
        "Routes._cache",
        "RoutingTable._hops",
        "RoutingTable._unreachable_since",
    )
    return {
        **dict.fromkeys(by_edge, edges),
        **dict.fromkeys(by_peer, peers),
        "EdgeIntake._tellers": on_their_way,
        "EdgeTable.latest": LATEST,
        "Gossip._news[]": limits.announcements,
        "Journal._rows": known + limits.announcements,  # of one input
        "LoopGuard._old": 32_768,
        "LoopGuard._young": 32_768,
        "Peer.routed_cache": timing.routed_message_cache_size,
        "PeerTable._by_address": known,
        "PeerTable._peers": known,
        "PeerTable._untried[]": known,  # `per_source_group`, but for those that no peer told us of
        "PeerTable.banned": known,
        "PeerStore._told": known,
        "PeersResponse.peers": config.network.max_send_peers,
        "RouteBack._entries": limits.route_back_entries,
        "RouteBack._held[]": limits.route_back_entries,
        "TableExchange._incoming[][]": limits.edges_per_message_received,
        "TableExchange._validated": on_their_way,
        "Timers._heap": 64 * (config.network.max_num_peers + limits.pending_connections),
    }


def over(core: PeerManager) -> list[tuple[str, int, int]]:
    """Name, size and bound of each collection that holds more than it may."""
    return [(name, size, most) for name, size, most in holdings(core) if size > most]


def holdings(core: PeerManager) -> Iterator[tuple[str, int, int]]:
    """Name, size and bound of each collection."""
    allowed = bounds(core.config)
    seen: dict[int, None] = {}
    kinds: dict[type, _Slots] = {}
    waiting: list[tuple[str, Any]] = [("PeerManager", core)]
    while waiting:
        name, thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = None
        if isinstance(thing, _COLLECTIONS):
            yield name, len(thing), allowed.get(name, FEW)
            if len(thing) <= FEW:
                inside = f"{name}[]"
                values = thing.values() if isinstance(thing, dict) else thing
                waiting.extend((inside, value) for value in values if type(value) not in _SINGLE)
        elif isinstance(thing, LruDict):
            yield name, len(thing), thing.capacity
        else:
            waiting.extend(_parts(thing, kinds))


def _parts(thing: object, kinds: dict[type, _Slots]) -> Iterator[tuple[str, object]]:
    """Attributes of what is the core's own, in slots or compiled or neither, by ``Class.attribute``.

    `kinds`: those of the classes met so far.
    """
    kind = type(thing)
    slots = kinds.get(kind)
    if slots is None:
        slots = kinds[kind] = _slots(kind) if _is_own(kind) else ()
    for name, label in slots:
        value = getattr(thing, name, None)
        if type(value) not in _SINGLE:
            yield label, value
    if hasattr(thing, "__dict__") and _is_own(kind):
        yield from ((f"{kind.__name__}.{name}", value) for name, value in vars(thing).items())


def _is_own(kind: type) -> bool:
    return kind.__module__.startswith("nearnet.") and not kind.__module__.startswith(_ASIDE)


def _slots(kind: type) -> _Slots:
    slots = [one.__dict__.get("__slots__", one.__dict__.get("__mypyc_attrs__", ())) for one in kind.__mro__]
    names = [name for some in slots for name in ((some,) if isinstance(some, str) else some)]
    return tuple((name, f"{kind.__name__}.{name}") for name in names)
