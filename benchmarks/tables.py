"""Tables to bytes and back, in both dialects, beside the bare slices and the bare join; per edge."""

from __future__ import annotations

from benchmarks.harness import Options, Result, best_of, by_turns, cpu_of
from benchmarks.next_hops import edge
from nearnet.wire.dialect import SPOKEN, dialect_named
from nearnet.wire.messages import SyncRoutingTable


def run(options: Options) -> list[Result]:
    """Decode and encode of 20 000 edges."""
    count = options.size(20_000, 200)
    edges = tuple(edge(number, number + 1) for number in range(1, count + 1))
    joined = b"".join(edges)
    size = len(edges[0])

    def slices() -> None:
        for start in range(0, len(joined), size):
            joined[start : start + size]

    results = []
    for name in SPOKEN:
        dialect, message = dialect_named(name), SyncRoutingTable(edges)
        frame = dialect.encode(message)
        decode = by_turns(
            lambda _, of=dialect, data=frame: cpu_of(lambda: of.decode(data), count),  # type: ignore[misc]
            options,
            lambda: best_of(slices, count),
        )
        encode = by_turns(
            lambda _, of=dialect, table=message: cpu_of(lambda: of.encode(table), count),  # type: ignore[misc]
            options,
            lambda: best_of(lambda: b"".join(edges), count),
        )
        results.append(decode.result(f"table decode, {name}, per edge", "x a slice"))
        results.append(encode.result(f"table encode, {name}, per edge", "x the join"))
    return results
