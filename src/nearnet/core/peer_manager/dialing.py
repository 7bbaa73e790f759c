"""Which peers to dial, and when (`behaviour.md` §2, §6; `threats.md` rows 29, 58, 67).

Nothing here waits: `due` returns what is to be dialed now, `next_timer` says when to ask again, and every `Dial` ends
in exactly one call of `succeeded` or `failed`. `BackOff` keeps how long a place that failed is left alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nearnet.core.peer.handshake_table import newest_accepted
from nearnet.core.peer_manager.address_versions import AddressVersions
from nearnet.core.peer_manager.recent_links import RecentLinks
from nearnet.core.runtime.actions import Dial
from nearnet.core.runtime.addresses import is_loopback, source_group
from nearnet.core.runtime.limits import LruDict

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Mapping

    from nearnet.config import NetworkConfig
    from nearnet.core.peer.peer import Peer
    from nearnet.core.peer_manager.known_peers import KnownPeer, PeerStore
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.journal import Journal
    from nearnet.core.runtime.store_reader import StoreReader
    from nearnet.keys import PeerId
    from nearnet.wire.messages import PeerInfo, SocketAddress

__all__ = [
    "ADDRESSES",
    "DIALECT_COLUMN",
    "LOOK_AT_LINKS",
    "REDIAL_EVERY",
    "REDIAL_TRIES",
    "SPREAD",
    "BackOff",
    "Dialer",
]

ADDRESSES = 4096
"""Addresses remembered, about 300 bytes each; the longest untouched leave first."""


class BackOff:
    """The waits of all addresses. Times are seconds of the monotonic clock."""

    __slots__ = ("_initial", "_waits")

    def __init__(self, initial: float) -> None:
        self._initial = initial
        self._waits: LruDict[str, tuple[float, float]] = LruDict(ADDRESSES)
        """By address: (when it may be dialed again, how long the next failure will keep it waiting)."""

    def until(self, address: str) -> float:
        """When it may be dialed; minus infinity when nothing is known against it."""
        known = self._waits.get(address)
        return -math.inf if known is None else known[0]

    def failed(self, address: str, most: float, now: float) -> None:
        """A dial failed: wait, and twice as long after the next failure, but at most `most` seconds."""
        known = self._waits.get(address)
        wait = min(self._initial if known is None else known[1], most)
        self._waits.put(address, (now + wait, wait * 2))

    def succeeded(self, address: str) -> None:
        """A dial led to a connection: nothing is held against the address."""
        self._waits.pop(address)

    def ended(self, address: str, now: float) -> None:
        """A connection from there ended: one short wait, whatever was before."""
        self._waits.put(address, (now + self._initial, self._initial))


DIALECT_COLUMN = "PeerDialect"

LOOK_AT_LINKS = 60.0
"""Seconds between two looks at which outbound connections last, and which of those were lost."""

REDIAL_TRIES = 6
REDIAL_EVERY = 10.0
"""A lost one is dialed so often, so many seconds apart."""

SPREAD = 3
"""Outbound connections shall lead into at least so many networks (/16)."""

_GROWTH = 1.1
_PINNED_BACK_OFF = 10.0
_LONG_AGO = -math.inf
_DIALECTS = ("protobuf", "borsh")
"""In the order in which `auto` tries them."""


@dataclass(slots=True)
class _Attempt:
    """A peer being dialed; `other` is the dialect to try when there is no readable answer."""

    dial: Dial
    other: str | None


@dataclass(slots=True)
class _Redial:
    """A lost connection that is to be had again."""

    info: PeerInfo
    at: float
    tries: int = REDIAL_TRIES


@dataclass(slots=True)
class _Look:
    """One call of `due`: what is the case, and what comes of it."""

    now: Now
    peers: Mapping[PeerId, Peer]
    outbound: int
    busy: dict[PeerId, None]
    """Connected, or an open connection is trying to reach them."""
    dials: list[Dial] = field(default_factory=list)
    wake_at: float = math.inf


class Dialer:
    """monitor_peers' part that connects out, the persistent peers, and the redialing of connections that lasted."""

    def __init__(
        self,
        config: NetworkConfig,
        peer_store: PeerStore,
        store: StoreReader,
        journal: Journal,
        rng: random.Random,
        now: Now,
    ) -> None:
        self._network = config.network
        self._nearnet = config.nearnet
        self._timing = config.nearnet.timing
        self._peer_store = peer_store
        self._rng = rng
        self._store = store
        self._journal = journal
        self._next_id = 0
        self._attempts: dict[PeerId, _Attempt] = {}
        self._second_tries: list[tuple[Dial, str]] = []
        self._back_off = BackOff(self._timing.dial_backoff_initial)
        self._period: float = self._timing.monitor_peers_initial
        self._monitor_at = self._look_at = self._wake_at = now.mono
        self._found_one = False
        self._nobody_left = False
        self._dialects: dict[PeerId, bytes] = {}
        self._range = config.nearnet.protocol_versions["protobuf"]
        self._versions = AddressVersions(store, journal, self._range.own, now)
        self.links = RecentLinks(store, journal, now)
        """Connections that lasted; tell it to `forget` one when its peer asks so (Disconnect with the flag)."""
        self._lost: dict[PeerId, PeerInfo] = {}
        self._redials: dict[PeerId, _Redial] = {}
        if self._network.experimental.network_config_overrides.connect_to_reliable_peers_on_startup is not False:
            for link in self.links.newest_first():
                peer_store.add_direct(link.peer_info, now)
                self._redials[link.peer_info.id] = _Redial(link.peer_info, now.mono)

    # --- questions -----------------------------------------------------------------------------------

    @property
    def dialing_count(self) -> int:
        """Dials that have not ended."""
        return len(self._attempts)

    def is_dialing(self, peer_id: PeerId) -> bool:
        """Whether a dial to this peer has not ended."""
        return peer_id in self._attempts

    def is_outbound_bootstrap_needed(self, connected: int, outbound: int) -> bool:
        """Whether to connect out; those being dialed count as connected."""
        network, dialing = self._network, len(self._attempts)
        if self._outbound_disabled:
            return False
        total = connected + dialing
        few_outbound = outbound + dialing < network.minimum_outbound_peers
        return total < network.ideal_connections_lo or (few_outbound and total < network.max_num_peers)

    def needs_peers(self, peers: Mapping[PeerId, Peer], outbound_count: int) -> bool:
        """Whether more connections are needed and nobody is left to dial: then ask the neighbors for peers."""
        return self._nobody_left and self.is_outbound_bootstrap_needed(len(peers), outbound_count)

    def remembered_version(self, dial: Dial | None, now: Now) -> int | None:
        """Return the protobuf version that worked at that address last, when it may be sent now and is not our own.

        A pinned range holds for it too (`network-2026.md` §1).
        """
        if dial is None or dial.dialect != "protobuf":
            return None
        version = self._versions.get(_place(dial.peer.addr, dial.host), now)
        ours = self._range
        return version if version is not None and ours.oldest <= version <= newest_accepted(ours, None) else None

    def next_timer(self, now: Now) -> float:
        """When to call `due` next, in seconds of the monotonic clock."""
        return max(self._wake_at, now.mono)

    # --- what to dial --------------------------------------------------------------------------------

    def due(
        self, now: Now, peers: Mapping[PeerId, Peer], outbound_count: int, pending: Collection[PeerId] = ()
    ) -> list[Dial]:
        """What to dial now, given the Ready peers and those that an open connection is trying to reach."""
        look = _Look(now, peers, outbound_count, dict.fromkeys([*peers, *pending]))
        if now.mono >= self._look_at:
            self._look_at_links(look)
        look.dials += [
            self._dial(first.peer, first.host, other, None)
            for first, other in self._second_tries
            if first.peer.id not in look.busy
        ]
        self._second_tries.clear()
        if not self._outbound_disabled:
            self._redial_lasting(look)
            self._dial_pinned(look)
        if now.mono >= self._monitor_at:
            self._monitor(look)
        self._wake_at = min(look.wake_at, self._monitor_at, self._look_at)
        return look.dials

    def dial_now(self, info: PeerInfo, now: Now, dialect: str | None = None, host: str | None = None) -> Dial:
        """Dial by command, whatever the limits and back-offs say."""
        if dialect is not None:
            return self._dial(info, host, dialect, None)
        return self._dial(info, host, *self._dialects_for(info.id))

    def _monitor(self, look: _Look) -> None:
        """One turn of monitor_peers: at most one more peer; beyond what is needed, one into another network."""
        now = look.now.mono
        is_needed = self.is_outbound_bootstrap_needed(len(look.peers), look.outbound)
        crowded = self._crowded_networks(look.peers)
        if self._has_room and (is_needed or self._wants_spread(crowded, len(look.peers))):
            peer = self._peer_store.sample_random_peer(
                lambda peer: (
                    self._is_busy(peer.id, look)
                    or self._back_off.until(_place(peer.addr, peer.host)) > now
                    or not (is_needed or _leads_elsewhere(peer, crowded))
                ),
                crowded,
            )
            self._nobody_left = peer is None and is_needed
            if peer is not None:
                if not self._found_one:
                    self._found_one = True
                    self._period = self._timing.monitor_peers_initial
                look.dials.append(self._dial_known(peer))
        self._monitor_at = now + self._period
        self._period = min(self._period * _GROWTH, self._network.monitor_peers_max_period)

    def _wants_spread(self, crowded: Collection[str], connected: int) -> bool:
        """Whether all outbound connections lead into too few networks, and there is room for one more (row 58)."""
        return bool(crowded) and not self._outbound_disabled and connected < self._network.max_num_peers

    def _crowded_networks(self, peers: Mapping[PeerId, Peer]) -> dict[str, None]:
        """The networks that our outbound connections lead into, while these are fewer than `SPREAD`."""
        outbound = [peer.address.ip for peer in peers.values() if peer.direction == "outbound"]
        limited = self._nearnet.limits.per_ip_on_loopback
        networks = {source_group(ip): None for ip in outbound if limited or not is_loopback(ip)}
        return networks if len(networks) < SPREAD else {}

    def _dial_pinned(self, look: _Look) -> None:
        """Persistent peers always; boot nodes that failed, after their short wait, while nobody is connected."""
        for peer in self._peer_store.peers():
            if not peer.pinned or self._is_busy(peer.id, look) or not self._peer_store.may_dial(peer):
                continue
            until = self._back_off.until(_place(peer.addr, peer.host))
            if not peer.persistent and (look.peers or until == _LONG_AGO):
                continue
            if until > look.now.mono:
                look.wake_at = min(look.wake_at, until)
            elif self._has_room:
                look.dials.append(self._dial_known(peer))

    def _redial_lasting(self, look: _Look) -> None:
        for peer_id, redial in list(self._redials.items()):
            if peer_id in look.peers:
                del self._redials[peer_id]
                continue
            if redial.at <= look.now.mono and self._has_room:
                redial.at = look.now.mono + REDIAL_EVERY
                redial.tries -= 1
                if redial.tries == 0:
                    del self._redials[peer_id]
                known = self._peer_store.get(peer_id)
                if known is not None and self._may_redial(known, look):
                    look.dials.append(self._dial_known(known))
            if redial.at > look.now.mono:
                look.wake_at = min(look.wake_at, redial.at)

    def _may_redial(self, peer: KnownPeer, look: _Look) -> bool:
        room = len(look.peers) + len(self._attempts) < self._network.ideal_connections_hi
        allowed = peer.boot or not self._network.experimental.connect_only_to_boot_nodes
        return room and allowed and not self._is_busy(peer.id, look) and self._peer_store.may_dial(peer)

    def _look_at_links(self, look: _Look) -> None:
        for peer in look.peers.values():
            if peer.direction == "outbound" and peer.info is not None:
                self.links.up(peer.info, peer.connected_at, look.now)
        for peer_id, info in self._lost.items():
            if peer_id in self.links:
                self._redials[peer_id] = _Redial(info, look.now.mono)
        self._lost.clear()
        self._look_at = look.now.mono + LOOK_AT_LINKS

    def _is_busy(self, peer_id: PeerId, look: _Look) -> bool:
        return peer_id in look.busy or peer_id in self._attempts

    @property
    def _has_room(self) -> bool:
        return len(self._attempts) < self._timing.parallel_dials

    @property
    def _outbound_disabled(self) -> bool:
        return bool(self._network.experimental.network_config_overrides.outbound_disabled)

    def _dial_known(self, peer: KnownPeer) -> Dial:
        return self._dial(peer.info, peer.host, *self._dialects_for(peer.id))

    def _dial(self, info: PeerInfo, host: str | None, dialect: str, other: str | None) -> Dial:
        self._next_id += 1
        probe = None if other is None else self._nearnet.dialect_probe_timeout
        dial = Dial(self._next_id, info, dialect, self._timing.dial_timeout, host, probe)
        self._attempts[info.id] = _Attempt(dial, other)
        return dial

    def _dialects_for(self, peer_id: PeerId) -> tuple[str, str | None]:
        """The dialect to try first, and the one after that: none where the operator fixed it."""
        fixed = self._nearnet.peers.get(str(peer_id))
        configured = self._nearnet.dialect if fixed is None else fixed.dialect
        if configured != "auto":
            return configured, None
        stored = self._dialects.get(peer_id, b"") or self._store.get(DIALECT_COLUMN, peer_id) or b""
        worked = stored.decode()
        first, second = _DIALECTS
        return (second, first) if worked == second else (first, second)

    # --- how it went ---------------------------------------------------------------------------------

    def succeeded(self, dial: Dial, now: Now, version: int) -> None:
        """Take that the dialed peer is Ready by a Handshake of ours of that protocol version."""
        if not self._end(dial):
            return
        self._back_off.succeeded(_place(dial.peer.addr, dial.host))
        self._peer_store.attempted(dial.peer.id, now)
        if dial.dialect == "protobuf":
            self._versions.worked(_place(dial.peer.addr, dial.host), version, now)
        if self._dialects_for(dial.peer.id)[0] != dial.dialect:
            self._dialects[dial.peer.id] = dial.dialect.encode()
            self._journal.write(DIALECT_COLUMN, dial.peer.id, dial.dialect.encode())

    def failed(self, dial: Dial, why: str, now: Now, silent: bool = False) -> bool:
        """It did not become Ready. `silent`: connected, but no answer that reads; True: the other dialect is next."""
        attempt = self._end(dial)
        if attempt is None:
            return False
        self._wake_at = now.mono
        if silent and attempt.other is not None:
            self._second_tries.append((dial, attempt.other))
            return True
        known = self._peer_store.get(dial.peer.id)
        most = _PINNED_BACK_OFF if known is not None and known.pinned else self._timing.dial_backoff_max
        self._back_off.failed(_place(dial.peer.addr, dial.host), most, now.mono)
        self._peer_store.attempted(dial.peer.id, now, why)
        return False

    def lost(self, peer: Peer, now: Now) -> None:
        """A Ready connection ended: look around again soon."""
        if peer.info is not None and peer.direction == "outbound":
            self.links.up(peer.info, peer.connected_at, now)
            self._lost[peer.info.id] = peer.info
            self._back_off.ended(_place(peer.info.addr, peer.dial.host if peer.dial is not None else None), now.mono)
        self._period = self._timing.monitor_peers_initial
        self._monitor_at = min(self._monitor_at, now.mono + self._period)
        self._wake_at = min(self._wake_at, self._monitor_at)

    def _end(self, dial: Dial) -> _Attempt | None:
        attempt = self._attempts.get(dial.peer.id)
        if attempt is None or attempt.dial.id != dial.id:
            return None
        return self._attempts.pop(dial.peer.id)


def _place(address: SocketAddress | None, host: str | None) -> str:
    """What a back-off is counted for."""
    return host or str(address)


def _leads_elsewhere(peer: KnownPeer, networks: Collection[str]) -> bool:
    return peer.addr is not None and source_group(peer.addr.ip) not in networks
