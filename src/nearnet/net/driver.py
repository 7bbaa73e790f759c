"""Drives one core on the event loop: inputs in with the time, then bytes out and actions carried out.

Every input ends in `settle`: one write for each peer that has something to send, however many messages that is, and
the actions in their order. A fault in the core costs the connection that caused it, never the node (row 73).
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from nearnet.core.routing_table.edge import Verdict
from nearnet.core.routing_table.graph import NUMPY_FROM, shortest_paths
from nearnet.core.runtime.actions import (
    Action,
    CheckMessage,
    Close,
    Dial,
    Event,
    Notify,
    PauseReading,
    Persist,
    Recompute,
    ResumeReading,
    Verify,
)
from nearnet.core.runtime.clock import Now
from nearnet.net.edge_validator import EdgeValidator
from nearnet.net.half_open import HalfOpen
from nearnet.net.loop_times import LoopTimes
from nearnet.net.persister import Persister
from nearnet.net.tcp_dialer import TcpDialer
from nearnet.net.transport import READ_OF_LARGE, PeerConnection, attach, remote_end
from nearnet.wire.messages import SocketAddress

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from nearnet.config import NetworkConfig
    from nearnet.core.peer.peer import Peer
    from nearnet.core.peer_manager.manager import PeerManager
    from nearnet.core.routed.forwarding import Check
    from nearnet.core.routing_table.graph import Routes, Snapshot
    from nearnet.store.base import Store
    from nearnet.store.write_behind import WriteBehind

__all__ = ["STALLS_TOLD_EVERY", "Driver"]

STALLS_TOLD_EVERY = 10.0
"""Least seconds between two "stalled" events; `nearnet_limits` counts all stalls."""

_EARLY = 0.0015
"""Seconds by which uvloop's timers may be early, which count whole milliseconds: no wake-up to find nothing due."""

T = TypeVar("T")

_log = logging.getLogger("nearnet.node")


