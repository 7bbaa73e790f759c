"""Runs a scenario in the simulator: its nodes, its steps, its expectations, and the invariants all along."""

from __future__ import annotations

import hashlib
import math
import random
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, islice
from typing import TYPE_CHECKING

from nearnet.errors import NearnetError, ReasonForBan
from nearnet.keys import CryptoHash, Signature
from nearnet.sim import raw, steps
from nearnet.sim.caught import Caught
from nearnet.sim.chain import BlockClient, CountingClient
from nearnet.sim.generations import GENERATIONS, Gate
from nearnet.sim.invariants import InvariantBroken, Invariants
from nearnet.sim.signatures import FastKey, made_up_edge
from nearnet.sim.steps import config_of
from nearnet.sim.trace import Trace
from nearnet.sim.world import World
from nearnet.wire.messages import AnnounceAccount, PeerInfo, SocketAddress
from nearnet.wire.routed_body import Opaque, Ping, encode_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nearnet.core.peer_manager.manager import PeerManager
    from nearnet.keys import PeerId, SecretKey
    from nearnet.sim.node import SimNode
    from nearnet.sim.steps import Scenario, Setup, Step
    from nearnet.sim.wires import Wire
    from nearnet.wire.edge_bytes import Edge

__all__ = ["Failed", "Player", "Result", "made_up_edges", "play"]

_LOOK_OFTEN = 12
"""Nodes up to which expectations are looked at after every event; with more, ten times a second."""

_LOOK_EVERY = 0.1
_QUIET = 80.0
"""Seconds without steps after which a network is quiet: half-open connections time out within 60 s, then there are
grace periods of 6 s, and dials."""

_AT_REST = 10.0
_MOST_LOOKS = 30
"""A network has come to rest when for 10 s no connection comes or goes; it must within five minutes."""

_APPROVAL = 0
"""Index of a body that the network does not look into."""

_MOST_EVENTS = 20_000_000


class Failed(AssertionError):
    """An expectation was not met; the text says which step, when, and what was the case instead."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run."""

    scenario: Scenario
    seed: int
    failure: str | None
    digest: str
    """Over everything that happened."""
    seconds: float
    """Of virtual time."""
    events: int
    faults: Mapping[str, int]
    trace: Trace | None = None


def play(scenario: Scenario, seed: int = 0, explore: bool = False, trace: bool = False) -> Result:
    """Run it once. `explore`: with random faults. Failed expectations, broken invariants and faults of the core are in
    the result, with the steps as they were.
    """
    if scenario.generate is not None:
        steps_of_seed = scenario.generate(random.Random(f"{seed} timeline"), scenario.nodes)
        scenario = replace(scenario, steps=steps_of_seed, generate=None)
    if scenario.cast is not None:
        setups = scenario.cast(random.Random(f"{seed} cast"), scenario.nodes)
        scenario = replace(scenario, setups=setups, cast=None)
    player = Player(scenario, seed, explore, trace)
    with Caught() as caught:
        player.run()
    world = player.world
    counts = world.faults.counts if world.faults is not None else {}
    return Result(
        scenario, seed, caught.text, world.record.digest, world.time, world.events, counts, world.record.trace
    )


