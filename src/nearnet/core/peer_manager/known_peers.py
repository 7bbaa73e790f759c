"""The peers that this node knows (document §5; `behaviour.md` §6; `threats.md` rows 57, 58, 61, 67).

`KnownPeer` is what is known of one, `PeerTable` keeps them bounded and by address, `load_peers` reads the store, and
`PeerStore` is what the rest of the core asks and tells.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING

from nearnet.core.runtime.addresses import Blacklist, is_loopback, may_tell, normalise, source_group
from nearnet.errors import Malformed, ReasonForBan
from nearnet.keys import is_ml_dsa
from nearnet.wire.borsh.dialect import read_peer_info, write_peer_info
from nearnet.wire.borsh.primitives import Reader, Writer
from nearnet.wire.messages import PeerInfo

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Iterable, Iterator

    from nearnet.config import BootNode, NetworkConfig
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.journal import Journal
    from nearnet.core.runtime.store_reader import StoreReader
    from nearnet.errors import ReasonForBan
    from nearnet.keys import PeerId
    from nearnet.wire.messages import PeerInfo, SocketAddress

__all__ = [
    "COLUMN",
    "PREFER_CONNECTED_BEFORE",
    "UNLIMITED",
    "Ban",
    "KnownPeer",
    "KnownPeerState",
    "PeerStatus",
    "PeerStore",
    "PeerTable",
    "TrustLevel",
    "decode_known_peer",
    "encode_known_peer",
    "load_peers",
]


class PeerStatus(IntEnum):
    """How we stand with a known peer; the numbers are the stored ones."""

    UNKNOWN = 0
    """Never connected, or the last dial failed."""
    NOT_CONNECTED = 1
    CONNECTED = 2
    BANNED = 3

    @property
    def label(self) -> str:
        """The field's name for it, such as ``NotConnected``."""
        return "".join(part.capitalize() for part in self.name.split("_"))


class TrustLevel(IntEnum):
    """Who says that a peer has its address. A lower level never replaces a higher one."""

    INDIRECT = 0
    """Others told it."""
    DIRECT = 1
    """It said so from that address."""
    SIGNED = 2
    """A handshake proved it, or the operator wrote it down."""


@dataclass(frozen=True, slots=True)
class Ban:
    """A ban as stored: it ends at `time_ns` (unix nanoseconds) plus the configured `ban_window`."""

    reason: ReasonForBan
    time_ns: int


@dataclass(frozen=True, slots=True)
class KnownPeerState:
    """One row of the Peers column; times in unix nanoseconds. `ban` is there exactly when `status` is BANNED."""

    peer_info: PeerInfo
    status: PeerStatus
    first_seen: int
    last_seen: int
    ban: Ban | None = None


def encode_known_peer(state: KnownPeerState) -> bytes:
    """Its borsh bytes."""
    writer = Writer()
    write_peer_info(writer, state.peer_info)
    writer.u8(state.status)
    if state.ban is not None:
        writer.u8(state.ban.reason)
        writer.u64(state.ban.time_ns)
    writer.u64(state.first_seen)
    writer.u64(state.last_seen)
    return writer.getvalue()


def decode_known_peer(data: bytes) -> KnownPeerState:
    """The inverse; raises `Malformed`."""
    reader = Reader(data)
    peer_info = read_peer_info(reader)
    try:
        status = PeerStatus(reader.u8())
        ban = Ban(ReasonForBan(reader.u8()), reader.u64()) if status is PeerStatus.BANNED else None
    except ValueError as error:
        raise Malformed(f"no known peer's state: {error}") from error
    state = KnownPeerState(peer_info, status, reader.u64(), reader.u64(), ban)
    reader.finish()
    return state


UNLIMITED = ""
"""The group of peers that no peer told us of: not counted against a source."""


