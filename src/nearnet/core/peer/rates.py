"""How many messages of each kind one connection may bring (`behaviour.md` §10, `network-2026.md` §5).

What is over the rate is dropped and counted, never answered, and costs nobody a ban. On protobuf connections the rates
of the reference node are the default, on borsh ones only that of EpochSyncRequest. The config changes both, in the
reference's form: ``received_messages_rate_limits: {"rate_limits": {"Block": {"maximum_size": 5, "refill_rate": 1}}}``.
A table over its rate is not dropped: its sender is not read for a while (`tables`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from nearnet.core.runtime.limits import TokenBucket
from nearnet.wire.message_kinds import BODIES, KEYS, KINDS, MESSAGES, Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nearnet.config.models import MessageRate, TablesPerSecond

__all__ = ["KindBuckets", "KindRates", "Limited", "MessageRates"]

_PACED: Final = "SyncRoutingTable"

_SLACK: Final = 1e-6
"""Messages by which a bucket may seem emptier than it is, since times are rounded."""

_UNLIMITED: Final = float("inf")


class KindRates:
    """Rates by number of kind, shared by all connections of one dialect, and what went over them."""

    __slots__ = ("_refused", "initial", "most", "per_second")

    def __init__(self, rates: Mapping[int, MessageRate | Rate], refused: dict[str, int]) -> None:
        """Number -> rate; kinds without one are not limited. `refused` is counted by the kind's name."""
        self.per_second: list[float] = [0.0] * len(KINDS)
        self.most: list[float] = [_UNLIMITED] * len(KINDS)
        self.initial: list[float] = [0.0] * len(KINDS)
        """Messages that are missing from a full bucket at first."""
        self._refused = refused
        for number, rate in rates.items():
            burst, first = rate.maximum_size, rate.initial_size
            self.per_second[number] = float(rate.refill_rate)
            self.most[number] = float(burst) - 1.0 + _SLACK
            self.initial[number] = 0.0 if first is None else float(max(0, burst - first))

    @property
    def limits_bodies(self) -> bool:
        """Whether a routed message of any kind is limited."""
        return min(self.most[:BODIES]) < _UNLIMITED

    def refuse(self, number: int) -> None:
        """Count one message of that kind as over its rate."""
        name = KINDS[number].name
        self._refused[name] = self._refused.get(name, 0) + 1


class KindBuckets:
    """One connection's token buckets: one number each, that of the message at which the bucket would be full again.

    Time is counted in messages, a unit for each that the rate adds. So at one moment every number is exact, and a rate
    of 0 needs no rule of its own.
    """

    __slots__ = ("_fulls", "_most", "_per_second", "_rates")

    def __init__(self, rates: KindRates, mono: float) -> None:
        self._rates = rates
        self._most = rates.most
        self._per_second = rates.per_second
        self._fulls = [mono * rate + missing for rate, missing in zip(rates.per_second, rates.initial, strict=True)]

    def take(self, number: int, mono: float) -> bool:
        """Return whether one more message of that kind is within its rate at the monotonic time `mono`; count it."""
        now = mono * self._per_second[number]
        full = self._fulls[number]
        if full < now:
            full = now
        if full - now > self._most[number]:
            self._rates.refuse(number)
            return False
        self._fulls[number] = full + 1.0
        return True


class Limited(Protocol):
    """What has the buckets of one connection: a `Peer`, which this module must not import."""

    rates: KindBuckets | None
    body_rates: KindBuckets | None
    relay_rates: KindBuckets | None

    @property
    def is_protobuf(self) -> bool:
        """Whether it speaks protobuf."""
        return False  # Without a body it would count as abstract, compiled.


class MessageRates:
    """Makes the buckets of each connection, and counts."""

    __slots__ = ("_borsh", "_is_paced_by_default", "_pace", "_protobuf", "_relayed", "_tables", "above", "refused")

    def __init__(self, configured: Mapping[str, MessageRate | None], tables: TablesPerSecond) -> None:
        """`configured` rates, by `KEYS`, go over the default ones; None lifts a limit. Unknown keys do nothing.

        A key that stands for one kind wins over one that stands for several.
        """
        self.refused: dict[str, int] = {}
        """Kind -> messages dropped."""
        self.above: dict[str, int] = {}
        """Kind -> messages passed on to a protobuf peer above its default rate."""
        default = {at: kind.rate for at, kind in enumerate(KINDS) if kind.rate is not None and kind.name != _PACED}
        epoch_sync = MESSAGES["EpochSyncRequest"]
        self._protobuf = KindRates(_changed(default, configured), self.refused)
        self._borsh = KindRates(_changed({epoch_sync: default[epoch_sync]}, configured), self.refused)
        self._relayed = KindRates(default, self.above)
        self._tables = tables
        self._is_paced_by_default = _PACED not in configured
        self._pace = configured.get(_PACED)

    def begin(self, peer: Limited, mono: float) -> None:
        """Give a peer that is Ready its buckets."""
        rates = self._protobuf if peer.is_protobuf else self._borsh
        peer.rates = KindBuckets(rates, mono)
        peer.body_rates = peer.rates if rates.limits_bodies else None
        peer.relay_rates = KindBuckets(self._relayed, mono) if peer.is_protobuf else None

    def allow(self, peer: Limited, kind: str, mono: float) -> bool:
        """Return whether one more message of that class, which is not routed, is taken from that peer."""
        number = MESSAGES.get(kind)
        return number is None or peer.rates is None or peer.rates.take(number, mono)

    def tables(self, peer: Limited, mono: float) -> TokenBucket | None:
        """Return the bucket of SyncRoutingTable messages from that peer; None for no limit."""
        if self._is_paced_by_default:
            rate = self._tables.protobuf if peer.is_protobuf else self._tables.borsh
            return TokenBucket(rate.per_second, rate.burst, mono)
        pace = self._pace
        if pace is None:
            return None
        return TokenBucket(pace.refill_rate, pace.maximum_size, mono, pace.initial_size)


def _changed(
    default: Mapping[int, Rate], configured: Mapping[str, MessageRate | None]
) -> dict[int, MessageRate | Rate]:
    rates: dict[int, MessageRate | Rate] = {**default}
    keys = [key for key in configured if key in KEYS and key != _PACED]
    for key in sorted(keys, key=lambda key: -len(KEYS[key])):
        for number in KEYS[key]:
            rate = configured[key]
            if rate is None:
                rates.pop(number, None)
            else:
                rates[number] = rate
    return rates
