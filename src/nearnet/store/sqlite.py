"""The store in one SQLite file (`cli.md`, the store's shape; `threats.md` rows 64-66).

A table per column: key, value and the crc32 of both, as SQLite's pages carry no checksum. WAL, and one transaction per
batch that is on the disk when `commit` returns.

What is checked when. At opening: the file's header and its length, `Meta`, that all tables are there, and of every
table but ComponentEdges SQLite's own integrity and each row's crc (100 000 edges in components cost nothing then).
Later: the crc of each row that is read; a wrong one is told through `on_degraded`, and the row stays, not used.
`check` reads everything, on command.

Threads: one connection reads and another writes, so that a read never waits for a commit's fsync. Reads belong to one
thread (the event loop's), commits to one at a time (the shell's worker); then nothing here needs a lock. That there is
no other process, the home folder's lock sees to.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from nearnet.errors import StoreError, StoreMismatch
from nearnet.keys import CryptoHash
from nearnet.store.base import ADDRESS_VERSION, COLUMNS, COMPONENT_EDGES, known_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nearnet.core.runtime.actions import Write
    from nearnet.wire.messages import GenesisId

__all__ = ["SCHEMA_VERSION", "SqliteStore", "move_aside"]

SCHEMA_VERSION = 1
_ADDED_LATER = (ADDRESS_VERSION,)
"""Tables that stores of earlier releases lack. They are created when such a store is opened, under the same schema
version: an earlier release does not look at them, so it can still open the file. They hold hints alone."""

_META = "Meta"
_CREATE_TABLE = "CREATE TABLE IF NOT EXISTS {} (key BLOB PRIMARY KEY, value BLOB NOT NULL, crc INTEGER NOT NULL)"
_ADVICE = "nearnet store check tells more; --reset-peer-store moves it aside and starts with an empty one"


class SqliteStore:
    """A store that survives. `StoreError` says what to do; `StoreMismatch`: another genesis, or a newer schema."""

    def __init__(
        self,
        path: Path | str,
        genesis: GenesisId | None = None,
        on_degraded: Callable[[str], None] = lambda why: None,
        max_pages: int | None = None,
        check_rows: bool = True,
    ) -> None:
        """Opens `path`, or makes it for `genesis` (None: it must be there, of whatever genesis).

        `on_degraded` is called with a sentence for each damaged row that is read. `max_pages` of 4 KiB bound the file.
        Without `check_rows` it opens a damaged one too, to be looked at.
        """
        self.path = Path(path)
        self.on_degraded = on_degraded
        self._check_at_start = [name for name in COLUMNS if check_rows and name != COMPONENT_EDGES]
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        if genesis is None and not self.path.exists():
            raise StoreError(f"{self.path} does not exist; nearnet run makes it")
        self._check_length()
        try:
            self._writer = _connect(self.path)
            if max_pages is not None:
                self._writer.execute(f"PRAGMA max_page_count = {int(max_pages)}")
            self._begin(self._writer, None if genesis is None else genesis.chain_id.encode() + genesis.hash)
            self._reader = _connect(self.path)
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"{self.path} cannot be used: {_words(error)}. {_ADVICE}") from error
        except StoreError:
            self.close()
            raise

    # --- opening -------------------------------------------------------------------------------------

    def _check_length(self) -> None:
        """Truncation is silent in SQLite while the missing pages are not read."""
        try:
            with self.path.open("rb") as file:
                header, length = file.read(100), os.fstat(file.fileno()).st_size
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{self.path} cannot be opened: {error.strerror}") from None
        if length == 0:
            return
        page = int.from_bytes(header[16:18], "big") or 1
        page = 65536 if page == 1 else page
        if not header.startswith(b"SQLite format 3\0") or len(header) < 100:
            raise StoreError(f"{self.path} is no SQLite database or its first page is damaged. {_ADVICE}")
        # With a WAL beside it the newest page count may be there; the file itself is then shorter for a good reason.
        wal = self.path.with_name(self.path.name + "-wal")
        if int.from_bytes(header[28:32], "big") * page > length and not (wal.exists() and wal.stat().st_size):
            raise StoreError(f"{self.path} is cut short: {length} bytes. {_ADVICE}")

    def _begin(self, connection: sqlite3.Connection, genesis: bytes | None) -> None:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables and genesis is not None:
            self._create(connection, genesis)
            return
        if _META not in tables:
            raise StoreError(f"{self.path} is no store of nearnet: it has no table {_META}. {_ADVICE}")
        self._check_meta(connection, genesis)
        missing = [name for name in COLUMNS if name not in tables and name not in _ADDED_LATER]
        if missing:
            raise StoreError(f"{self.path} has lost its table {', '.join(missing)}. {_ADVICE}")
        for name in _ADDED_LATER:
            if name not in tables:
                connection.execute(_CREATE_TABLE.format(name))
        for column in self._check_at_start:
            self._check_tree(connection, column)
            self._check_rows(connection, column)

    def _check_tree(self, connection: sqlite3.Connection, column: str) -> None:
        told = [str(text) for (text,) in connection.execute(f"PRAGMA integrity_check({column})")]
        if told != ["ok"]:
            raise StoreError(f"{self.path} is damaged: {told[0]}. {_ADVICE}")

    def _create(self, connection: sqlite3.Connection, genesis: bytes) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for name in (_META, *COLUMNS):
            connection.execute(_CREATE_TABLE.format(name))
        for key, value in ((b"schema", str(SCHEMA_VERSION).encode()), (b"genesis", genesis)):
            connection.execute(f"INSERT INTO {_META} VALUES (?, ?, ?)", (key, value, crc32(key + value)))
        connection.execute("COMMIT")

    def _check_meta(self, connection: sqlite3.Connection, genesis: bytes | None) -> None:
        self._check_rows(connection, _META)
        meta = dict(connection.execute(f"SELECT key, value FROM {_META}"))
        schema, stored = meta.get(b"schema", b""), meta.get(b"genesis")
        if not schema.isdigit() or stored is None:
            raise StoreError(f"{self.path} has lost its schema version or genesis. {_ADVICE}")
        if int(schema) > SCHEMA_VERSION:
            raise StoreMismatch(
                f"{self.path} has schema version {int(schema)}, this one knows {SCHEMA_VERSION}: use a newer nearnet"
            )
        if genesis is not None and stored != genesis:
            raise StoreMismatch(
                f"{self.path} belongs to {_genesis_words(stored)}, not to {_genesis_words(genesis)}: "
                "use another --home, or --reset-peer-store to start with an empty store"
            )

    def _check_rows(self, connection: sqlite3.Connection, column: str) -> None:
        for key, value, crc in connection.execute(f"SELECT key, value, crc FROM {column}"):
            if not _holds(key, value, crc):
                raise StoreError(f"{self.path} is damaged: a row of {column} has a wrong checksum. {_ADVICE}")

    # --- rows ----------------------------------------------------------------------------------------

    def get(self, column: str, key: bytes) -> bytes | None:
        """The value of one row; None when there is none, or a damaged one (told through `on_degraded`)."""
        rows = self._query(f"SELECT key, value, crc FROM {known_column(column)} WHERE key = ?", (bytes(key),))
        return next((value for _, value in self._sound(column, rows)), None)

    def items(self, column: str) -> Iterator[tuple[bytes, bytes]]:
        """All rows that are not damaged, in the order of their keys."""
        return self._sound(column, self._query(f"SELECT key, value, crc FROM {known_column(column)} ORDER BY key"))

    def is_empty(self, column: str) -> bool:
        """Whether a column has no row at all, damaged ones counted."""
        return not self._query(f"SELECT key, value, crc FROM {known_column(column)} LIMIT 1")

    def _query(self, statement: str, parameters: tuple[bytes, ...] = ()) -> list[tuple[bytes, bytes, int]]:
        try:
            return self._live(self._reader).execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be read: {_words(error)}. {_ADVICE}") from error

    def _sound(self, column: str, rows: list[tuple[bytes, bytes, int]]) -> Iterator[tuple[bytes, bytes]]:
        for key, value, crc in rows:
            if _holds(key, value, crc):
                yield key, value
            else:
                self.on_degraded(f"a row of {column} has a wrong checksum: kept, not used")

    def commit(self, writes: Sequence[Write]) -> None:
        """All of them in one transaction, on the disk when this returns; `StoreError`, and none of them, otherwise."""
        named = [(known_column(write.column), write) for write in writes]
        connection = self._live(self._writer)
        try:
            connection.execute("BEGIN IMMEDIATE")
            for column, write in named:
                _apply(connection, column, bytes(write.key), write.value)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise StoreError(f"{self.path} cannot be written: {_words(error)}") from error

    def close(self) -> None:
        """Let go of the file; the WAL is folded into it."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    connection.close()
        self._reader = self._writer = None

    def _live(self, connection: sqlite3.Connection | None) -> sqlite3.Connection:
        if connection is None:
            raise StoreError(f"{self.path} is closed")
        return connection

    # --- on command ----------------------------------------------------------------------------------

    def check(self) -> list[str]:
        """Everything: SQLite's own integrity check and every row's crc; a sentence for each thing that is wrong."""
        reader = self._live(self._reader)
        try:
            told = [str(text) for (text,) in reader.execute("PRAGMA integrity_check(20)")]
        except sqlite3.Error as error:
            return [f"{self.path}: {_words(error)}"]
        wrong = [f"{self.path}: {text}" for text in told if text != "ok"]
        for column in COLUMNS:
            try:
                rows = self._query(f"SELECT key, value, crc FROM {column}")
            except StoreError as error:
                wrong.append(str(error))
                continue
            damaged = sum(not _holds(*row) for row in rows)
            if damaged:
                wrong.append(f"{column}: {damaged} of {len(rows)} rows have a wrong checksum")
        return wrong

    def compact(self) -> None:
        """Give freed pages back to the file system."""
        try:
            self._live(self._writer).execute("VACUUM")
            self._live(self._writer).execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be compacted: {_words(error)}") from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -2000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _apply(connection: sqlite3.Connection, column: str, key: bytes, value: bytes | None) -> None:
    if value is None:
        connection.execute(f"DELETE FROM {column} WHERE key = ?", (key,))
        return
    row = (key, bytes(value), crc32(key + value))
    connection.execute(f"INSERT OR REPLACE INTO {column} VALUES (?, ?, ?)", row)


def move_aside(path: Path) -> Path | None:
    """Rename a store's files so that the next start makes a new one; the database's new name, None without one."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    target = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    moved = None
    try:
        for suffix in ("-shm", "-wal", ""):
            source = path.with_name(path.name + suffix)
            if source.exists():
                moved = source.rename(target.with_name(target.name + suffix))
    except OSError as error:
        raise StoreError(f"{path} cannot be moved aside: {error.strerror}") from None
    return moved


def _holds(key: object, value: object, crc: object) -> bool:
    return isinstance(key, bytes) and isinstance(value, bytes) and crc32(key + value) == crc


def _genesis_words(genesis: bytes) -> str:
    return f"the chain {genesis[:-32].decode(errors='replace')!r} with genesis {CryptoHash(genesis[-32:])}"


def _words(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text:
        return "another process uses it"
    if "full" in text:
        return "the disk is full"
    return text
