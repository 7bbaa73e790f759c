"""What the protobuf dialect costs beside borsh, in one run: a routed message passed on, a table taken in.

In core terms, without sockets: `benchmarks/forward.py` and `benchmarks/ingest.py` run whole nodes.
"""

from __future__ import annotations

from benchmarks.forward_core import Relay, frames
from benchmarks.harness import Options, Result, by_turns, cpu_of
from nearnet.core.routing_table.edge import build_edge, edge_digest, verify_edge
from nearnet.keys import SecretKey
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import SyncRoutingTable

BORSH, PROTO = dialect_named("borsh"), dialect_named("protobuf")
MESSAGES = 2_000
EDGES = 20_000


def _forwarding(options: Options, size: int) -> Result:
    count = options.size(MESSAGES, 50)
    today, then = (frames(count, size, dialect) for dialect in (PROTO, BORSH))
    turns = by_turns(
        lambda _: cpu_of(lambda: Relay(PROTO).forward(today, False), count),
        options,
        lambda: cpu_of(lambda: Relay(BORSH).forward(then, False), count),
    )
    return turns.result(f"forward in the core, {size} bytes, protobuf", "of borsh's", 1.15)


def _table(options: Options) -> Result:
    """Decoded and every signature verified: what is behind it is the same for both."""
    count = options.size(EDGES, 200)
    keys = [SecretKey.from_seed(f"{number}") for number in range(50)]
    made = []
    for number in range(count):
        a, b = keys[number % 50], keys[(number + 1 + number % 7) % 50]
        nonce = 2 * number + 1
        made.append(build_edge(a, b.public_key, nonce, b.sign(edge_digest(a.public_key, b.public_key, nonce))))
    table = SyncRoutingTable(tuple(made))
    today, then = PROTO.encode(table), BORSH.encode(table)

    def ingest(dialect: object, frame: bytes) -> None:
        assert all(verify_edge(edge) for edge in dialect.decode(frame).edges)  # type: ignore[attr-defined]

    turns = by_turns(
        lambda _: cpu_of(lambda: ingest(PROTO, today), count),
        options,
        lambda: cpu_of(lambda: ingest(BORSH, then), count),
    )
    return turns.result(f"a table of {count} edges decoded and verified, protobuf", "of borsh's", 1.1)


def run(options: Options) -> list[Result]:
    """Each as a share of what borsh takes."""
    return [_forwarding(options, 200), _forwarding(options, 100_000), _table(options)]
