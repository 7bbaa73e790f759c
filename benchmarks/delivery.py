"""Local delivery: a routed message for this node, from its frame to the embedding program's `on_routed`; core only."""

from __future__ import annotations

import random

from benchmarks.forward_core import BORSH, START, key, signed_message
from benchmarks.harness import Options, Result, by_turns, cpu_of
from nearnet.client import DefaultClient
from nearnet.config import NetworkConfig
from nearnet.core.peer.handshake_table import PeerState
from nearnet.core.peer.peer import Peer
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.runtime.clock import Now
from nearnet.store.memory import MemoryStore
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import Routed, RoutedMessage, SocketAddress
from nearnet.wire.routed_body import Opaque, encode_body

ME, AUTHOR = key("relay"), key("near")


class Counting(DefaultClient):
    """Counts what it is given."""

    given = 0

    def on_routed(self, message: RoutedMessage) -> None:
        """One more."""
        self.given += 1


def _frames(count: int, first: int) -> bytes:
    out = []
    for number in range(first, first + count):
        body = encode_body(Opaque(0, number.to_bytes(8, "little") + bytes(190)))
        frame = BORSH.encode(Routed(signed_message(AUTHOR, ME.public_key, body)))
        out.append(frame_prefix(len(frame)) + frame)
    return b"".join(out)


def run(options: Options) -> list[Result]:
    """Per message of 200 bytes."""
    config, count = NetworkConfig(), options.size(2_000, 20)
    client = Counting(config)
    core = PeerManager(config, ME, client, MemoryStore(), random.Random(1), START)
    peer = Peer(1, SocketAddress("127.0.0.1", 1), core.context.outbox, START)
    peer.peer_id, peer.dialect, peer.state = AUTHOR.public_key, BORSH, PeerState.READY
    core.context.peers[AUTHOR.public_key] = peer
    core.context.connections[1] = peer

    def deliver(number: int) -> float:
        data, now = _frames(count, number * count), Now(START.mono + number, START.wall + number)
        seconds = cpu_of(lambda: core.receive(peer, data, now), count)
        assert client.given == (number + 1) * count
        return seconds

    return [by_turns(deliver, options).result("local delivery, per message", "verifications")]
