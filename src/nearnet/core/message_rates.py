"""How many messages of each kind one peer may send (`behaviour.md` §10, `threats.md` row 53): token buckets.

What is over the rate is dropped and counted, never answered, and costs nobody a ban. As with the real node only
epoch sync requests are limited unless the config says more, in its form:
``received_messages_rate_limits: {"rate_limits": {"Block": {"maximum_size": 5, "refill_rate": 1.0}}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from nearnet.core.limits import LruDict, TokenBucket
from nearnet.wire.routed_body import body_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nearnet.config.models import MessageRate
    from nearnet.core.clock import Now
    from nearnet.keys import PeerId

__all__ = ["DEFAULT_RATES", "MessageRates"]


class _Rate(NamedTuple):
    """As `MessageRate` of the config, which the core knows as a type only."""

    maximum_size: int
    refill_rate: float
    initial_size: int | None = None


DEFAULT_RATES: Final = {"EpochSyncRequest": _Rate(maximum_size=1, refill_rate=1 / 30)}
"""By message class; the names of routed bodies may be limited as well."""

_PEERS: Final = 256
"""Peers whose rates are kept: twice the most connections; by id, so that a new connection brings no new burst."""


class MessageRates:
    """Decides which messages are looked at."""

    __slots__ = ("_buckets", "_limits_bodies", "_rates", "refused")

    def __init__(self, rates: Mapping[str, MessageRate | None]) -> None:
        """`rates` go over the default ones; None lifts a limit."""
        merged: dict[str, MessageRate | _Rate | None] = {**DEFAULT_RATES, **rates}
        self._rates = {kind: rate for kind, rate in merged.items() if rate is not None}
        self._buckets: LruDict[PeerId, dict[str, TokenBucket]] = LruDict(_PEERS)
        self._limits_bodies = any(body_name(index) in self._rates for index in range(256))
        self.refused: dict[str, int] = {}
        """Kind -> messages dropped."""

    def limits(self, kind: str) -> bool:
        """Whether messages of that kind are limited at all."""
        return kind in self._rates

    def allow_body(self, peer_id: PeerId, index: int, now: Now) -> bool:
        """Whether one more routed message with a body of that index is taken from that peer now."""
        return not self._limits_bodies or self.allow(peer_id, body_name(index), now)

    def allow(self, peer_id: PeerId, kind: str, now: Now) -> bool:
        """Whether one more of that kind from that peer is taken now."""
        rate = self._rates.get(kind)
        if rate is None:
            return True
        buckets = self._buckets.get(peer_id)
        if buckets is None:
            buckets = {}
            self._buckets.put(peer_id, buckets)
        bucket = buckets.get(kind)
        if bucket is None:
            bucket = buckets[kind] = TokenBucket(rate.refill_rate, rate.maximum_size, now.mono, rate.initial_size)
        if bucket.take(now.mono):
            return True
        self.refused[kind] = self.refused.get(kind, 0) + 1
        return False
