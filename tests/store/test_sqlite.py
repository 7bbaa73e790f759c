"""The database file: what is refused, what is kept (`threats.md` rows 64-66)."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import zlib

import pytest

from nearnet.core.runtime.actions import Write
from nearnet.errors import StoreError, StoreMismatch
from nearnet.keys import CryptoHash
from nearnet.store.base import ADDRESS_VERSION, COLUMNS, COMPONENT_EDGES, PEER_COMPONENT, PEERS
from nearnet.store.sqlite import SCHEMA_VERSION, SqliteStore, move_aside
from nearnet.wire.messages import GenesisId

GENESIS = GenesisId("test", CryptoHash(bytes(32)))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "nearnet.sqlite"


def fill(path, rows=3):
    store = SqliteStore(path, GENESIS)
    store.commit([Write(column, b"key %d" % i, b"value " * 20) for column in COLUMNS for i in range(rows)])
    store.close()


def change(path, statement, *parameters):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, parameters)
    connection.close()


def test_rows_survive(path):
    fill(path)
    store = SqliteStore(path, GENESIS)
    assert store.get(PEERS, b"key 1") == b"value " * 20
    assert store.check() == []
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.get(PEERS, b"key 1")


def test_it_is_a_plain_table_per_column(path):
    fill(path, 1)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT key, value FROM Peers").fetchall() == [(b"key 0", b"value " * 20)]
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_store_of_an_earlier_release_gets_the_new_table(path):
    fill(path)
    change(path, "DROP TABLE AddressVersion")
    store = SqliteStore(path, GENESIS)
    store.commit([Write(ADDRESS_VERSION, b"a:1", bytes(4))])
    store.close()
    again = SqliteStore(path, GENESIS)
    assert again.get(ADDRESS_VERSION, b"a:1") == bytes(4)
    assert again.get(PEERS, b"key 1") == b"value " * 20
    assert again.check() == []
    again.close()


def test_another_genesis_is_refused(path):
    fill(path)
    for other in (GenesisId("other", GENESIS.hash), GenesisId("test", CryptoHash.of(b""))):
        with pytest.raises(StoreMismatch, match=r"belongs to the chain 'test'.*--reset-peer-store"):
            SqliteStore(path, other)
    SqliteStore(path).close()


def test_a_newer_schema_is_refused(path):
    fill(path)
    newer = str(SCHEMA_VERSION + 1).encode()
    change(path, "UPDATE Meta SET value = ?, crc = ? WHERE key = ?", newer, zlib.crc32(b"schema" + newer), b"schema")
    with pytest.raises(StoreMismatch, match="use a newer nearnet"):
        SqliteStore(path, GENESIS)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DROP TABLE Peers", "lost its table Peers"),
        ("DROP TABLE Meta", "no table Meta"),
        ("DELETE FROM Meta WHERE key = x'736368656d61'", "lost its schema version"),
        ("DELETE FROM Meta WHERE key = x'67656e65736973'", "lost its schema version or genesis"),
        ("UPDATE Meta SET value = x'00'", "a row of Meta has a wrong checksum"),
        ("UPDATE Peers SET value = x'00' WHERE key = x'6b65792031'", "a row of Peers has a wrong checksum"),
        ("UPDATE PeerDialect SET value = 'text'", "a row of PeerDialect has a wrong checksum"),
    ],
)
def test_damage_at_start_is_refused_with_what_to_do(path, statement, words):
    fill(path)
    change(path, statement)
    with pytest.raises(StoreError, match=rf"{words}.*--reset-peer-store"):
        SqliteStore(path, GENESIS)


def test_a_damaged_row_read_later_is_told_and_kept(path):
    fill(path)
    change(path, "UPDATE ComponentEdges SET value = x'00' WHERE key = x'6b65792031'")
    told = []
    store = SqliteStore(path, GENESIS, told.append)
    assert told == []
    assert store.get(COMPONENT_EDGES, b"key 1") is None
    assert [key for key, _ in store.items(COMPONENT_EDGES)] == [b"key 0", b"key 2"]
    assert told == ["a row of ComponentEdges has a wrong checksum: kept, not used"] * 2
    assert store.check() == ["ComponentEdges: 1 of 3 rows have a wrong checksum"]
    store.close()


def test_a_damaged_store_opens_to_be_looked_at(path):
    fill(path)
    change(path, "UPDATE Peers SET value = x'00'")
    store = SqliteStore(path, check_rows=False)
    assert store.check() == ["Peers: 3 of 3 rows have a wrong checksum"]
    store.close()


def test_files_that_are_no_store(path):
    with pytest.raises(StoreError, match="does not exist"):
        SqliteStore(path)
    path.write_bytes(b"hello" * 100)
    with pytest.raises(StoreError, match="no SQLite database"):
        SqliteStore(path, GENESIS)
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore(path, GENESIS)
    with pytest.raises(StoreError, match="cannot be used"):
        SqliteStore(path / "no" / "such", GENESIS)


def test_an_empty_file_becomes_a_store(path):
    path.touch()
    SqliteStore(path, GENESIS).close()
    assert path.stat().st_size


@pytest.mark.threat(66)
def test_a_file_cut_short_is_refused(path):
    fill(path, 400)
    size = path.stat().st_size
    for length in (50, 4096, size // 2, size - 4096, size - 1):
        os.truncate(path, length)
        with pytest.raises(StoreError, match="--reset-peer-store"):
            SqliteStore(path, GENESIS)
        path.unlink()
        fill(path, 400)


@pytest.mark.threat(66)
def test_each_page_flipped_is_found_or_costs_nothing(path):
    fill(path, 60)
    whole = path.read_bytes()
    store = SqliteStore(path, GENESIS)
    rows = {column: list(store.items(column)) for column in COLUMNS}
    store.close()
    chance = random.Random(66)
    found = 0
    for start in range(0, len(whole), 4096):
        for at in (start + chance.randrange(4096), start + 3, start + 4):
            damaged = bytearray(whole)
            damaged[at] ^= 0xFF
            path.write_bytes(damaged)
            found += _is_found(path, rows)
    assert found > len(whole) // 4096


def _is_found(path, rows):
    """Whether the damage was told, at start or by `check`; when it was not, nothing is missing."""
    told = []
    try:
        store = SqliteStore(path, GENESIS, told.append)
    except StoreError:
        return True
    try:
        if store.check():
            return True
        assert {column: list(store.items(column)) for column in COLUMNS} == rows
        return False
    finally:
        store.close()


@pytest.mark.threat(64)
def test_a_full_disk_loses_nothing(path):
    store = SqliteStore(path, GENESIS, max_pages=60)
    store.commit([Write(PEERS, b"a", b"1")])
    with pytest.raises(StoreError, match="the disk is full"):
        store.commit([Write(PEERS, b"a", None), Write(COMPONENT_EDGES, b"big", bytes(1_000_000))])
    assert store.get(PEERS, b"a") == b"1"
    assert list(store.items(COMPONENT_EDGES)) == []
    store.commit([Write(PEERS, b"b", b"2")])
    assert store.get(PEERS, b"b") == b"2"
    store.close()


def test_another_process_that_holds_it_is_named(path):
    fill(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store = SqliteStore(path, GENESIS)
    store._writer.execute("PRAGMA busy_timeout = 10")
    with pytest.raises(StoreError, match="another process uses it"):
        store.commit([Write(PEERS, b"a", b"1")])
    store._writer.execute("PRAGMA busy_timeout = 10")
    with pytest.raises(StoreError, match="cannot be compacted"):
        store.compact()
    other.close()
    store.close()


def test_commits_from_another_thread_while_this_one_reads(path):
    store = SqliteStore(path, GENESIS)

    def write():
        for i in range(50):
            store.commit([Write(PEERS, b"%d" % i, b"x"), Write(PEER_COMPONENT, b"%d" % i, b"y")])

    thread = threading.Thread(target=write)
    thread.start()
    while thread.is_alive():
        assert all(value == b"x" for _, value in store.items(PEERS))
    thread.join()
    assert len(list(store.items(PEER_COMPONENT))) == 50
    store.close()


def test_compact_gives_room_back(path):
    store = SqliteStore(path, GENESIS)
    store.commit([Write(COMPONENT_EDGES, b"a", bytes(1_000_000)), Write(PEERS, b"a", b"1")])
    store.commit([Write(COMPONENT_EDGES, b"a", None)])
    store.compact()
    assert path.stat().st_size < 200_000
    assert store.get(PEERS, b"a") == b"1"
    store.close()


def test_moving_aside(path):
    assert move_aside(path) is None
    fill(path)
    first = move_aside(path)
    assert first.exists()
    assert not path.exists()
    fill(path)
    assert move_aside(path) not in (None, first)
    fill(path)
    path.parent.chmod(0o500)
    if os.geteuid():
        with pytest.raises(StoreError, match="cannot be moved aside"):
            move_aside(path)
    path.parent.chmod(0o700)


WRITER = """
import sys
from nearnet.core.runtime.actions import Write
from nearnet.keys import CryptoHash
from nearnet.store.sqlite import SqliteStore
from nearnet.wire.messages import GenesisId
store = SqliteStore(sys.argv[1], GenesisId("test", CryptoHash(bytes(32))))
first = len(list(store.items("PeerComponent")))
for i in range(first, 1_000_000):
    number = b"%08d" % i
    store.commit([Write("PeerComponent", number, number), Write("ComponentEdges", number, number * 50)])
    print(i, flush=True)
"""


@pytest.mark.threat(65)
def test_a_killed_writer_leaves_all_that_it_was_told_is_stored(path):
    chance = random.Random(65)
    for _ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(chance.randrange(1, 60)):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split()
        writer.wait()
        store = SqliteStore(path, GENESIS)
        assert store.check() == []
        components = [key for key, _ in store.items(PEER_COMPONENT)]
        assert components == [b"%08d" % i for i in range(len(components))]
        assert [key for key, _ in store.items(COMPONENT_EDGES)] == components
        assert len(components) > max(map(int, rest), default=0)
        store.close()
