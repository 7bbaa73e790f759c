"""Large routed messages are hashed and checked off the loop, which they would hold (row 72).

What their sender sent afterwards waits for that. Large messages behind it are checked meanwhile, so that the threads
always have work, and are dealt with in the order in which they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.actions import CheckMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nearnet.core.clock import Now
    from nearnet.core.connections import Connections
    from nearnet.core.context import Context
    from nearnet.core.peer import Peer
    from nearnet.wire.routed_frame import RoutedFrame

__all__ = ["LARGE_MESSAGE", "MOST_BEHIND", "MOST_CHECKED", "LargeMessages"]

LARGE_MESSAGE = 128 * 1024
"""Bytes from which a message is large: to hash as many takes 0.1 ms."""

MOST_CHECKED = 8 * 2**20
"""Bytes of one connection's messages that are checked at the same time, but for one that is longer by itself.

Seven of 1 MiB: they go on in their order, so of only three one is often done and waits for its turn while a thread
has nothing to do.
"""

MOST_BEHIND = 2 * 2**20
"""Bytes read of what comes behind those that are being checked, but for a large one that may be checked too: what lies
long in memory has left the processor's caches."""


class LargeMessages:
    """Those that are being checked: in each connection's `Peer.checking`, with the outcomes that are known."""

    __slots__ = ("_admit", "_connections", "_context")

    def __init__(
        self, context: Context, connections: Connections, admit: Callable[[Peer, RoutedFrame, float], bool]
    ) -> None:
        """`admit`: whether a message is worth a check, as `RoutedMessages.admit`."""
        self._context = context
        self._connections = connections
        self._admit = admit

    def takes(self, peer: Peer, message: RoutedFrame) -> bool:
        """Whether this one is to be dealt with here, by `begin`: it is large, or comes behind one that is."""
        return bool(peer.checking) or (message.end - message.start >= LARGE_MESSAGE)

    def lets_pass(self, peer: Peer) -> bool:
        """Whether the next frame may be looked at while others are being checked: a large one, if they are few."""
        length = peer.framer.pending_length
        if length is None or length < LARGE_MESSAGE:
            return False
        return length + sum(check.message.end - check.message.start for check in peer.checking) <= MOST_CHECKED

    def begin(self, peer: Peer, message: RoutedFrame, now: Now) -> None:
        """Ask for its check, which ends with `in_order` and `go_on`."""
        if not self._admit(peer, message, now.mono):
            return
        check = CheckMessage(peer, message)
        peer.checking[check] = None
        self._context.actions.append(check)

    def more_came(self, peer: Peer) -> None:
        """Bytes behind those that are being checked: enough is enough."""
        if self._is_enough(peer):
            self._connections.pause(peer, "check")

    def _is_enough(self, peer: Peer) -> bool:
        return peer.framer.buffered > MOST_BEHIND and not self.lets_pass(peer)

    def in_order(self, check: CheckMessage, outcome: str) -> Iterator[tuple[RoutedFrame, str]]:
        """One is checked; yields those, with their outcomes, that have none before them whose outcome is not known."""
        checking = check.peer.checking
        if check not in checking:  # One before it was forged, and nothing behind that counts.
            return
        checking[check] = outcome
        while checking:
            first = next(iter(checking))
            known = checking[first]
            if known is None:
                return
            del checking[first]
            yield first.message, known

    def go_on(self, peer: Peer, now: Now) -> None:
        """What could be dealt with is: more may be checked, or read."""
        if "check" not in peer.paused:
            self._connections.process(peer, now)
        elif not peer.checking or not self._is_enough(peer):
            self._connections.resume(peer, "check", now)
