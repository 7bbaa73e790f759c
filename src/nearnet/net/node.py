"""`Node`: the document's network as one object to embed. It composes core, sockets, threads and store (document §2.4).

async with Node(config, client=client) as node:
    await node.connect("ed25519:...@10.0.0.7:24567")
    pong = await node.ping(peer_id)
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Self

from nearnet.client import DefaultClient
from nearnet.config import parse_peer
from nearnet.core.context import plain_dialect
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.runtime.actions import Event
from nearnet.errors import NearnetError, ReasonForBan
from nearnet.keys import CryptoHash, PeerId, SecretKey
from nearnet.net.client_guard import ClientGuard
from nearnet.net.driver import Driver
from nearnet.net.event_logging import EventLogging
from nearnet.net.events import RECENT, EventLog, EventStream
from nearnet.net.listener import Listener
from nearnet.net.network_info import NetworkInfo, Traffic, network_info
from nearnet.net.verifiers import choose
from nearnet.net.waiting import Pong, wait_for_pong, wait_until_ready
from nearnet.store.opening import MEMORY, open_store
from nearnet.store.write_behind import WriteBehind
from nearnet.wire.messages import PeerInfo

if TYPE_CHECKING:
    from collections import deque
    from types import TracebackType

    from nearnet.client import Client
    from nearnet.config import NetworkConfig
    from nearnet.core.routed.forwarding import Check
    from nearnet.net.events import NodeEvent
    from nearnet.net.tracing import Tracing
    from nearnet.store.base import Store
    from nearnet.wire.messages import AnnounceAccount, SocketAddress

__all__ = ["CONNECT_TIMEOUT", "STOP_TIMEOUT", "Node"]

CONNECT_TIMEOUT = 8.0
"""Seconds in which `connect` must lead to a Ready peer."""

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
        """
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
        guard = self._guard = ClientGuard(self.client, lambda: self.core.client_port.neighbour, self._later_answer)
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

    def _later_answer(self, neighbour: PeerId, request: object, answer: object) -> None:
        self.driver.feed("client_answer", lambda now: self.core.client_answer(neighbour, request, answer, now))

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

    def events(self, maxsize: int = RECENT) -> EventStream:
        """An asynchronous iterator over what happens from now on.

        A reader that is slower loses the oldest beyond `maxsize`; an `Overflow(n)` in their place says how many.
        """
        return self._events.stream(maxsize)

    def network_info(self) -> NetworkInfo:
        """Connections, traffic and known accounts at this moment."""
        return network_info(self.core, self._traffic, self.driver.now())

    # --- commands --------------------------------------------------------------------------------

    async def connect(
        self, peer: str | PeerInfo, dialect: str | None = None, timeout: float = CONNECT_TIMEOUT
    ) -> PeerInfo:
        """Dial a peer (``KEY@HOST:PORT``, or ``KEY`` when its address is known) and wait until it is Ready.

        Also when outbound connections are disabled. `PeerRefused` says why it did not come to be.
        """
        driver = self.driver
        info, host = (peer, None) if isinstance(peer, PeerInfo) else _written(peer)
        await wait_until_ready(
            driver,
            self._events,
            info.id,
            lambda: driver.run(lambda now: driver.core.connect(info, now, dialect, host)),
            timeout,
        )
        return driver.core.peers[info.id].info or info

    def disconnect(self, peer: str | PeerId) -> None:
        """Close the connection to a peer; `NotConnected` when there is none."""
        peer_id = _peer_id(peer)
        self.driver.run(lambda now: self.core.disconnect(peer_id, now))

    def ban(self, peer: str | PeerId, reason: ReasonForBan = ReasonForBan.NONE, seconds: float | None = None) -> None:
        """Ban a peer, for `network.ban_window` unless told otherwise; its connection ends at once.

        `PeerRefused` for this node's own id, and for a peer whose ban would be shortened.
        """
        peer_id = _peer_id(peer)
        self.driver.run(lambda now: self.core.ban(peer_id, reason, now, seconds))

    def unban(self, peer: str | PeerId) -> None:
        """End a ban; `NotConnected` when that peer is not banned."""
        peer_id = _peer_id(peer)
        self.driver.run(lambda now: self.core.unban(peer_id, now))

    async def stored(self) -> None:
        """Until all that happened before is on the disk: a ban, for one, outlives a power cut from then on.

        When the disk is full it returns as well, and a "degraded" event has told.
        """
        await self.driver.persister.settled()

    def set_blacklist(self, blacklist: tuple[tuple[str, int | None], ...]) -> None:
        """From now on these addresses, (IP, port or None for every port), are refused; their connections end."""
        self.driver.run(lambda now: self.core.membership.set_blacklist(blacklist, now))

    async def ping(self, peer: str | PeerId, ttl: int | None = None, timeout: float = 5.0) -> Pong:
        """A routed ping and its answer; `RouteNotFound` when there is no way, `NoAnswer` when nothing comes back."""
        return await wait_for_pong(self.driver, self._events, _peer_id(peer), ttl, timeout)

    def send_routed(self, target: str | PeerId | CryptoHash, body: bytes, ttl: int | None = None) -> CryptoHash:
        """Send a borsh routed body to a peer, to who serves an account (a text), or back by a message's hash.

        Returns the message's hash: an answer comes to the client's `on_routed` with it as target. `RouteNotFound`.
        """
        to = PeerId.from_text(target) if isinstance(target, str) and ":" in target else target
        return self.driver.run(lambda now: self.core.send_routed(to, body, now, ttl))

    def announce(self, announcement: AnnounceAccount) -> None:
        """Tell the network which peer serves an account; `ConfigError` when it is known for that epoch."""
        self.driver.run(lambda now: self.core.announce(announcement, now))


def _written(peer: str) -> tuple[PeerInfo, str | None]:
    node = parse_peer(peer)
    return node.info, node.host


def _peer_id(peer: str | PeerId) -> PeerId:
    return peer if isinstance(peer, PeerId) else parse_peer(peer).info.id