@dataclass(slots=True, eq=False)
class KnownPeer:
    """A known peer in memory. Read it freely; only `PeerStore` changes it."""

    id: PeerId
    first_seen: int
    """Unix nanoseconds."""
    last_seen: int
    """Unix nanoseconds."""
    seen_at: float
    """`last_seen` on the monotonic clock, so that a wall clock that jumps forgets nobody (`threats.md` row 67)."""
    addr: SocketAddress | None = None
    account_id: str | None = None
    status: PeerStatus = PeerStatus.UNKNOWN
    trust: TrustLevel = TrustLevel.INDIRECT
    group: str = UNLIMITED
    """The network of who told us of it, until it proves itself."""
    host: str | None = None
    """``host:port`` as the operator gave it, to be resolved on every dial."""
    boot: bool = False
    persistent: bool = False
    ban: Ban | None = None
    ban_ends: float = 0.0
    """On the monotonic clock."""
    last_attempt: tuple[float, str] | None = None
    """When we last dialed it (unix seconds) and how that went: ``"Ok"`` or the error."""

    @property
    def pinned(self) -> bool:
        """Whether the operator named it: never evicted, never expired."""
        return self.boot or self.persistent

    @property
    def info(self) -> PeerInfo:
        """As told to others."""
        return PeerInfo(self.id, self.addr, self.account_id)

    @property
    def state(self) -> KnownPeerState:
        """As stored."""
        return KnownPeerState(self.info, self.status, self.first_seen, self.last_seen, self.ban)


class PeerTable:
    """At most `capacity` peers, and `per_group` that were never connected of each source group.

    Room is made by the oldest never-connected peer of the largest group, else by the peer not connected for longest,
    else by the ban that ends first.
    """

    __slots__ = ("_by_address", "_capacity", "_peers", "_per_group", "_untried", "banned", "changes")

    def __init__(self, capacity: int, per_group: int) -> None:
        self._capacity = capacity
        self._per_group = per_group
        self._peers: OrderedDict[PeerId, KnownPeer] = OrderedDict()
        self._by_address: dict[SocketAddress, KnownPeer] = {}
        self._untried: dict[str, OrderedDict[PeerId, KnownPeer]] = {}
        self.banned: dict[PeerId, KnownPeer] = {}
        """The banned ones."""
        self.changes = 0
        """How often something has changed that is told to others."""

    def get(self, peer_id: PeerId) -> KnownPeer | None:
        """The peer of that id."""
        return self._peers.get(peer_id)

    def at(self, address: SocketAddress) -> KnownPeer | None:
        """The peer that has that address."""
        return self._by_address.get(address)

    def without_address(self, infos: Iterable[PeerInfo]) -> list[PeerInfo]:
        """Those of which no address is known yet: few, of what neighbors tell again and again."""
        peers = self._peers
        return [info for info in infos if (peer := peers.get(info.id)) is None or peer.addr is None]

    def __iter__(self) -> Iterator[KnownPeer]:
        return iter(self._peers.values())

    def __len__(self) -> int:
        return len(self._peers)

    def add(self, peer: KnownPeer) -> tuple[bool, list[KnownPeer]]:
        """Take in a new peer without an address. Returns whether there was room, and who had to leave."""
        evicted = []
        group = self._untried.get(peer.group)
        if group is not None and peer.group != UNLIMITED and len(group) >= self._per_group:
            evicted.append(next(iter(group.values())))
        elif len(self._peers) >= self._capacity:
            victim = self._victim()
            if victim is not None:
                evicted.append(victim)
            elif self._is_untried(peer):
                return False, []
        for victim in evicted:
            self.remove(victim)
        self._peers[peer.id] = peer
        self._classify(peer)
        return True, evicted

    def remove(self, peer: KnownPeer) -> None:
        """Forget it."""
        self.move(peer, None)
        self._leave_group(peer)
        self.banned.pop(peer.id, None)
        del self._peers[peer.id]

    def move(self, peer: KnownPeer, address: SocketAddress | None) -> KnownPeer | None:
        """Give the peer that address instead of its own; returns the peer that lost it by this, if any."""
        self.changes += 1
        if peer.addr is not None:
            del self._by_address[peer.addr]
        owner = None
        if address is not None:
            owner = self._by_address.get(address)
            if owner is not None:
                owner.addr = None
            self._by_address[address] = peer
        peer.addr = address
        return owner

    def set_status(self, peer: KnownPeer, status: PeerStatus) -> None:
        """Change the status; the peer is now the most recent one."""
        self._leave_group(peer)
        peer.status = status
        self._peers.move_to_end(peer.id)
        self._classify(peer)

    @staticmethod
    def _is_untried(peer: KnownPeer) -> bool:
        return peer.status is PeerStatus.UNKNOWN and not peer.pinned

    def _classify(self, peer: KnownPeer) -> None:
        self.changes += 1
        if peer.status is PeerStatus.BANNED:
            self.banned[peer.id] = peer
        else:
            self.banned.pop(peer.id, None)
        if self._is_untried(peer):
            self._untried.setdefault(peer.group, OrderedDict())[peer.id] = peer
        else:
            peer.group = UNLIMITED

    def _leave_group(self, peer: KnownPeer) -> None:
        group = self._untried.get(peer.group)
        if group is not None and group.pop(peer.id, None) is not None and not group:
            del self._untried[peer.group]

    def _victim(self) -> KnownPeer | None:
        if self._untried:
            return next(iter(max(self._untried.values(), key=len).values()))
        rest = (peer for peer in self._peers.values() if not peer.pinned)
        idle = (peer for peer in rest if peer.status is PeerStatus.NOT_CONNECTED)
        banned = (peer for peer in self.banned.values() if not peer.pinned)
        return next(idle, None) or min(banned, key=lambda peer: peer.ban_ends, default=None)


