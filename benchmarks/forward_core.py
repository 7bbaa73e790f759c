"""What forwarding a routed message costs in the core, without sockets, in units of one PyNaCl verification.

Feeds borsh frames of two sizes to `RoutedMessages.receive`, in turn with plain PyNaCl verifications in the same run, so
that a machine that is busy or slow changes both sides alike. Run: ``python benchmarks/forward_core.py``.
"""

from __future__ import annotations

import argparse
import cProfile
import dataclasses
import hashlib
import pstats
import statistics
import time
from typing import TYPE_CHECKING

from nacl.signing import VerifyKey

from nearnet.config import NetworkConfig
from nearnet.core.peer.handshake_table import PeerState
from nearnet.core.peer.peer import Outbox, Peer
from nearnet.core.peer.rates import MessageRates
from nearnet.core.routed.forwarding import RoutedMessages
from nearnet.core.routed.route_back import RouteBack
from nearnet.core.routing_table.graph import shortest_paths
from nearnet.core.routing_table.table import RoutingTable
from nearnet.core.runtime.clock import Now
from nearnet.core.runtime.journal import Journal
from nearnet.core.runtime.limits import LimitCounters
from nearnet.keys import PeerId, SecretKey, Signature
from nearnet.store.memory import MemoryStore
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import Routed, RoutedMessage, SocketAddress
from nearnet.wire.routed_body import Opaque, encode_body
from nearnet.wire.routed_frame import RoutedFrame, routed_digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.wire.dialect import Dialect

BORSH = dialect_named("borsh")
START = Now(1_000.0, 1_700_000_000.0)


def key(name: str) -> SecretKey:
    """A key that is the same in every run."""
    return SecretKey.from_seed(name)


def signed_message(author: SecretKey, target: PeerId, body: bytes) -> RoutedMessage:
    """A message of this author, with a ttl of 100."""
    unsigned = RoutedMessage(target, author.public_key, Signature(b""), 100, body)
    return dataclasses.replace(unsigned, signature=author.sign(routed_digest(unsigned)))


BEYOND = key("beyond")
NO_SIGNATURE = Signature(bytes(65))


class Relay:
    """A node between two neighbors, `near` and `far`, the only way to `BEYOND`."""

    def __init__(self, dialect: Dialect = BORSH) -> None:
        self._dialect = dialect
        config, me = NetworkConfig(), key("relay")
        limits = LimitCounters(dict(config.nearnet.limits))
        self.peers: dict[PeerId, Peer] = {}
        self._rates = MessageRates({}, config.nearnet.limits.tables_per_second)
        self.near, self.far = self._neighbor(1, key("near").public_key), self._neighbor(2, key("far").public_key)
        journal = Journal()
        table = RoutingTable(me.public_key, config, MemoryStore(), journal, limits)
        far_and_beyond = sorted([self.far.ready_id, BEYOND.public_key])
        edges = [
            Edge.build(*sorted([me.public_key, self.far.ready_id]), 1, NO_SIGNATURE, NO_SIGNATURE),
            Edge.build(*far_and_beyond, 1, NO_SIGNATURE, NO_SIGNATURE),
        ]
        table.add(edges, None, START)
        table.apply(shortest_paths(table.snapshot()), START)
        self.routed = RoutedMessages(me, config, table, RouteBack(me.public_key), self.peers, journal)

    def _neighbor(self, number: int, peer_id: PeerId) -> Peer:
        peer = Peer(number, SocketAddress("127.0.0.1", number), Outbox(2**40), START)
        peer.peer_id, peer.dialect, peer.state = peer_id, self._dialect, PeerState.READY
        self._rates.begin(peer, START.mono)
        self.peers[peer_id] = peer
        return peer

    def forward(self, frames: list[bytes], verified: bool) -> None:
        """Frames in, chunks out, as in the transport's read; `verified`: nothing is checked."""
        if verified:
            self.routed.check = lambda checks: ["valid"] * len(checks)
        run = [rf for frame in frames if (rf := self._dialect.routed(frame)) is not None]
        for _ in self.routed.receive(self.near, run, START):
            raise AssertionError("a message for the client")
        self.far.to_send()


def frames(count: int, size: int, dialect: Dialect = BORSH) -> list[bytes]:
    """Signed messages for `BEYOND`, each with another body of `size` bytes, made one after the other."""
    author, target = key("near"), BEYOND.public_key
    made = []
    for number in range(count):
        body = encode_body(Opaque(0, number.to_bytes(8, "little") + bytes(max(0, size - 9))))
        made.append(dialect.encode(Routed(signed_message(author, target, body), (1_700_000_000, number), 0)))
    return made


def verify(frames: list[bytes]) -> Callable[[Relay], None]:
    """Does one plain PyNaCl verification for each frame."""
    parsed = [RoutedFrame(frame, 1) for frame in frames]
    checks = [(VerifyKey(rf.author[1:]), rf.digest(), rf.signature[1:]) for rf in parsed]

    def run(_: Relay) -> None:
        for verify_key, digest, signature in checks:
            verify_key.verify(digest, signature)

    return run


def cpu(work: Callable[[Relay], None], relay: Relay) -> float:
    """Seconds of this process's CPU."""
    start = time.process_time()
    work(relay)
    return time.process_time() - start


def hash_all(frames: list[bytes]) -> None:
    """One sha256 of each whole frame: what a large one costs whoever checks it."""
    for frame in frames:
        hashlib.sha256(frame).digest()


def measure(size: int, count: int, rounds: int) -> None:
    """Medians over `rounds` of each side in turn, in microseconds a message."""
    made = frames(count, size)
    sides: dict[str, Callable[[Relay], None]] = {
        "verify": verify(made),
        "hash": lambda _: hash_all(made),
        "forward": lambda relay: relay.forward(made, False),
        "rest": lambda relay: relay.forward(made, True),
    }
    rows = [{name: cpu(work, Relay()) / count * 1e6 for name, work in sides.items()} for _ in range(rounds)]
    each = {name: statistics.median(row[name] for row in rows) for name in sides}
    ratio = statistics.median(row["forward"] / row["verify"] for row in rows)
    print(
        f"{size:>8} bytes: one verification {each['verify']:.1f}, one sha256 {each['hash']:.1f}, forwarded "
        f"{each['forward']:.1f} ({ratio:.3f} verifications), of that without the verification {each['rest']:.2f} us"
    )


def main() -> None:
    """Measure, then profile the Python part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=25)
    arguments = parser.parse_args()
    measure(200, arguments.count, arguments.rounds)
    measure(2**20, max(1, arguments.count // 50), 5)
    made = frames(arguments.count, 200)
    profile = cProfile.Profile()
    profile.runcall(Relay().forward, made, True)
    pstats.Stats(profile).sort_stats("tottime").print_stats(12)


if __name__ == "__main__":
    main()
