"""Keeps the nonces of our live edges fresh (`behaviour.md` §10), for today's nodes forget an edge after half an hour.

With today's peers the dialler asks. A documented-era neighbour never does; a bridge, which has neighbours of both
dialects, asks it for a time in place of its counter, so that today's nodes may be told of it, and goes on asking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.nonces import is_dated

if TYPE_CHECKING:
    from nearnet.core.clock import Now
    from nearnet.core.context import Context
    from nearnet.core.local_edges import LocalEdges
    from nearnet.core.peer import Peer

__all__ = ["NonceRefresh"]


class NonceRefresh:
    """Asks for new nonces when they are due."""

    __slots__ = ("_context", "_local_edges")

    def __init__(self, context: Context, local_edges: LocalEdges) -> None:
        self._context = context
        self._local_edges = local_edges

    def ready(self, peer: Peer, now: Now) -> None:
        """A handshake is done. The first neighbour of today's makes this node a bridge."""
        if not peer.is_today:
            self._look(peer, now)
            return
        if peer.direction == "outbound":
            self._again(peer, now)
        for other in list(self._context.peers.values()):
            if not other.is_today and not is_dated(self._nonce(other)):
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
        if peer.is_today:
            self._local_edges.renew(peer, now)
        elif is_dated(nonce):
            if now.wall - nonce >= interval / 2:  # Else the other end, a bridge too, has just done it.
                self._local_edges.renew(peer, now)
        elif any(one.is_today for one in self._context.peers.values()):
            self._local_edges.renew(peer, now)
        else:
            return
        self._again(peer, now)
