"""Whether the network moves on to protocol versions above our own, told before this node is cut off
(`network-2026.md` §1).

It decides nothing about connections. It keeps what peers announced and how the last dials ended, and notifies:

* ``network_moved_on``: a dial had to follow a peer that no longer accepts our own version;
* ``newer_protocol``, ``newer_protocol_over``: a connected peer announced a version above our own, none does any more;
* ``cut_off``, ``cut_off_over``: every recent dial failed because the peer's oldest version is above our own.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from nearnet.core.peer.handshake_table import has_moved_on
from nearnet.core.runtime.limits import TokenBucket

if TYPE_CHECKING:
    from nearnet.config.field_types import VersionRange
    from nearnet.core.context import Context
    from nearnet.core.peer.peer import Peer
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.timers import Timer
    from nearnet.wire.messages import ProtocolVersionMismatch

__all__ = [
    "CUT_OFF_BURST",
    "FAILURES_KEPT",
    "FAILURE_WINDOW",
    "TOLD_AGAIN",
    "VERSIONS_TOLD",
    "ProtocolWatch",
    "describe_refusal",
]

FAILURES_KEPT: Final = 32
"""Failed dials that are looked back on, 16 bytes each."""

FAILURE_WINDOW: Final = 600.0
"""Seconds for which a failed dial counts."""

TOLD_AGAIN: Final = 3600.0
"""Seconds after which an event of the same kind may be notified again: a hostile peer causes 24 lines a day at most."""

VERSIONS_TOLD: Final = 16
"""Warnings that are remembered. At one an hour a hostile peer needs 16 hours until a version is told again."""

CUT_OFF_BURST: Final = 4
"""Times that being cut off, and its end, may be notified at once before `TOLD_AGAIN` holds for it too."""


class ProtocolWatch:
    """What one node knows of newer protobuf versions. Borsh peers do not count: that dialect has stopped changing."""

    __slots__ = (
        "_buckets",
        "_context",
        "_failures",
        "_is_told",
        "_refused",
        "_timer",
        "_told",
        "newest_announced",
    )

    def __init__(self, context: Context) -> None:
        self._context = context
        self._failures: deque[tuple[float, bool]] = deque(maxlen=FAILURES_KEPT)
        """Since the last success: when a dial failed (monotonic), and whether their oldest was above our own."""
        self._refused: dict[int, None] = {}
        """Connections by number that we dialed, are not Ready, and were refused: their oldest is above our own."""
        self._buckets: dict[str, TokenBucket] = {}
        """What may still be notified, by kind."""
        self._told: dict[tuple[str, int], None] = {}
        """Warnings so far, by kind and version, the latest `VERSIONS_TOLD`: none is notified for a version twice."""
        self._is_told: dict[str, None] = {}
        """The kinds whose end is still to be notified."""
        self._timer: Timer | None = None
        self.newest_announced = 0
        """The newest version that any peer announced, 0 before the first one."""

    @property
    def ours(self) -> VersionRange:
        """Our own versions."""
        versions: VersionRange = self._context.config.nearnet.protocol_versions["protobuf"]
        return versions

    # --- what happened ---------------------------------------------------------------------------

    def refused(self, peer: Peer, theirs: ProtocolVersionMismatch, followed: bool, now: Now) -> None:
        """Take the answer to our Handshake that refuses its version; `followed`: we go on with another one."""
        self.newest_announced = max(self.newest_announced, theirs.version)
        if not has_moved_on(self.ours, theirs):
            return
        self._refused[peer.id] = None
        if followed and self._is_news("network_moved_on", theirs.version, now):
            data = {"version": theirs.version, "oldest": theirs.oldest_supported_version, "own": self.ours.own}
            self._context.notify("network_moved_on", None, **data)

    def dial_failed(self, peer: Peer, now: Now) -> None:
        """Take the end of a connection that we dialed and that did not become Ready.

        A dial without a TCP connection says nothing about versions, so it does not count: dead addresses are in every
        peer store, and must not hide that all living peers refuse us.
        """
        self._failures.append((now.mono, peer.id in self._refused))
        self._refused.pop(peer.id, None)
        self._look(now)

    def dialect_refused(self, peer: Peer) -> None:
        """Take the end of a connection that we dialed and that is tried again in another dialect."""
        self._refused.pop(peer.id, None)

    def ready(self, peer: Peer, now: Now) -> None:
        """Take a new Ready connection: no failure before it counts any more."""
        self._refused.pop(peer.id, None)
        self._failures.clear()
        if peer.is_protobuf:
            self.newest_announced = max(self.newest_announced, peer.protocol_version)
        self._look(now)

    def closed(self, now: Now) -> None:
        """Take the end of a Ready connection, which has left the connected peers."""
        if "newer_protocol" in self._is_told:
            self._look(now)

    # --- what follows ----------------------------------------------------------------------------

    @property
    def newest_connected(self) -> int:
        """The newest version that a connected peer announced, 0 without any."""
        peers = self._context.peers.values()
        return max((peer.protocol_version for peer in peers if peer.is_protobuf), default=0)

    def is_cut_off(self, now: Now) -> bool:
        """Whether there are recent failures, and each of them is "their oldest is above our own"."""
        recent = [is_above for at, is_above in self._failures if now.mono < at + FAILURE_WINDOW]
        return bool(recent) and all(recent)

    def state(self, now: Now) -> str:
        """Return "error" when cut off, "warning" when a connected peer announced a newer version, otherwise "ok"."""
        if self.is_cut_off(now):
            return "error"
        return "warning" if self.newest_connected > self.ours.own else "ok"

    def sentence(self, now: Now) -> str:
        """Return the state in words, with what to do."""
        ours, state = self.ours, self.state(now)
        if state == "error":
            refused = f"every recent dial failed because peers no longer accept our protocol version {ours.own}"
            return f"{refused} (the newest that any announced is {self.newest_announced}): {_advice(ours)}"
        if state == "warning":
            newer = f"a connected peer announced protocol version {self.newest_connected}, above our own {ours.own}"
            return f"{newer}: upgrade nearnet before peers stop accepting ours"
        return f"no connected peer announces a protocol version above our own {ours.own}"

    def _look(self, now: Now) -> None:
        """Notify what has changed, each kind once until it is over."""
        context, own = self._context, self.ours.own
        newest = self.newest_connected
        if newest > own:
            was_followed = ("network_moved_on", newest) in self._told
            if not was_followed and self._is_news("newer_protocol", newest, now):
                self._is_told["newer_protocol"] = None
                context.notify("newer_protocol", None, version=newest, own=own)
        elif "newer_protocol" in self._is_told:
            del self._is_told["newer_protocol"]
            context.notify("newer_protocol_over", None, own=own)
        if self.is_cut_off(now):
            if "cut_off" not in self._is_told and self._may_tell("cut_off", now, CUT_OFF_BURST):
                self._is_told["cut_off"] = None
                context.notify("cut_off", None, own=own, version=self.newest_announced, advice=_advice(self.ours))
        elif "cut_off" in self._is_told:
            del self._is_told["cut_off"]
            context.notify("cut_off_over", None, own=own)
        self._arm()

    def _arm(self) -> None:
        """Look again when the last failure stops to count, as nothing else may happen until then."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if "cut_off" in self._is_told:
            self._timer = self._context.timers.at(self._failures[-1][0] + FAILURE_WINDOW, self._look)

    def _is_news(self, kind: str, version: int, now: Now) -> bool:
        """Whether that warning may be notified for that version now; if so, it counts as notified."""
        if (kind, version) in self._told or not self._may_tell(kind, now):
            return False
        self._told[kind, version] = None
        if len(self._told) > VERSIONS_TOLD:
            del self._told[next(iter(self._told))]
        return True

    def _may_tell(self, kind: str, now: Now, burst: int = 1) -> bool:
        """Whether the kind may be notified now; if so, it counts as notified."""
        bucket = self._buckets.get(kind)
        if bucket is None:
            bucket = self._buckets[kind] = TokenBucket(1 / TOLD_AGAIN, burst, now.mono)
        return bucket.take(now.mono)


def _advice(ours: VersionRange) -> str:
    return "upgrade nearnet" if ours.automatic else 'set nearnet.protocol_versions to "auto", or upgrade nearnet'


def describe_refusal(ours: VersionRange) -> str:
    """Return what a dial failure adds to its reason when their oldest is above our own and nothing is left to send."""
    refused = "and it does not accept its own version from us either"
    why = refused if ours.automatic else "which nearnet.protocol_versions pins"
    return f"above our own {ours.own}, {why}: {_advice(ours)}"
