"""Whether our own clock is ahead of our peers' (`network-2026.md` §4).

Nodes drop an edge whose nonce is more than five minutes ahead of their clock, and ban nobody for it. A node whose clock
is that far ahead is connected but invisible: nobody finds a way to it. The nonces that protobuf peers propose are unix
times of theirs, so they tell how far ahead we are. It notifies ``clock_ahead`` and ``clock_ahead_over``.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from nearnet.core.routing_table.edge import is_dated, next_nonce
from nearnet.core.runtime.addresses import host_group, is_loopback
from nearnet.core.runtime.limits import TokenBucket

if TYPE_CHECKING:
    from nearnet.core.context import Context
    from nearnet.core.peer.peer import Peer
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.timers import Timer
    from nearnet.keys import PeerId

__all__ = [
    "CLOCK_JUMP",
    "LOOK_AGAIN",
    "MOST_AHEAD",
    "SAMPLES",
    "SAMPLE_AGE",
    "TOLD_AGAIN",
    "TOLD_AT_ONCE",
    "ClockWatch",
]

MOST_AHEAD: Final = 300.0
"""Seconds by which our clock may be ahead: an edge that is further ahead is dropped by our peers."""

SAMPLES: Final = 16
"""Peers whose newest sample is kept, some 200 bytes each."""

SAMPLE_AGE: Final = 3600.0
"""Seconds for which a sample counts. Peers renew a nonce every ten minutes, or call again."""

CLOCK_JUMP: Final = 60.0
"""Seconds by which the two clocks may drift apart between two looks. Beyond, the clock was set or the machine slept,
and no earlier sample says anything about the clock of now."""

LOOK_AGAIN: Final = 60.0
"""Seconds between two looks while a warning holds."""

TOLD_AGAIN: Final = 3600.0
"""Seconds after which the warning may be notified again: a hostile peer causes at most 24 lines a day by it."""

TOLD_AT_ONCE: Final = 4
"""Times that it may be notified, each after it was over, before `TOLD_AGAIN` holds."""


class ClockWatch:
    """The newest samples of the last peers: by how many seconds our clock is ahead of theirs."""

    __slots__ = ("_bucket", "_context", "_is_told", "_reference", "_samples", "_timer")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._samples: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By host: when (monotonic), and seconds ahead."""
        self._reference: float | None = None
        """Wall clock minus monotonic clock at the last look."""
        self._is_told = False
        self._bucket: TokenBucket | None = None
        self._timer: Timer | None = None

    def proposed(self, peer: Peer, sender: PeerId, nonce: int, last: int, now: Now) -> None:
        """Take a nonce that `sender`, at the other end of `peer`, proposed for our edge of last nonce `last` (or 0).

        Only a fresh unix time counts: from a protobuf peer, and not merely the successor of `last`. One host counts
        once, so that many keys of one host do not outvote the others. Hosts on loopback are told apart by their keys,
        unless `per_ip_on_loopback` is set.
        """
        if not peer.is_protobuf or not is_dated(nonce) or nonce == next_nonce(last):
            return
        ip = peer.address.ip
        limited = self._context.config.nearnet.limits.per_ip_on_loopback
        host = host_group(ip) if limited or not is_loopback(ip) else str(sender)
        self._drop_old(now)
        self._samples[host] = (now.mono, now.wall - nonce)
        self._samples.move_to_end(host)
        if len(self._samples) > SAMPLES:
            self._samples.popitem(last=False)
        self._look(now)

    def ahead(self, now: Now) -> float:
        """Return by how many seconds our clock is ahead of the peers' by their median, 0.0 without enough samples.

        Negative when it is behind. Two samples are enough, or one when no more than one peer is connected. Of an even
        number the smaller middle one counts: half of the peers alone raise no warning.
        """
        self._drop_old(now)
        offsets = sorted(offset for _, offset in self._samples.values())
        if not offsets or (len(offsets) == 1 and len(self._context.peers) > 1):
            return 0.0
        return offsets[(len(offsets) - 1) // 2]

    def state(self, now: Now) -> str:
        """Return "warning" when our clock is more than `MOST_AHEAD` seconds ahead, otherwise "ok"."""
        return "warning" if self.ahead(now) > MOST_AHEAD else "ok"

    def sentence(self, now: Now) -> str:
        """Return the state in words, with what to do."""
        ahead = self.ahead(now)
        if ahead > MOST_AHEAD:
            seen = f"our clock is {ahead:.0f} s ahead of our peers': they drop our edges, so nobody finds a way to us"
            return f"{seen}; set the clock (timedatectl set-ntp true)"
        return f"our clock is not more than {MOST_AHEAD:.0f} s ahead of our peers'"

    def _drop_old(self, now: Now) -> None:
        reference = now.wall - now.mono
        if self._reference is not None and abs(reference - self._reference) > CLOCK_JUMP:
            self._samples.clear()
        self._reference = reference
        for host in [host for host, (at, _) in self._samples.items() if now.mono - at >= SAMPLE_AGE]:
            del self._samples[host]

    def _look(self, now: Now) -> None:
        context, ahead = self._context, self.ahead(now)
        if ahead > MOST_AHEAD:
            if not self._is_told and self._may_tell(now):
                self._is_told = True
                context.notify("clock_ahead", None, seconds=round(ahead))
        elif self._is_told:
            self._is_told = False
            context.notify("clock_ahead_over", None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_told:
            self._timer = context.timers.at(now.mono + LOOK_AGAIN, self._look)

    def _may_tell(self, now: Now) -> bool:
        if self._bucket is None:
            self._bucket = TokenBucket(1 / TOLD_AGAIN, TOLD_AT_ONCE, now.mono)
        return self._bucket.take(now.mono)
