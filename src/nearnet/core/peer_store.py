"""The known peers: who is where, who says so, who is banned (`behaviour.md` §6; `threats.md` rows 15, 56-61, 67).

Every change is collected as a row to store; the manager fetches them with `take_writes`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nearnet.core.actions import Write
from nearnet.core.addresses import Blacklist, is_loopback, may_tell, normalise, source_group
from nearnet.core.known_peer import Ban, PeerStatus, TrustLevel, encode_known_peer
from nearnet.core.peer_loading import COLUMN, load_peers
from nearnet.core.peer_table import UNLIMITED, KnownPeer, PeerTable
from nearnet.keys import is_ml_dsa
from nearnet.wire.messages import PeerInfo

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Iterable

    from nearnet.config import NetworkConfig
    from nearnet.core.clock import Now
    from nearnet.errors import ReasonForBan
    from nearnet.keys import PeerId
    from nearnet.store.base import StoreReader
    from nearnet.wire.messages import SocketAddress

__all__ = ["PREFER_CONNECTED_BEFORE", "PeerStore"]

PREFER_CONNECTED_BEFORE = 0.6
"""How often a peer to dial is taken from those that we were connected to before (`threats.md` row 58)."""

_MAX_NS = 2**64 - 1


class PeerStore:
    """At most `limits.known_peers` peers, about 1 kB each."""

    __slots__ = (
        "_blacklist",
        "_config",
        "_dirty",
        "_me",
        "_my_addresses",
        "_rng",
        "_seen_since",
        "_table",
        "_told",
        "_told_at",
        "_urgent",
        "unreadable",
    )

    def __init__(
        self,
        me: PeerId,
        config: NetworkConfig,
        store: StoreReader,
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
        self._dirty: dict[PeerId, None] = {}
        self._seen_since = -math.inf
        """On the monotonic clock: everybody that may expire was seen then or later."""
        self._told: tuple[PeerInfo, ...] = ()
        """What is told of peers, as of `_told_at`."""
        self._told_at = -1
        self._urgent = False
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

    def invalid_target(self, dialled_id: PeerId, dialled: SocketAddress, told_id: PeerId, now: Now) -> None:
        """We dialled `dialled_id` there and `told_id` answered: the address is not the former's (row 15)."""
        owner = self.at(dialled)
        if owner is not None and owner.id == dialled_id != told_id:
            self._table.move(owner, None)
            self._dirty[owner.id] = None
        if told_id == self._me:
            self.add_own_address(dialled)
            return
        if self.at(dialled) is None:
            self.add_direct(PeerInfo(told_id, dialled), now)

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
            self._dirty[owner.id] = None
        self._table.move(peer, address)
        peer.trust = level
        self._dirty[peer.id] = None
        return True

    def _new(self, info: PeerInfo, now: Now, group: str = UNLIMITED) -> KnownPeer | None:
        """A newcomer without an address yet; None when there is no room for it."""
        peer = KnownPeer(info.id, now.unix_ns, now.unix_ns, now.mono, account_id=info.account_id, group=group)
        added, evicted = self._table.add(peer)
        self._dirty.update(dict.fromkeys(gone.id for gone in evicted))
        if not added:
            return None
        self._dirty[peer.id] = None
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
        """We dialled it, with this outcome. After a failure it is Unknown again: others go first."""
        peer = self._table.get(peer_id)
        if peer is None:
            return
        peer.last_attempt = (now.wall, "Ok" if error is None else f"Error: {error}")
        if error is not None and peer.status is PeerStatus.NOT_CONNECTED:
            self._table.set_status(peer, PeerStatus.UNKNOWN)
            self._dirty[peer_id] = None

    def _status_entry(self, info: PeerInfo, now: Now) -> KnownPeer:
        """The peer's entry, made when there is none: for a status that always finds room."""
        peer = self._table.get(info.id)
        if peer is None:
            peer = KnownPeer(info.id, now.unix_ns, now.unix_ns, now.mono, account_id=info.account_id)
            peer.status = PeerStatus.NOT_CONNECTED
            _, evicted = self._table.add(peer)
            self._dirty.update(dict.fromkeys(gone.id for gone in evicted))
        return peer

    def _change(self, peer: KnownPeer, status: PeerStatus, now: Now) -> None:
        peer.last_seen, peer.seen_at = now.unix_ns, now.mono
        self._table.set_status(peer, status)
        self._dirty[peer.id] = None

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
        self._urgent = True

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
                self._dirty[peer.id] = None

    # --- the store -----------------------------------------------------------------------------------

    def take_writes(self) -> tuple[list[Write], bool]:
        """The rows that changed since the last call, and whether a ban is among them: to be committed at once."""
        writes: list[Write] = []
        if not self._dirty:  # After most inputs.
            return writes, False
        for peer_id in self._dirty:
            peer = self._table.get(peer_id)
            writes.append(Write(COLUMN, peer_id, None if peer is None else encode_known_peer(peer.state)))
        urgent, self._urgent = self._urgent, False
        self._dirty.clear()
        return writes, urgent
