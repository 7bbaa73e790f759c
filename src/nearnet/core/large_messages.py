"""Large routed messages are hashed and checked off the loop, which they would hold (row 72).

What their sender sent afterwards waits for that, but is read meanwhile, so that the next message is here by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.actions import CheckMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.core.clock import Now
    from nearnet.core.connections import Connections
    from nearnet.core.context import Context
    from nearnet.core.peer import Peer
    from nearnet.wire.routed_frame import RoutedFrame

__all__ = ["LARGE_MESSAGE", "MOST_BEHIND", "LargeMessages"]

LARGE_MESSAGE = 128 * 1024
"""Bytes from which a message is large: to hash as many takes 0.1 ms."""

MOST_BEHIND = 4 * 2**20
"""Bytes read of what comes behind one that is being checked."""


class LargeMessages:
    """Those that are being checked: one of each connection at most, its `Peer.checking`."""

    __slots__ = ("_admit", "_connections", "_context")

    def __init__(
        self, context: Context, connections: Connections, admit: Callable[[Peer, RoutedFrame, float], bool]
    ) -> None:
        """`admit`: whether a message is worth a check, as `RoutedMessages.admit`."""
        self._context = context
        self._connections = connections
        self._admit = admit

    def takes(self, peer: Peer, message: RoutedFrame) -> bool:
        """Whether this one is to be checked here, by `begin`."""
        return message.end - message.start >= LARGE_MESSAGE and not message.unsigned and peer.checking is None

    def begin(self, peer: Peer, message: RoutedFrame, now: Now) -> None:
        """Ask for its check, which ends with `done`."""
        if self._admit(peer, message, now.mono):
            peer.checking = message
            self._context.actions.append(CheckMessage(peer, message))

    def more_came(self, peer: Peer) -> None:
        """Bytes behind the one that is being checked: enough is enough."""
        if peer.framer.buffered > MOST_BEHIND:
            self._connections.pause(peer, "check")

    def done(self, peer: Peer, now: Now) -> None:
        """It is checked and dealt with: what came behind it is next."""
        peer.checking = None
        if "check" in peer.paused:
            self._connections.resume(peer, "check", now)
        else:
            self._connections.process(peer, now)
