"""Plays the client's side of recorded connections to one core, with the recorded times as the clock."""

from __future__ import annotations

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from nearnet.client import DefaultClient
from nearnet.config import NetworkConfig
from nearnet.core.peer.peer import Peer
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.runtime.actions import Action, Close, Dial
from nearnet.core.runtime.clock import Now
from nearnet.keys import PublicKey, SecretKey
from nearnet.sim.interpreter import ActionInterpreter
from nearnet.store.memory import MemoryStore
from nearnet.wire.dialect import dialect_named
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.messages import SocketAddress, SyncRoutingTable

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
START = Now(98_765.5, 1_650_000_000.25)
CLOSED = b""
"""Stands among a connection's answers for its end by the node."""

Answers = dict[int, list[bytes]]


def load(name: str) -> dict[str, Any]:
    """A recording: see `tests/vectors/README.md`."""
    return json.loads(gzip.decompress((VECTORS / name).read_bytes()))  # type: ignore[no-any-return]


class Recorded:
    """A recording, as one dialect reads it, and what our core answers to it. `unasked`: the kinds told at any time."""

    def __init__(self, name: str, dialect: str, unasked: tuple[str, ...]) -> None:
        self.content = load(name)
        self.dialect = dialect_named(dialect)
        self._unasked = unasked
        self.parts: list[str] = [connection["part"] for connection in self.content["connections"]]
        """The part of the outside suite that each connection belongs to."""
        self.node = PublicKey.from_text(self.content["node_key"])

    @cached_property
    def answers(self) -> Answers:
        """What our core said."""
        return Replay(self.content).run([tuple(step) for step in self.content["steps"]])

    def frames(self, number: int) -> list[bytes]:
        """What the real node said on a connection, its end with it."""
        steps = self.content["steps"]
        return [bytes.fromhex(frame) for _, n, who, frame in steps if n == number and who in ("node", "closed")]

    def kind(self, frame: bytes) -> str:
        """Its name."""
        return "closed" if frame == CLOSED else self.dialect.kind(frame)

    def asked(self, frames: list[bytes]) -> list[bytes]:
        """The answers proper."""
        return [frame for frame in frames if self.kind(frame) not in self._unasked]

    def decoded(self, frames: list[bytes], message: type[Any]) -> list[Any]:
        """The messages of one kind."""
        return [self.dialect.decode(frame) for frame in frames if self.kind(frame) == message.__name__]

    def edges(self, frames: list[bytes]) -> set[bytes]:
        """All that were told."""
        return {edge for table in self.decoded(frames, SyncRoutingTable) for edge in table.edges}

    def client(self, number: int) -> PublicKey:
        """Who was at the other end."""
        return PublicKey.from_text(self.content["connections"][number]["client_key"])

    def cases(self, but: Collection[int]) -> list[Any]:
        """A test parameter for each connection."""
        return [pytest.param(n, id=f"{n}-{part}") for n, part in enumerate(self.parts) if n not in but]


class Replay(ActionInterpreter):
    """One core that hears what a recording's clients said; `answers` holds what it said, by connection."""

    def __init__(self, recording: dict[str, Any]) -> None:
        self.now = self.start = Now(START.mono, recording.get("started", START.wall))
        config = NetworkConfig.model_validate(
            {
                "chain_id": recording["chain_id"],
                "head_height": recording.get("head_height", 1),
                "network": {
                    "ideal_connections_lo": 1,
                    "ideal_connections_hi": 39,
                    "experimental": {"network_config_overrides": {"outbound_disabled": True}},
                },
                "nearnet": {"protocol_versions": {"protobuf": [84, 80]}},  # Those of the recorded node.
            }
        )
        self.store = MemoryStore()
        key = SecretKey.from_seed(recording["node_seed"], "ed25519")
        self.core = PeerManager(config, key, DefaultClient(config), self.store, random.Random(5), self.now)
        self.core.listening(SocketAddress("127.0.0.1", recording["listen_port"]))
        self.core.start(self.now)
        self.peers: dict[int, Peer] = {}
        self.framers: dict[Peer, Framer] = {}
        self.answers: Answers = defaultdict(list)
        self.dials: list[Dial] = []
        self.closed: dict[int, str] = {}
        """Why the node closed a connection."""
        self.numbers: dict[Peer, int] = {}

    def run(self, steps: list[tuple[float, int, str, str]]) -> Answers:
        """All of it, then five seconds of silence."""
        for seconds, number, what, frame in steps:
            self.advance(self.start.mono + seconds)
            if what == "open":
                self.open(number)
            elif what == "client":
                self.send(number, bytes.fromhex(frame))
            elif what == "end":
                self.end(number)
        self.advance(self.now.mono + 5)
        return self.answers

    def advance(self, moment: float) -> None:
        """Let time pass up to `moment`, timer by timer."""
        while (due := self.core.next_timer()) is not None and due <= moment:
            self._at(max(due, self.now.mono))
            self.core.on_timer(self.now)
            self._settle()
        self._at(max(moment, self.now.mono))

    def _at(self, mono: float) -> None:
        self.now = Now(mono, self.start.wall + mono - self.start.mono)

    def open(self, number: int) -> None:
        """A client connects; it is known by `number`."""
        peer = self.core.accept(SocketAddress("127.0.0.1", 40_000 + number), self.now)
        if peer is None:
            self.answers[number].append(CLOSED)
            return
        self._keep(number, peer)

    def answer_dial(self, number: int) -> None:
        """What the node dials last answers, as connection `number`."""
        dial = self.dials.pop()
        assert dial.peer.addr is not None
        self._keep(number, self.core.dialed(dial, dial.peer.addr, self.now, 50_000))
        self._settle()

    def _keep(self, number: int, peer: Peer) -> None:
        self.peers[number], self.numbers[peer], self.framers[peer] = peer, number, Framer()

    def send(self, number: int, frame: bytes) -> None:
        """One frame of a client."""
        self.send_bytes(number, frame_prefix(len(frame)) + frame)

    def send_bytes(self, number: int, data: bytes) -> None:
        """Bytes of a client; nothing when its connection is closed."""
        if number in self.peers:
            self.core.receive(self.peers[number], data, self.now)
            self._settle()

    def end(self, number: int) -> None:
        """A client closes its connection."""
        if number in self.peers:
            self.core.lost(self.peers.pop(number), "closed by the peer", self.now)
            self._settle()

    def _settle(self) -> None:
        busy = True
        while busy:
            dirty = self.core.take_dirty()
            for peer in dirty:
                self._flush(peer)
            busy = self.carry_out_all() or bool(dirty)

    def _flush(self, peer: Peer) -> None:
        framer, answers = self.framers[peer], self.answers[self.numbers[peer]]
        framer.feed(b"".join(peer.to_send()))
        while (frame := framer.next_frame()) is not None:
            answers.append(bytes(frame))
        self.core.drained(peer, 0, self.now)

    def do(self, command: Callable[..., Any], *arguments: object) -> Any:
        """One input of the core, at the time of the recording."""
        return command(*arguments, self.now)

    def on_dial(self, action: Dial) -> None:
        """Kept for `answer_dial`."""
        self.dials.append(action)

    def on_close(self, action: Close) -> None:
        """The end of a connection is an answer too."""
        peer = next(one for one in self.numbers if one.id == action.connection)
        number = self.numbers[peer]
        if action.flush:
            self._flush(peer)
        self.closed[number] = action.reason
        self.answers[number].append(CLOSED)
        self.peers.pop(number, None)

    def on_other(self, action: Action) -> None:
        """A recording knows neither events nor who reads."""
