"""A world: nodes, network and time in one process, from one seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nearnet.keys import SecretKey
from nearnet.sim.clock import NodeClock
from nearnet.sim.faults import Faults
from nearnet.sim.network import Conditions, Network
from nearnet.sim.node import SimNode, Surroundings
from nearnet.sim.record import Record
from nearnet.sim.signatures import EdgePool, FastKey, fast_signatures
from nearnet.sim.timeline import Timeline
from nearnet.wire.messages import SocketAddress

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from nearnet.config import NetworkConfig
    from nearnet.sim.trace import Trace

__all__ = ["World"]

_PORT = 24567


class World(Timeline):
    """Everything of one run."""

    def __init__(
        self,
        seed: int = 0,
        conditions: Conditions | None = None,
        fast: bool = True,
        wall_error: float = 0.5,
        public: bool = False,
        faulty: bool = False,
        trace: Trace | None = None,
    ) -> None:
        """`wall_error`: seconds by which the nodes' wall clocks may be wrong. `fast`: keyed hashes instead of
        signatures. `faulty`: with the random faults of `faults.py`. `trace` gets a line for all that happens.
        """
        super().__init__(seed)
        self.fast = fast
        self.public = public
        """Whether nodes have public addresses in many networks, instead of loopback ones."""
        self.nodes: list[SimNode] = []
        self.pool = EdgePool()
        self.faults = Faults(self) if faulty else None
        self.network = Network(self, conditions or Conditions(), self.faults)
        self.record = Record(self, trace)
        self._wall_error = wall_error
        self._watchers: list[Callable[[SimNode], None]] = []
        self._around = Surroundings(self, self.network, self.record, self.pool, self.faults, self._touched)

    # --- nodes -----------------------------------------------------------------------------------

    def node(
        self,
        config: NetworkConfig,
        name: str | None = None,
        key: SecretKey | None = None,
        address: SocketAddress | None = None,
        start: bool = True,
        make_client: Callable[[SimNode], Any] | None = None,
    ) -> SimNode:
        """One more node; its key follows from its name, its address from its number. `make_client`: see `SimNode`."""
        number = len(self.nodes)
        name = name or str(number)
        clock = NodeClock.strange(self.random(f"clock {name}"), self._wall_error)
        key, address = key or self.key(name), address or self.address(number)
        node = SimNode(self._around, name, config, key, address, clock, make_client)
        self.nodes.append(node)
        self.network.listeners[node.address] = node
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

    def move(self, node: SimNode, address: SocketAddress) -> None:
        """A node that is down will listen elsewhere."""
        self.network.listeners.pop(node.address, None)
        node.address, node.host = address, address.ip
        self.network.listeners[address] = node

    # --- time ------------------------------------------------------------------------------------

    def running(self) -> AbstractContextManager[None]:
        """Inside, the cores' signatures are this world's."""
        return fast_signatures(self.fast)

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Let so much time pass, as `Timeline.run`, with this world's signatures."""
        with self.running():
            return super().run(seconds, until)

    # --- who looks on ----------------------------------------------------------------------------

    def watch(self, watcher: Callable[[SimNode], None]) -> None:
        """Call `watcher` after each input of a node and all that follows from it."""
        self._watchers.append(watcher)

    def _touched(self, node: SimNode) -> None:
        for watcher in self._watchers:
            watcher(node)
