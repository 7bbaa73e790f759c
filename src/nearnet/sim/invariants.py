"""What must be so in every world: of a node after each of its events, of the whole network once it is quiet.

Each broken one is an `InvariantBroken` that names it first, so that a failing timeline can be made shorter without
becoming another failure.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING

from nearnet.core.peer.handshake_table import PeerState
from nearnet.core.peer_manager.known_peers import PeerStatus, decode_known_peer
from nearnet.core.routing_table.components import Components
from nearnet.core.routing_table.edge import is_dated
from nearnet.errors import ReasonForBan
from nearnet.sim.bounds import over
from nearnet.sim.generations import OUR_DUTY
from nearnet.sim.knowledge import Part, components_of
from nearnet.store.base import ACCOUNT_ANNOUNCEMENTS, PEERS

if TYPE_CHECKING:
    from nearnet.keys import PeerId
    from nearnet.sim.generations import Gate
    from nearnet.sim.node import SimNode
    from nearnet.sim.world import World

__all__ = ["BUSY_PER_MINUTE", "WRONG_FOR", "InvariantBroken", "Invariants", "next_hops_by_search"]

BUSY_PER_MINUTE = 60.0
"""Messages that a node may send a neighbor in a minute in which nothing changes: a few pings and requests."""


WRONG_FOR = 8.0
"""Seconds for which an edge of ours may be wrong: 6 s of grace (`behaviour.md` §3), a second look, late timers."""

_READY = PeerState.READY
_ANSWERED_WITHIN = 10.0
_LOOK_EVERY = 1.0
_MANY = 100
_WALK_EVERY = 1000
"""Events from one look at all that a node holds to the next."""


class InvariantBroken(AssertionError):
    """`name` is the invariant's, the text says who broke it and how."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name


