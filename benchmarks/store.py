"""Commits to the database: rows of known peers, in batches, beside bare sqlite3 in the same journal mode; per row."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from benchmarks.harness import Options, Result, by_turns
from nearnet.core.runtime.actions import Write
from nearnet.keys import CryptoHash
from nearnet.store.base import PEERS
from nearnet.store.sqlite import SqliteStore
from nearnet.wire.messages import GenesisId

VALUE = bytes(120)


@contextmanager
def _bare(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE rows (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
    yield connection
    connection.close()


def run(options: Options) -> list[Result]:
    """Batches of 1, of 100 and of 10 000 rows, wall time."""
    numbers = count()
    results = []
    with tempfile.TemporaryDirectory(prefix="nearnet-bench-") as folder, _bare(Path(folder) / "bare") as bare:
        store = SqliteStore(Path(folder) / "store", GenesisId("benchmark", CryptoHash(bytes(32))))

        def keys(rows: int) -> list[bytes]:
            return [b"\0" + next(numbers).to_bytes(32, "big") for _ in range(rows)]

        for rows in (1, 100, options.size(10_000, 200)):

            def ours(_: int, rows: int = rows) -> float:
                writes = [Write(PEERS, key, VALUE) for key in keys(rows)]
                begun = time.monotonic()
                store.commit(writes)
                return (time.monotonic() - begun) / rows

            def floor(rows: int = rows) -> float:
                batch = [(key, VALUE) for key in keys(rows)]
                begun = time.monotonic()
                bare.execute("BEGIN")
                bare.executemany("INSERT INTO rows VALUES (?, ?)", batch)
                bare.execute("COMMIT")
                return (time.monotonic() - begun) / rows

            turns = by_turns(ours, options, floor)
            results.append(turns.result(f"store, commit of {rows} rows, per row", "x bare sqlite3"))
        store.close()
    return results
