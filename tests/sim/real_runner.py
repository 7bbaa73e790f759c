"""The second runner of the scenarios' data: real nodes on real loopback sockets, in real time.

It is a `Stage` as the simulator's `Player` is, so that a condition means the same here. Expectations are looked at
whenever a node tells an event or a raw client hears something, and twenty times a second besides.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ports import free_port

from nearnet import Node
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.errors import NearnetError, ReasonForBan
from nearnet.keys import CryptoHash, PeerId, SecretKey, Signature
from nearnet.sim import raw, steps
from nearnet.sim.chain import CountingClient
from nearnet.sim.steps import Scenario, Step, config_of
from nearnet.store.memory import MemoryStore
from nearnet.wire.framing import Framer
from nearnet.wire.messages import AnnounceAccount, PeerInfo, SocketAddress
from nearnet.wire.routed_body import Ping, encode_body

QUICK = {
    "wait_for_sync_delay": 0.05,
    "update_routing_table_interval": 0.05,
    "dial_backoff_initial": 0.05,
    "dial_backoff_max": 0.2,
}
"""Short intervals: what a scenario expects within seconds comes within a fraction of one."""

LOOK_EVERY = 0.05


class RealClient:
    """A raw client on a real socket."""

    def __init__(self, key: SecretKey, to: int, changed: asyncio.Event) -> None:
        self.key, self.to, self.changed = key, to, changed
        self.heard: list[str] = []
        self.writer: asyncio.StreamWriter | None = None

    async def listen_to(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take what comes until the end."""
        self.writer, framer = writer, Framer()
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                self.heard += raw.read_frames(framer, data)
                self.changed.set()
        self.heard.append("closed")
        self.changed.set()


