"""`Node`: the document's network as one object to embed. It composes core, sockets, threads and store (document §2.4).

async with Node(config, client=client) as node:
    await node.connect("ed25519:...@10.0.0.7:24567")
    pong = await node.ping(peer_id)
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from nearnet.client import DefaultClient
from nearnet.core.context import plain_dialect
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.runtime.actions import Event
from nearnet.errors import ConfigError, NearnetError, ReasonForBan
from nearnet.events import NodeEvent
from nearnet.keys import CryptoHash, PeerId, SecretKey
from nearnet.net import views
from nearnet.net.arguments import (
    as_announcement,
    as_blacklist,
    as_body,
    as_events,
    as_peer,
    as_peer_id,
    as_reason,
    as_request,
    as_seconds,
    as_size,
    as_target,
    as_ttl,
    check_parts,
)
from nearnet.net.client_guard import ClientGuard
from nearnet.net.driver import Driver
from nearnet.net.event_logging import EventLogging
from nearnet.net.events import RECENT, EventLog, EventStream
from nearnet.net.listener import Listener
from nearnet.net.network_info import NetworkInfo, Traffic, network_info
from nearnet.net.verifiers import choose
from nearnet.net.waiting import Pong, wait_for_event, wait_for_pong, wait_for_reply, wait_until_ready
from nearnet.store.opening import MEMORY, open_store
from nearnet.store.write_behind import WriteBehind

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable
    from types import TracebackType

    from nearnet.client import Client
    from nearnet.config import NetworkConfig
    from nearnet.core.routed.forwarding import Check
    from nearnet.net.network_info import ConnectedPeer
    from nearnet.net.tracing import Tracing
    from nearnet.store.base import Store
    from nearnet.wire.messages import AnnounceAccount, PeerInfo, RoutedMessage, SocketAddress
    from nearnet.wire.routed_body import Body

__all__ = ["CONNECT_TIMEOUT", "REQUEST_TIMEOUT", "STOP_TIMEOUT", "Node"]

E = TypeVar("E", bound=NodeEvent)

CONNECT_TIMEOUT = 8.0
"""Seconds in which `connect` must lead to a Ready peer."""

REQUEST_TIMEOUT = 5.0
"""Seconds in which `request` must have its reply."""

STOP_TIMEOUT = 1.6
"""Seconds for a clean stop: inside the 2 s that are promised, whatever a peer or a disk does."""


class Node:
    """One node of the network. An asynchronous context manager: it listens and dials inside, and is gone after."""

    def __init__(
        self,
        config: NetworkConfig,
        *,
        key: SecretKey | None = None,
        client: Client | None = None,
        store: Store | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        """Without a key a new one is made; without a client, one that has no chain; without a store, `nearnet.store`
        of the config (none there: in memory). The node closes the store when it stops. `tracing` sees every message.
        `ConfigError` for an argument of a wrong type.
        """
        check_parts(config, key, client)
        self.config = config
        self.key = key or SecretKey.generate("ed25519")
        self.client: Client = client or DefaultClient(config)
        self._store = store
        self._events = EventLog()
        self._event_logging = EventLogging()
        self._events.listen(self._event_logging)
        self._tracing = tracing
        if tracing is not None:
            self._events.listen(tracing.event)
        self._traffic = Traffic()
        self._driver: Driver | None = None
        self._guard: ClientGuard | None = None
        self._listener: Listener | None = None
        self._sampler: asyncio.TimerHandle | None = None
        self._stopping: asyncio.Future[None] | None = None

    # --- life ------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Open the store, listen, begin to look for peers. `ConfigError`, `StoreError` or `AlreadyRunning` in words."""
        if self._driver is not None:
            raise NearnetError("this node runs already")
        address = self.config.network.listen_address
        listener = None if address is None else Listener(address, lambda sock, of: self.driver.accepted(sock, of))
        try:
            self._driver = self._compose()
        except BaseException:
            if listener is not None:
                listener.close()
            raise
        core = self.core
        core.listening(listener.address if listener is not None else None)
        self._listener = listener
        if listener is not None:
            listener.start()
        self._driver.run(core.start)
        self._sample()

    def _compose(self) -> Driver:
        self._loop = asyncio.get_running_loop()
        choose(self.config.nearnet.verifier)
        guard = self._guard = ClientGuard(self.client, lambda: self.core.client_port.neighbor, self._later_answer)
        genesis = guard.chain_info().genesis_id
        store = self._store or open_store(self.config.nearnet.store or MEMORY, genesis, on_degraded=self._damaged)
        overlay = WriteBehind(store)
        dialect_for = plain_dialect if self._tracing is None else self._tracing.dialect_for

        def make_core(check: Check) -> PeerManager:
            return PeerManager(self.config, self.key, guard, overlay, random.Random(), Driver.now(), check, dialect_for)

        try:
            return Driver(self.config, make_core, store, overlay, self._events.publish)
        except BaseException:
            store.close()
            raise

    async def stop(self) -> None:
        """Tell the peers, close every connection, store what is pending; within 2 s. A second call does nothing."""
        if self._driver is None:
            return
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._stop(self._driver, self._guard, self._listener))
        await asyncio.shield(self._stopping)

    async def _stop(self, driver: Driver, guard: ClientGuard | None, listener: Listener | None) -> None:
        if self._sampler is not None:
            self._sampler.cancel()
        if listener is not None:
            listener.close()
        if guard is not None:
            guard.close()
        await driver.stop(STOP_TIMEOUT)
        self._driver = self._stopping = None
        self._events.close()

    def _sample(self) -> None:
        now = self.driver.now()
        self._traffic.sample(self.driver.peers(), now.mono)
        self._event_logging.tell_suppressed(now.wall)
        ready = len(self.core.peers) >= self.config.nearnet.min_peers
        if ready and self._guard is not None and hasattr(self.client, "on_network_info"):
            self._guard.on_network_info(self.network_info())
        period = self.config.network.peer_stats_period
        self._sampler = asyncio.get_running_loop().call_later(period, self._sample)

    def _later_answer(self, neighbor: PeerId, request: object, answer: object) -> None:
        self.driver.feed("client_answer", lambda now: self.core.client_answer(neighbor, request, answer, now))

    def _damaged(self, why: str) -> None:
        """Called by the store, on whichever thread reads it."""
        event = Event("degraded", None, {"part": "storage", "why": why})
        self._loop.call_soon_threadsafe(self._events.publish, event, Driver.now().wall)

    # --- what it is ------------------------------------------------------------------------------

    @property
    def driver(self) -> Driver:
        """What drives the core; `NearnetError` while the node does not run."""
        if self._driver is None:
            raise NearnetError("this node does not run: use it inside `async with Node(...)`")
        return self._driver

    @property
    def core(self) -> PeerManager:
        """The decisions and all that the node knows; for reading. Change it by the methods here only."""
        return self.driver.core

    @property
    def peer_id(self) -> PeerId:
        """Who this node is to others."""
        return self.key.public_key

    @property
    def addr(self) -> SocketAddress | None:
        """Where it listens, with the real port; None without a listener."""
        return None if self._listener is None else self._listener.address

    @property
    def recent_events(self) -> deque[NodeEvent]:
        """The last thousand events, oldest first."""
        return self._events.recent

    @overload
    def events(self, *, maxsize: int = RECENT) -> EventStream[NodeEvent]: ...

    @overload
    def events(self, *types: type[E], maxsize: int = RECENT) -> EventStream[E]: ...

    def events(self, *types: type[NodeEvent], maxsize: int = RECENT) -> EventStream[Any]:
        """Return an asynchronous iterator over the events from now on, of these classes or of all (`nearnet.events`).

        It keeps up to `maxsize` events that were not read yet. A slower reader loses the oldest; an `Overflow(n)` in
        their place says how many. It ends when the node stops.
        """
        return self._events.stream(as_size("maxsize", maxsize), as_events(types or (NodeEvent,)))

    async def wait_for(
        self, event: type[E], predicate: Callable[[E], bool] | None = None, timeout: float | None = None
    ) -> E:
        """Return the next event of a class, from now on, for which `predicate` holds (every one does without it).

        Raises `NoAnswer` when none comes within `timeout` seconds, or before the node stops. When what is done before
        the wait may already lead to the event, make a stream of `events` before that, and read it.
        """
        seconds = None if timeout is None else as_seconds("timeout", timeout)
        as_events((event,))
        return await wait_for_event(self._events, event, predicate, seconds)

    def peers(self) -> tuple[ConnectedPeer, ...]:
        """Return the connections that are Ready."""
        return self.network_info().peers

    def edges(self) -> tuple[views.GraphEdge, ...]:
        """Return every edge of the network's graph that this node knows, removed ones too."""
        return views.edges(self.core)

    def routes(self, peer: str | PeerId | None = None) -> tuple[views.Route, ...]:
        """Return the shortest ways to each reachable peer, or to `peer` alone; nothing for a peer without a way."""
        return views.routes(self.core, None if peer is None else as_peer_id(peer))

    def known_peers(self) -> tuple[views.KnownPeer, ...]:
        """Return every peer of the peer store, whatever its state."""
        return views.known_peers(self.core)

    def bans(self) -> tuple[views.BannedPeer, ...]:
        """Return the bans that hold now."""
        return views.bans(self.core, self.driver.now())

    def network_info(self) -> NetworkInfo:
        """Connections, traffic and known accounts at this moment."""
        return network_info(self.core, self._traffic, self.driver.now())

    # --- commands --------------------------------------------------------------------------------

    async def connect(
        self, peer: str | PeerInfo, dialect: str | None = None, timeout: float = CONNECT_TIMEOUT
    ) -> PeerInfo:
        """Dial a peer (``KEY@HOST:PORT``, or ``KEY`` when its address is known) and wait until it is Ready.

        Also when outbound connections are disabled. `PeerRefused` says why it did not come to be, `ConfigError` what
        is wrong with the arguments.
        """
        info, host = as_peer(peer)
        seconds, driver = as_seconds("timeout", timeout), self.driver
        await wait_until_ready(
            driver,
            self._events,
            info.id,
            lambda: driver.run(lambda now: driver.core.connect(info, now, dialect, host)),
            seconds,
        )
        return driver.core.peers[info.id].info or info

    def disconnect(self, peer: str | PeerId) -> None:
        """Close the connection to a peer; `NotConnected` when there is none."""
        peer_id = as_peer_id(peer)
        self.driver.run(lambda now: self.core.disconnect(peer_id, now))

    def ban(self, peer: str | PeerId, reason: ReasonForBan = ReasonForBan.NONE, seconds: float | None = None) -> None:
        """Ban a peer for so many seconds, `network.ban_window` by default; its connection ends at once.

        `PeerRefused` for this node's own id, and for a peer whose ban would be shortened.
        """
        peer_id, why = as_peer_id(peer), as_reason(reason)
        length = None if seconds is None else as_seconds("seconds", seconds)
        self.driver.run(lambda now: self.core.ban(peer_id, why, now, length))

    def unban(self, peer: str | PeerId) -> None:
        """End a ban; `NotConnected` when that peer is not banned."""
        peer_id = as_peer_id(peer)
        self.driver.run(lambda now: self.core.unban(peer_id, now))

    async def stored(self) -> None:
        """Until all that happened before is on the disk: a ban, for one, outlives a power cut from then on.

        When the disk is full it returns as well, and the event `Degraded` has told.
        """
        await self.driver.persister.settled()

    def set_blacklist(self, blacklist: tuple[tuple[str, int | None], ...]) -> None:
        """From now on these addresses, (IP, port or None for every port), are refused; their connections end."""
        entries = as_blacklist(blacklist)
        self.driver.run(lambda now: self.core.membership.set_blacklist(entries, now))

    async def ping(self, peer: str | PeerId, ttl: int | None = None, timeout: float = 5.0) -> Pong:
        """A routed ping and its answer; `RouteNotFound` when there is no way, `NoAnswer` when nothing comes back."""
        peer_id, most, seconds = as_peer_id(peer), as_ttl(ttl), as_seconds("timeout", timeout)
        return await wait_for_pong(self.driver, self._events, peer_id, most, seconds)

    def send_routed(self, target: str | PeerId | CryptoHash, body: bytes | Body, ttl: int | None = None) -> CryptoHash:
        """Send a body (of `nearnet.bodies`, or its bytes) to a peer, to the peer that serves an account, or back by a
        message's hash.

        Returns the message's hash: an answer comes to the client's `on_routed` with it as target. `RouteNotFound`.
        """
        to, data, most = as_target(target), as_body(body), as_ttl(ttl)
        return self.driver.run(lambda now: self.core.send_routed(to, data, now, most))

    async def request(
        self, target: str | PeerId, body: bytes | Body, timeout: float = REQUEST_TIMEOUT
    ) -> RoutedMessage:
        """Send a request to a peer, or to the peer that serves an account, and return that peer's reply.

        `nearnet.bodies.decode_body` reads the reply's `body`. The reply does not come to the client's `on_routed`.
        Two requests with the same target and body have one hash: a reply to one is a reply to both, and nodes drop
        the second within `nearnet.timing.drop_duplicated_messages_period` of the first. Raises `RouteNotFound` when
        there is no way, `NoAnswer` when no reply comes within `timeout` seconds, `ConfigError` for a body that nodes
        do not reply to.
        """
        to, data, seconds = as_target(target), as_request(body), as_seconds("timeout", timeout)
        if isinstance(to, CryptoHash):
            raise ConfigError("a request goes to a peer or to an account, not back by a message's hash")
        driver = self.driver
        if self._guard is None:
            raise NearnetError("this node does not run: use it inside `async with Node(...)`")
        return await wait_for_reply(driver, self._guard, to, data, seconds)

    def announce(self, announcement: AnnounceAccount) -> None:
        """Tell the network which peer serves an account; `ConfigError` when it is known for that epoch."""
        checked = as_announcement(announcement)
        self.driver.run(lambda now: self.core.announce(checked, now))
