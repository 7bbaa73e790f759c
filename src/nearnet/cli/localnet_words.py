"""The events of a local network in words, for people at a terminal or in a log."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["WIDEST_TABLE", "Words", "drawing"]

WIDEST_TABLE = 12
"""Nodes up to which the routes are shown as a table."""

_BOLD, _GREEN, _RED, _DIM = "1", "32", "31", "2"


class Words:
    """Prints each event; colours only on a terminal, and not with ``NO_COLOR``."""

    def __init__(self) -> None:
        self._colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._nodes = 0
        self._routes: dict[int, dict[int, dict[str, Any]]] = {}

    def tell(self, event: dict[str, Any]) -> None:
        """One event of `Localnet`."""
        for line in self._lines(event):
            print(line, flush=True)

    def _paint(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours else text

    def _lines(self, event: dict[str, Any]) -> Iterator[str]:
        at = self._paint(_DIM, f"{event['seconds']:7.2f} s  ")
        match event["event"]:
            case "planned":
                yield from self._planned(event)
            case "started":
                where = f"p2p {event['addr']}  RPC {event['rpc_addr']}  process {event['pid']}"
                yield f"{at}node{event['node']} listens  {where}  {_short(event['peer_id'])}"
            case "connected":
                low, high = event["nodes"]
                yield f"{at}node{high} and node{low} shook hands in {event['dialect']}: a new edge, signed by both"
            case "disconnected":
                low, high = event["nodes"]
                yield f"{at}{self._paint(_RED, f'node{high} and node{low} are no longer connected')}"
            case "ended":
                ended = self._paint(_RED, f"node{event['node']} ended")
                yield f"{at}{ended}, exit code {event['code']}"
            case "edges":
                yield f"{at}node{event['node']} knows {event['edges']} of {event['of']} edges"
            case "formed":
                yield f"{at}{self._paint(_GREEN, 'all nodes hold the same graph')}"
            case "routes":
                yield from self._routes_of(event)
            case "pinging":
                yield from self._pinging(event)
            case "ping":
                yield f"{at}{self._ping(event)}"
            case "running":
                yield from self._running(event)
            case "stopped":
                yield f"{at}all nodes stopped"

    def _planned(self, event: dict[str, Any]) -> Iterator[str]:
        self._nodes = event["nodes"]
        several = "node" if event["nodes"] == 1 else "nodes"
        shape = f"A network of {event['nodes']} {several}, each a process with its own key, store and ports"
        yield self._paint(_BOLD, f"{shape}: {event['topology']}")
        yield ""
        yield from (f"  {line}" for line in drawing(event["topology"], event["nodes"], event["links"]))
        yield ""

    def _routes_of(self, event: dict[str, Any]) -> Iterator[str]:
        """The whole table once the last node's are there."""
        self._routes[event["node"]] = event["routes"]
        if len(self._routes) < self._nodes:
            return
        yield ""
        if self._nodes > WIDEST_TABLE:
            farthest = max(way["distance"] for routes in self._routes.values() for way in routes.values())
            yield f"Every node has a way to every other; the farthest are {farthest} hops apart."
            return
        yield self._paint(_BOLD, "Routes: hops, and through which neighbors")
        yield ""
        cells = [["from \\ to", *(f"node{to}" for to in range(self._nodes))]]
        for start in range(self._nodes):
            ways = (self._routes[start].get(to) for to in range(self._nodes))
            cells.append([f"node{start}", *(_way(way) for way in ways)])
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

    def _pinging(self, event: dict[str, Any]) -> Iterator[str]:
        steps = (" or ".join(f"node{one}" for one in step) for step in event["way"])
        yield ""
        heading = f"A ping across the longest route, from node{event['source']} to node{event['target']}"
        yield self._paint(_BOLD, heading)
        yield ""
        yield "  " + " → ".join(steps)
        yield ""

    def _ping(self, event: dict[str, Any]) -> str:
        if not event["ok"]:
            return self._paint(_RED, f"no pong from node{event['target']}: {event['reason']}")
        hops = "1 hop" if event["hops"] == 1 else f"{event['hops']} hops"
        answer = self._paint(_GREEN, f"pong from node{event['target']}")
        return f"{answer} over {hops} in {event['milliseconds']:.1f} ms"

    def _running(self, event: dict[str, Any]) -> Iterator[str]:
        address = event["rpc_addrs"][0]
        until = "until Ctrl-C" if event["duration"] is None else f"for {event['duration']:g} s, or until Ctrl-C"
        yield ""
        yield self._paint(_BOLD, f"The network runs {until}. Ask any of its nodes, for example:")
        yield ""
        for verb in ("status", "peers", "edges", "routes"):
            yield f"  nearnet {verb} --rpc-addr {address}"
        yield ""


def drawing(topology: str, nodes: int, pairs: Sequence[Sequence[int]]) -> list[str]:
    """Lines that show who is linked to whom: a line as a line, else each node with its neighbors."""
    if topology == "line" and nodes <= WIDEST_TABLE:
        return [" ── ".join(f"node{number}" for number in range(nodes))]
    near: dict[int, list[int]] = {number: [] for number in range(nodes)}
    for low, high in pairs:
        near[low].append(high)
        near[high].append(low)
    return [f"node{one} ── {', '.join(f'node{other}' for other in sorted(others))}" for one, others in near.items()]


def _way(way: dict[str, Any] | None) -> str:
    if way is None:
        return "·"
    if way["distance"] == 1:
        return "1"
    return f"{way['distance']} by {'|'.join(map(str, way['next_hops']))}"


def _short(peer_id: str) -> str:
    """Key type and the first letters: enough to recognise it."""
    kind, _, text = peer_id.partition(":")
    return f"{kind}:{text[:6]}.."
