"""The overlay of rows that are not on the disk yet."""

import pytest

from nearnet.core.runtime.actions import Write
from nearnet.store.base import PEERS
from nearnet.store.memory import MemoryStore
from nearnet.store.write_behind import WriteBehind


@pytest.fixture
def store():
    store = MemoryStore()
    store.commit([Write(PEERS, b"a", b"old"), Write(PEERS, b"b", b"old")])
    return store


def test_readers_see_pending_rows(store):
    overlay = WriteBehind(store)
    assert overlay.is_idle
    overlay.put(
        [Write(PEERS, b"a", b"new"), Write(PEERS, b"b", None), Write(PEERS, b"c", b"1"), Write(PEERS, b"d", None)]
    )
    assert [overlay.get(PEERS, key) for key in (b"a", b"b", b"c")] == [b"new", None, b"1"]
    assert list(overlay.items(PEERS)) == [(b"a", b"new"), (b"c", b"1")]
    assert list(overlay.items("PeerComponent")) == []
    assert store.get(PEERS, b"a") == b"old"
    assert overlay.pending_count == 4
    assert not overlay.is_idle


def test_one_batch_at_a_time(store):
    overlay = WriteBehind(store)
    overlay.put([Write(PEERS, b"a", b"1"), Write(PEERS, b"a", b"2")])
    batch = overlay.take_batch()
    assert batch == (Write(PEERS, b"a", b"2"),)
    overlay.put([Write(PEERS, b"a", b"3")])
    assert overlay.take_batch() == ()
    assert overlay.get(PEERS, b"a") == b"3"
    assert dict(overlay.items(PEERS))[b"a"] == b"3"
    store.commit(batch)
    overlay.committed(batch)
    assert overlay.pending_count == 1
    assert overlay.take_batch() == (Write(PEERS, b"a", b"3"),)


@pytest.mark.threat(64)
def test_a_failed_batch_is_pending_again_under_what_came_later(store):
    overlay = WriteBehind(store)
    overlay.put([Write(PEERS, b"a", b"1"), Write(PEERS, b"b", b"1")])
    batch = overlay.take_batch()
    overlay.put([Write(PEERS, b"b", None)])
    overlay.failed(batch)
    assert overlay.get(PEERS, b"a") == b"1"
    assert overlay.get(PEERS, b"b") is None
    assert set(overlay.take_batch()) == {Write(PEERS, b"a", b"1"), Write(PEERS, b"b", None)}


def test_only_the_batch_that_was_taken_can_end(store):
    overlay = WriteBehind(store)
    overlay.put([Write(PEERS, b"a", b"1")])
    overlay.take_batch()
    with pytest.raises(ValueError, match="not the batch"):
        overlay.committed(())


def test_what_waits_counts_for_an_empty_column():
    store = MemoryStore()
    overlay = WriteBehind(store)
    assert overlay.is_empty(PEERS)
    overlay.put([Write(PEERS, b"a", b"1")])
    assert not overlay.is_empty(PEERS)
    overlay.take_batch()
    overlay.put([Write(PEERS, b"a", None)])
    assert overlay.is_empty(PEERS), "the newest form counts"
    store.commit([Write(PEERS, b"b", b"2")])
    assert not overlay.is_empty(PEERS)
