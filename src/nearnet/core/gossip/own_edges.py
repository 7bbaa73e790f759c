"""Edges about ourselves, held against the connections that we really have (`behaviour.md` §3; `threats.md` 19, 43, 44).

An edge says active, and we are not connected: after a while we sign the removal. It says removed, and we are connected:
we ask the neighbor for a newer nonce, and leave it when none comes.

`NonceRefresh` keeps the nonces of our live edges fresh (`behaviour.md` §10), because protobuf nodes forget an edge
after half an hour. With protobuf peers the dialer asks. A borsh neighbor never does; a bridge, which has neighbors of
both dialects, asks it for a time in place of its counter, so that protobuf nodes may be told of it, and goes on asking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.routing_table.edge import (
    EDGE_AHEAD,
    NonceJudgement,
    build_edge,
    is_current,
    is_dated,
    judge_nonce,
    propose_nonce,
    renewed_nonce,
    sign_edge,
    sign_removal,
    verify_edge,
    verify_partial,
)
from nearnet.errors import ReasonForBan
from nearnet.wire.messages import PartialEdgeInfo, RequestUpdateNonce, ResponseUpdateNonce

if TYPE_CHECKING:
    from nearnet.core.context import Context
    from nearnet.core.gossip.telling import Gossip
    from nearnet.core.peer.peer import Peer
    from nearnet.core.peer_manager.clock_watch import ClockWatch
    from nearnet.core.runtime.clock import Now
    from nearnet.keys import PeerId
    from nearnet.wire.edge_bytes import Edge

__all__ = [
    "LocalEdges",
    "NonceRefresh",
]

_LATER = 1.0
"""Seconds after the moment from which others take an edge whose nonce was ahead: their clocks differ from ours."""


class LocalEdges:
    """Keeps what the graph says of us true."""

    __slots__ = ("_asked", "_clock_watch", "_context", "_gossip", "_waiting")

    def __init__(self, context: Context, gossip: Gossip, clock_watch: ClockWatch) -> None:
        self._context = context
        self._gossip = gossip
        self._clock_watch = clock_watch
        self._waiting: dict[PeerId, int] = {}
        """Peers that an active edge names and we are not connected to -> the nonce seen."""
        self._asked: dict[PeerId, int] = {}
        """Neighbors asked for a newer nonce -> the removal's nonce: one request for each."""

    def last_nonce(self, peer_id: PeerId) -> int:
        """Of our edge with that peer, 0 for none."""
        edge = self._context.table.get(self._context.me, peer_id)
        return edge.nonce if edge is not None else 0

    def add_own(self, edge: Edge, now: Now, knows: tuple[Peer, ...] = ()) -> None:
        """Take an edge that we signed just now into the table and tell everybody but who `knows` it."""
        self._gossip.tell(self._context.table.add([edge], None, now), knows, now)

    def connected(self, peer: Peer, edge: Edge, now: Now) -> None:
        """The handshake made this edge."""
        self._waiting.pop(peer.ready_id, None)
        self._asked.pop(peer.ready_id, None)
        self.add_own(edge, now, (peer,))
        early = edge.nonce - EDGE_AHEAD - now.wall
        if is_dated(edge.nonce) and early > 0:  # Everybody drops it until then (`network-2026.md` §4).
            due = now.mono + early + _LATER
            peer.keep(self._context.timers.at(due, lambda now: self._gossip.tell([edge], (peer,), now)))

    def disconnected(self, peer_id: PeerId, now: Now) -> None:
        """The connection is gone: sign its removal, if nobody did (`behaviour.md` §2)."""
        self._asked.pop(peer_id, None)
        edge = self._context.table.get(self._context.me, peer_id)
        if edge is not None and edge.is_active:
            self.add_own(sign_removal(self._context.key, edge), now)

    def seen(self, edge: Edge, now: Now) -> None:
        """An edge of ours came in with gossip, or back from disk, and is the newest."""
        context = self._context
        other = edge.other(context.me)
        peer = context.peers.get(other)
        timing = context.config.nearnet.timing
        if edge.is_active:
            if peer is not None:
                peer.edge = edge
            elif other not in self._waiting:
                self._waiting[other] = edge.nonce
                context.timers.at(now.mono + timing.wait_peer_before_remove, lambda now: self._remove(other, now))
        elif peer is not None and self._asked.get(other) != edge.nonce:
            self._asked[other] = edge.nonce
            self._request(peer, edge.nonce, now)
            context.timers.at(
                now.mono + timing.wait_on_try_update_nonce, lambda now: self._leave(peer, edge.nonce, now)
            )

    def _request(self, peer: Peer, last: int, now: Now) -> None:
        dated = is_dated(last)
        self._ask(peer, renewed_nonce(last, now.wall) if dated else propose_nonce(peer.dialect_name, last, now.wall))

    def renew(self, peer: Peer, now: Now) -> None:
        """Ask a neighbor to sign a nonce of the present for our edge."""
        self._ask(peer, renewed_nonce(self.last_nonce(peer.ready_id), now.wall))

    def _ask(self, peer: Peer, nonce: int) -> None:
        peer.send(RequestUpdateNonce(sign_edge(self._context.key, peer.ready_id, nonce)))

    def _remove(self, other: PeerId, now: Now) -> None:
        if self._waiting.pop(other, None) is not None:
            self.disconnected(other, now)

    def _leave(self, peer: Peer, removal_nonce: int, now: Now) -> None:
        if peer.is_ready and self.last_nonce(peer.ready_id) <= removal_nonce:
            self._context.close(peer, "edge removed and not renewed", now)

    def requested(self, peer: Peer, partial: PartialEdgeInfo, now: Now) -> None:
        """Answer a neighbor that asks us to sign a newer nonce.

        One out of range is never signed, and it is no offense: the clocks may differ. A protobuf neighbor gets no
        answer either for one that is so far ahead that everybody would drop the edge (`network-2026.md` §4).
        """
        context, other = self._context, peer.ready_id
        self._clock_watch.proposed(peer, other, partial.nonce, self.last_nonce(other), now)
        if partial.nonce % 2 == 0 or not verify_partial(context.me, other, partial):
            context.ban(other, ReasonForBan.INVALID_EDGE, now)
            return
        edge = context.table.get(context.me, other)
        last = edge.nonce if edge is not None else 0
        if edge is not None and partial.nonce <= last:
            if edge.is_active:
                self._answer(peer, edge, now)
            return
        bump = context.config.nearnet.timing.edge_nonce_bump_allowed
        is_far_ahead = peer.is_protobuf and partial.nonce - now.wall > EDGE_AHEAD
        judged = judge_nonce(peer.dialect_name, partial.nonce, last, now.wall, bump)
        if is_far_ahead or judged is not NonceJudgement.TAKE:
            context.count("nearnet_ignored_messages", "RequestUpdateNonce")
            return
        renewed = build_edge(context.key, other, partial.nonce, partial.signature)
        self._asked.pop(other, None)
        peer.edge = renewed
        self.add_own(renewed, now, (peer,))
        self._answer(peer, renewed, now)

    def _answer(self, peer: Peer, edge: Edge, now: Now) -> None:
        if peer.is_protobuf:
            self._gossip.answer(peer, edge, now)
        else:
            peer.send(ResponseUpdateNonce(edge))

    def responded(self, peer: Peer, edge: Edge, now: Now) -> None:
        """A neighbor's answer, or its word on an edge of ours."""
        context = self._context
        if not edge.involves(context.me):
            context.ban(peer.ready_id, ReasonForBan.INVALID_EDGE, now)
            return
        known = context.table.get(*edge.key)
        expires_after = context.config.nearnet.timing.edge_expires_after
        if (known is not None and edge.nonce <= known.nonce) or not is_current(edge.nonce, now.wall, expires_after):
            return
        if not verify_edge(edge):
            context.ban(peer.ready_id, ReasonForBan.INVALID_EDGE, now)
            return
        if edge.involves(peer.ready_id) and edge.is_active:
            peer.edge = edge
        added = context.table.add([edge], peer.peer_id, now)
        self._gossip.tell(added, (peer,), now)
        for one in added:
            self.seen(one, now)