class RealRunner:
    """An asynchronous context manager that plays one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.nodes: list[Node | None] = [None] * scenario.nodes
        self._keys = [SecretKey.from_seed(f"real {number}") for number in range(scenario.nodes)]
        self._ports = [free_port() for _ in range(scenario.nodes)]
        self._stores = [MemoryStore() for _ in range(scenario.nodes)]
        self._kinds = [Counter[str]() for _ in range(scenario.nodes)]
        self._raw: dict[str, RealClient] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._changed = asyncio.Event()
        self._rng = random.Random(1)
        self.faults = 0

    async def __aenter__(self) -> RealRunner:
        for number in range(self.scenario.nodes):
            if number not in self.scenario.later:
                await self._start(number)
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for client in self._raw.values():
            if client.writer is not None:
                client.writer.close()
        for number in range(self.scenario.nodes):
            await self._stop(number)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def play(self) -> None:
        """All steps."""
        for step in self.scenario.steps:
            await self._perform(step)
        assert self.faults == 0, "row 73: no unhandled fault"

    # --- nodes -----------------------------------------------------------------------------------

    def _info(self, number: int) -> PeerInfo:
        return PeerInfo(self._keys[number].public_key, SocketAddress("127.0.0.1", self._ports[number]))

    async def _start(self, number: int) -> None:
        setup = self.scenario.setups.get(number, self.scenario.setup)
        config = config_of(setup, self._info, QUICK, f"127.0.0.1:{self._ports[number]}")
        node = Node(config, key=self._keys[number], client=CountingClient(config), store=self._stores[number])
        events = node.events()
        await node.start()
        self.nodes[number] = node
        self._spawn(self._watch(number, events))

    async def _watch(self, number: int, events: Any) -> None:
        async for event in events:
            self._kinds[number][event.kind] += 1
            self._changed.set()

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stop(self, number: int) -> None:
        node = self.nodes[number]
        if node is not None:
            driver = node.driver
            self.nodes[number] = None
            await node.stop()
            self.faults += driver.unhandled
            self._changed.set()

    # --- the stage -------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many nodes there are."""
        return len(self.nodes)

    def core(self, node: int) -> PeerManager | None:
        """The core of a node that is up."""
        one = self.nodes[node]
        return None if one is None else one.core

    def id(self, node: int) -> PeerId:
        """Its id."""
        return self._keys[node].public_key

    def index(self, peer: PeerId) -> int | str:
        """Which node has this id."""
        return next((n for n, key in enumerate(self._keys) if key.public_key == peer), f"former {peer}")

    def kinds(self, node: int) -> Counter[str]:
        """How many events of each kind it has told."""
        return self._kinds[node]

    def client(self, node: int) -> object:
        """Its client."""
        one = self.nodes[node]
        return None if one is None else one.client

    def wall(self, node: int) -> float:
        """Its wall clock."""
        return time.time()

    def gate(self, node: int) -> None:
        """None: all nodes on real sockets are ours."""

    def heard(self, client: str) -> list[str]:
        """What a raw client has received."""
        return self._raw[client].heard

    # --- steps -----------------------------------------------------------------------------------

    async def _perform(self, step: Step) -> None:
        match step:
            case steps.Wait(seconds):
                await asyncio.sleep(seconds)  # It is the scenario that says so.
            case steps.Always():
                assert not await self._until(step.seconds, lambda: not self._holds(step)), self._missing(step)
            case steps.Within():
                assert await self._until(step.seconds, lambda: self._holds(step)), self._missing(step)
            case raw.RawOpen(client, to, count, key):
                for name in [client] if count == 1 else [f"{client}{number}" for number in range(count)]:
                    await self._open(name, to, key or name)
            case raw.RawListen(client, instead):
                one = self._raw[client] = RealClient(self._keys[instead], 0, self._changed)
                server = await asyncio.start_server(one.listen_to, "127.0.0.1", self._ports[instead])
                self._servers.append(server)
            case raw.RawSend(client):
                one = self._raw[client]
                node = self.nodes[one.to]
                assert node is not None
                assert one.writer is not None
                ids = [key.public_key for key in self._keys]
                noise = self._rng.randbytes(64)
                one.writer.write(raw.raw_bytes(step, one.key, node.peer_id, node.config, ids, noise))
            case steps.Stop(number) | steps.Crash(number):
                await self._stop(number)
            case steps.Start(number):
                await self._start(number)
            case steps.Restart(number):
                if step.new_key:
                    self._keys[number] = SecretKey.from_seed(f"once more {number}")
                if step.new_address:
                    self._ports[number] = free_port()
                if not step.store:
                    self._stores[number] = MemoryStore()
                await self._start(number)
            case _:
                self._command(step)

    def _command(self, step: Any) -> None:
        node = self.nodes[step.node]
        assert node is not None
        core, run = node.core, node.driver.run
        with suppress(NearnetError):  # No way, ourselves, banned: told to the caller.
            match step:
                case steps.Connect(_, to):
                    run(lambda now: core.connect(self._info(to), now))
                case steps.Ban(_, other, reason, seconds):
                    node.ban(self.id(other), ReasonForBan.from_label(reason), seconds)
                case steps.Ping(_, to, ttl, nonce) if nonce is None:
                    run(lambda now: core.ping(self.id(to), now, ttl))
                case steps.Ping(_, to, ttl, nonce):
                    node.send_routed(self.id(to), encode_body(Ping(nonce or 0, node.peer_id)), ttl)
                case steps.Announce(_, account, epoch, serving):
                    whose = self.id(step.node if serving is None else serving)
                    epoch_id = CryptoHash(hashlib.sha256(f"epoch {epoch}".encode()).digest())
                    node.announce(AnnounceAccount(account, whose, epoch_id, Signature(bytes(65))))
                case _:
                    raise AssertionError(f"{step} is for the simulator only")

    async def _open(self, name: str, to: int, key: str) -> None:
        one = self._raw[name] = RealClient(SecretKey.from_seed(f"raw {key}"), to, self._changed)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._ports[to])
        one.writer = writer
        self._spawn(one.listen_to(reader, writer))

    # --- expectations ----------------------------------------------------------------------------

    def _holds(self, step: steps.Within) -> bool:
        return all(condition.holds(self) for condition in step.conditions)

    def _missing(self, step: steps.Within) -> str:
        seen = {repr(condition): condition.seen(self) for condition in step.conditions if not condition.holds(self)}
        return f"{step}: {seen or 'it came too late'}"

    async def _until(self, seconds: float, holds: Callable[[], bool]) -> bool:
        end = asyncio.get_running_loop().time() + seconds
        while not holds():
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(left, LOOK_EVERY))
        return True