class Player:
    """One run, and the `Stage` of its conditions."""

    def __init__(
        self, scenario: Scenario, seed: int = 0, explore: bool = False, trace: bool = False, watch: bool = True
    ) -> None:
        """`watch`: whether the invariants of a node are looked at after each of its inputs."""
        self.scenario = scenario
        self.world = world = World(
            seed, scenario.conditions, scenario.fast, faulty=explore, trace=Trace() if trace else None
        )
        world.most_events = _MOST_EVENTS
        self.invariants = Invariants(world, scenario.hostile)
        if watch:
            world.watch(self.invariants.touched)
        self.raw: dict[str, raw.RawPeer] = {}
        self._rng = world.random("player")
        self._keys = [world.key(str(number)) for number in range(scenario.nodes)]
        for number in range(scenario.nodes):
            setup = scenario.setups.get(number, scenario.setup)
            config, client = config_of(setup, self._info), BlockClient if setup.blocks else _counting
            node = world.node(config, str(number), self._keys[number], start=False, make_client=client)
            node.gate = _gate(world, setup)
            if world.faults is not None:
                world.faults.trouble_disk(node.disk)

    def _info(self, number: int) -> PeerInfo:
        return PeerInfo(self._keys[number].public_key, self.world.address(number))

    def run(self) -> None:
        """All steps; then, when the scenario ends in quiet, the invariants of the whole network."""
        with self.world.running():
            for step in self.scenario.steps:
                if isinstance(step, steps.Preload):
                    self.perform(step)
            for node in self.world.nodes:
                if int(node.name) not in self.scenario.later:
                    node.start()
        for number, step in enumerate(self.scenario.steps):
            self.world.record.note("step", str(number), what=repr(step))
            with self.world.running():
                self.perform(step)
        if self.scenario.quiet:
            self.settle()

    def settle(self) -> None:
        """End all troubles, let the network come to rest, and hold it against the invariants."""
        world = self.world
        world.network.heal()
        for wire in list(world.network.wires.values()):
            for end in wire.ends:
                end.stuck = False
                world.network.read_on(end)
        if world.faults is not None:
            world.faults.calm()
        for node in world.nodes:
            node.disk.full = False
            if node.paused:
                node.resume()
        world.run(_QUIET)
        for _ in range(_MOST_LOOKS):
            before = self._changes()
            world.run(_AT_REST)
            if self._changes() == before:
                break
        else:
            raise InvariantBroken("rest", f"connections come and go for {_MOST_LOOKS * _AT_REST:g} s without a cause")
        with world.running():
            self.invariants.quiet()

    def _changes(self) -> int:
        """How many connections have come or gone so far."""
        return sum(node.kinds.get(kind, 0) for node in self.world.nodes for kind in ("connected", "disconnected"))

    # --- the stage -------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many nodes there are."""
        return len(self.world.nodes)

    def core(self, node: int) -> PeerManager | None:
        """The core of a node that is up."""
        one = self.world.nodes[node]
        return one.core if one.up else None

    def id(self, node: int) -> PeerId:
        """Its id."""
        return self.world.nodes[node].id

    def index(self, peer: PeerId) -> int | str:
        """Which node has this id."""
        return next((number for number, node in enumerate(self.world.nodes) if node.id == peer), f"former {peer}")

    def kinds(self, node: int) -> Mapping[str, int]:
        """How many events of each kind it has told."""
        return self.world.nodes[node].kinds

    def client(self, node: int) -> object:
        """Its client."""
        return self.world.nodes[node].client

    def gate(self, node: int) -> Gate | None:
        """What makes it a reference node of some year; None for one of ours."""
        return self.world.nodes[node].gate

    def wall(self, node: int) -> float:
        """Its wall clock."""
        return self.world.nodes[node].now.wall

    def heard(self, client: str) -> list[str]:
        """What a raw client has received."""
        return self.raw[client].heard

    # --- steps -----------------------------------------------------------------------------------

    def perform(self, step: Step) -> None:
        """Carry out one step."""
        match step:
            case steps.Wait(seconds):
                self.world.run(seconds)
            case steps.Always():
                self._always(step)
            case steps.Within():
                self._within(step)
            case raw.RawOpen() | raw.RawSend() | raw.RawListen():
                self._raw(step)
            case steps.Preload():
                if not self.world.time:
                    _preload(self.world, step)
            case steps.Cut() | steps.Heal() | steps.Snap() | steps.Stuck() | steps.Corrupt():
                self._disturb(step)
            case steps.Connect() | steps.Disconnect() | steps.Ban() | steps.Unban():
                self._command(step)
            case steps.Ping() | steps.Send() | steps.Announce():
                self._command(step)
            case _:
                self._life(step)

    def _holds(self, step: steps.Within) -> bool:
        return all(condition.holds(self) for condition in step.conditions)

    def _within(self, step: steps.Within) -> None:
        if not self._until(step.seconds, partial(self._holds, step)):
            raise Failed(self._missing(step, f"not within {step.seconds:g} s"))

    def _always(self, step: steps.Always) -> None:
        if self._until(step.seconds, lambda: not self._holds(step)):
            raise Failed(self._missing(step, f"not always for {step.seconds:g} s"))

    def _missing(self, step: steps.Within, how: str) -> str:
        missing = [
            f"{condition} (seen: {condition.seen(self)})" for condition in step.conditions if not condition.holds(self)
        ]
        return f"at {self.world.time:.3f} s, {how}: " + "; ".join(missing or ["it came too late"])

    def _until(self, seconds: float, holds: Callable[[], bool]) -> bool:
        if self.count <= _LOOK_OFTEN:
            return self.world.run(seconds, holds)
        end = self.world.time + seconds
        while not holds():
            if self.world.time >= end:
                return False
            self.world.run(min(_LOOK_EVERY, end - self.world.time))
        return True

    def _command(self, step: Step) -> None:
        world = self.world
        node = world.nodes[step.node]  # type: ignore[attr-defined]
        if not node.up or node.paused:
            return
        core = node.core
        try:
            match step:
                case steps.Connect(_, to):
                    node.do(core.connect, world.nodes[to].info)
                case steps.Disconnect(_, to):
                    node.do(core.disconnect, self.id(to))
                case steps.Ban(_, other, reason, seconds):
                    why = ReasonForBan.from_label(reason)
                    self.invariants.allowed_bans[node.name, self.id(other)] = None
                    node.do(lambda now: core.ban(self.id(other), why, now, seconds))
                case steps.Unban(_, other):
                    node.do(core.unban, self.id(other))
                case steps.Ping(_, to, ttl, nonce) if nonce is None:
                    node.do(lambda now: core.ping(self.id(to), now, ttl))
                case steps.Ping(_, to, ttl, nonce):
                    body = encode_body(Ping(nonce or 0, node.id))
                    node.do(lambda now: core.send_routed(self.id(to), body, now, ttl))
                case steps.Send(_, to, number, times):
                    body = encode_body(Opaque(_APPROVAL, number.to_bytes(8, "little")))
                    for _ in range(times):
                        node.do(lambda now: core.send_routed(self.id(to), body, now))
                case steps.Announce():
                    node.do(core.announce, self._announcement(step))
        except NearnetError as error:  # No way, no such peer, banned: told to the caller, and part of what happens.
            world.record.note("refused", node.name, why=str(error))

    def _announcement(self, step: steps.Announce) -> AnnounceAccount:
        serving = self.world.nodes[step.node if step.serving is None else step.serving]
        epoch = CryptoHash(hashlib.sha256(f"epoch {step.epoch}".encode()).digest())
        return AnnounceAccount(step.account, serving.id, epoch, Signature(bytes(65)))

    def _life(self, step: Step) -> None:
        node = self.world.nodes[step.node]  # type: ignore[attr-defined]
        match step:
            case steps.Start() if not node.up:
                node.start()
            case steps.Stop() if node.up and not node.paused:
                node.stop()
            case steps.Crash() if node.up:
                node.crash()
            case steps.Vanish() if node.up:
                self.world.network.vanish(node.host)
                node.crash(silent=True)
            case steps.Restart() if not node.up:
                self._restart(node, step)
            case steps.Pause() if node.up:
                node.pause()
            case steps.Resume() if node.paused:
                node.resume()
            case steps.DiskFull(_, full):
                node.disk.full = full
            case steps.JumpClock(_, wall, mono):
                node.clock.jump(wall, mono)
                node.clock_jumped()

    def _restart(self, node: SimNode, step: steps.Restart) -> None:
        world = self.world
        world.network.heal(node.host)
        if not step.store:
            node.disk.wipe()
        if step.new_key:
            node.key = world.key(f"{node.name} once more {node.runs}")
        if step.new_address:
            world.move(node, replace(node.address, port=node.address.port + 1))
        if step.setup is not None:
            node.config = config_of(step.setup, self._info)
            node.gate = _gate(world, step.setup)
        node.start()

    def _disturb(self, step: Step) -> None:
        network = self.world.network
        match step:
            case steps.Cut(nodes, others, both_ways):
                hosts = [[self.world.nodes[number].host for number in group] for group in (nodes, others)]
                network.cut(hosts[0], hosts[1], both_ways)
            case steps.Heal():
                network.heal()
            case steps.Snap(node, other):
                for wire in self._wires(node, other):
                    network.snap(wire)
            case steps.Stuck(node, other, stuck):
                for wire in self._wires(node, other):
                    end = next(end for end in wire.ends if end.party is self.world.nodes[node])
                    end.stuck = stuck
                    network.read_on(end)
            case steps.Corrupt(node, to, chunks):
                for wire in self._wires(node, to):
                    next(end for end in wire.ends if end.party is self.world.nodes[node]).out.corrupt += chunks

    def _wires(self, node: int, other: int) -> list[Wire]:
        a, b = self.world.nodes[node].host, self.world.nodes[other].host
        return [wire for wire in self.world.network.wires.values() if wire.joins(a, b)]

    # --- raw clients -----------------------------------------------------------------------------

    def _raw(self, step: Step) -> None:
        world = self.world
        match step:
            case raw.RawOpen(client, to, count, key, dialect):
                for name in [client] if count == 1 else [f"{client}{number}" for number in range(count)]:
                    peer = self._raw_peer(name, world.key(f"raw {key or name}"))
                    peer.to, peer.dialect = to, dialect
                    world.network.connect(peer, world.nodes[to].address, 5.0, peer.on_open, peer.on_failed)
            case raw.RawListen(client, instead):
                node = world.nodes[instead]
                peer = self._raw_peer(client, node.key)
                world.network.listeners[SocketAddress(node.address.ip, node.address.port)] = peer
            case raw.RawSend(client):
                peer = self.raw[client]
                node = world.nodes[peer.to]
                ids = [one.id for one in world.nodes]
                noise = self._rng.randbytes(64)
                wall = node.now.wall
                peer.send(raw.raw_bytes(step, peer.key, node.id, node.config, ids, noise, peer.dialect, wall))

    def _raw_peer(self, name: str, key: SecretKey) -> raw.RawPeer:
        host = f"127.200.0.{1 + len(self.raw) % 250}"
        peer = self.raw[name] = raw.RawPeer(name, host, key)
        return peer


def _gate(world: World, setup: Setup) -> Gate | None:
    return None if setup.generation is None else Gate(GENERATIONS[setup.generation], world.pool)


def _counting(node: SimNode) -> CountingClient:
    return CountingClient(node.config, node)


def made_up_edges(count: int, salt: str) -> list[Edge]:
    """So many active edges between peers that nobody else has heard of; the same ones for the same salt."""
    keys = (FastKey(f"{salt} {number}") for number in range(math.isqrt(2 * count) + 2))
    pairs = combinations(sorted(keys, key=lambda key: key.public_key), 2)
    return [made_up_edge(first, second, 1) for first, second in islice(pairs, count)]


def _preload(world: World, step: steps.Preload) -> None:
    edges = [world.pool.share(edge) for edge in made_up_edges(step.edges, step.salt)]
    for number in step.nodes:
        world.nodes[number].preloaded += edges
