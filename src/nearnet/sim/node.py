"""A simulated node: a real core, and a shell that carries out its actions on the simulated clock, network and disk.

It does what `net/driver.py` does on sockets: after each input one write per peer that has something to send, then the
actions in their order (`interpreter.py`), until the core asks for nothing more.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from nearnet.client import DefaultClient
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.keys import check_signatures
from nearnet.sim.disk import Disk, Writer
from nearnet.sim.interpreter import ActionInterpreter
from nearnet.sim.signatures import SharedDialect
from nearnet.wire.messages import PeerInfo, SocketAddress

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.config import NetworkConfig
    from nearnet.core.peer.peer import Peer
    from nearnet.core.routing_table.edge import Verdict
    from nearnet.core.runtime.actions import (
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
    from nearnet.keys import PeerId, SecretKey
    from nearnet.sim.clock import NodeClock
    from nearnet.sim.faults import Faults
    from nearnet.sim.generations import Gate
    from nearnet.sim.network import Network
    from nearnet.sim.record import Record
    from nearnet.sim.signatures import EdgePool
    from nearnet.sim.timeline import Timeline
    from nearnet.sim.wires import End
    from nearnet.wire.edge_bytes import Edge

__all__ = ["EVENTS_KEPT", "SimNode", "Surroundings"]

EVENTS_KEPT = 200
"""Of each node, the latest; not those that only say that the graph has changed."""

_FREQUENT = ("edges", "routes")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a node finds around it: its world without the other nodes."""

    timeline: Timeline
    network: Network
    record: Record
    pool: EdgePool
    faults: Faults | None
    touched: Callable[[SimNode], None]
    """Called after each input of a node and all that follows from it."""


