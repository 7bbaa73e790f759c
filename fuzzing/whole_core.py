"""A whole core with one hostile neighbor: no byte stream raises, bans somebody else, or leaves a timer unarmed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from nearnet.client import DefaultClient
from nearnet.config import NetworkConfig
from nearnet.core.peer.peer import Peer
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.routing_table.edge import sign_edge, unix_nonce
from nearnet.core.runtime.actions import Action, Close, Notify, PauseReading
from nearnet.core.runtime.clock import Now
from nearnet.keys import SecretKey
from nearnet.sim.interpreter import ActionInterpreter
from nearnet.store.memory import MemoryStore
from nearnet.wire.dialect import dialect_named
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import Handshake, PeerChainInfo, SocketAddress

__all__ = ["feed_core"]

ME, ENEMY = SecretKey.from_seed("fuzzed"), SecretKey.from_seed("enemy")
START = Now(123_456.75, 1_700_000_000.5)
ADDRESS = SocketAddress("127.0.0.1", 50_000)
_QUEUED = 2**22
"""Bytes that the answers to one input may have at most: far more than any has."""
_ROUNDS = 200
"""Of actions, for one input; a core that always has more to do is busy without cause."""

CONFIG = NetworkConfig.model_validate(
    {"network": {"experimental": {"network_config_overrides": {"outbound_disabled": True}}}}
)


class _Node(ActionInterpreter):
    def __init__(self) -> None:
        self.now = START
        self.store = MemoryStore()
        self.core = PeerManager(CONFIG, ME, DefaultClient(CONFIG), self.store, random.Random(1), self.now)
        self.core.start(self.now)
        self.closed = False
        self.banned: list[object] = []
        peer = self.core.accept(ADDRESS, self.now)
        assert peer is not None
        self.peer: Peer = peer

    def act(self) -> None:
        for _ in range(_ROUNDS):
            if not self.carry_out_all():
                return
        raise AssertionError("the core always has more to do")

    def do(self, command: Callable[..., Any], *arguments: object) -> Any:
        return command(*arguments, self.now)

    def on_notify(self, action: Notify) -> None:
        self.banned += [action.event.peer_id] if action.event.kind == "banned" else []

    def on_close(self, action: Close) -> None:
        self.closed = True

    def on_pause_reading(self, action: PauseReading) -> None:
        assert action.connection == self.peer.id

    def on_other(self, action: Action) -> None:
        """Bytes keep coming whether the core wants them or not, and nobody answers a dial."""

    def receive(self, data: bytes) -> None:
        if not self.closed:
            self.core.receive(self.peer, data, self.now)
            self.act()

    def shake_hands(self, dialect: str) -> None:
        nonce = 1 if dialect == "borsh" else unix_nonce(self.now.wall)
        versions = (52, 50) if dialect == "borsh" else (84, 80)
        chain = PeerChainInfo(self.core.context.genesis_id, 1)
        half = sign_edge(ENEMY, ME.public_key, nonce)
        hello = Handshake(*versions, ENEMY.public_key, ME.public_key, 24568, chain, half)
        content = dialect_named(dialect).encode(hello)
        self.receive(frame_prefix(len(content)) + content)
        assert self.peer.is_ready

    def wait(self, seconds: float) -> None:
        end = Now(self.now.mono + seconds, self.now.wall + seconds)
        for _ in range(_ROUNDS):
            due = self.core.next_timer()
            if due is None or due > end.mono:
                break
            self.now = Now(max(due, self.now.mono), end.wall)
            self.core.on_timer(self.now)
            self.act()
        else:
            raise AssertionError("timers without end")
        self.now = end


def feed_core(data: bytes) -> None:
    """The first byte: bit 0 the dialect, bit 1 whether the handshake is done, the rest where it is cut."""
    if not data:
        return
    node = _Node()
    node.act()
    if data[0] & 2:
        node.shake_hands("protobuf" if data[0] & 1 else "borsh")
    stream, cut = data[1:], data[0] >> 2
    node.receive(stream[:cut])
    node.receive(stream[cut:])
    node.wait(0.1)
    node.core.take_dirty()
    sent = sum(map(len, node.peer.to_send()))
    assert sent <= _QUEUED, sent
    assert set(node.banned) <= {ENEMY.public_key}
    if not node.closed:
        node.core.drained(node.peer, 0, node.now)
        node.wait(30)
        node.core.lost(node.peer, "gone", node.now)
        node.act()
    assert not node.core.peers
