"""Frames that have begun to come in: their share of the memory for large ones, and their deadline (row 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nearnet.core.handshake import PeerState
from nearnet.core.histogram import Histogram, exponential
from nearnet.core.inbound_budget import InboundBudget

if TYPE_CHECKING:
    from nearnet.core.clock import Now
    from nearnet.core.connections import Connections
    from nearnet.core.context import Context
    from nearnet.core.peer import Peer

__all__ = ["MOST_SECONDS", "STALL_RATE", "STALL_SECONDS", "StartedFrames"]

STALL_SECONDS = 60.0
"""A frame that takes longer than this must come in at `STALL_RATE` on average (`threats.md` row 8)."""

STALL_RATE = 4096
"""Bytes a second."""

MOST_SECONDS = 120.0
"""A frame of a protobuf connection must be whole by then, however fast it comes (`network-2026.md` §4). The time for
which the connection was not read does not count."""

_CLOSED: Final = PeerState.CLOSED


class StartedFrames:
    """Watches the frame that each connection is receiving."""

    __slots__ = ("_budget", "_connections", "_context", "latencies")

    def __init__(self, context: Context, connections: Connections) -> None:
        limits = context.config.nearnet.limits
        self._context = context
        self._connections = connections
        self._budget = InboundBudget(limits.inbound_budget_bytes, limits.large_frame_bytes)
        self.latencies = Histogram(exponential(0.001, 1.3, 35))
        """Seconds from the first bytes to the last, of frames that did not come in one read."""

    def watch(self, peer: Peer, now: Now) -> None:
        """All complete frames are taken: a part of one may be left."""
        if peer.state is _CLOSED:
            return
        if not peer.framer.buffered:
            self.let_go(peer, now)
            return
        length = peer.framer.pending_length
        if peer.frame_started is None:
            peer.frame_started = now.mono
            peer.paused_for = 0.0
            if peer.stall is None:
                self._look_again(peer, now.mono + STALL_SECONDS)
        if length is not None and not self._budget.take(peer.id, length):
            self._context.limits.hit("inbound_budget_bytes")
            self._connections.pause(peer, "budget")

    def whole(self, peer: Peer, started: float, now: Now) -> None:
        """The frame that began at this (monotonic) time is here."""
        self.latencies.observe(now.mono - started)
        self.let_go(peer, now)

    def let_go(self, peer: Peer, now: Now) -> None:
        """No frame of it is under way any more: others may have its share."""
        peer.frame_started = None
        for number in self._budget.release(peer.id):
            waiting = self._context.connections.get(number)
            if waiting is not None:
                self._connections.resume(waiting, "budget", now)

    def _look_again(self, peer: Peer, at: float) -> None:
        peer.stall = self._context.timers.at(at, lambda now: self._check(peer, now))

    def _check(self, peer: Peer, now: Now) -> None:
        peer.stall = None
        started = peer.frame_started
        if started is None or peer.state is _CLOSED:
            return
        elapsed = now.mono - started
        if peer.is_today and not peer.paused and elapsed - peer.paused_for > MOST_SECONDS:
            self._connections.close(peer, "a frame took too long", now)
            return
        if not peer.paused and elapsed >= STALL_SECONDS and peer.framer.buffered < STALL_RATE * elapsed:
            self._connections.close(peer, "stalled", now)
            return
        self._look_again(peer, max(started + STALL_SECONDS, now.mono + 1.0))
