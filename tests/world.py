"""Several cores joined by pipes under one virtual clock: the least that makes a network of real `PeerManager`s.

Every action is carried out at once and in order, so that a test reads as plain calls. The clock of `World` starts at
an odd offset, so that mixing its two faces fails.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from nearnet.client import DefaultClient
from nearnet.config import NetworkConfig
from nearnet.core.peer.peer import Peer
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.runtime.actions import Close, Dial, Event, Notify, PauseReading, ResumeReading
from nearnet.core.runtime.clock import Now
from nearnet.keys import PeerId, SecretKey
from nearnet.sim.interpreter import ActionInterpreter
from nearnet.store.memory import MemoryStore
from nearnet.wire.messages import PeerInfo, SocketAddress

START = Now(123_456.75, 1_700_000_000.5)


def make_config(**network: Any) -> NetworkConfig:
    """A quiet node's config: no dialing of its own unless asked for."""
    overrides = {"network_config_overrides": {"outbound_disabled": network.pop("outbound_disabled", True)}}
    nearnet = network.pop("nearnet", {})
    network.setdefault("experimental", overrides)
    return NetworkConfig.model_validate(
        {"chain_id": "test", "head_height": 1, "network": network, "nearnet": {"dialect": "borsh", **nearnet}}
    )


class Pipe:
    """One end of a connection: the peer object of its node, and the other end."""

    def __init__(self, node: Node, peer: Peer | None) -> None:
        self.node = node
        self.peer = peer
        self.other: Pipe | None = None
        self.paused: list[bytes] | None = None


class Node(ActionInterpreter):
    """One core, its store, and what it said."""

    def __init__(
        self, world: World, index: int, config: NetworkConfig, key: SecretKey, store: MemoryStore, client: Any
    ):
        self.world = world
        self.index = index
        self.config = config
        self.key = key
        self.store = store
        self.address = SocketAddress(f"127.0.0.{index + 1}", 24567)
        self.client = client or DefaultClient(config)
        self.core = PeerManager(config, key, self.client, store, random.Random(index), world.now)
        self.core.listening(self.address)
        self.events: list[Event] = []
        self.pipes: dict[int, Pipe] = {}
        """By `Peer.id`."""
        self.up = True
        self.reachable = True
        self.core.start(world.now)
        self.settle()

    @property
    def id(self) -> PeerId:
        return self.core.peer_id

    @property
    def info(self) -> PeerInfo:
        return PeerInfo(self.id, self.address)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def event(self, kind: str) -> Event:
        """The latest of that kind."""
        return next(event for event in reversed(self.events) if event.kind == kind)

    def connect(self, other: Node, dialect: str = "borsh") -> None:
        self.core.connect(other.info, self.world.now, dialect)
        self.settle()

    def settle(self) -> None:
        """Carry out all that this core and those it reaches ask for."""
        self.world.settle()

    def do(self, command: Callable[..., Any], *arguments: object) -> Any:
        """One input of the core, at the time of the world."""
        return command(*arguments, self.world.now)

    def on_notify(self, action: Notify) -> None:
        self.events.append(action.event)

    def on_dial(self, action: Dial) -> None:
        self.world.dial(self, action)

    def on_close(self, action: Close) -> None:
        self.world.close(self, action)

    def on_pause_reading(self, action: PauseReading) -> None:
        if action.connection in self.pipes:
            self.pipes[action.connection].paused = []

    def on_resume_reading(self, action: ResumeReading) -> None:
        if action.connection in self.pipes:
            self.world.resume(self.pipes[action.connection])

    def routes(self) -> dict[PeerId, list[PeerId]]:
        table = self.core.table
        return {peer: sorted(table.next_hops(peer)) for peer in table.peers() if table.next_hops(peer)}


