"""What we tell of the graph (document §7.8, §8.5): the whole table once to each new neighbour, then what is new to all.

Nothing is lost and nothing piles up: a table goes out in pieces while the neighbour's queue is short, and a neighbour
that is behind misses gossip until its queue has drained, then gets the newest form of every edge it missed.

Who told us something is not told it back. That is a connection, not a peer: one that crashed and came back may not
know any more what it told, and its first table may be on its way before the EdgeValidator is done with that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from nearnet.core.nonces import is_current, is_dated
from nearnet.wire.edge_layout import ends_of, is_active, nonce_of, pair_of
from nearnet.wire.messages import AnnounceAccount, SyncRoutingTable

if TYPE_CHECKING:
    from nearnet.core.clock import Now
    from nearnet.core.context import Context
    from nearnet.core.peer import Peer
    from nearnet.core.timers import Timer
    from nearnet.wire.edge_bytes import Edge

__all__ = ["BEHIND_BYTES", "REFILL_BYTES", "TELL_INTERVAL", "Gossip"]

REFILL_BYTES = 4 * 2**20
"""Below this much in a neighbour's queue the next piece of a table is made."""

BEHIND_BYTES = 16 * 2**20
"""Over this much a neighbour is behind."""

TELL_INTERVAL = {"borsh": 0.05, "protobuf": 1.0}
"""Seconds between two tables of news to one neighbour, on average at least: what each era's rate limits take."""