COLUMN = "Peers"


def load_peers(table: PeerTable, me: PeerId, config: NetworkConfig, store: StoreReader, now: Now) -> int:
    """Fill an empty table: who was connected is not any more, bans stay, the operator's peers always join.

    Returns how many stored rows did not decode.
    """
    for node in config.network.boot_nodes:
        if node.info.id != me:
            _pin(table, node, now, boot=True)
    for node in config.nearnet.persistent_peers:
        if node.info.id != me:
            _pin(table, node, now, boot=False)
    unreadable = 0
    states = []
    for _, value in store.items(COLUMN):
        try:
            states.append(decode_known_peer(value))
        except Malformed:
            unreadable += 1
    # The oldest first: when they are more than we keep, it is the newest that stay.
    for state in sorted(states, key=lambda state: (state.last_seen, state.peer_info.id)):
        if state.peer_info.id != me:
            _load(table, state, config.network.ban_window, now)
    return unreadable


def _pin(table: PeerTable, node: BootNode, now: Now, boot: bool) -> None:
    info = node.info
    peer = table.get(info.id)
    if peer is None:
        peer = KnownPeer(info.id, now.unix_ns, now.unix_ns, now.mono, account_id=info.account_id)
        peer.boot, peer.persistent = boot, not boot
        table.add(peer)
    peer.boot |= boot
    peer.persistent |= not boot
    peer.host = peer.host or node.host
    if info.addr is not None and table.at(normalise(info.addr)) is None:
        table.move(peer, normalise(info.addr))
        peer.trust = TrustLevel.SIGNED


def _load(table: PeerTable, state: KnownPeerState, ban_window: float, now: Now) -> None:
    info = state.peer_info
    age = max(0.0, now.wall - state.last_seen / 1e9)
    status = PeerStatus.NOT_CONNECTED if state.status is PeerStatus.CONNECTED else state.status
    ban, ban_ends = state.ban, 0.0
    if ban is not None:
        ban_ends = now.mono + ban.time_ns / 1e9 + ban_window - now.wall
        if ban_ends <= now.mono:
            status, ban = PeerStatus.NOT_CONNECTED, None
    peer = table.get(info.id)
    if peer is None:
        peer = KnownPeer(info.id, 0, 0, 0.0, account_id=info.account_id, status=status)
        if not table.add(peer)[0]:
            return
    peer.first_seen, peer.last_seen, peer.seen_at = state.first_seen, state.last_seen, now.mono - age
    peer.ban, peer.ban_ends = ban, ban_ends
    table.set_status(peer, status)
    if info.addr is not None and peer.addr is None:
        owner = table.at(normalise(info.addr))
        if owner is None or not owner.pinned:
            table.move(peer, normalise(info.addr))


PREFER_CONNECTED_BEFORE = 0.6
"""How often a peer to dial is taken from those that we were connected to before (`threats.md` row 58)."""

_MAX_NS = 2**64 - 1