class World:
    """The clock, the nodes and the wires."""

    def __init__(self) -> None:
        self.now = START
        self.nodes: list[Node] = []

    def node(self, config: NetworkConfig | None = None, key: SecretKey | None = None, **o: Any) -> Node:
        index = o.pop("index", len(self.nodes))
        key = key or SecretKey.from_seed(f"node {len(self.nodes)}", o.pop("key_type", "ed25519"))
        node = Node.__new__(Node)
        self.nodes.append(node)
        node.__init__(
            self, index, config or make_config(), key, o.pop("store", None) or MemoryStore(), o.pop("client", None)
        )  # type: ignore[misc]
        return node

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self.now.mono + seconds
        self.settle()
        while True:
            due = [t for node in self.nodes if node.up and (t := node.core.next_timer()) is not None]
            moment = min(due, default=end)
            if moment > end:
                break
            self._move(max(moment, self.now.mono))
            for node in self.nodes:
                timer = node.core.next_timer() if node.up else None
                if timer is not None and timer <= self.now.mono:
                    node.core.on_timer(self.now)
            self.settle()
        self._move(end)

    def _move(self, mono: float) -> None:
        self.now = Now(mono, self.now.wall + mono - self.now.mono)

    def settle(self) -> None:
        """Until nobody has anything to send or to do."""
        busy = True
        while busy:
            busy = False
            for node in self.nodes:
                if not node.up or not hasattr(node, "pipes"):
                    continue
                busy |= self._flush(node)
                busy |= node.carry_out_all()

    def _flush(self, node: Node) -> bool:
        dirty = node.core.take_dirty()
        for peer in dirty:
            self._send(node, peer)
        return bool(dirty)

    def _send(self, node: Node, peer: Peer) -> None:
        data = b"".join(peer.to_send())
        pipe = node.pipes.get(peer.id)
        node.core.drained(peer, 0, self.now)
        if pipe is not None and pipe.other is not None and data:
            self._deliver(pipe.other, data)

    def _deliver(self, end: Pipe, data: bytes) -> None:
        if end.paused is not None:
            end.paused.append(data)
        elif end.peer is not None and end.node.up:
            end.node.core.receive(end.peer, data, self.now)

    def close(self, node: Node, close: Close) -> None:
        """A core closes a connection; the other end learns it at once."""
        pipe = node.pipes.get(close.connection)
        if close.flush and pipe is not None and pipe.peer is not None:
            self._send(node, pipe.peer)
        self._cut(node.pipes.pop(close.connection, None))

    def resume(self, pipe: Pipe) -> None:
        """An end reads again: what it was sent meanwhile is delivered."""
        held, pipe.paused = pipe.paused or [], None
        for data in held:
            self._deliver(pipe, data)

    def _cut(self, pipe: Pipe | None) -> None:
        if pipe is None or pipe.other is None:
            return
        other = pipe.other
        pipe.other = other.other = None
        if other.peer is not None and other.node.up:
            other.node.pipes.pop(other.peer.id, None)
            other.node.core.lost(other.peer, "closed by the peer", self.now)

    def dial(self, node: Node, dial: Dial) -> None:
        """A core dials; the outcome is there at once."""
        target = next((n for n in self.nodes if n.up and n.reachable and n.address == dial.peer.addr), None)
        if target is None:
            node.core.dial_failed(dial, "connection refused", self.now)
            return
        accepted = target.core.accept(SocketAddress(node.address.ip, 50_000), self.now)
        mine, theirs = Pipe(node, None), Pipe(target, accepted)
        mine.other, theirs.other = theirs, mine
        if accepted is not None:
            target.pipes[accepted.id] = theirs
        peer = node.core.dialed(dial, target.address, self.now, 50_000)
        mine.peer = peer
        node.pipes[peer.id] = mine
        if accepted is None:
            self._cut(theirs)

    def stop(self, node: Node, crash: bool = False) -> None:
        """End a node: by its clean stop, or as if its machine had gone."""
        if not crash:
            node.core.stop(self.now)
            self.settle()
        node.up = False
        for pipe in list(node.pipes.values()):
            self._cut(pipe)
        node.pipes.clear()
        self.settle()