class Gossip:
    """Sends edges and announcements; decides nothing about them."""

    __slots__ = ("_context", "_edges", "_last_told", "_news", "_timer", "_tombstones_from")

    def __init__(self, context: Context, now: Now) -> None:
        self._context = context
        self._tombstones_from = now.mono + context.config.network.experimental.skip_sending_tombstones_seconds
        self._edges: dict[str, dict[bytes, tuple[Edge, tuple[Peer, ...]]]] = {}
        """News by dialect: an edge's pair of ids -> the newest form and who told it."""
        self._news: dict[str, dict[AnnounceAccount, tuple[Peer, ...]]] = {}
        self._last_told: dict[str, float] = {}
        self._timer: Timer | None = None

    # --- the first table -------------------------------------------------------------------------

    def start_sync(self, peer: Peer, now: Now) -> None:
        """Send the whole table to a peer that is Ready, in pieces."""
        peer.sync_cursor = 0
        accounts = tuple(self._context.announcements.told())
        size = self._piece_size
        for start in range(size, len(accounts), size):
            peer.send(SyncRoutingTable((), accounts[start : start + size]))
        self._continue_sync(peer, now, accounts[:size])

    @property
    def _piece_size(self) -> int:
        return int(self._context.config.nearnet.limits.edges_per_message_sent)

    def drained(self, peer: Peer, now: Now) -> bool:
        """The peer's queue got shorter: go on with its table, or with what it missed; whether there was any of it."""
        if (peer.sync_cursor is None and not peer.behind) or peer.queued >= REFILL_BYTES or not peer.is_ready:
            return False
        if peer.sync_cursor is not None:
            self._continue_sync(peer, now, ())
        else:
            self._catch_up(peer, now)
        return True

    def _continue_sync(self, peer: Peer, now: Now, accounts: tuple[AnnounceAccount, ...]) -> None:
        slots, may_tell = self._context.table.slots, self._filter(peer.is_today, now)
        while peer.sync_cursor is not None and peer.queued < REFILL_BYTES:
            piece: list[Edge] = []
            cursor = peer.sync_cursor
            while cursor < len(slots) and len(piece) < self._piece_size:
                edge = slots[cursor]
                cursor += 1
                if edge is not None and may_tell(edge) and not self._skips(edge, now):
                    piece.append(edge)
            first = peer.sync_cursor == 0
            peer.sync_cursor = cursor if cursor < len(slots) else None
            if piece or first:
                peer.send(SyncRoutingTable(tuple(piece), accounts))
                accounts = ()

    def _filter(self, to_today: bool, now: Now) -> Callable[[Edge], bool]:
        """What may be told: no counters to today's peers, nothing too old to anybody (`behaviour.md` §10)."""
        expires_after = self._context.config.nearnet.timing.edge_expires_after

        def may_tell(edge: Edge) -> bool:
            nonce = nonce_of(edge)
            return is_current(nonce, now.wall, expires_after) if is_dated(nonce) else not to_today

        return may_tell

    def _skips(self, edge: Edge, now: Now) -> bool:
        """Whether it is a removed edge, which the first tables after a start may leave out."""
        if is_active(edge) or now.mono >= self._tombstones_from:
            return False
        self._context.count("near_edge_tombstone_sending_skip")
        return True

    # --- news ------------------------------------------------------------------------------------

    def tell(self, edges: Iterable[Edge], tellers: Sequence[Peer], now: Now) -> None:
        """Broadcast new edges to every Ready peer but those that told us."""
        told_by = tuple(tellers)
        fresh = {pair_of(edge): (edge, told_by) for edge in edges}
        if fresh:
            self._context.count("near_edge_updates", count=len(fresh))
        for name in self._spoken():
            self._edges.setdefault(name, {}).update(fresh)
        self._arm(now)

    def heard(self, edges: Sequence[Edge], teller: Peer) -> None:
        """Another neighbour told these too: those that still wait to be told are not told it back."""
        for news in self._edges.values():
            for edge in edges if news else ():
                pair = pair_of(edge)
                waiting = news.get(pair)
                if waiting is not None and waiting[0] == edge and teller not in waiting[1]:
                    news[pair] = (edge, (*waiting[1], teller))

    def tell_accounts(self, accounts: Iterable[AnnounceAccount], tellers: Sequence[Peer], now: Now) -> None:
        """Broadcast new announcements likewise."""
        for name in self._spoken():
            self._news.setdefault(name, {}).update(dict.fromkeys(accounts, tuple(tellers)))
        self._arm(now)

    def _spoken(self) -> dict[str, None]:
        """Dialects of the neighbours that there are: who comes later gets the whole table."""
        return dict.fromkeys(peer.dialect_name for peer in self._context.peers.values())

    def _due(self, name: str) -> float | None:
        if not self._edges.get(name) and not self._news.get(name):
            return None
        return self._last_told.get(name, 0.0) + TELL_INTERVAL[name]

    def _arm(self, now: Now) -> None:
        due = [moment for name in TELL_INTERVAL if (moment := self._due(name)) is not None]
        moment = max(min(due), now.mono) if due else None
        timer = self._timer
        if timer is not None:
            if timer.armed and timer.deadline == moment:
                return
            timer.cancel()
        self._timer = None if moment is None else self._context.timers.at(moment, self.flush)

    def flush(self, now: Now, ahead: float = 0.0) -> None:
        """Send the news that is due, or will be within `ahead` seconds: what comes after those waits so much longer."""
        for name in TELL_INTERVAL:
            due = self._due(name)
            if due is not None and due <= now.mono + ahead:
                self._last_told[name] = max(due, now.mono)
                self._tell_dialect(name, self._edges.pop(name, {}), self._news.pop(name, {}), now)
        self._arm(now)

    def _tell_dialect(
        self,
        name: str,
        edges: dict[bytes, tuple[Edge, tuple[Peer, ...]]],
        accounts: dict[AnnounceAccount, tuple[Peer, ...]],
        now: Now,
    ) -> None:
        """One encoding for all but the tellers of something, who get the rest."""
        may_tell = self._filter(name == "protobuf", now)
        edges = {pair: told for pair, told in edges.items() if may_tell(told[0])}
        tellers = {who: None for _, told_by in edges.values() for who in told_by}
        tellers.update({who: None for told_by in accounts.values() for who in told_by})
        shared: list[bytes] | None = None
        self._context.count("near_broadcast_msg", "SyncRoutingTable")
        for peer in list(self._context.peers.values()):
            if peer.dialect is None or peer.dialect.name != name:
                continue
            if self._hold_back(peer, edges):
                continue
            if peer in tellers:
                mine = [edge for edge, told_by in edges.values() if peer not in told_by]
                news = [one for one, told_by in accounts.items() if peer not in told_by]
                frames = self._encode(peer, mine, news)
            elif shared is None:
                frames = shared = self._encode(peer, [edge for edge, _ in edges.values()], list(accounts))
            else:
                frames = shared
            for frame in frames:
                peer.send_frame(frame, "SyncRoutingTable")

    def _encode(self, peer: Peer, edges: list[Edge], accounts: list[AnnounceAccount]) -> list[bytes]:
        size, frames = self._piece_size, []
        for start in range(0, max(len(edges), len(accounts)), size):
            message = SyncRoutingTable(tuple(edges[start : start + size]), tuple(accounts[start : start + size]))
            if peer.dialect is not None:
                frames.append(peer.dialect.encode(message))
        return frames

    # --- peers that are behind -------------------------------------------------------------------

    def _hold_back(self, peer: Peer, edges: Iterable[bytes]) -> bool:
        if not peer.behind and peer.queued > BEHIND_BYTES:
            peer.behind = True
            self._context.notify("behind", peer.peer_id, queued=peer.queued)
        if peer.behind:
            peer.missed.update(dict.fromkeys(edges))
        return peer.behind

    def _catch_up(self, peer: Peer, now: Now) -> None:
        table, may_tell, piece = self._context.table, self._filter(peer.is_today, now), []
        for pair in list(peer.missed)[: self._piece_size]:
            del peer.missed[pair]
            edge = table.get(*ends_of(pair))
            if edge is not None and may_tell(edge):
                piece.append(edge)
        if piece:
            for frame in self._encode(peer, piece, []):
                peer.send_frame(frame, "SyncRoutingTable")
        if not peer.missed:
            peer.behind = False