class Driver:
    """One node's loop, sockets and threads around its core."""

    def __init__(
        self,
        config: NetworkConfig,
        make_core: Callable[[Check], PeerManager],
        store: Store,
        overlay: WriteBehind,
        publish: Callable[[Event, float], None],
    ) -> None:
        """Start the EdgeValidator's threads and make the core with `make_core`; call `stop` to end them.

        `make_core` gets the function that verifies the signatures of routed messages on those threads.
        """
        self.connections: dict[int, PeerConnection] = {}
        """By `Peer.id`."""
        self.unhandled = 0
        """Faults of ours that ended a connection or an input: 0 in every test."""
        self.loop_times = LoopTimes()
        self._config = config
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(1, "nearnet-graph")
        self._store_executor = ThreadPoolExecutor(1, "nearnet-store")
        self._store = store
        self.validator = EdgeValidator(config.nearnet.verifier_threads, self._loop, self._verified, self._checked)
        try:
            self.core = make_core(self.validator.check_now)
        except BaseException:
            self.validator.stop()
            raise
        self.persister = Persister(store, overlay, self._store_executor, self._stored, self._degraded)
        self._dialing = TcpDialer(self._config, self._dialed, self._dial_failed)
        self._half_open = HalfOpen(self.connections, self._loop)
        self._tasks: set[asyncio.Task[None]] = set()
        self._inside = False
        self._buffer = memoryview(bytearray(READ_OF_LARGE))
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._stall_told = -math.inf

    def peers(self) -> list[Peer]:
        """Return the peers of all open sockets, Ready or not."""
        return [connection.peer for connection in self.connections.values()]

    @staticmethod
    def now() -> Now:
        """This moment."""
        return Now(time.monotonic(), time.time())

    # --- inputs ----------------------------------------------------------------------------------

    def run(self, command: Callable[[Now], T], what: str = "command") -> T:
        """One input of the core, with its errors, and all that follows from it. `what` is its kind, for the metrics."""
        now = self.now()
        outermost, self._inside = not self._inside, True
        try:
            return command(now)
        finally:
            if outermost:
                self._settle(now)
                self._inside = False
                busy = time.monotonic() - now.mono
                self.loop_times.input(what, busy)
                if busy > self._config.nearnet.limits.loop_stall:
                    self._stalled(what, busy)

    def feed(self, what: str, command: Callable[[Now], object]) -> None:
        """One input of the core that no caller waits for: an error is ours, and is logged and counted."""
        try:
            self.run(command, what)
        except Exception:
            self._fault(what)

    def received(self, connection: PeerConnection, data: bytes) -> None:
        """Bytes from a peer (the hot path: `feed` unrolled)."""
        now = Now(time.monotonic(), time.time())
        self._inside = True
        try:
            self.core.receive(connection.peer, data, now)
        except Exception:
            self._break(connection.peer, now)
        self._settle(now)
        self._inside = False
        busy = time.monotonic() - now.mono
        self.loop_times.received.observe(busy)
        if busy > self._config.nearnet.limits.loop_stall:
            self._stalled("received", busy)

    def _stalled(self, what: str, busy: float) -> None:
        """One input held the loop for too long: each is counted, and now and then one is told."""
        self.core.limits.hit("loop_stall")
        now = self.now()
        if now.mono - self._stall_told >= STALLS_TOLD_EVERY:
            self._stall_told = now.mono
            self._publish(Event("stalled", None, {"input": what, "seconds": round(busy, 3)}), now.wall)

    def _break(self, peer: Peer, now: Now) -> None:
        """A fault while a peer's bytes were handled: that connection ends, the node goes on."""
        self._fault(f"{peer!r} sent {peer.last_kind or 'bytes'}")
        if peer.id in self.connections:
            self.connections[peer.id].close(flush=False)
        try:
            self.core.lost(peer, "unhandled error", now)
        except Exception:
            self._fault(f"the end of {peer!r}")

    def _fault(self, what: str) -> None:
        self.unhandled += 1
        _log.exception("! unhandled error: %s", what)

    # --- what follows from an input --------------------------------------------------------------

    def _settle(self, now: Now) -> None:
        """Until the core has nothing more to be sent or done."""
        core = self.core
        while True:
            dirty = core.take_dirty()
            for peer in dirty:
                self._flush(peer, now)
            actions = core.take_actions()
            if not dirty and not actions:
                break
            for action in actions:
                try:
                    self._act(action, now)
                except Exception:
                    self._fault(f"{type(action).__name__} was to be done")
        due = core.next_timer()
        if due is not None and (self._timer is None or due < self._timer_due):
            self._arm(due, now)

    def _flush(self, peer: Peer, now: Now) -> None:
        connection = self.connections.get(peer.id)
        chunks = peer.to_send()
        if connection is not None:
            self.core.drained(peer, connection.send(chunks), now)

    def _arm(self, due: float, now: Now) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        wait = due - now.mono
        self._timer = self._loop.call_later(wait + _EARLY if wait > 0 else 0.0, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        rounds, begun = self.core.membership.rounds, time.monotonic()
        self.feed("timer", self.core.on_timer)
        if self.core.membership.rounds != rounds:
            self.loop_times.monitor_peers.observe(time.monotonic() - begun)

    # --- actions ---------------------------------------------------------------------------------

    def _act(self, action: Action, now: Now) -> None:
        match action:
            case Notify(event):
                self._publish(event, now.wall)
            case Verify():
                self.validator.submit(action)
            case CheckMessage():
                self.validator.check_message(action)
            case Persist():
                self.persister.add(action)
            case Recompute(snapshot):
                self._recompute(snapshot, now)
            case Dial():
                self._dialing.open(action)
            case Close(number, _, flush):
                self._close(number, flush)
            case PauseReading(number):
                if number in self.connections:
                    self.connections[number].pause()
            case ResumeReading(number):
                if number in self.connections:
                    self.connections[number].resume()

    def _close(self, number: int, flush: bool) -> None:
        connection = self.connections.get(number)
        if connection is not None:
            connection.send(connection.peer.to_send())
            connection.close(flush)

    def _recompute(self, snapshot: Snapshot, now: Now) -> None:
        if len(snapshot.active) < NUMPY_FROM:
            self.core.routes_ready(self._shortest_paths(snapshot), now)
        else:  # More than some 2 ms, and the first time numpy is imported: not on the loop (row 72).
            self._spawn(self._recompute_apart(snapshot))

    async def _recompute_apart(self, snapshot: Snapshot) -> None:
        routes: Routes = await self._loop.run_in_executor(self._executor, self._shortest_paths, snapshot)
        self.feed("routes", lambda now: self.core.routes_ready(routes, now))

    def _shortest_paths(self, snapshot: Snapshot) -> Routes:
        begun = time.monotonic()
        routes = shortest_paths(snapshot)
        self.loop_times.recalculation.observe(time.monotonic() - begun)
        return routes

    def _verified(self, verdicts: list[Verdict]) -> None:
        for verdict in verdicts:
            self.feed("verdict", partial(self.core.verified, verdict))

    def _checked(self, check: CheckMessage, outcome: str) -> None:
        def tell(now: Now) -> None:
            try:
                self.core.checked(check, outcome, now)
            except Exception:
                connection = self.connections.get(check.connection)
                if connection is None:
                    self._fault("a large message was checked, whose sender has gone")
                else:
                    self._break(connection.peer, now)

        self.feed("checked", tell)

    def _stored(self, tokens: list[int]) -> None:
        for token in tokens:
            self.feed("stored", partial(self.core.persisted, token, None))

    def _degraded(self, why: str | None) -> None:
        self._publish(Event("degraded", None, {"part": "storage", "why": why}), time.time())

    # --- sockets ---------------------------------------------------------------------------------

    def accepted(self, sock: socket.socket, address: SocketAddress) -> None:
        """The listener has a new socket: the core lets it in, or it is closed before any read."""
        peer: Peer | None = None
        try:
            peer = self.run(lambda now: self.core.accept(address, now), "accepted")
        except Exception:
            self._fault(f"{address} connected")
        if peer is None:
            sock.close()
            return
        connection = self._connection(peer)
        self._spawn(attach(connection, sock, self._config))

    async def _dialed(self, dial: Dial, sock: socket.socket) -> None:
        try:
            address = SocketAddress(*remote_end(sock.getpeername()))
        except OSError as error:  # It was reset already.
            sock.close()
            self._dial_failed(dial, os.strerror(error.errno or 0))
            return
        local_port = sock.getsockname()[1]
        connection: PeerConnection | None = None

        def begin(now: Now) -> None:
            nonlocal connection
            connection = self._connection(self.core.dialed(dial, address, now, local_port))

        self.feed("dialed", begin)
        if connection is None:
            sock.close()
        else:
            await attach(connection, sock)

    def _dial_failed(self, dial: Dial, why: str) -> None:
        self.feed("dial_failed", lambda now: self.core.dial_failed(dial, why, now))

    def _connection(self, peer: Peer) -> PeerConnection:
        connection = PeerConnection(peer, self.received, self._drained, self._lost, self._buffer)
        self.connections[peer.id] = connection
        return connection

    def _drained(self, connection: PeerConnection) -> None:
        self.feed("drained", lambda now: self.core.drained(connection.peer, connection.unsent, now))

    def _lost(self, connection: PeerConnection, why: str) -> None:
        self.connections.pop(connection.peer.id, None)
        self.feed("lost", lambda now: self.core.lost(connection.peer, why, now))

    # --- the end ---------------------------------------------------------------------------------

    def _spawn(self, coroutine: object) -> None:
        task: asyncio.Task[None] = self._loop.create_task(coroutine)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self, timeout: float) -> None:
        """Tell the peers, send what is queued, store what is pending, end the threads; within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._dialing.close()
        self.feed("stop", self.core.stop)
        gone = [connection.gone for connection in self.connections.values()]
        if gone:
            await asyncio.wait(gone, timeout=timeout / 2)
        for connection in tuple(self.connections.values()):
            connection.abort()
        self._half_open.stop()
        if self._timer is not None:
            self._timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        self.validator.stop(timeout / 8)
        await self.persister.close(max(0.1, deadline - time.monotonic()))
        await self._close_store(max(0.1, deadline - time.monotonic()))
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._store_executor.shutdown(wait=False, cancel_futures=True)

    async def _close_store(self, timeout: float) -> None:
        """On its thread: a transaction that hangs there must not hang the program."""
        try:
            async with asyncio.timeout(timeout):
                await self._loop.run_in_executor(self._store_executor, self._store.close)
        except TimeoutError:
            _log.error("! storage: the disk did not answer; the database was not closed")
