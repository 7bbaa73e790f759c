"""The exchange of edges and announcements with the RoutingTable (document §7.8 to §9.4; `behaviour.md` §3, §4, §7).

Received tables go through the EdgeValidator. `EdgeIntake` keeps what is on its way there and back. An edge that is not
newer than known is dropped without crypto. One whose very bytes are already with the validator, or wait to be taken
into the table, is not checked again: its later tellers are remembered, share the outcome, and are not told it back. A
teller is a connection, not a peer: one that comes back may have forgotten what it told.

What holds is taken into the table after 50 ms, and while much follows at once; a bounded piece each time. Next hops are
computed anew at most once a second, and only when edges changed.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nearnet.core.routing_table.edge import EdgeCheck, Verdict, is_current, is_dated, well_formed
from nearnet.core.routing_table.expiry import EXPIRE_AT_ONCE
from nearnet.core.runtime.actions import Recompute, Verify
from nearnet.errors import ConfigError, ReasonForBan
from nearnet.keys import is_ml_dsa, ml_dsa_check
from nearnet.wire.account_id import valid_account_id
from nearnet.wire.edge_layout import ends_of, has_ml_dsa, involves, is_active, nonce_of

if TYPE_CHECKING:
    from nearnet.core.context import Context
    from nearnet.core.gossip.own_edges import LocalEdges
    from nearnet.core.gossip.telling import Gossip
    from nearnet.core.peer.inbound import Connections
    from nearnet.core.peer.peer import Peer
    from nearnet.core.routing_table.graph import Routes
    from nearnet.core.routing_table.table import RoutingTable
    from nearnet.core.runtime.clock import Now
    from nearnet.core.runtime.timers import Timer
    from nearnet.wire.edge_bytes import Edge
    from nearnet.wire.messages import AnnounceAccount, SyncRoutingTable

__all__ = [
    "EDGES_AT_ONCE",
    "EDGES_IN_PROGRESS",
    "REFUSED_ML_DSA",
    "EdgeIntake",
    "TableExchange",
]


class EdgeIntake:
    """Keeps what is being verified, or waits for its turn after that, by whom it was told."""

    __slots__ = ("_next_id", "_requests", "_tellers", "table", "verified_count")

    def __init__(self, table: RoutingTable) -> None:
        self.table = table
        self._next_id = 0
        self._requests: dict[int, tuple[Peer, tuple[EdgeCheck, ...]]] = {}
        self._tellers: dict[Edge, tuple[Peer, ...]] = {}
        self.verified_count = 0
        """Signature checks asked for since the start (`threats.md` rows 31, 35)."""

    @property
    def in_progress(self) -> int:
        """Edges with the EdgeValidator, or right and not yet `taken`."""
        return len(self._tellers)

    def split_echoes(self, edges: Sequence[Edge]) -> tuple[list[Edge], list[Edge]]:
        """Those that may be new, and the echoes: taken lately, and held byte for byte.

        Each neighbor tells what is new, all but the first in vain; a look by the bytes costs a tenth of one by ids.
        """
        latest = self.table.latest
        unheard = [edge for edge in edges if edge not in latest]
        return unheard, [] if len(unheard) == len(edges) else [edge for edge in edges if edge in latest]

    def offer(self, edges: Iterable[Edge], source: Peer) -> Verify | None:
        """What of these is to be verified; None when nothing is."""
        unmet: list[Edge] = []
        for edge in edges:
            tellers = self._tellers.get(edge)
            if tellers is None:
                unmet.append(edge)
            elif source not in tellers:
                self._tellers[edge] = (*tellers, source)
        checks: list[EdgeCheck] = []
        alone = (source,)
        for edge in self.table.select_new(unmet, source.ready_id):
            self._tellers[edge] = alone
            checks.append(self._check(edge))
        return self._request(source, checks)

    def verified(self, verdict: Verdict) -> tuple[list[Edge], list[Peer], list[Verify]]:
        """The EdgeValidator's answer: valid edges, who forged, and what must be asked again.

        The tellers of a valid edge may become more until it is `taken`.

        After a forgery nothing of that teller's list is used (document §8.4); what others had told too is asked again
        in their name.
        """
        source, checks = self._requests.pop(verdict.id)
        valid: list[Edge] = []
        forgers: list[Peer] = []
        for check, outcome in zip(checks, verdict.outcomes, strict=False):
            if outcome == "valid":
                valid.append(check.edge)
                continue
            tellers = self._tellers.pop(check.edge)
            if has_ml_dsa(check.edge):
                for teller in tellers:
                    teller.refused_ml_dsa += 1
            if outcome == "forged":
                forgers.extend(tellers)
        again: dict[Peer, list[EdgeCheck]] = {}
        for check in checks[len(verdict.outcomes) :]:
            others = tuple(teller for teller in self._tellers.pop(check.edge) if teller != source)
            if others:
                self._tellers[check.edge] = others
                again.setdefault(others[0], []).append(check)
        requests = [self._request(teller, list(rest)) for teller, rest in again.items()]
        return valid, forgers, [request for request in requests if request is not None]

    def taken(self, edge: Edge) -> tuple[Peer, ...]:
        """Who told a valid edge that goes into the table now: told again, it is known there."""
        return self._tellers.pop(edge)

    def _check(self, edge: Edge) -> EdgeCheck:
        check = EdgeCheck(edge, None if is_active(edge) else self.table.get(*ends_of(edge)))
        self.verified_count += check.signature_count
        return check

    def _request(self, source: Peer, checks: list[EdgeCheck]) -> Verify | None:
        if not checks:
            return None
        self._next_id += 1
        self._requests[self._next_id] = (source, tuple(checks))
        return Verify(self._next_id, tuple(checks))


EDGES_AT_ONCE = 500
"""Edges taken into the table in one go: about 10 ms of work, so that the loop stays free."""

EDGES_IN_PROGRESS = 4000
"""Edges with the EdgeValidator, or waiting for their turn after it: 0.2 s of work of two threads, 3 MB. The tellers of
more are not read. With keys of ML-DSA-65, at up to 10.6 KB each, that is 42 MB."""

REFUSED_ML_DSA = 100
"""Edges with a key of ML-DSA-65 that do not hold, told on one connection, after which no more of it are looked at. To
check one takes up to 0.5 ms, so with the `EDGES_IN_PROGRESS` that may be on their way they cost 2 s of work."""

_STREAM = 0.2
"""Seconds after `EDGES_AT_ONCE` edges in which more are of the same stream: as many take 20 to 80 ms to verify."""

_RETRY_EXPIRY = 1.0
"""Seconds until edges that expired while others moved to disk are looked at again."""


class TableExchange:
    """Takes tables in, has next hops computed, and starts telling ours."""

    __slots__ = (
        "_computing",
        "_connections",
        "_context",
        "_drain",
        "_expires_at",
        "_expiry",
        "_gossip",
        "_incoming",
        "_intake",
        "_last_computed",
        "_last_full",
        "_local_edges",
        "_offering",
        "_prune",
        "_recompute",
        "_validated",
    )

    def __init__(
        self,
        context: Context,
        gossip: Gossip,
        local_edges: LocalEdges,
        intake: EdgeIntake,
        connections: Connections,
    ) -> None:
        self._context = context
        self._connections = connections
        self._gossip = gossip
        self._local_edges = local_edges
        self._intake = intake
        self._incoming: deque[tuple[Peer, tuple[Edge, ...], int]] = deque()
        """Received edges not yet offered: their peer is not read meanwhile."""
        self._validated: deque[Edge] = deque()
        self._offering: Timer | None = None
        self._drain: Timer | None = None
        self._recompute: Timer | None = None
        self._prune: Timer | None = None
        self._expiry: Timer | None = None
        self._expires_at = math.inf
        self._computing = False
        self._last_computed: float | None = None
        self._last_full = -math.inf

    def start(self, now: Now) -> None:
        """Routes to our own edges, if any came from the store."""
        self._arm_recompute(now)

    def ready(self, peer: Peer, now: Now) -> None:
        """A new neighbor: it gets our table, at once or after the delay of its era."""
        context = self._context
        peer.tables = context.rates.tables(peer, now.mono)
        self._gossip.ready(peer, now)
        due = now.mono + context.sync_delay(peer)
        peer.keep(context.timers.at(due, lambda now: self._gossip.start_sync(peer, now)))

    # --- tables in -------------------------------------------------------------------------------

    def received(self, peer: Peer, message: SyncRoutingTable, now: Now) -> None:
        """A table, whole or news. Too many in a second: the socket is not read until tokens return."""
        context = self._context
        limits = context.config.nearnet.limits
        self._pace(peer, now)
        edges = message.edges
        if len(edges) > limits.edges_per_message_received:
            context.limits.hit("edges_per_message_received")
            edges = edges[: limits.edges_per_message_received]
        if edges:
            self._incoming.append((peer, edges, 0))
            self._offer(now)
            if any(waiting is peer for waiting, _, _ in self._incoming):
                self._connections.pause(peer, "intake")
        if message.accounts:
            self._announced(peer, list(message.accounts), now)

    def _pace(self, peer: Peer, now: Now) -> None:
        bucket = peer.tables
        if bucket is None:
            return
        bucket.take(now.mono)
        wait = bucket.wait(now.mono)
        if wait > 0:
            self._context.limits.hit("tables_per_second")
            self._connections.pause(peer, "tables")
            resume = self._context.timers.at(now.mono + wait, lambda now: self._connections.resume(peer, "tables", now))
            peer.keep(resume)

    def _offer(self, now: Now) -> None:
        """Sort out one piece of what came in; the rest at later turns, while not too much is on its way."""
        if self._may_offer:
            peer, edges, start = self._incoming.popleft()
            end = start + EDGES_AT_ONCE
            if peer.is_ready:
                unheard, echoes = self._intake.split_echoes(edges[start:end])
                self._gossip.heard(echoes, peer)
                self._verify(self._intake.offer(self._current(self._supported(unheard, peer), peer, now), peer))
                if end < len(edges):
                    self._incoming.append((peer, edges, end))
                else:
                    self._connections.resume(peer, "intake", now)
        self._arm_offer(now)

    @property
    def _may_offer(self) -> bool:
        return bool(self._incoming) and self._intake.in_progress < EDGES_IN_PROGRESS

    def _arm_offer(self, now: Now) -> None:
        if self._may_offer and not (self._offering is not None and self._offering.armed):
            self._offering = self._context.timers.at(now.mono, self._offer)

    def _supported(self, edges: list[Edge], peer: Peer) -> list[Edge]:
        """Return those whose signatures can be checked here: nobody is banned for the rest (`network-2026.md` §3).

        As nobody is banned for edges with a key of ML-DSA-65 that do not hold either, somebody could have us check
        such edges for ever: after `REFUSED_ML_DSA` of them no more are checked of that neighbor.
        """
        usual = [edge for edge in edges if not has_ml_dsa(edge)]
        if len(usual) == len(edges) or (peer.refused_ml_dsa < REFUSED_ML_DSA and ml_dsa_check() is not None):
            return edges
        self._context.unsupported_key("SyncRoutingTable", len(edges) - len(usual))
        return usual

    def _current(self, edges: list[Edge], peer: Peer, now: Now) -> list[Edge]:
        """Without those that are too old or too far ahead: they cost no check (row 35), and nobody a ban.

        To protobuf nodes a counter is the time of long ago; one that is no edge at all goes on to its verdict.
        """
        expires_after = self._context.config.nearnet.timing.edge_expires_after
        current = [edge for edge in edges if is_current(nonce_of(edge), now.wall, expires_after)]
        if peer.is_protobuf:
            current = [edge for edge in current if is_dated(nonce_of(edge)) or not well_formed(edge)]
        if len(current) != len(edges):
            self._context.count("nearnet_outdated_edges", count=len(edges) - len(current))
            removed = sum(not is_active(edge) for edge in edges) - sum(not is_active(edge) for edge in current)
            self._context.count("near_edge_tombstone_receiving_skip", count=removed)
        return current

    def _verify(self, request: Verify | None) -> None:
        if request is not None:
            self._context.journal.add(request)

    def verified(self, verdict: Verdict, now: Now) -> None:
        """The EdgeValidator's answer: forgers are banned at once, the rest waits for its turn."""
        valid, forgers, again = self._intake.verified(verdict)
        for request in again:
            self._verify(request)
        for forger in dict.fromkeys(forger.ready_id for forger in forgers):
            self._context.ban(forger, ReasonForBan.INVALID_EDGE, now)
        self._validated.extend(valid)
        self._arm_drain(now)
        self._arm_offer(now)

    def _arm_drain(self, now: Now) -> None:
        """Others may tell the same meanwhile, and are not told it back; much of a table, and its end, go at once."""
        due, count = now.mono, len(self._validated)
        goes_on = count < EDGES_AT_ONCE and count < self._intake.in_progress
        if goes_on or now.mono - self._last_full > _STREAM:
            due += self._context.config.nearnet.timing.broadcast_validated_edges_interval
        if self._validated and (self._drain is None or self._drain.deadline > due):
            if self._drain is not None:
                self._drain.cancel()
            self._drain = self._context.timers.at(due, self._take_validated)

    def _take_validated(self, now: Now) -> None:
        self._drain = None
        if len(self._validated) >= EDGES_AT_ONCE:
            self._last_full = now.mono
        context, table = self._context, self._context.table
        groups: dict[tuple[Peer, ...], list[Edge]] = {}
        for _ in range(min(EDGES_AT_ONCE, len(self._validated))):
            edge = self._validated.popleft()
            groups.setdefault(self._intake.taken(edge), []).append(edge)
        count = 0
        for told_by, edges in groups.items():
            added = table.add(edges, told_by[0].ready_id, now)
            count += len(added)
            self._gossip.tell(added, told_by, now)
            for edge in added:
                if involves(edge, context.me):
                    self._local_edges.seen(edge, now)
        if count:
            context.notify("edges", None, added=count, total=table.edge_count)
        if self._validated:
            self._drain = context.timers.at(now.mono, self._take_validated)
        elif not self._intake.in_progress and now.mono - self._last_full <= _STREAM:
            # A large table has come to its end.
            self._gossip.flush(now, context.config.nearnet.timing.broadcast_validated_edges_interval)
        self._arm_offer(now)

    # --- announcements ---------------------------------------------------------------------------

    def _announced(self, peer: Peer, accounts: list[AnnounceAccount], now: Now) -> None:
        """One wrong signature drops the whole message's announcements (`behaviour.md` §7)."""
        context = self._context
        limit = context.config.nearnet.limits.accounts_per_message_received
        if len(accounts) > limit:
            context.limits.hit("accounts_per_message_received")
            accounts = accounts[:limit]
        usable = [one for one in accounts if not (is_ml_dsa(one.peer_id) or is_ml_dsa(one.signature))]
        context.unsupported_key("SyncRoutingTable", len(accounts) - len(usable))
        taken: list[AnnounceAccount] = []
        relayed: list[AnnounceAccount] = []
        for one in context.announcements.select_new(usable):
            verdict = context.client.validate_announcement(one, context.announcements.last_epoch(one.account_id))
            if isinstance(verdict, ReasonForBan):
                context.ban(peer.ready_id, verdict, now)
                return
            if verdict == "relay_only":
                relayed.append(one)
            elif verdict:
                taken.append(one)
        self._add_accounts(taken, (peer,), now)
        if relayed:
            for one in relayed:
                context.announcements.relay(one)
            self._gossip.tell_accounts(relayed, (peer,), now)

    def announce(self, announcement: AnnounceAccount, now: Now) -> None:
        """Our own; `ConfigError` when its account is none, or is announced for that epoch already."""
        if not valid_account_id(announcement.account_id):
            raise ConfigError(f"{announcement.account_id[:80]!r} is no account id")
        if not self._context.announcements.select_new([announcement]):
            raise ConfigError(f"{announcement.account_id} is announced for epoch {announcement.epoch_id} already")
        self._add_accounts([announcement], (), now)

    def _add_accounts(self, taken: list[AnnounceAccount], tellers: tuple[Peer, ...], now: Now) -> None:
        context = self._context
        if not taken:
            return
        for one in taken:
            context.announcements.add(one)
        self._gossip.tell_accounts(taken, tellers, now)
        for one in taken:
            context.notify("announcement", one.peer_id, account_id=one.account_id, epoch_id=str(one.epoch_id))

    # --- next hops -------------------------------------------------------------------------------

    def collect(self, now: Now) -> None:
        """After every input: arm what the changed table asks for."""
        if self._context.table.needs_recalculation:
            self._arm_recompute(now)
        due = self._context.table.dated.next()
        if due is not None and due < self._expires_at:
            self._arm_expiry(due, now)
        restored = self._context.table.take_restored()
        if restored:
            self._gossip.tell(restored, (), now)
            for edge in restored:
                if involves(edge, self._context.me):
                    self._local_edges.seen(edge, now)

    def _arm_expiry(self, due: float, now: Now, least: float = 0.0) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        self._expires_at = due
        self._expiry = self._context.timers.at(now.mono + max(due - now.wall, least), self._expire)

    def _expire(self, now: Now) -> None:
        """Let go of what is too old; one piece each time."""
        table, after = self._context.table, self._context.config.nearnet.timing.edge_expires_after
        looked = table.may_forget
        if looked:
            table.forget(table.dated.due(now.wall), lambda edge: is_current(nonce_of(edge), now.wall, after))
        due = table.dated.next()
        self._expires_at = math.inf
        if due is not None:
            self._arm_expiry(due, now, 0.0 if looked else _RETRY_EXPIRY)

    def forget_counters(self, now: Now, start: int = 0) -> None:
        """No neighbor is of the documented era any more, so nobody tells the end of its links: forget them, by pieces.

        Nothing when one has come back meanwhile: it tells the whole table anew.
        """
        context, table = self._context, self._context.table
        if all(peer.is_protobuf for peer in context.peers.values()):
            end, wait = start, _RETRY_EXPIRY
            if table.may_forget:
                end, wait = min(start + EXPIRE_AT_ONCE, len(table.slots)), 0.0
                table.forget(range(start, end), lambda edge: is_dated(nonce_of(edge)))
            if end < len(table.slots):
                context.timers.at(now.mono + wait, lambda now: self.forget_counters(now, end))

    def _arm_recompute(self, now: Now) -> None:
        if self._computing or (self._recompute is not None and self._recompute.armed):
            return
        interval = self._context.config.nearnet.timing.update_routing_table_interval
        due = now.mono if self._last_computed is None else max(now.mono, self._last_computed + interval)
        self._recompute = self._context.timers.at(due, self._compute)

    def _compute(self, now: Now) -> None:
        table = self._context.table
        if table.needs_recalculation and not self._computing:
            self._computing = True
            self._last_computed = now.mono
            self._context.journal.add(Recompute(table.snapshot()))

    def routes_ready(self, routes: Routes, now: Now) -> None:
        """The outcome of a `Recompute`; afterwards, what has long been unreachable goes to disk (document §9.2)."""
        context, table = self._context, self._context.table
        self._computing = False
        table.apply(routes, now)
        context.count("near_routing_table_recalculations_total")
        context.notify("routes", None, reachable=table.reachable_count)
        self._prune_unreachable(now)

    def _prune_unreachable(self, now: Now) -> None:
        table = self._context.table
        if self._prune is not None:
            self._prune.cancel()
        persist = table.prune(now)
        if persist is not None:
            self._context.journal.add(persist)
        due = table.next_prune(now)
        self._prune = None if due is None else self._context.timers.at(due, self._prune_unreachable)
