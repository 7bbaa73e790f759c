"""What we tell of the graph (document §7.8, §8.5): the whole table once to each new neighbor, then what is new to all.

Nothing is lost and nothing piles up. A table goes out in pieces while the neighbor's queue is short. A protobuf
neighbor drops tables that come too fast, so everything that it is told comes out of one token bucket. What cannot be
sent to a neighbor now is noted by its key, and goes out later in its newest form.

A neighbor is not told what it told us. That holds for a connection, not for a peer: one that crashed and came back may
have forgotten what it told, and its first table may be on its way before the EdgeValidator is done with that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from nearnet.core.routing_table.edge import is_current, is_dated
from nearnet.core.runtime.limits import TokenBucket
from nearnet.wire.edge_layout import ends_of, has_ml_dsa, is_active, nonce_of, pair_of
from nearnet.wire.messages import AnnounceAccount, SyncRoutingTable

if TYPE_CHECKING:
    from nearnet.core.context import Context
    from nearnet.core.peer.peer import Peer
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.timers import Timer
    from nearnet.wire.edge_bytes import Edge

__all__ = [
    "BEHIND_BYTES",
    "FIRST_ML_DSA_VERSION",
    "MOST_ACCOUNTS",
    "MOST_MISSED",
    "PIECE_BYTES",
    "REFILL_BYTES",
    "SLOTS_AT_ONCE",
    "TABLES_SENT_BURST",
    "TABLE_INTERVAL",
    "TELL_INTERVAL",
    "Gossip",
]

REFILL_BYTES: Final = 4 * 2**20
"""Bytes in a neighbor's queue below which the next piece of a table is made."""

BEHIND_BYTES: Final = 16 * 2**20
"""Bytes in a neighbor's queue above which the neighbor is behind."""

TABLE_INTERVAL: Final = 1.1
"""Seconds in which a protobuf neighbor takes one more table: nodes of 2026 take one per second, and clocks and wires
jitter (`network-2026.md` §4)."""

TABLES_SENT_BURST: Final = 8
"""Tables that a protobuf neighbor takes at once: nodes of 2026 take 10."""

TELL_INTERVAL: Final = {"borsh": 0.05, "protobuf": TABLE_INTERVAL}
"""Least seconds between two tables of news, on average, by dialect."""

PIECE_BYTES: Final = 24 * 2**20
"""Bytes of edges in one table: with their prefixes and 10 000 announcements it stays below the 32 MiB that a node of
2026 takes. Only edges with ML-DSA keys (10.6 kB each) come near it."""

MOST_ACCOUNTS: Final = 10_000
"""Announcements in one table: a node of 2026 drops all of them when there are more."""

MOST_MISSED: Final = 50_000
"""Edges noted for one neighbor that cannot be told now, at about 100 bytes each: 5 MB. A neighbor that misses more gets
the whole table again, which needs no notes."""

SLOTS_AT_ONCE: Final = 50_000
"""Slots of the table that are looked at for one piece: some 10 ms of work. The next piece is another turn."""

FIRST_ML_DSA_VERSION: Final = 85
"""Lowest version of a protobuf neighbor that can decode edges with ML-DSA keys; for others one such edge costs the
whole table (`network-2026.md` §3)."""


