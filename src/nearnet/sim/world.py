"""A world: nodes, network and time in one process, from one seed.

Nothing ticks. The queue holds what is to happen, and time is that of the next event. A running hash over everything
that happens says whether two runs were the same.
"""

from __future__ import annotations

import gc
import hashlib
import heapq
import random
import struct
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from nearnet.keys import SecretKey
from nearnet.sim.clock import NodeClock
from nearnet.sim.network import Conditions, Network
from nearnet.sim.node import SimNode
from nearnet.sim.signatures import EdgePool, FastKey, fast_signatures
from nearnet.wire.messages import SocketAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nearnet.config import NetworkConfig
    from nearnet.core.runtime.actions import Event
    from nearnet.sim.faults import Faults
    from nearnet.sim.trace import Trace
    from nearnet.sim.wires import End, Listener

__all__ = ["TooBusy", "World"]

_STAMP = struct.Struct("<dI")

_PORT = 24567


_MOST_AT_ONCE = 20_000
"""Events of one moment: with more, somebody asks again and again for what is due at once."""

_COLLECT_EVERY = 500_000
"""Events between two collections of cyclic garbage: left alone, the collector takes 15 % of the time for nothing."""


@contextmanager
def _without_collector() -> Iterator[None]:
    """Inside, garbage in cycles (closed connections and their timers) is collected only when asked for."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class TooBusy(AssertionError):
    """More events than the run may take, or one moment of it: something goes round and round."""


class World:
    """Everything of one run. All randomness comes from `seed`, through `random(name)`.

    `wall_error`: seconds by which the nodes' wall clocks may be wrong. `fast`: keyed hashes instead of signatures.
    """

    def __init__(
        self,
        seed: int = 0,
        conditions: Conditions | None = None,
        fast: bool = True,
        wall_error: float = 0.5,
        public: bool = False,
    ) -> None:
        self.seed = seed
        self.fast = fast
        self.public = public
        """Whether nodes have public addresses in many networks, instead of loopback ones."""
        self.time = 0.0
        self.nodes: list[SimNode] = []
        self.names: dict[str, SocketAddress] = {}
        """Host names."""
        self.pool = EdgePool()
        self.events = 0
        """How many things have happened."""
        self.most_events: float = float("inf")
        self.trace: Trace | None = None
        self.faults: Faults | None = None
        self.on_touched: Callable[[SimNode], None] | None = None
        """Called after every event of a node: the invariants of that node."""
        self.network = Network(self, conditions or Conditions())
        self._wall_error = wall_error
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0
        self._hash = hashlib.blake2b(digest_size=16)
        self._listeners: dict[SocketAddress, Listener] = {}

    def random(self, name: str) -> random.Random:
        """A source of its own for whatever has this name."""
        return random.Random(f"{self.seed} {name}")

    # --- nodes -----------------------------------------------------------------------------------

    def node(
        self,
        config: NetworkConfig,
        name: str | None = None,
        key: SecretKey | None = None,
        address: SocketAddress | None = None,
        start: bool = True,
    ) -> SimNode:
        """One more node; its key follows from its name, its address from its number."""
        number = len(self.nodes)
        name = name or str(number)
        clock = NodeClock.strange(self.random(f"clock {name}"), self._wall_error)
        node = SimNode(self, name, config, key or self.key(name), address or self.address(number), clock)
        self.nodes.append(node)
        self._listeners[node.address] = node
        if start:
            with self.running():
                node.start()
        return node

    def key(self, name: str) -> SecretKey:
        """The key of a node of this name; every third real one is of secp256k1."""
        if self.fast:
            return FastKey(name)
        return SecretKey.from_seed(f"node {name}", "secp256k1" if len(self.nodes) % 3 == 2 else "ed25519")

    def address(self, number: int) -> SocketAddress:
        """Where node `number` listens."""
        if self.public:
            return SocketAddress(
                f"{11 + number % 100}.{number // 100 % 200 + 1}.{number % 7}.{1 + number % 250}", _PORT
            )
        return SocketAddress(f"127.{1 + number // 60_000}.{number // 250 % 240}.{1 + number % 250}", _PORT)

    def listener(self, address: SocketAddress) -> Listener | None:
        """Who has this address, up or not."""
        return self._listeners.get(address)

    def put_listener(self, address: SocketAddress, listener: Listener) -> None:
        """Somebody else listens there from now on."""
        self._listeners[address] = listener

    def move(self, node: SimNode, address: SocketAddress) -> None:
        """A node that is down will listen elsewhere."""
        self._listeners.pop(node.address, None)
        node.address, node.host = address, address.ip
        self._listeners[address] = node

    # --- time ------------------------------------------------------------------------------------

    def at(self, time: float, call: Callable[[], None]) -> None:
        """Have something happen at a world time."""
        self._sequence += 1
        heapq.heappush(self._queue, (time, self._sequence, call))

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Have something happen so many seconds from now."""
        self.at(self.time + seconds, call)

    def running(self) -> AbstractContextManager[None]:
        """Inside, the cores' signatures are this world's."""
        return fast_signatures(self.fast)

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Let so much time pass, or less when `until` holds; whether it did. Looked at after each event."""
        end = self.time + seconds
        queue, last_moment = self._queue, self.events
        with self.running(), _without_collector():
            if until is not None and until():
                return True
            while queue and queue[0][0] <= end:
                time, _, call = heapq.heappop(queue)
                if time > self.time:
                    self.time, last_moment = time, self.events
                self.events += 1
                if self.events > self.most_events or self.events - last_moment > _MOST_AT_ONCE:
                    raise TooBusy(f"{self.events} events by {self.time:.3f} s")
                if not self.events % _COLLECT_EVERY:
                    gc.collect()
                call()
                if until is not None and until():
                    return True
            self.time = max(self.time, end)
        return False

    # --- what happened ---------------------------------------------------------------------------

    @property
    def digest(self) -> str:
        """The hash over everything that has happened, in hex."""
        return self._hash.hexdigest()

    def note(self, kind: str, who: str, **data: Any) -> None:
        """Something happened."""
        self._hash.update(f"{self.time!r} {kind} {who} {sorted(data.items())}".encode())
        if self.trace is not None:
            self.trace.add(self.time, kind, who, **data)

    def sent(self, node: SimNode, end: End, data: bytes) -> None:
        """A node wrote bytes to a connection."""
        if self.trace is not None and data:
            self.trace.sent(self.time, node, end, data)

    def received(self, node: SimNode, end: End, data: bytes) -> None:
        """Bytes reached a node."""
        self._hash.update(_STAMP.pack(self.time, end.wire.number))
        self._hash.update(data)

    def told(self, node: SimNode, event: Event) -> None:
        """A node told an event."""
        self._hash.update(f"{self.time!r} {node.name} {event.kind} {event.peer_id} {event.data}".encode())
        if self.trace is not None:
            self.trace.event(self.time, node, event)

    def touched(self, node: SimNode) -> None:
        """An input of this node, and all that followed, is done."""
        if self.on_touched is not None:
            self.on_touched(node)
