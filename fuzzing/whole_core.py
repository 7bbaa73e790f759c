"""A whole core with one hostile neighbour: no byte stream raises, bans somebody else, or leaves a timer unarmed."""

from __future__ import annotations

import random

from nearnet.client import DefaultClient
from nearnet.config import NetworkConfig
from nearnet.core.peer.peer import Peer
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.routing_table.edge import run_checks, sign_edge, unix_nonce
from nearnet.core.routing_table.graph import shortest_paths
from nearnet.core.runtime.actions import CheckMessage, Close, Notify, PauseReading, Persist, Recompute, Verify
from nearnet.core.runtime.clock import Now
from nearnet.keys import SecretKey
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


class _Core:
    def __init__(self) -> None:
        self.now = START
        self.store = MemoryStore()
        self.manager = PeerManager(CONFIG, ME, DefaultClient(CONFIG), self.store, random.Random(1), self.now)
        self.manager.start(self.now)
        self.closed = False
        self.banned: list[object] = []
        peer = self.manager.accept(ADDRESS, self.now)
        assert peer is not None
        self.peer: Peer = peer

    def act(self) -> None:
        for _ in range(_ROUNDS):
            actions = self.manager.take_actions()
            if not actions:
                return
            for action in actions:
                self._one(action)
        raise AssertionError("the core always has more to do")

    def _one(self, action: object) -> None:
        match action:
            case Verify(number, checks):
                self.manager.verified(run_checks(number, checks), self.now)
            case CheckMessage():
                self.manager.checked(action, action.outcome(), self.now)
            case Recompute(snapshot):
                self.manager.routes_ready(shortest_paths(snapshot), self.now)
            case Persist(writes, _, token):
                self.store.commit(writes)
                if token is not None:
                    self.manager.persisted(token, None, self.now)
            case Close():
                self.closed = True
            case Notify(event):
                self.banned += [event.peer_id] if event.kind == "banned" else []
            case PauseReading(connection):
                assert connection == self.peer.id

    def receive(self, data: bytes) -> None:
        if not self.closed:
            self.manager.receive(self.peer, data, self.now)
            self.act()

    def shake_hands(self, dialect: str) -> None:
        nonce = 1 if dialect == "borsh" else unix_nonce(self.now.wall)
        versions = (52, 50) if dialect == "borsh" else (84, 80)
        chain = PeerChainInfo(self.manager.context.genesis_id, 1)
        half = sign_edge(ENEMY, ME.public_key, nonce)
        hello = Handshake(*versions, ENEMY.public_key, ME.public_key, 24568, chain, half)
        content = dialect_named(dialect).encode(hello)
        self.receive(frame_prefix(len(content)) + content)
        assert self.peer.is_ready

    def wait(self, seconds: float) -> None:
        end = Now(self.now.mono + seconds, self.now.wall + seconds)
        for _ in range(_ROUNDS):
            due = self.manager.next_timer()
            if due is None or due > end.mono:
                break
            self.now = Now(max(due, self.now.mono), end.wall)
            self.manager.on_timer(self.now)
            self.act()
        else:
            raise AssertionError("timers without end")
        self.now = end


def feed_core(data: bytes) -> None:
    """The first byte: bit 0 the dialect, bit 1 whether the handshake is done, the rest where it is cut."""
    if not data:
        return
    core = _Core()
    core.act()
    if data[0] & 2:
        core.shake_hands("protobuf" if data[0] & 1 else "borsh")
    stream, cut = data[1:], data[0] >> 2
    core.receive(stream[:cut])
    core.receive(stream[cut:])
    core.wait(0.1)
    core.manager.take_dirty()
    sent = sum(map(len, core.peer.to_send()))
    assert sent <= _QUEUED, sent
    assert set(core.banned) <= {ENEMY.public_key}
    if not core.closed:
        core.manager.drained(core.peer, 0, core.now)
        core.wait(30)
        core.manager.lost(core.peer, "gone", core.now)
        core.act()
    assert not core.manager.peers