class PeerStore:
    """At most `limits.known_peers` peers, about 1 kB each."""

    __slots__ = (
        "_blacklist",
        "_config",
        "_journal",
        "_me",
        "_my_addresses",
        "_rng",
        "_seen_since",
        "_table",
        "_told",
        "_told_at",
        "unreadable",
    )

    def __init__(
        self,
        me: PeerId,
        config: NetworkConfig,
        store: StoreReader,
        journal: Journal,
        rng: random.Random,
        now: Now,
    ) -> None:
        """Loads the store: who was connected is not any more, bans stay; the operator's peers always join."""
        limits = config.nearnet.limits
        self._me = me
        self._my_addresses: dict[SocketAddress, None] = {}
        self._config = config
        self._rng = rng
        self._blacklist = Blacklist(config.network.blacklist)
        self._table = PeerTable(limits.known_peers, limits.per_source_group)
        self._journal = journal
        self._seen_since = -math.inf
        """On the monotonic clock: everybody that may expire was seen then or later."""
        self._told: tuple[PeerInfo, ...] = ()
        """What is told of peers, as of `_told_at`."""
        self._told_at = -1
        self.unreadable = load_peers(self._table, me, config, store, now)
        """Stored rows that did not decode; they stay where they are."""

    # --- questions -----------------------------------------------------------------------------------

    def get(self, peer_id: PeerId) -> KnownPeer | None:
        """What is known of a peer."""
        return self._table.get(peer_id)

    def at(self, address: SocketAddress) -> KnownPeer | None:
        """The peer that has this address."""
        return self._table.at(normalise(address))

    def peers(self) -> list[KnownPeer]:
        """All known peers, the longest untouched first."""
        return list(self._table)

    def bans(self) -> list[KnownPeer]:
        """The banned ones."""
        return list(self._table.banned.values())

    @property
    def persistent_ids(self) -> dict[PeerId, None]:
        """The operator's persistent peers."""
        return {peer.id: None for peer in self._table if peer.persistent}

    def __len__(self) -> int:
        return len(self._table)

    def is_banned(self, peer_id: PeerId) -> bool:
        """Whether it is banned now."""
        peer = self._table.get(peer_id)
        return peer is not None and peer.status is PeerStatus.BANNED

    def set_blacklist(self, blacklist: tuple[tuple[str, int | None], ...]) -> None:
        """The operator changed it: (IP, port or None for every port)."""
        self._blacklist = Blacklist(blacklist)

    def is_blacklisted_ip(self, ip: str) -> bool:
        """Whether the operator wants nothing of this IP; to be asked at accept (row 60)."""
        return self._blacklist.has_ip(ip)

    def is_blacklisted(self, address: SocketAddress) -> bool:
        """Whether the operator wants nothing of this address."""
        return self._blacklist.has(address)

    def is_mine(self, address: SocketAddress) -> bool:
        """Whether this is an address of ours."""
        return normalise(address) in self._my_addresses

    def peers_for_response(self, count: int, rng: random.Random) -> tuple[PeerInfo, ...]:
        """At most `count` peers that have an address and are not banned, chosen at random where there are more."""
        table = self._table
        if self._told_at != table.changes:
            self._told_at = table.changes
            self._told = tuple(
                peer.info for peer in table if peer.addr is not None and peer.status is not PeerStatus.BANNED
            )
        return self._told if len(self._told) <= count else tuple(rng.sample(self._told, count))

    def sample_random_peer(self, exclude: Callable[[KnownPeer], bool], avoid: Collection[str] = ()) -> KnownPeer | None:
        """A random peer to dial that `exclude` does not refuse; outside the networks `avoid` when there is one."""
        boot_only = self._config.network.experimental.connect_only_to_boot_nodes
        candidates = [
            peer for peer in self._table if self.may_dial(peer) and (peer.boot or not boot_only) and not exclude(peer)
        ]
        if avoid:
            elsewhere = [peer for peer in candidates if peer.addr is None or source_group(peer.addr.ip) not in avoid]
            candidates = elsewhere or candidates
        before = [peer for peer in candidates if peer.status is PeerStatus.NOT_CONNECTED]
        if before and self._rng.random() < PREFER_CONNECTED_BEFORE:
            candidates = before
        return self._rng.choice(candidates) if candidates else None

    def may_dial(self, peer: KnownPeer) -> bool:
        """Not connected nor banned, with a key of a type that we use, at an address neither ours nor blacklisted."""
        if peer.status not in (PeerStatus.UNKNOWN, PeerStatus.NOT_CONNECTED) or is_ml_dsa(peer.id):
            return False
        if peer.addr is None:
            return peer.host is not None
        return peer.addr not in self._my_addresses and not self._blacklist.has(peer.addr)

    # --- addresses -----------------------------------------------------------------------------------

    def add_own_address(self, address: SocketAddress) -> None:
        """This address leads to ourselves: never dial it (`threats.md` row 25)."""
        self._my_addresses[normalise(address)] = None

    def add_indirect(self, infos: Iterable[PeerInfo], source_ip: str, now: Now) -> int:
        """Take what the peer at `source_ip` tells of others, as far as it may; returns how many were news."""
        news = self._table.without_address(infos)
        if not news:  # Of nearly all answers.
            return 0
        limited = self._config.nearnet.limits.per_ip_on_loopback or not is_loopback(source_ip)
        group = source_group(source_ip) if limited else UNLIMITED
        return sum(self._add_indirect(info, source_ip, group, now) for info in news)

    def _add_indirect(self, info: PeerInfo, source_ip: str, group: str, now: Now) -> bool:
        allow_private = self._config.nearnet.limits.allow_private
        if not self._may_hold(info) or info.addr is None or not may_tell(info.addr, source_ip, allow_private):
            return False
        address = normalise(info.addr)
        peer = self._table.get(info.id)
        settled = peer is not None and (peer.addr is not None or peer.pinned)
        if settled or address in self._my_addresses or self._table.at(address) is not None:
            return False
        peer = peer or self._new(info, now, group)
        return peer is not None and self._claim(peer, address, TrustLevel.INDIRECT)

    def add_direct(self, info: PeerInfo, now: Now) -> bool:
        """A peer said of itself, from `info.addr`, that it is there; whether that is now its address."""
        if not self._may_hold(info) or info.addr is None or self.is_mine(info.addr):
            return False
        peer = self._table.get(info.id) or self._new(info, now)
        return peer is not None and self._claim(peer, normalise(info.addr), TrustLevel.DIRECT)

    def _may_hold(self, info: PeerInfo) -> bool:
        """Return whether it is another peer whose key is of a type that we use (`network-2026.md` §3)."""
        return info.id != self._me and not is_ml_dsa(info.id)

    def invalid_target(self, dialed_id: PeerId, dialed: SocketAddress, told_id: PeerId, now: Now) -> None:
        """We dialed `dialed_id` there and `told_id` answered: the address is not the former's (row 15)."""
        owner = self.at(dialed)
        if owner is not None and owner.id == dialed_id != told_id:
            self._table.move(owner, None)
            self._changed(owner.id)
        if told_id == self._me:
            self.add_own_address(dialed)
            return
        if self.at(dialed) is None:
            self.add_direct(PeerInfo(told_id, dialed), now)

    def _claim(self, peer: KnownPeer, address: SocketAddress, level: TrustLevel) -> bool:
        owner = self._table.at(address)
        if owner is peer:
            peer.trust = max(peer.trust, level)
            return True
        if peer.addr is not None and peer.trust > level:
            return False
        # Nobody takes the address of a peer that is connected or that the operator named by claiming a port.
        if owner is not None and (owner.trust > level or owner.pinned or owner.status is PeerStatus.CONNECTED):
            return False
        if owner is not None:
            self._changed(owner.id)
        self._table.move(peer, address)
        peer.trust = level
        self._changed(peer.id)
        return True

    def _new(self, info: PeerInfo, now: Now, group: str = UNLIMITED) -> KnownPeer | None:
        """A newcomer without an address yet; None when there is no room for it."""
        peer = KnownPeer(info.id, now.unix_ns, now.unix_ns, now.mono, account_id=info.account_id, group=group)
        added, evicted = self._table.add(peer)
        for gone in evicted:
            self._changed(gone.id)
        if not added:
            return None
        self._changed(peer.id)
        return peer

    # --- connections ---------------------------------------------------------------------------------

    def connected(self, info: PeerInfo, now: Now) -> None:
        """A handshake proved who is there; `info.addr` is where to dial it (its IP, the port that it told)."""
        peer = self._status_entry(info, now)
        peer.account_id = info.account_id or peer.account_id
        self._change(peer, PeerStatus.CONNECTED, now)
        if info.addr is not None:
            self._claim(peer, normalise(info.addr), TrustLevel.SIGNED)

    def disconnected(self, peer_id: PeerId, now: Now) -> None:
        """The connection ended; a ban that ended it stays."""
        peer = self._table.get(peer_id)
        if peer is not None and peer.status is PeerStatus.CONNECTED:
            self._change(peer, PeerStatus.NOT_CONNECTED, now)

    def attempted(self, peer_id: PeerId, now: Now, error: str | None = None) -> None:
        """We dialed it, with this outcome. After a failure it is Unknown again: others go first."""
        peer = self._table.get(peer_id)
        if peer is None:
            return
        peer.last_attempt = (now.wall, "Ok" if error is None else f"Error: {error}")
        if error is not None and peer.status is PeerStatus.NOT_CONNECTED:
            self._table.set_status(peer, PeerStatus.UNKNOWN)
            self._changed(peer_id)

    def _status_entry(self, info: PeerInfo, now: Now) -> KnownPeer:
        """The peer's entry, made when there is none: for a status that always finds room."""
        peer = self._table.get(info.id)
        if peer is None:
            peer = KnownPeer(info.id, now.unix_ns, now.unix_ns, now.mono, account_id=info.account_id)
            peer.status = PeerStatus.NOT_CONNECTED
            _, evicted = self._table.add(peer)
            for gone in evicted:
                self._changed(gone.id)
        return peer

    def _change(self, peer: KnownPeer, status: PeerStatus, now: Now) -> None:
        peer.last_seen, peer.seen_at = now.unix_ns, now.mono
        self._table.set_status(peer, status)
        self._changed(peer.id)

    # --- bans and expiry -----------------------------------------------------------------------------

    def ban(self, peer_id: PeerId, reason: ReasonForBan, now: Now, seconds: float | None = None) -> None:
        """Ban it for `seconds` (`ban_window` unless told); a ban that would end later than this one stays."""
        window = self._config.network.ban_window
        length = window if seconds is None else seconds
        peer = self._status_entry(PeerInfo(peer_id), now)
        if peer.status is PeerStatus.BANNED and peer.ban_ends > now.mono + length:
            return
        # Stored so that the end is always `ban_window` later, whatever the ban's own length.
        time_ns = now.unix_ns + int((length - window) * 1e9)
        peer.ban = Ban(reason, min(max(time_ns, 0), _MAX_NS))
        peer.ban_ends = now.mono + length
        self._change(peer, PeerStatus.BANNED, now)
        self._changed(peer.id, urgent=True)

    def unban(self, peer_id: PeerId, now: Now) -> bool:
        """End a ban; False when there is none."""
        peer = self._table.get(peer_id)
        if peer is None or peer.status is not PeerStatus.BANNED:
            return False
        peer.ban = None
        self._change(peer, PeerStatus.NOT_CONNECTED, now)
        return True

    def end_bans(self, now: Now) -> list[PeerId]:
        """End the bans whose time is over; returns whose."""
        over = [peer.id for peer in self.bans() if peer.ban_ends <= now.mono]
        for peer_id in over:
            self.unban(peer_id, now)
        return over

    def next_ban_end(self) -> float | None:
        """When `end_bans` is to be called, in seconds of the monotonic clock; None without bans."""
        return min((peer.ban_ends for peer in self.bans()), default=None)

    def expire(self, now: Now) -> None:
        """Forget who was not seen for `peer_expiration_duration`."""
        oldest = now.mono - self._config.network.peer_expiration_duration
        if self._seen_since >= oldest:
            return
        kept = (PeerStatus.CONNECTED, PeerStatus.BANNED)
        mortal = [peer for peer in self._table if peer.status not in kept and not peer.pinned]
        self._seen_since = min((peer.seen_at for peer in mortal if peer.seen_at >= oldest), default=now.mono)
        for peer in mortal:
            if peer.seen_at < oldest:
                self._table.remove(peer)
                self._changed(peer.id)

    # --- the store -----------------------------------------------------------------------------------

    def _changed(self, peer_id: PeerId, urgent: bool = False) -> None:
        self._journal.changed(COLUMN, peer_id, partial(self._row, peer_id), urgent)

    def _row(self, peer_id: PeerId) -> bytes | None:
        peer = self._table.get(peer_id)
        return None if peer is None else encode_known_peer(peer.state)
