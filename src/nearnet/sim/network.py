"""The simulated network: who reaches whom, how long it takes, what breaks. Every choice comes from one `Random`."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from nearnet.sim.wires import CLOSE_GRACE, KERNEL_BYTES, Wire

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

    from nearnet.sim.faults import Faults
    from nearnet.sim.timeline import Timeline
    from nearnet.sim.wires import End, Listener, Party
    from nearnet.wire.messages import SocketAddress

__all__ = ["TCP_TIMEOUT", "Conditions", "Latency", "Network"]

TCP_TIMEOUT = 55.0
"""Seconds after which a connection over which nothing passes is given up (`net/transport.py`: at most 60)."""

_EPHEMERAL = 32_768


@dataclass(frozen=True, slots=True)
class Latency:
    """One-way seconds: log-normal with this `median`; `spread` is the sigma of its logarithm (0: always the median)."""

    median: float
    spread: float = 0.0

    def sample(self, rng: random.Random) -> float:
        """Return one connection's distance."""
        if not self.spread:
            return self.median
        return self.median * math.exp(rng.gauss(0.0, self.spread))


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the network is like when nothing special happens."""

    latency: Latency = Latency(0.0005)
    jitter: float = 0.0
    """Every chunk takes up to this part of its flow's latency longer."""
    bandwidth: float = math.inf
    """Bytes a second, each way of each connection."""
    breaks_per_hour: float = 0.0
    """How often a connection is lost (packet loss that TCP does not survive)."""