_LEAST_WAIT: Final = 0.001
"""Seconds."""


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

    # --- what one neighbor is to be told ---------------------------------------------------------

    def ready(self, peer: Peer, now: Now) -> None:
        """Start the token bucket of a new neighbor; call it before anything is told to it."""
        if peer.is_protobuf:
            peer.tables_sent = TokenBucket(1 / TABLE_INTERVAL, TABLES_SENT_BURST, now.mono)

    def start_sync(self, peer: Peer, now: Now) -> None:
        """Send the whole table to a Ready neighbor, in pieces. It is sent even if it is empty."""
        peer.sync_cursor = 0
        peer.missed_accounts.update(dict.fromkeys(one.account_id for one in self._context.announcements.told()))
        self._go_on(peer, now)

    def answer(self, peer: Peer, edge: Edge, now: Now) -> None:
        """Tell a protobuf neighbor one edge that it asked for, as soon as its bucket allows.

        The edge must be in the table by then. It comes together with others where the neighbor waits for some.
        """
        self._note(peer, (pair_of(edge),), ())
        self._go_on(peer, now)

    def drained(self, peer: Peer, now: Now) -> bool:
        """Go on with a neighbor whose queue got shorter; return whether there was something for it."""
        if not _is_waiting(peer) or peer.queued >= REFILL_BYTES or not peer.is_ready:
            return False
        self._go_on(peer, now)
        return True

    def _go_on(self, peer: Peer, now: Now) -> None:
        """Send the next piece of what the neighbor waits for, if its queue and its bucket allow; the rest in later
        turns."""
        if not peer.is_ready or peer.queued >= REFILL_BYTES:
            return  # `drained` goes on.
        due, bucket = now.mono, peer.tables_sent
        if bucket is None or bucket.wait(now.mono) == 0.0:
            message = self._next_piece(peer, now)
            if message is not None:
                if bucket is not None:
                    bucket.take(now.mono)
                peer.send(message)
        if not _is_waiting(peer):
            peer.behind = False
            return
        wait = 0.0 if bucket is None else bucket.wait(now.mono)
        if wait > 0.0:  # What the bucket lacks may be no more than an error of rounding.
            due += max(wait, _LEAST_WAIT)
        if peer.telling is None or not peer.telling.armed or peer.telling.deadline > due:
            if peer.telling is not None:
                peer.telling.cancel()
            peer.telling = self._context.timers.at(due, lambda now: self._go_on(peer, now))

    def _next_piece(self, peer: Peer, now: Now) -> SyncRoutingTable | None:
        """Return the next table for a neighbor that waits for one; None if nothing of this piece may be told."""
        is_first = peer.sync_cursor == 0
        edges: list[Edge] = []
        self._take_missed(peer, edges, now)  # News goes first: the table may take many pieces.
        if peer.sync_cursor is not None:
            self._take_slots(peer, edges, now)
        accounts: list[AnnounceAccount] = []
        for account_id in list(peer.missed_accounts)[: min(self._piece_size, MOST_ACCOUNTS)]:
            del peer.missed_accounts[account_id]
            announcement = self._context.announcements.newest(account_id)
            if announcement is not None:
                accounts.append(announcement)
        if edges or accounts or is_first:
            return SyncRoutingTable(tuple(edges), tuple(accounts))
        return None

    def _take_slots(self, peer: Peer, edges: list[Edge], now: Now) -> None:
        slots, start = self._context.table.slots, peer.sync_cursor or 0
        end, most = min(len(slots), start + SLOTS_AT_ONCE), self._piece_size
        room = PIECE_BYTES - sum(map(len, edges))
        after = self._context.config.nearnet.timing.edge_expires_after
        cursor = start
        while cursor < end and len(edges) < most and room > 0:
            edge = slots[cursor]
            cursor += 1
            if edge is not None and _may_tell(edge, peer, now.wall, after) and not self._skips(edge, now):
                edges.append(edge)
                room -= len(edge)
        peer.sync_cursor = cursor if cursor < len(slots) else None

    def _take_missed(self, peer: Peer, edges: list[Edge], now: Now) -> None:
        table, room = self._context.table, PIECE_BYTES
        after = self._context.config.nearnet.timing.edge_expires_after
        for pair in list(peer.missed)[: self._piece_size]:
            if room <= 0:
                return
            del peer.missed[pair]
            edge = table.get(*ends_of(pair))
            if edge is not None and _may_tell(edge, peer, now.wall, after):
                edges.append(edge)
                room -= len(edge)

    @property
    def _piece_size(self) -> int:
        return int(self._context.config.nearnet.limits.edges_per_message_sent)

    def _skips(self, edge: Edge, now: Now) -> bool:
        """Return whether it is a removed edge, which the first tables after a start may leave out."""
        if is_active(edge) or now.mono >= self._tombstones_from:
            return False
        self._context.count("near_edge_tombstone_sending_skip")
        return True

    def _note(self, peer: Peer, pairs: Iterable[bytes], accounts: Iterable[str]) -> None:
        """Keep in mind what a neighbor cannot be told now."""
        peer.missed.update(dict.fromkeys(pairs))
        peer.missed_accounts.update(dict.fromkeys(accounts))
        if len(peer.missed) > MOST_MISSED:
            peer.missed.clear()
            peer.sync_cursor = 0
        while len(peer.missed_accounts) > 2 * self._context.config.nearnet.limits.announcements:
            del peer.missed_accounts[next(iter(peer.missed_accounts))]  # It has left our memory as well.

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
        """Note that another neighbor told these too: those that still wait to be told are not told to it."""
        for news in self._edges.values():
            for edge in edges if news else ():
                pair = pair_of(edge)
                waiting = news.get(pair)
                if waiting is not None and waiting[0] == edge and teller not in waiting[1]:
                    news[pair] = (edge, (*waiting[1], teller))

    def tell_accounts(self, accounts: Iterable[AnnounceAccount], tellers: Sequence[Peer], now: Now) -> None:
        """Broadcast new announcements to every Ready peer but those that told us."""
        for name in self._spoken():
            self._news.setdefault(name, {}).update(dict.fromkeys(accounts, tuple(tellers)))
        self._arm(now)

    def _spoken(self) -> dict[str, None]:
        """Return the dialects of the neighbors that there are: one that comes later gets the whole table."""
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
        """Tell the neighbors of one dialect; those that cannot decode some of the edges get the others."""
        self._context.count("near_broadcast_msg", "SyncRoutingTable")
        peers = [
            peer for peer in self._context.peers.values() if peer.dialect is not None and peer.dialect_name == name
        ]
        unable = [peer for peer in peers if not _takes_ml_dsa(peer)]
        if unable and len(unable) < len(peers) and any(has_ml_dsa(told[0]) for told in edges.values()):
            self._tell_peers(unable, edges, accounts, now)
            peers = [peer for peer in peers if _takes_ml_dsa(peer)]
        self._tell_peers(peers, edges, accounts, now)

    def _tell_peers(
        self,
        peers: list[Peer],
        edges: dict[bytes, tuple[Edge, tuple[Peer, ...]]],
        accounts: dict[AnnounceAccount, tuple[Peer, ...]],
        now: Now,
    ) -> None:
        """Tell neighbors that take the same edges: one encoding for all but the tellers of something, who get the rest.

        A neighbor that cannot take it now, or for which it is more than one table, gets it in its own turns.
        """
        if not peers:
            return
        after = self._context.config.nearnet.timing.edge_expires_after
        edges = {pair: told for pair, told in edges.items() if _may_tell(told[0], peers[0], now.wall, after)}
        tellers = {who: None for _, told_by in edges.values() for who in told_by}
        tellers.update({who: None for told_by in accounts.values() for who in told_by})
        is_one_table = self._fits([edge for edge, _ in edges.values()], len(accounts))
        shared: bytes | None = None
        for peer in peers:
            mine, news = edges, accounts
            if peer in tellers:
                mine = {pair: told for pair, told in edges.items() if peer not in told[1]}
                news = {one: told_by for one, told_by in accounts.items() if peer not in told_by}
            if not mine and not news:
                continue
            if not is_one_table or not self._may_send(peer, now):
                self._note(peer, mine, [one.account_id for one in news])
                self._go_on(peer, now)
            elif peer in tellers:
                peer.send(SyncRoutingTable(tuple([edge for edge, _ in mine.values()]), tuple(news)))
            else:
                if shared is None:
                    whole = SyncRoutingTable(tuple([edge for edge, _ in edges.values()]), tuple(accounts))
                    shared = _encoded(peer, whole)
                peer.send_frame(shared, "SyncRoutingTable")

    def _fits(self, edges: list[Edge], accounts: int) -> bool:
        """Return whether these make one table."""
        size = self._piece_size
        return len(edges) <= size and accounts <= min(size, MOST_ACCOUNTS) and sum(map(len, edges)) <= PIECE_BYTES

    def _may_send(self, peer: Peer, now: Now) -> bool:
        """Return whether a table may go to this neighbor at once; take its token. It must not overtake what waits."""
        if not peer.behind and peer.queued > BEHIND_BYTES:
            peer.behind = True
            self._context.notify("behind", peer.peer_id, queued=peer.queued)
        if peer.behind or peer.missed or peer.missed_accounts:
            return False
        return peer.tables_sent is None or peer.tables_sent.take(now.mono)


def _is_waiting(peer: Peer) -> bool:
    """Return whether something is still to be told to this neighbor that could not be told before."""
    return peer.sync_cursor is not None or bool(peer.missed) or bool(peer.missed_accounts)


def _takes_ml_dsa(peer: Peer) -> bool:
    return peer.is_protobuf and peer.protocol_version >= FIRST_ML_DSA_VERSION


def _may_tell(edge: Edge, peer: Peer, wall: float, expires_after: float) -> bool:
    """Return whether this neighbor may be told this edge (`behaviour.md` §10, `network-2026.md` §3).

    Counters do not go to protobuf neighbors, and what is too old or too far ahead goes to nobody.
    """
    nonce = nonce_of(edge)
    if not is_dated(nonce):
        if peer.is_protobuf:
            return False
    elif not is_current(nonce, wall, expires_after):
        return False
    return not has_ml_dsa(edge) or _takes_ml_dsa(peer)


def _encoded(peer: Peer, message: SyncRoutingTable) -> bytes:
    return b"" if peer.dialect is None else peer.dialect.encode(message)
