"""News told to all: 1 000 edges to 40 and to 128 neighbors of one dialect, beside one join of these edges' bytes."""

from __future__ import annotations

import random

from benchmarks.forward_core import START, key
from benchmarks.harness import Options, Result, best_of, by_turns, cpu_of
from benchmarks.next_hops import edge, peer
from nearnet.client import DefaultClient
from nearnet.config import NetworkConfig
from nearnet.core.peer.handshake_table import PeerState
from nearnet.core.peer.peer import Peer
from nearnet.core.peer_manager.manager import PeerManager
from nearnet.core.runtime.clock import Now
from nearnet.store.memory import MemoryStore
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import SocketAddress

EDGES = 1_000


def _core(neighbors: int) -> PeerManager:
    config = NetworkConfig.model_validate({"network": {"max_num_peers": 128}})
    core = PeerManager(config, key("relay"), DefaultClient(config), MemoryStore(), random.Random(1), START)
    for number in range(neighbors):
        one = Peer(number, SocketAddress("127.0.0.1", 1 + number), core.context.outbox, START)
        one.peer_id, one.dialect, one.state = peer(10**6 + number), dialect_named("borsh"), PeerState.READY
        core.context.peers[one.peer_id] = one
        core.context.connections[number] = one
    return core


def run(options: Options) -> list[Result]:
    """One broadcast, with its encoding; and what each neighbor more costs."""
    count = options.size(EDGES, 100)
    edges = [edge(number, number + 1) for number in range(1, count + 1)]
    results, items = [], {}
    for neighbors in (40, 128):
        core = _core(neighbors)
        peers = list(core.context.peers.values())

        def tell(number: int, core: PeerManager = core, peers: list[Peer] = peers) -> float:
            now = Now(START.mono + number + 1, START.wall + number + 1)
            core.gossip.tell(edges, (), now)
            seconds = cpu_of(lambda: core.gossip.flush(now))
            contents = {id(chunk) for one in peers for chunk in one.to_send() if len(chunk) > 4}
            assert len(contents) == 1, "encoded once for all"
            return seconds

        turns = by_turns(tell, options, lambda: best_of(lambda: b"".join(edges), 1))
        results.append(turns.result(f"broadcast of {count} edges to {neighbors}", "x the bare join"))
        items[neighbors] = turns.item
    each = max(0.0, items[128] - items[40]) / 88 * 1e6  # Less than nothing is the machine's noise.
    return [*results, Result("broadcast, each neighbor more", each, "µs")]