class Network:
    """All connections of one world, and the state of the way between any two hosts."""

    def __init__(self, timeline: Timeline, conditions: Conditions, faults: Faults | None = None) -> None:
        self.conditions = conditions
        self.rng = timeline.random("network")
        self.wires: dict[int, Wire] = {}
        self.names: dict[str, SocketAddress] = {}
        """Host names."""
        self.listeners: dict[SocketAddress, Listener] = {}
        """Who has which address, up or not."""
        self._timeline = timeline
        self._faults = faults
        self._count = 0
        self._cuts: dict[tuple[str, str], int] = {}
        """(from, to) -> how many cuts are there: nothing passes that way."""
        self._vanished: dict[str, None] = {}
        self.bytes_sent = 0
        self.chunks = 0

    # --- who reaches whom ------------------------------------------------------------------------

    def passes(self, source: str, target: str) -> bool:
        """Whether a packet gets from one host to the other."""
        if self._vanished and (source in self._vanished or target in self._vanished):
            return False
        return not self._cuts or (source, target) not in self._cuts

    def cut(self, sources: Iterable[str], targets: Iterable[str], both_ways: bool = True) -> None:
        """From now on nothing passes from these hosts to those (and back, unless told otherwise)."""
        targets = list(targets)
        for a in sources:
            for b in targets:
                for way in ((a, b), (b, a)) if both_ways else ((a, b),):
                    self._cuts[way] = self._cuts.get(way, 0) + 1
        self._watch()

    def vanish(self, host: str) -> None:
        """The machine is gone without a word: no packet comes or goes (half-open connections remain)."""
        self._vanished[host] = None
        self._watch()

    def heal(self, host: str | None = None) -> None:
        """All cuts end, and every machine is back; with `host`, only what has to do with that one."""
        self._cuts = {} if host is None else {way: n for way, n in self._cuts.items() if host not in way}
        if host is None:
            self._vanished.clear()
        self._vanished.pop(host or "", None)
        for wire in list(self.wires.values()):
            if not self._is_cut(wire):
                wire.cut_at = None
            for end in wire.ends:
                if end.out.held and self.passes(end.party.host, end.other.party.host):
                    self._timeline.later(end.out.latency, partial(self._release, end))

    def _is_cut(self, wire: Wire) -> bool:
        a, b = (end.party.host for end in wire.ends)
        return not (self.passes(a, b) and self.passes(b, a))

    def _watch(self) -> None:
        """Connections over which nothing passes are given up in the end, by each side for itself."""
        for wire in self.wires.values():
            if wire.cut_at is None and self._is_cut(wire):
                wire.cut_at = self._timeline.time
                for end in wire.ends:
                    self._give_up_later(end)

    def _give_up_later(self, end: End) -> None:
        delay = TCP_TIMEOUT + self.rng.uniform(-5.0, 5.0)
        self._timeline.later(delay, partial(self._give_up, end, end.wire.cut_at))

    def _give_up(self, end: End, cut_at: float | None) -> None:
        """Unless the way has been open meanwhile; but where the other end is gone, that helps nobody."""
        wire = end.wire
        if end.closed or not (wire.broken or end.other.gone or (cut_at is not None and wire.cut_at == cut_at)):
            return
        end.gone = True
        self._lose(end, "Connection timed out")
        if not end.other.closed:
            self._give_up_later(end.other)

    # --- connections -----------------------------------------------------------------------------

    def connect(
        self,
        party: Party,
        address: SocketAddress,
        timeout: float,
        connected: Callable[[End], None],
        failed: Callable[[str], None],
    ) -> None:
        """A TCP connection to an address; one of the two calls follows within `timeout` seconds."""
        timeline = self._timeline
        there, back = self.conditions.latency.sample(self.rng), self.conditions.latency.sample(self.rng)
        target = self.listeners.get(address)
        host = address.ip if target is None else target.host
        hidden = target is None or not target.reachable or not self.passes(party.host, host)
        if hidden or not self.passes(host, party.host) or there + back > timeout:
            timeline.later(timeout, partial(failed, f"no answer within {timeout:g} s"))
            return
        timeline.later(there, partial(self._arrive, party, address, (there, back), timeout, connected, failed))

    def _arrive(
        self,
        party: Party,
        address: SocketAddress,
        latencies: tuple[float, float],
        timeout: float,
        connected: Callable[[End], None],
        failed: Callable[[str], None],
    ) -> None:
        target = self.listeners.get(address)
        if target is None or not target.up:
            self._timeline.later(latencies[1], partial(failed, "Connection refused"))
            return
        if not (self.passes(party.host, target.host) and self.passes(target.host, party.host)):
            self._timeline.later(timeout, partial(failed, f"no answer within {timeout:g} s"))
            return
        self._count += 1
        wire = Wire(self, self._count, party, target, latencies)
        self.wires[wire.number] = wire
        self._timeline.later(latencies[1], partial(self._open, wire, connected))
        target.on_accept(wire.ends[1], party.host, _EPHEMERAL + self._count % 28_000)
        if self.conditions.breaks_per_hour:
            lifetime = self.rng.expovariate(self.conditions.breaks_per_hour / 3600)
            self._timeline.later(lifetime, partial(self.snap, wire))

    def _open(self, wire: Wire, connected: Callable[[End], None]) -> None:
        connected(wire.ends[0])
        if wire.ends[1].closed:
            self._tell_end(wire.ends[0])

    def snap(self, wire: Wire) -> None:
        """The connection is reset: both ends learn it."""
        for end in wire.ends:
            self._reset(end)

    def _lose(self, end: End, why: str) -> None:
        end.closed = True
        self._forget(end.wire)
        if end.tag is not None:
            end.party.on_lost(end, why)

    def _reset(self, end: End) -> None:
        if not end.closed:
            self._lose(end, "Connection reset by peer")

    def _forget(self, wire: Wire) -> None:
        if wire.is_over:
            self.wires.pop(wire.number, None)

    # --- bytes -----------------------------------------------------------------------------------

    def send(self, end: End, data: bytes) -> None:
        """Put bytes on their way."""
        flow = end.out
        flow.queued += len(data)
        flow.mark(len(data), self._timeline.time)
        self.bytes_sent += len(data)
        self.chunks += 1
        if self._faults is not None:
            for piece in self._faults.pieces(data):
                self._fly(end, piece)
        else:
            self._fly(end, data)

    def _fly(self, end: End, data: bytes) -> None:
        if _is_corrupt(end):
            data = self._damage(data)
        flow, now, conditions = end.out, self._timeline.time, self.conditions
        start = now
        if conditions.bandwidth != math.inf:
            start = flow.busy_until = max(now, flow.busy_until) + len(data) / conditions.bandwidth
        latency = flow.latency
        if conditions.jitter:
            latency *= 1.0 + conditions.jitter * self.rng.random()
        arrival = start + latency
        if arrival < flow.last_arrival:
            arrival = flow.last_arrival
        flow.last_arrival = arrival
        flow.flying += 1
        self._timeline.at(arrival, partial(self._land, end, data))

    def _damage(self, data: bytes) -> bytes:
        at = self.rng.randrange(len(data))
        return data[:at] + bytes((data[at] ^ (1 << self.rng.randrange(8)),)) + data[at + 1 :]

    def _land(self, end: End, data: bytes) -> None:
        """A chunk has got to the other end, or to a cut."""
        flow, other = end.out, end.other
        flow.flying -= 1
        if end.wire.broken:
            return
        if flow.held or ((self._cuts or self._vanished) and not self.passes(end.party.host, other.party.host)):
            flow.held.append(data)  # Nothing overtakes what met a cut.
            return
        if other.closed:
            if other.gone:  # A machine that came back knows nothing of the connection.
                self._timeline.later(flow.latency, partial(self._reset, end))
            return
        if not other.reads or flow.unread:
            flow.unread.append(data)
            return
        self._deliver(end, data)

    def _release(self, end: End) -> None:
        """What met a cut lands, where there is none by now."""
        flow = end.out
        held, flow.held = flow.held, deque()
        flow.flying += len(held)
        for data in held:
            self._land(end, data)

    def _deliver(self, end: End, data: bytes) -> None:
        end.out.queued -= len(data)
        end.other.party.on_bytes(end.other, data)
        flow = end.out
        if flow.told and not end.closed:
            unsent = max(0, flow.queued - KERNEL_BYTES)
            if unsent == 0 or unsent < flow.told - KERNEL_BYTES // 2:
                flow.told = unsent
                end.party.on_drained(end, unsent)

    def read_on(self, end: End) -> None:
        """An end reads again: what has arrived is delivered, as far as it goes on reading."""
        flow = end.other.out
        if flow.unread and end.reads:
            self._timeline.later(0.0, partial(self._read_one, end))

    def _read_one(self, end: End) -> None:
        flow = end.other.out
        if flow.unread and end.reads and not end.closed:
            self._deliver(end.other, flow.unread.popleft())
            self.read_on(end)

    # --- ends ------------------------------------------------------------------------------------

    def finish(self, end: End, flush: bool) -> None:
        """An end was closed by its owner."""
        flow = end.out
        arrival = self._timeline.time + flow.latency
        if flush:
            arrival = max(arrival, min(flow.last_arrival, self._timeline.time + CLOSE_GRACE))
        self._forget(end.wire)
        if not end.other.closed:
            self._timeline.at(arrival, partial(self._tell_end, end.other))

    def _tell_end(self, end: End) -> None:
        """The other end has closed."""
        if end.closed or end.tag is None:
            return
        source = end.other
        if not self.passes(source.party.host, end.party.host):
            end.wire.broken = True
            self._give_up_later(end)
            return
        if source.out.held:
            self._timeline.later(source.out.latency, partial(self._tell_end, end))
            return
        self._lose(end, "closed by the peer")


def _is_corrupt(end: End) -> bool:
    """Whether the next chunk of this end gets a wrong byte; counts it."""
    if not end.out.corrupt:
        return False
    end.out.corrupt -= 1
    return True
