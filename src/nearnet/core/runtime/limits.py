"""Bounds on what peers may make us do or keep (`threats.md`, limits). Times are seconds of the monotonic clock."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from nearnet.core.runtime.addresses import host_group, is_loopback
from nearnet.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nearnet.core.runtime.clock import Now

__all__ = ["COOL_DOWN", "LimitCounters", "LimitUse", "LruDict", "LruSet", "TokenBucket"]

COOL_DOWN = 600.0
"""Seconds for which an address is not let in after a ban from there (row 59)."""

_COOLING = 10_000
"""Hosts that cool down at once, at about 200 bytes each: 2 MB; the oldest leave first."""

K = TypeVar("K")
V = TypeVar("V")


class TokenBucket:
    """`burst` tokens at first, `rate` more a second, never above `burst`. A clock that goes back changes nothing."""

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: float, burst: float, now: float, initial: float | None = None) -> None:
        """`initial` tokens (at most `burst`) instead of a full bucket; `ConfigError` for a negative number or NaN."""
        for number in (rate, burst, 0.0 if initial is None else initial):
            if math.isnan(number) or number < 0:
                raise ConfigError(f"a rate limit is a number of at least 0, not {number}")
        self.rate = rate
        self.burst = burst
        self._tokens = burst if initial is None else min(initial, burst)
        self._at = now

    def tokens(self, now: float) -> float:
        """How many there are."""
        if now > self._at:
            self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
            self._at = now
        return self._tokens

    def take(self, now: float, count: float = 1.0) -> bool:
        """Take `count` tokens; False, and none taken, when there are fewer."""
        if self.tokens(now) < count:
            return False
        self._tokens -= count
        return True

    def wait(self, now: float, count: float = 1.0) -> float:
        """Seconds until `count` tokens are there; infinite when they never will be."""
        missing = count - self.tokens(now)
        if missing <= 0:
            return 0.0
        if self.rate == 0 or count > self.burst:
            return math.inf
        return missing / self.rate


class LruDict(Generic[K, V]):
    """A dict of at most `capacity` entries: the one least recently put or got leaves first."""

    __slots__ = ("_entries", "capacity")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, now the most recent; None when it is not there."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def peek(self, key: K) -> V | None:
        """Return the value without a change of the order; None when it is not there."""
        return self._entries.get(key)

    def put(self, key: K, value: V) -> tuple[K, V] | None:
        """Set it, now the most recent; returns the entry that had to leave for it, if any."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        return self._entries.popitem(last=False) if len(self._entries) > self.capacity else None

    def pop(self, key: K) -> V | None:
        """Take it out; None when it is not there."""
        return self._entries.pop(key, None)

    def values(self) -> Iterator[V]:
        """All values, the least recent first."""
        return iter(self._entries.values())

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[K]:
        return iter(self._entries)


class LruSet(Generic[K]):
    """A set of at most `capacity` members: the one least recently added leaves first."""

    __slots__ = ("_members",)

    def __init__(self, capacity: int) -> None:
        self._members: LruDict[K, None] = LruDict(capacity)

    def add(self, member: K) -> bool:
        """Put it in, now the most recent; whether it was new."""
        new = member not in self._members
        self._members.put(member, None)
        return new

    def __contains__(self, member: K) -> bool:
        return member in self._members

    def __len__(self) -> int:
        return len(self._members)


class LimitUse(NamedTuple):
    """One line of `nearnet_limits`."""

    name: str
    value: object
    used: float | None
    """How much of it is taken now; None when nobody said."""
    hit: int
    """How often it has refused something."""


class LimitCounters:
    """The configured limits with how often each was hit, and the hosts that cool down after a ban."""

    __slots__ = ("_cooling", "_hits", "_per_ip_on_loopback", "_values")

    def __init__(self, values: Mapping[str, object]) -> None:
        """`values` are the fields of `nearnet.limits` by name."""
        self._values = dict(values)
        self._hits: dict[str, int] = {}
        self._per_ip_on_loopback = bool(values["per_ip_on_loopback"])
        self._cooling: LruDict[str, float] = LruDict(_COOLING)

    def hit(self, name: str, count: int = 1) -> None:
        """The limit of that name refused `count` things (also of a rule without a value, such as the cool-down)."""
        self._hits[name] = self._hits.get(name, 0) + count

    def hits(self, name: str) -> int:
        """How often it was hit."""
        return self._hits.get(name, 0)

    def uses(self, used: Mapping[str, float]) -> list[LimitUse]:
        """Every limit by name, with what is `used` of it now, then the rules without a value that were hit."""
        names = dict.fromkeys([*self._values, *self._hits])
        return [LimitUse(name, self._values.get(name), used.get(name), self.hits(name)) for name in names]

    def cool_down(self, ip: str, now: Now) -> None:
        """Let nobody in from this host for `COOL_DOWN` seconds; nothing on loopback unless `per_ip_on_loopback`."""
        if self._per_ip_on_loopback or not is_loopback(ip):
            self._cooling.put(host_group(ip), now.mono + COOL_DOWN)

    def is_cooling(self, ip: str, now: Now) -> bool:
        """Whether this host is not to be let in yet."""
        if not self._cooling:
            return False
        host = host_group(ip)
        until = self._cooling.get(host)
        if until is not None and until <= now.mono:
            self._cooling.pop(host)
            return False
        return until is not None
