"""The known peers as a bounded container with its indexes; `peer_store.py` holds the rules (`behaviour.md` §6).

After every call: one address belongs to one peer, every peer is where its status puts it, and there are at most
`capacity` peers (more only while the connected and pinned ones alone are more).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nearnet.core.known_peer import Ban, KnownPeerState, PeerStatus, TrustLevel
from nearnet.wire.messages import PeerInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nearnet.keys import PeerId
    from nearnet.wire.messages import SocketAddress

__all__ = ["UNLIMITED", "KnownPeer", "PeerTable"]

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
    """When we last dialled it (unix seconds) and how that went: ``"Ok"`` or the error."""

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
        """Those of which no address is known yet: few, of what neighbours tell again and again."""
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