class SimNode(ActionInterpreter):
    """One node of a world. `core` is another at each start; clock, disk, key and address stay unless told otherwise."""

    def __init__(
        self,
        around: Surroundings,
        name: str,
        config: NetworkConfig,
        key: SecretKey,
        address: SocketAddress,
        clock: NodeClock,
        make_client: Callable[[SimNode], Any] | None = None,
    ) -> None:
        """`make_client` is called at each start and returns the chain's client; without it, a `DefaultClient`."""
        self.around = around
        self.name = name
        self.config = config
        self.key = key
        self.address = address
        self.host = address.ip
        self.clock = clock
        self.disk = Disk()
        self.make_client = make_client or _default_client
        self.client: Any = None
        self.up = False
        self.reachable = True
        """False: behind a NAT; it dials out, nobody dials in."""
        self.stopping = False
        self.paused = False
        """Whether the process is stopped (SIGSTOP): what comes in waits."""
        self.gate: Gate | None = None
        """What makes it a reference node of some year; None: it is one of ours."""
        self.preloaded: list[Edge] = []
        """Edges that it knows from the start."""
        self.awake_since = 0.0
        """World time of its last start, or of the end of a pause."""
        self.runs = 0
        self.kinds: dict[str, int] = {}
        """How many events of each kind, over all runs."""
        self.events: deque[tuple[float, Event]] = deque(maxlen=EVENTS_KEPT)
        self.writer: Writer
        self.ends: dict[int, End] = {}
        """Its connections, by `Peer.id`."""
        self._due: float | None = None
        self._waiting: deque[Callable[[], None]] = deque()
        self._inside = False

    def __repr__(self) -> str:
        return f"<SimNode {self.name}>"

    @property
    def id(self) -> PeerId:
        """Its peer id."""
        return self.key.public_key

    @property
    def is_ours(self) -> bool:
        """Whether it is a node of this project, and not one of the reference."""
        return self.gate is None

    @property
    def info(self) -> PeerInfo:
        """How to dial it."""
        return PeerInfo(self.id, self.address)

    @property
    def now(self) -> Now:
        """Its clock."""
        return self.clock.now(self.around.timeline.time)

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Compose a core on the store as it is, and begin."""
        timeline = self.around.timeline
        self.runs += 1
        self.awake_since = timeline.time
        rng = timeline.random(f"core {self.name} {self.runs}")
        self.writer = Writer(self.disk, timeline.random(f"disk {self.name} {self.runs}"), self._later, self._stored)
        self.client = self.make_client(self)
        check = check_signatures if self.gate is None else self.gate.check
        self.core = PeerManager(self.config, self.key, self.client, self.writer.overlay, rng, self.now, check)
        self.core.listening(self.address)
        if self.gate is not None:
            self.gate.attach(self.core)
        if self.preloaded:
            self.core.table.add(self.preloaded, None, self.now)
        self.ends = {}
        self._due = None
        self.up = True
        self.around.record.note("start", self.name)
        self.do(self.core.start)

    def stop(self) -> None:
        """A clean stop: peers are told, what is queued is sent, the store is closed."""
        self.stopping = True
        self.do(self.core.stop)
        self.writer.close()
        self._end("stop")

    def crash(self, silent: bool = False) -> None:
        """`kill -9`; `silent`: with its machine, so that nobody is told."""
        self.writer.crash()
        if silent:
            for end in self.ends.values():
                end.closed = end.gone = True
        self._end("crash")

    def _end(self, how: str) -> None:
        self.up = self.paused = self.stopping = False
        self._waiting.clear()
        self._due = None
        for end in list(self.ends.values()):
            end.close()
        self.ends = {}
        self.around.record.note(how, self.name)

    def pause(self) -> None:
        """SIGSTOP: nothing is done until `resume`."""
        self.paused = True

    def resume(self) -> None:
        """SIGCONT: do all that has waited, then what is due."""
        self.paused = False
        self.awake_since = self.around.timeline.time
        waiting, self._waiting = self._waiting, deque()
        for call in waiting:
            call()
        if self.up:
            self.do(self.core.on_timer)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        run = self.runs
        self.around.timeline.later(seconds, lambda: self._when_awake(call) if self.up and self.runs == run else None)

    def _when_awake(self, call: Callable[[], None]) -> None:
        if self.paused:
            self._waiting.append(call)
        else:
            call()

    # --- inputs and what follows -----------------------------------------------------------------

    def do(self, command: Callable[..., Any], *arguments: object) -> Any:
        """One input of the core, the time its last argument, and all that follows from it."""
        outermost, self._inside, now = not self._inside, True, self.now
        try:
            return command(*arguments, now)
        finally:
            if outermost:
                self._settle(now)
                self._inside = False
                self.around.touched(self)

    def _settle(self, now: Now) -> None:
        busy = True
        while busy:
            dirty = self.core.take_dirty()
            for peer in dirty:
                self._flush(peer, now)
            busy = self.carry_out_all() or bool(dirty)
        self._arm()

    def _flush(self, peer: Peer, now: Now) -> None:
        end = self.ends.get(peer.id)
        chunks = peer.to_send()
        if end is not None:
            data = b"".join(chunks)
            if self.gate is not None:
                data = self.gate.sent(data)
            self.around.record.sent(self.name, end, data)
            self.core.drained(peer, end.send(data), now)

    # --- actions ---------------------------------------------------------------------------------

    def on_notify(self, action: Notify) -> None:
        """Count the event; keep and record it unless it only says that the graph has changed."""
        event = action.event
        self.kinds[event.kind] = self.kinds.get(event.kind, 0) + 1
        if event.kind not in _FREQUENT:
            self.events.append((self.around.timeline.time, event))
            self.around.record.told(self.name, event)

    def on_verify(self, action: Verify) -> None:
        """Check the edges at once, or a while later."""
        faults = self.around.faults
        self._after(faults.validator_delay() if faults is not None else 0.0, partial(super().on_verify, action))

    def verdict(self, action: Verify) -> Verdict:
        """Return what the check found; each edge is checked once in this world."""
        return self.around.pool.run_checks(action)

    def on_check_message(self, action: CheckMessage) -> None:
        """Check the message at once, or a while later."""
        faults = self.around.faults
        self._after(faults.validator_delay() if faults is not None else 0.0, partial(super().on_check_message, action))

    def on_recompute(self, action: Recompute) -> None:
        """Compute the next hops at once, or a while later."""
        faults = self.around.faults
        self._after(faults.graph_delay() if faults is not None else 0.0, partial(super().on_recompute, action))

    def _after(self, delay: float, call: Callable[[], None]) -> None:
        """Do what another thread does on a real machine: now, or `delay` seconds later."""
        if delay:
            self._later(delay, call)
        else:
            call()

    def on_persist(self, action: Persist) -> None:
        """Leave the rows to the writer, which commits them to the simulated disk."""
        self.writer.add(action)

    def on_dial(self, action: Dial) -> None:
        """Connect through the simulated network; `on_dialed` or `on_dial_failed` follows."""
        address, network = action.peer.addr, self.around.network
        if action.host is not None:
            address = network.names.get(action.host)
        if address is None:
            failed = partial(self.on_dial_failed, action, "the host name has no address")
            self.around.timeline.later(0.0, failed)
            return
        connected, failed = partial(self.on_dialed, action, address), partial(self.on_dial_failed, action)
        network.connect(self, address, action.timeout, connected, failed)

    def on_close(self, action: Close) -> None:
        """Send what is queued, then close the connection."""
        end = self.ends.pop(action.connection, None)
        if end is not None:
            data = b"".join(cast("Peer", end.tag).to_send())
            self.around.record.sent(self.name, end, data)
            end.send(data)
            end.close(action.flush)

    def on_pause_reading(self, action: PauseReading) -> None:
        """Take no bytes from the connection until `on_resume_reading`."""
        if action.connection in self.ends:
            self.ends[action.connection].pause()

    def on_resume_reading(self, action: ResumeReading) -> None:
        """Take bytes from the connection again."""
        if action.connection in self.ends:
            self.ends[action.connection].resume()

    def _stored(self, tokens: list[int]) -> None:
        for token in tokens:
            self.do(self.core.persisted, token, None)

    # --- timers ----------------------------------------------------------------------------------

    def _arm(self) -> None:
        mono = self.core.next_timer()
        if mono is None:
            return
        around = self.around
        due = max(self.clock.time_of(mono), around.timeline.time)
        if self._due is None or due < self._due:
            self._due = due
            lateness = around.faults.lateness() if around.faults is not None else 0.0
            around.timeline.at(due + lateness, partial(self._on_timer, due, mono, self.runs))

    def _on_timer(self, due: float, mono: float, run: int) -> None:
        if run != self.runs or due != self._due:
            return
        self._due = None
        if self.paused or not self.up:
            return
        now = self.now
        if now.mono < mono < now.mono + 0.001:  # The sums of two clocks differ in their last digit.
            now = now._replace(mono=mono)
        self.do(lambda _: self.core.on_timer(now))

    def clock_jumped(self) -> None:
        """The clock was set: deadlines are elsewhere now."""
        if self.up:
            self._due = None
            self._arm()

    # --- what the network calls ------------------------------------------------------------------

    def on_accept(self, end: End, ip: str, port: int) -> None:
        """Somebody dialed us."""
        if self.paused:
            self._waiting.append(partial(self.on_accept, end, ip, port))
            return
        if not self.up or end.other.closed:
            return
        peer = self.do(self.core.accept, SocketAddress(ip, port))
        if peer is None:
            end.close(flush=False)
            return
        self._begins(peer, end)

    def on_dialed(self, dial: Dial, address: SocketAddress, end: End) -> None:
        """Our dial has a connection."""
        if not self.up:
            end.close(flush=False)
            return

        def begin(now: Now) -> None:
            peer = self.core.dialed(dial, address, now, 50_000 + end.wire.number % 10_000)
            self._begins(peer, end)
            if peer.dialect is not None:
                peer.dialect = self.around.pool.dialect(peer.dialect)

        self._when_awake(lambda: self.do(begin))

    def _begins(self, peer: Peer, end: End) -> None:
        end.tag = peer
        self.ends[peer.id] = end
        if self.gate is not None:
            end.other.out.keep_marks()

    def on_dial_failed(self, dial: Dial, why: str) -> None:
        """It has none."""
        if self.up:
            self._when_awake(lambda: self.do(self.core.dial_failed, dial, why))

    def on_bytes(self, end: End, data: bytes) -> None:
        """Bytes from a peer."""
        if self.paused:
            self._waiting.append(partial(self.on_bytes, end, data))
            return
        peer = self._peer(end)
        if peer is None:
            return
        self.around.record.received(end, data)
        if self.gate is None:
            self.do(self.core.receive, peer, data)
        else:
            self.do(self.gate.receive, peer, data, end.other.out.written)
        if peer.dialect is not None and type(peer.dialect) is not SharedDialect:
            peer.dialect = self.around.pool.dialect(peer.dialect)

    def on_drained(self, end: End, unsent: int) -> None:
        """Less of a peer's bytes wait to be sent."""
        peer = self._peer(end)
        if self.up and peer is not None:
            self._when_awake(lambda: self.do(self.core.drained, peer, unsent))

    def on_lost(self, end: End, why: str) -> None:
        """A connection ended."""
        peer = self._peer(end)
        if self.up and peer is not None:
            del self.ends[peer.id]
            self._when_awake(lambda: self.do(self.core.lost, peer, why))

    def _peer(self, end: End) -> Peer | None:
        """Return the core's `Peer` of a connection; None while its accept waits, and once it has ended."""
        peer = cast("Peer | None", end.tag)
        return peer if peer is not None and self.ends.get(peer.id) is end else None


def _default_client(node: SimNode) -> DefaultClient:
    return DefaultClient(node.config)
