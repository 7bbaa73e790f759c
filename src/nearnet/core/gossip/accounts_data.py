"""What validators tell of how to reach them (`behaviour.md` §10; `wire.md` §6): kept, relayed, and shown.

This node is no client of tier 1: it verifies each item, keeps the newest of each account key, and passes on what is new
to protobuf neighbors, at most once per `accounts_data_interval` on each connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nearnet.core.gossip.telling import BEHIND_BYTES
from nearnet.core.runtime.limits import LruDict
from nearnet.errors import ReasonForBan
from nearnet.keys import is_ml_dsa
from nearnet.wire.messages import SyncAccountsData
from nearnet.wire.signed_payload import account_data_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nearnet.core.context import Context
    from nearnet.core.peer.peer import Peer
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.timers import Timer
    from nearnet.keys import PublicKey
    from nearnet.wire.messages import AccountData, SignedPayload

__all__ = ["MOST_ACCOUNT_KEYS", "MOST_ITEMS", "MOST_PAYLOAD_BYTES", "AccountsData"]

MOST_ACCOUNT_KEYS: Final = 128
"""Without a client that knows the validators; with the longest payloads 1.3 MB."""

MOST_PAYLOAD_BYTES: Final = 10_000
"""Of one item; a longer one is abuse."""

MOST_ITEMS: Final = 256
"""Of one message: twice what is kept; to verify them takes 20 ms. The rest is dropped and counted."""


class AccountsData:
    """The newest data of each account key."""

    __slots__ = ("_context", "_data", "_relays")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._data: LruDict[PublicKey, tuple[AccountData, SignedPayload]] = LruDict(MOST_ACCOUNT_KEYS)
        self._relays: dict[Peer, _Relay] = {}

    def all(self) -> list[AccountData]:
        """What is known, for whoever asks."""
        return [data for data, _ in self._data.values()]

    # --- neighbors ------------------------------------------------------------------------------

    def ready(self, peer: Peer, now: Now) -> None:
        """A handshake is done: the dialer tells all and asks for all, and again every ten minutes."""
        if peer.is_protobuf:
            self._relays[peer] = _Relay()
            if peer.direction == "outbound":
                self._sync(peer, now)

    def closed(self, peer: Peer) -> None:
        """A connection has ended."""
        self._relays.pop(peer, None)

    def _sync(self, peer: Peer, now: Now) -> None:
        self._send(peer, self._signed(), requesting=True)
        interval = self._context.config.nearnet.timing.accounts_data_full_sync_interval
        peer.keep(self._context.timers.at(now.mono + interval, lambda now: self._sync(peer, now)))

    def _signed(self) -> tuple[SignedPayload, ...]:
        return tuple(signed for _, signed in self._data.values())

    def _send(
        self, peer: Peer, items: tuple[SignedPayload, ...], incremental: bool = False, requesting: bool = False
    ) -> None:
        self._count("sent", incremental, requesting)
        peer.send(SyncAccountsData(items, incremental=incremental, requesting_full_sync=requesting))

    def _count(self, direction: str, incremental: bool, requesting: bool) -> None:
        self._context.count("near_sync_accounts_data", f"{direction},{incremental},{requesting}".lower())

    # --- in --------------------------------------------------------------------------------------

    def received(self, peer: Peer, message: SyncAccountsData, now: Now) -> None:
        """A neighbor's data. What is right is kept, also when something else in it costs the neighbor a ban."""
        self._count("received", message.incremental, message.requesting_full_sync)
        if message.requesting_full_sync:
            self._answer(peer, now)
        items = message.accounts
        if len(items) > MOST_ITEMS:
            self._context.count("nearnet_oversized_messages", "SyncAccountsData")
            items = items[:MOST_ITEMS]
        new, offence = self._take(items)
        if new:
            self._context.notify("accounts_data", peer.peer_id, added=len(new), total=len(self._data))
            self._relay(peer, new, now)
        if offence is not None:
            self._context.ban(peer.ready_id, offence, now)

    def _answer(self, peer: Peer, now: Now) -> None:
        """Tell all, were it nothing; at most once per `accounts_data_interval` on each connection."""
        relay = self._relays[peer]
        interval = self._context.config.nearnet.timing.accounts_data_interval
        if relay.answered is not None and now.mono - relay.answered < interval:
            self._context.limits.hit("accounts_data_full_syncs")
            return
        relay.answered = now.mono
        self._send(peer, self._signed())

    def _take(self, items: Iterable[SignedPayload]) -> tuple[dict[PublicKey, SignedPayload], ReasonForBan | None]:
        new: dict[PublicKey, SignedPayload] = {}
        seen: dict[PublicKey, None] = {}
        for signed, data in [(signed, _read(signed)) for signed in items]:
            if data is not None and _has_ml_dsa(signed, data):
                self._context.unsupported_key("SyncAccountsData")
                continue
            if data is None or data.account_key in seen:
                return new, ReasonForBan.ABUSIVE
            key = data.account_key
            seen[key] = None
            known = self._data.get(key)
            if known is not None and (data.version, data.timestamp) <= (known[0].version, known[0].timestamp):
                continue
            if not signed.verify(key):
                return new, ReasonForBan.INVALID_SIGNATURE
            self._data.put(key, (data, signed))
            new[key] = signed
        return new, None

    @property
    def _interval(self) -> float:
        timing, overrides = self._context.config.nearnet.timing, self._context.config.network.experimental
        rate = overrides.network_config_overrides.accounts_data_broadcast_rate_limit_qps
        return 1 / rate if rate else timing.accounts_data_interval

    # --- on --------------------------------------------------------------------------------------

    def _relay(self, source: Peer, new: dict[PublicKey, SignedPayload], now: Now) -> None:
        for peer, relay in self._relays.items():
            if peer is not source:
                for key, signed in new.items():
                    if relay.waiting.put(key, signed) is not None:
                        self._context.limits.hit("accounts_data_waiting")
                self._arm(peer, relay, now)

    def _arm(self, peer: Peer, relay: _Relay, now: Now) -> None:
        if relay.timer is None:
            interval = self._interval
            due = now.mono if relay.last is None else max(now.mono, relay.last + interval)
            relay.timer = self._context.timers.at(due, lambda now: self._flush(peer, relay, now))
            peer.keep(relay.timer)

    def _flush(self, peer: Peer, relay: _Relay, now: Now) -> None:
        relay.timer = None
        relay.last = now.mono
        if peer.queued > BEHIND_BYTES:
            self._arm(peer, relay, now)
            return
        items, relay.waiting = tuple(relay.waiting.values()), LruDict(MOST_ITEMS)
        self._send(peer, items, incremental=True)


def _read(signed: SignedPayload) -> AccountData | None:
    """None: too long to be read. `Malformed` when it is something else."""
    return None if len(signed.payload) > MOST_PAYLOAD_BYTES else account_data_of(signed)


def _has_ml_dsa(signed: SignedPayload, data: AccountData) -> bool:
    """Return whether one of its keys, or its signature, is of a type that we do not use (`network-2026.md` §3)."""
    proxies = (proxy.peer_id for proxy in data.proxies)
    return any(map(is_ml_dsa, (data.account_key, data.peer_id, signed.signature, *proxies)))


class _Relay:
    """What waits to be passed on to one neighbor."""

    __slots__ = ("answered", "last", "timer", "waiting")

    def __init__(self) -> None:
        self.answered: float | None = None
        """When this neighbor's last request for all was answered."""
        self.waiting: LruDict[PublicKey, SignedPayload] = LruDict(MOST_ITEMS)
        """The newest form of each, however long it waits."""
        self.timer: Timer | None = None
        self.last: float | None = None