class Invariants:
    """Looks at one world."""

    def __init__(self, world: World, hostile: bool = False) -> None:
        self._world = world
        self._hostile = hostile
        self.allowed_bans: dict[tuple[str, PeerId], None] = {}
        """(name of who bans, whom) by command: these are right."""
        self.checks = 0
        self._looked: dict[str, float] = {}
        """By name of a node: when its edges were looked at."""
        self._wrong_since: dict[str, dict[PeerId, float]] = {}
        self._had: dict[PeerId, SimNode] = {}
        """By id that it has, or had before it came back with another key."""
        self._gates: dict[str, int] = {}
        """By name of a reference node: changes of its gate's counts that were looked at."""
        self._runs: dict[str, int] = {}
        """By name of a node: its last start that was looked at."""

    # --- one node, after each of its events ------------------------------------------------------

    def touched(self, node: SimNode) -> None:
        """Look at what can be wrong in one node."""
        if not node.up:
            return
        due, new = self._is_due(node), self._runs.get(node.name) != node.runs
        if not due and not new and len(self._world.nodes) > _MANY:
            return
        self.checks += 1
        core, context = node.core, node.core.context
        limits = node.config.nearnet.limits
        most = node.config.network.max_num_peers + limits.pending_connections
        if len(context.connections) > most + 8:  # Dials of ours may come on top.
            raise InvariantBroken("sockets", f"{node} has {len(context.connections)} connections, {most} are allowed")
        if len(core.peer_store) > limits.known_peers + len(core.peers):
            raise InvariantBroken("known peers", f"{node} knows {len(core.peer_store)} peers")
        if core.table.edge_count > limits.edges_total or core.table.peer_count > limits.graph_peers:
            raise InvariantBroken("edges", f"{node} holds {core.table.edge_count} edges")
        if core.next_timer() is None and not node.stopping:
            raise InvariantBroken("timers", f"{node} will never look for peers again")
        for peer_id, peer in core.peers.items():
            if peer.state is not _READY or peer.peer_id != peer_id:
                raise InvariantBroken("ready peers", f"{node} counts {peer} as Ready")
        self._queues(node, limits.queue_bytes, limits.queues_bytes)
        if new:
            self._runs[node.name] = node.runs
            self._had[node.id] = node
            self._read_back(node)
        if node.kinds.get("banned"):
            self._bans(node)
        if node.gate is not None and node.gate.changes != self._gates.get(node.name, 0):
            self._duties(node, node.gate)
        if due:
            self._edges_in_time(node)
        if self.checks % _WALK_EVERY == 0:
            self._bounds(node)

    def _queues(self, node: SimNode, most: int, most_together: int) -> None:
        """What waits for one peer, and for all: looked at so often that the peer's own sum would cost as much again."""
        together = 0
        for peer in node.core.context.connections.values():
            queued = peer.out_bytes + peer.unsent
            together += queued
            if queued > most:
                raise InvariantBroken("send queue", f"{node} has {queued} bytes for {peer}")
        if together > most_together:
            raise InvariantBroken("send queues", f"{node} has too much for all its peers together")

    def _read_back(self, node: SimNode) -> None:
        """After a start memory has what the disk holds: known peers, bans that are not over, announcements."""
        core, rows, wall = node.core, node.disk.rows, node.now.wall
        network, limits = node.config.network, node.config.nearnet.limits
        states = [decode_known_peer(row) for _, row in rows.items(PEERS)]
        for state in states if len(states) <= limits.known_peers else ():
            peer_id, ban = state.peer_info.id, state.ban
            lasts = ban is not None and ban.time_ns / 1e9 + network.ban_window > wall + 1.0
            if lasts and not core.peer_store.is_banned(peer_id):
                raise InvariantBroken("read back", f"{node} has forgotten that it banned {self._name(peer_id)}")
            is_old = wall - state.last_seen / 1e9 > network.peer_expiration_duration - 1.0
            if core.peer_store.get(peer_id) is None and not is_old and peer_id != node.id:
                raise InvariantBroken("read back", f"{node} has forgotten {self._name(peer_id)}")
        accounts = [key.decode() for key, _ in rows.items(ACCOUNT_ANNOUNCEMENTS)]
        held = {one.account_id for one in core.announcements.all()}
        if len(accounts) <= limits.announcements and not held.issuperset(accounts):
            raise InvariantBroken("read back", f"{node} has forgotten {sorted(set(accounts) - held)}")

    def _bounds(self, node: SimNode) -> None:
        for name, size, most in over(node.core):
            raise InvariantBroken("bounds", f"{node} has {size} entries in {name}, {most} are allowed")

    def _is_due(self, node: SimNode) -> bool:
        """Once a second: what takes longer, and all of it among many nodes."""
        time = self._world.time
        if time - self._looked.get(node.name, -_LOOK_EVERY) < _LOOK_EVERY:
            return False
        self._looked[node.name] = time
        return True

    def _edges_in_time(self, node: SimNode) -> None:
        """No edge of ours says for longer than `WRONG_FOR` what is not so."""
        time, me = self._world.time, node.id
        before, wrong = self._wrong_since.get(node.name, {}), {}
        for edge in node.core.table.edges_of(me):
            other = edge.other(me)
            if edge.is_active != (other in node.core.peers):
                wrong[other] = max(before.get(other, time), node.awake_since)
                if time - wrong[other] > WRONG_FOR:
                    raise InvariantBroken("edges in time", f"{node} is wrong about {self._name(other)} for long")
        self._wrong_since[node.name] = wrong

    def _bans(self, node: SimNode) -> None:
        """Nobody banned is connected, bans are on the disk once nothing waits to be written, and none is wrong."""
        for peer in node.core.peer_store.bans():
            name, row = self._name(peer.id), node.disk.rows.get(PEERS, peer.id)
            if peer.id in node.core.peers:
                raise InvariantBroken("bans kept", f"{node} is connected to {name}, whom it banned")
            if not node.writer.overlay.pending_count and (row is None or decode_known_peer(row).ban is None):
                raise InvariantBroken("bans stored", f"{node} has not stored that it banned {name}")
            reason = "" if peer.ban is None else peer.ban.reason.label
            allowed = self._hostile or (node.name, peer.id) in self.allowed_bans
            if not allowed and not self._is_between_years(node, peer.id, reason):
                raise InvariantBroken("bans", f"{node} banned {name}, who is honest: {reason}")

    def _is_between_years(self, node: SimNode, peer_id: PeerId, reason: str) -> bool:
        """Return whether a node of 2026 has banned one of 2025 for a forged message that it passed on.

        That is what such nodes do to each other (`network-2026.md` §2). Neither has a node of ours between them.
        """
        if node.gate is None or not node.gate.generation.limits or reason != ReasonForBan.INVALID_SIGNATURE.label:
            return False
        banned = self._had.get(peer_id)
        return banned is not None and banned.gate is not None and not banned.gate.generation.verifies_tier1

    def _duties(self, node: SimNode, gate: Gate) -> None:
        """No reference node has dropped, for our node's fault, what a node of ours sent it."""
        self._gates[node.name] = gate.changes
        for rule, kind, sender in gate.counts:
            who = None if sender is None else self._had.get(sender)
            if rule in OUR_DUTY and who is not None and who.is_ours:
                raise InvariantBroken("within limits", f"{node} refused a {kind} of {who}: {rule}")

    def _name(self, peer: PeerId) -> str:
        return next((node.name for node in self._world.nodes if node.id == peer), str(peer))

    # --- the network, once it is quiet -----------------------------------------------------------

    def quiet(self) -> None:
        """Look at the whole network; only when nothing has changed for some 20 seconds."""
        nodes = [node for node in self._world.nodes if node.up]
        by_id = {node.id: node for node in nodes}
        self._connections(nodes, by_id)
        links = {node.id: [peer for peer in node.core.peers if peer in by_id] for node in nodes}
        parts = [[by_id[peer] for peer in part] for part in components_of(links)]
        for part in parts:
            self._agreement(Part(part))
            self._announced(part)
        for node in nodes:
            self._bounds(node)
            self._own_edges(node)
            self._bridge(node)
            self._routes(node)
            self._store(node)
        for part in parts:
            if len(part) > 1:
                self._answers(Part(part))
        self._calm(nodes)

    def _connections(self, nodes: list[SimNode], by_id: dict[PeerId, SimNode]) -> None:
        for node in nodes:
            seen: dict[PeerId, int] = {}
            for peer in node.core.context.connections.values():
                if peer.is_ready:
                    seen[peer.ready_id] = seen.get(peer.ready_id, 0) + 1
            for peer_id, count in seen.items():
                other = by_id.get(peer_id)
                if count != 1:
                    raise InvariantBroken("one per pair", f"{node} has {count} connections with {self._name(peer_id)}")
                if other is not None and node.id not in other.core.peers:
                    raise InvariantBroken("both ends agree", f"{node} is connected to {other}, which is not to it")

    def _agreement(self, part: Part) -> None:
        """Every edge reaches every node that can take it, in its newest form; and no other edge stays active."""
        for node in part.nodes:
            wrong = part.wrong_about(node)
            if wrong:
                pairs = [f"{self._name(a)}-{self._name(b)} ({why})" for (a, b), why in wrong.items()]
                raise InvariantBroken("agreement", f"{node} and the ends of its edge differ: {', '.join(pairs[:8])}")

    def _announced(self, part: list[SimNode]) -> None:
        """All nodes of a connected part hold the same announcements."""
        held = {node.name: {one.account_id: one for one in node.core.announcements.all()} for node in part}
        for node in part[1:]:
            first, other = held[part[0].name], held[node.name]
            differ = [account for account in {**first, **other} if first.get(account) != other.get(account)]
            if differ:
                raise InvariantBroken("announcements", f"{node} and {part[0]} differ about {', '.join(differ[:8])}")

    def _bridge(self, node: SimNode) -> None:
        """A node of ours with neighbors of both dialects has dated edges only, so that all may be told of them."""
        core = node.core
        if not node.is_ours or not any(peer.is_protobuf for peer in core.peers.values()):
            return
        for peer_id in core.peers:
            edge = core.table.get(node.id, peer_id)
            if edge is not None and not is_dated(edge.nonce):
                raise InvariantBroken("bridge", f"{node} hides {self._name(peer_id)} from protobuf nodes")

    def _own_edges(self, node: SimNode) -> None:
        """Of our own edges, those that are active are exactly those of our connections."""
        core = node.core
        for edge in core.table.edges_of(node.id):
            if edge.is_active and edge.other(node.id) not in core.peers:
                raise InvariantBroken("own edges", f"{node} has an active edge with {self._name(edge.other(node.id))}")
        for peer_id in core.peers:
            own = core.table.get(node.id, peer_id)
            if own is None or not own.is_active:
                raise InvariantBroken("own edges", f"{node} has no active edge with {self._name(peer_id)}")

    def _routes(self, node: SimNode) -> None:
        """Next hops are those of a plain search."""
        table = node.core.table
        links: dict[PeerId, list[PeerId]] = {}
        for edge in table.edges():
            if edge.is_active:
                a, b = edge.key
                links.setdefault(a, []).append(b)
                links.setdefault(b, []).append(a)
        expected = next_hops_by_search(links, node.id)
        for peer in table.peers():
            if sorted(table.next_hops(peer)) != expected.get(peer, []):
                raise InvariantBroken("next hops", f"{node} has other ways to {self._name(peer)} than a search finds")

    def _store(self, node: SimNode) -> None:
        """What is on the disk is what memory holds as durable."""
        rows = {bytes(key): value for key, value in node.disk.rows.items(PEERS)}
        for peer in node.core.peer_store.peers():
            row = rows.pop(bytes(peer.id), None)
            if row is None:
                if peer.pinned or peer.status is PeerStatus.UNKNOWN:
                    continue  # The operator's, and who was only heard of, may have no row of their own.
                raise InvariantBroken("store", f"{node} has no row of {self._name(peer.id)}")
            state = decode_known_peer(row)
            status, addr = state.status, state.peer_info.addr
            if node.runs > 1:  # As read at the start, the row is as it was: no longer connected, a ban is over, ..
                status = peer.status if peer.status is PeerStatus.NOT_CONNECTED else status
                addr = peer.addr if peer.addr is None or peer.pinned else addr  # .. and the operator says who is where.
            if (status, addr) != (peer.status, peer.addr):
                raise InvariantBroken(
                    "store",
                    f"{node} holds {self._name(peer.id)} as {peer.status.label}, its disk as {state.status.label}",
                )
        accounts = {key.decode() for key, _ in node.disk.rows.items(ACCOUNT_ANNOUNCEMENTS)}
        held = {one.account_id for one in node.core.announcements.all()}
        if not held <= accounts:
            raise InvariantBroken("store", f"{node} has not stored {sorted(held - accounts)}")
        Components(node.disk.rows).new((), [])  # Reads the last nonce: it must decode.

    def _answers(self, part: Part) -> None:
        """Each node of a connected part pings another that it can know, and its pong finds the way back."""
        pairs = pairwise([*part.nodes, part.nodes[0]])
        asked = [(node, other, node.kinds.get("pong", 0)) for node, other in pairs if part.has_way(node, other)]
        for node, other, _ in asked:
            node.do(node.core.ping, other.id)

        def silent() -> list[str]:
            return [
                f"{node} has no pong of {self._name(other.id)}"
                for node, other, before in asked
                if node.kinds.get("pong", 0) <= before
            ]

        self._world.run(_ANSWERED_WITHIN, lambda: not silent())
        for text in silent():
            raise InvariantBroken("answers", text)

    def _calm(self, nodes: list[SimNode]) -> None:
        """A minute in which nothing changes costs few messages."""
        before = {node.name: self._messages(node) for node in nodes}
        self._world.run(60.0)
        for node in nodes:
            if not node.up or node.client is None or getattr(node.client, "height", None) is not None:
                continue
            allowed = BUSY_PER_MINUTE * (1 + len(node.core.peers))
            sent = self._messages(node) - before[node.name]
            if sent > allowed:
                raise InvariantBroken("calm", f"{node} sent {sent} messages in a quiet minute")

    @staticmethod
    def _messages(node: SimNode) -> int:
        return sum(messages for messages, _ in node.core.connections.traffic()["sent"].values())


def next_hops_by_search(links: dict[PeerId, list[PeerId]], start: PeerId) -> dict[PeerId, list[PeerId]]:
    """For each peer that can be reached, the sorted neighbors of `start` on shortest paths; by plain search."""
    distance = {start: 0}
    hops: dict[PeerId, set[PeerId]] = {start: set()}
    waiting = deque([start])
    while waiting:
        peer = waiting.popleft()
        for other in links.get(peer, ()):
            through = {other} if peer == start else hops[peer]
            if other not in distance:
                distance[other] = distance[peer] + 1
                hops[other] = set(through)
                waiting.append(other)
            elif distance[other] == distance[peer] + 1:
                hops[other] |= through
    return {peer: sorted(found) for peer, found in hops.items() if peer != start}