class NonceRefresh:
    """Asks for new nonces when they are due."""

    __slots__ = ("_context", "_local_edges")

    def __init__(self, context: Context, local_edges: LocalEdges) -> None:
        self._context = context
        self._local_edges = local_edges

    def ready(self, peer: Peer, now: Now) -> None:
        """A handshake is done. The first protobuf neighbor makes this node a bridge."""
        if not peer.is_protobuf:
            self._look(peer, now)
            return
        if peer.direction == "outbound":
            self._again(peer, now)
        for other in list(self._context.peers.values()):
            if not other.is_protobuf and not is_dated(self._nonce(other)):
                self._look(other, now)

    def _nonce(self, peer: Peer) -> int:
        return self._local_edges.last_nonce(peer.ready_id)

    def _again(self, peer: Peer, now: Now) -> None:
        if peer.refresh is not None:
            peer.refresh.cancel()
        interval = self._context.config.nearnet.timing.nonce_refresh_interval
        peer.refresh = self._context.timers.at(now.mono + interval, lambda now: self._look(peer, now))

    def _look(self, peer: Peer, now: Now) -> None:
        """Ask, if it is time; look again if it will be."""
        nonce, interval = self._nonce(peer), self._context.config.nearnet.timing.nonce_refresh_interval
        if peer.is_protobuf:
            self._local_edges.renew(peer, now)
        elif is_dated(nonce):
            if now.wall - nonce >= interval / 2:  # Else the other end, a bridge too, has just done it.
                self._local_edges.renew(peer, now)
        elif any(one.is_protobuf for one in self._context.peers.values()):
            self._local_edges.renew(peer, now)
        else:
            return
        self._again(peer, now)
