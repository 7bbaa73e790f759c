"""Pings (`behaviour.md` §5): the limit on those that come in, and the round trips of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nearnet.core.limits import LruDict, TokenBucket

if TYPE_CHECKING:
    from nearnet.core.clock import Now
    from nearnet.keys import CryptoHash, PeerId
    from nearnet.wire.routed_body import Pong
    from nearnet.wire.routed_frame import RoutedFrame

__all__ = ["Pings", "PongResult"]

_HOPS = 256
"""Previous hops whose rate is kept: twice the most connections, so that none in use is forgotten."""

_OUTSTANDING = 10_000
"""Our pings that may still be answered, about 300 bytes each: 3 MB; the oldest leave first."""


class PongResult(NamedTuple):
    """The answer to one of our pings."""

    source: PeerId
    hash: CryptoHash
    """Of the ping, as `RoutedMessages.ping` returned it."""
    nonce: int
    ttl: int
    """What is left of the pong's 100."""
    num_hops: int | None
    """As counted on the way; None when it came by borsh."""
    milliseconds: float


class Pings:
    """Both sides of pinging. Times are seconds of the monotonic clock."""

    __slots__ = ("_buckets", "_nonce", "_outstanding", "_per_second", "_pongs")

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._buckets: LruDict[PeerId, TokenBucket] = LruDict(_HOPS)
        self._outstanding: LruDict[int, tuple[PeerId, CryptoHash, float]] = LruDict(_OUTSTANDING)
        """Nonce -> (whom we asked, the ping's hash, when)."""
        self._pongs: list[PongResult] = []
        self._nonce = 0

    def next_nonce(self) -> int:
        """A nonce that no ping of ours had."""
        self._nonce += 1
        return self._nonce

    def sent(self, nonce: int, target: PeerId, digest: CryptoHash, now: Now) -> None:
        """Our ping left; the first right pong of that nonce ends its round trip."""
        self._outstanding.put(nonce, (target, digest, now.mono))

    def allow(self, previous_hop: PeerId, now: Now) -> bool:
        """Whether a ping for us from that neighbour is answered (`threats.md` row 54)."""
        bucket = self._buckets.get(previous_hop)
        if bucket is None:
            bucket = TokenBucket(self._per_second, self._per_second, now.mono)
            self._buckets.put(previous_hop, bucket)
        return bucket.take(now.mono)

    def answered(self, frame: RoutedFrame, pong: Pong, now: Now) -> bool:
        """Take a pong for us; False when we asked its author nothing of that nonce (or have the answer already)."""
        asked = self._outstanding.get(pong.nonce)
        if asked is None or asked[0] != frame.author:
            return False
        self._outstanding.pop(pong.nonce)
        target, digest, since = asked
        milliseconds = (now.mono - since) * 1000
        self._pongs.append(PongResult(target, digest, pong.nonce, frame.ttl, frame.num_hops, milliseconds))
        return True

    def take_pongs(self) -> list[PongResult]:
        """The round trips that ended since the last call."""
        pongs, self._pongs = self._pongs, []
        return pongs
