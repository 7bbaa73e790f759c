"""A running node, asked by its RPC: its peers, its bans, what it met lately."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nearnet.core.routing_table.edge import is_dated
from nearnet.errors import BadKey
from nearnet.keys import PeerId
from nearnet.tools.doctor.finding import Finding, fine, unknown, wrong
from nearnet.tools.rpc_client import RpcClient, RpcFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RunningNode"]

_REASONS = 3


@dataclass(frozen=True, slots=True)
class RunningNode:
    """What a node tells of itself."""

    rpc_addr: str
    status: dict[str, Any]
    peers: list[dict[str, Any]]
    bans: list[dict[str, Any]]
    events: list[dict[str, Any]]
    edges: list[dict[str, Any]]

    @classmethod
    def ask(cls, rpc_addr: str) -> RunningNode:
        """`NodeUnreachable` or `RpcFailed` when it does not tell."""
        rpc = RpcClient(rpc_addr)
        methods = ("status", "nearnet_peers", "nearnet_bans", "nearnet_events", "nearnet_edges")
        told = cls(rpc_addr, *(rpc.call(method) for method in methods))
        if not isinstance(told.status, dict) or "nearnet" not in told.status:
            raise RpcFailed(f"what answers at {rpc_addr} is no nearnet")
        return told

    @property
    def peer_id(self) -> str:
        """Who it is."""
        return str(self.status["node_public_key"])

    @property
    def banned(self) -> dict[PeerId, str]:
        """Whom it has banned, and why."""
        found = {}
        for ban in self.bans:
            try:
                found[PeerId.from_text(ban["peer_id"])] = str(ban["reason"])
            except BadKey:
                continue
        return found

    @property
    def told_nonces(self) -> list[int]:
        """Nonces of other peers' active edges that are times."""
        return [
            edge["nonce"]
            for edge in self.edges
            if edge["active"] and is_dated(edge["nonce"]) and self.peer_id not in (edge["peer0"], edge["peer1"])
        ]

    def listening(self) -> Finding:
        """Where it listens, by its own word."""
        addr = self.status["nearnet"]["addr"]
        if addr is None:
            return fine("listening", "it has no listener (network.addr): nobody can dial it")
        return fine("listening", f"it listens on {addr}")

    def reachable(self) -> Finding:
        """Whether anybody from outside has come in."""
        inbound = [peer["addr"] for peer in self.peers if peer["direction"] == "inbound"]
        if inbound:
            return fine("reachable", f"{len(inbound)} peers dialed this node, such as {inbound[0]}")
        advice = "forward the port of network.addr in the router, open it in the firewall; then wait for a dial"
        return unknown("reachable", "no peer has dialed this node by now", advice)

    def connections(self) -> Finding:
        """How many peers it has; without any, what became of its latest dials."""
        own, count = self.status["nearnet"], len(self.peers)
        seen = f"{count} peers of {own['known_peers']} known, {own['reachable']} in reach"
        if count:
            return fine("peers", seen)
        lately = [
            str(event.get("reason")) for event in self.events if event["kind"] in ("dial_failed", "handshake_failed")
        ]
        told = list(dict.fromkeys(reversed(lately)))[:_REASONS]
        why = f"; lately: {'; '.join(told)}" if told else "; it has not dialed anybody"
        return wrong("peers", seen + why, "the checks above say why; nearnet known lists whom it can dial")

    def protocol(self) -> Finding:
        """Whether the network moves on to protocol versions above this node's, by its own word."""
        watched = self.status["nearnet"].get("protocol")
        if watched is None:
            return unknown("protocol", "this node does not tell: it is of an earlier release")
        if watched["state"] == "ok":
            newest = watched["newest_announced"]
            seen = f"; the newest that any announced is {newest}" if newest else ""
            return fine("protocol", watched["sentence"] + seen)
        seen, _, advice = watched["sentence"].rpartition(": ")
        return wrong("protocol", seen, advice)

    def clock(self) -> Finding | None:
        """A finding when the node's clock is ahead of its peers', by its own word."""
        watched = self.status["nearnet"].get("clock")
        if watched is None or watched["state"] == "ok":
            return None
        seen, _, advice = watched["sentence"].rpartition("; ")
        return wrong("clock", seen, advice)

    def degraded(self) -> Iterable[Finding]:
        """A finding when a part of it does not work."""
        part = self.status["nearnet"]["degraded"]
        if part is not None:
            yield wrong("running", f"its {part} is degraded", "its log says why; room on the disk?")

    def uptime(self) -> Finding:
        """That it answers."""
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() - self.status["uptime_sec"]))
        return fine("running", f"{self.peer_id} answers at {self.rpc_addr}, up since {since}")
