"""What every store does: the same tests over memory, SQLite, and the overlay above each."""

import pytest

from nearnet.core.runtime.actions import Write
from nearnet.errors import StoreError
from nearnet.keys import CryptoHash
from nearnet.store.base import COLUMNS, PEERS
from nearnet.store.memory import MemoryStore
from nearnet.store.opening import open_store
from nearnet.store.sqlite import SqliteStore
from nearnet.store.write_behind import WriteBehind
from nearnet.wire.messages import GenesisId

GENESIS = GenesisId("test", CryptoHash(bytes(32)))


class Through(WriteBehind):
    """An overlay that commits at once, so that it looks like a store."""

    def __init__(self, store):
        super().__init__(store)
        self.below = store

    def commit(self, writes):
        self.put(writes)
        batch = self.take_batch()
        self.below.commit(batch)
        self.committed(batch)

    def close(self):
        self.below.close()


@pytest.fixture(params=["memory", "sqlite", "overlay of memory", "overlay of sqlite"])
def store(request, tmp_path):
    below = open_store("memory" if "memory" in request.param else tmp_path / "data" / "x.sqlite", GENESIS)
    store = Through(below) if "overlay" in request.param else below
    yield store
    store.close()


def test_empty_at_first(store):
    for column in COLUMNS:
        assert store.get(column, b"key") is None
        assert list(store.items(column)) == []
        assert store.is_empty(column)


def test_rows_in_the_order_of_their_keys(store):
    store.commit([Write(PEERS, b"b", b"2"), Write(PEERS, b"", b""), Write(PEERS, b"a", b"1")])
    assert list(store.items(PEERS)) == [(b"", b""), (b"a", b"1"), (b"b", b"2")]
    assert store.get(PEERS, b"") == b""
    assert store.get("PeerComponent", b"a") is None


def test_a_column_is_empty_again_without_its_rows(store):
    store.commit([Write(PEERS, b"a", b"1")])
    assert not store.is_empty(PEERS)
    assert store.is_empty("PeerComponent")
    store.commit([Write(PEERS, b"a", None)])
    assert store.is_empty(PEERS)


def test_the_last_write_of_a_key_counts(store):
    store.commit(
        [Write(PEERS, b"a", b"1"), Write(PEERS, b"a", b"2"), Write(PEERS, b"b", b"3"), Write(PEERS, b"b", None)]
    )
    assert list(store.items(PEERS)) == [(b"a", b"2")]
    store.commit([Write(PEERS, b"a", None), Write(PEERS, b"none", None)])
    assert store.get(PEERS, b"a") is None


def test_subclasses_of_bytes(store):
    digest = CryptoHash(bytes(range(32)))
    store.commit([Write(PEERS, digest, digest)])
    ((key, value),) = store.items(PEERS)
    assert (key, value) == (bytes(digest), bytes(digest))
    assert store.get(PEERS, digest) == digest


def test_items_are_those_of_the_call(store):
    store.commit([Write(PEERS, b"a", b"1")])
    items = store.items(PEERS)
    store.commit([Write(PEERS, b"b", b"2")])
    assert list(items) == [(b"a", b"1")]


def test_an_unknown_column_is_refused_with_the_whole_batch(store):
    with pytest.raises(StoreError, match="no column 'Nothing'"):
        store.commit([Write(PEERS, b"a", b"1"), Write("Nothing", b"a", b"1")])
    assert store.get(PEERS, b"a") is None
    with pytest.raises(StoreError, match="no column"):
        store.get("Nothing", b"a")
    with pytest.raises(StoreError, match="no column"):
        store.items("Nothing")


def test_closing_twice(store):
    store.close()
    store.close()


def test_which_store(tmp_path):
    assert isinstance(open_store("memory", GENESIS), MemoryStore)
    path = tmp_path / "a" / "b.sqlite"
    first = open_store(path, GENESIS)
    assert isinstance(first, SqliteStore)
    first.commit([Write(PEERS, b"a", b"1")])
    first.close()
    fresh = open_store(path, GENESIS, reset=True)
    assert list(fresh.items(PEERS)) == []
    fresh.close()
    (aside,) = tmp_path.glob("a/b.sqlite.damaged-*")
    old = open_store(aside, GENESIS)
    assert old.get(PEERS, b"a") == b"1"
    old.close()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        open_store(tmp_path / "file" / "x" / "b.sqlite", GENESIS)
