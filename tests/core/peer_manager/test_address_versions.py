"""Which version worked at which address: kept, bounded, stored."""

from __future__ import annotations

import pytest
from peer_fakes import START, DictStore, later

from nearnet.core.peer_manager.address_versions import (
    ASK_AGAIN,
    MOST_ADDRESSES,
    VERSION_COLUMN,
    AddressVersions,
    decode_version,
)
from nearnet.core.runtime.actions import Write
from nearnet.core.runtime.journal import Journal
from nearnet.errors import Malformed


def stored(store: DictStore) -> dict[bytes, bytes]:
    """The column after what waits is written."""
    assert store.settle() != []
    return store.columns.get(VERSION_COLUMN, {})


def test_a_version_is_kept_and_read_again() -> None:
    store = DictStore()
    versions = AddressVersions(store, store.journal, 88, START)
    assert versions.get("boot.example:24567", START) is None
    versions.worked("boot.example:24567", 84, START)
    versions.worked("10.0.0.1:24567", 2**32 - 1, START)
    rows = stored(store)
    assert rows == {b"boot.example:24567": b"\x54\0\0\0", b"10.0.0.1:24567": b"\xff\xff\xff\xff"}
    again = AddressVersions(store, store.journal, 88, START)
    assert (again.get("boot.example:24567", START), again.get("10.0.0.1:24567", START), len(again)) == (
        84,
        2**32 - 1,
        2,
    )
    again.worked("boot.example:24567", 84, START)
    assert store.settle() == [], "nothing has changed"


def test_our_own_version_is_not_kept() -> None:
    store = DictStore()
    versions = AddressVersions(store, store.journal, 88, START)
    versions.worked("a:1", 88, START)
    assert store.settle() == []
    versions.worked("a:1", 84, START)
    versions.worked("a:1", 88, START)
    assert versions.get("a:1", START) is None
    assert stored(store) == {}
    store.apply([Write(VERSION_COLUMN, b"a:1", b"\x58\0\0\0")])
    after_an_upgrade = AddressVersions(store, store.journal, 88, START)
    assert after_an_upgrade.get("a:1", START) is None
    assert stored(store) == {}


def test_a_version_below_our_own_is_asked_again_once_a_day() -> None:
    versions = AddressVersions(DictStore(), Journal(), 88, START)
    versions.worked("old:1", 84, START)
    versions.worked("new:1", 120, START)
    soon, next_day = later(ASK_AGAIN - 1), later(ASK_AGAIN)
    versions.worked("old:1", 84, soon)
    assert versions.get("old:1", soon) == 84
    assert versions.get("old:1", next_day) is None, "that it is accepted does not say that it is the newest"
    assert versions.get("new:1", next_day) == 120
    versions.worked("old:1", 84, next_day)
    assert versions.get("old:1", later(2 * ASK_AGAIN - 1)) == 84, "our own was refused again"
    assert versions.get("old:1", later(2 * ASK_AGAIN)) is None


@pytest.mark.parametrize(
    ("key", "value"), [(b"a:1", b""), (b"a:1", b"\x54\0\0"), (b"a:1", bytes(5)), (b"\xff", bytes(4))]
)
def test_a_row_that_does_not_decode_is_ignored(key: bytes, value: bytes) -> None:
    store = DictStore([Write(VERSION_COLUMN, key, value), Write(VERSION_COLUMN, b"b:1", b"\x54\0\0\0")])
    versions = AddressVersions(store, store.journal, 88, START)
    assert (len(versions), versions.get("a:1", START), versions.get("b:1", START)) == (1, None, 84)


def test_the_least_recently_used_one_leaves_first_and_from_the_disk() -> None:
    store = DictStore()
    versions = AddressVersions(store, store.journal, 88, START)
    for number in range(MOST_ADDRESSES):
        versions.worked(f"host{number}:1", 84, START)
    assert versions.get("host0:1", START) == 84
    versions.worked("host1:1", 84, START)
    versions.worked("one more:1", 84, START)
    versions.worked("two more:1", 84, START)
    assert [versions.get(f"host{number}:1", START) for number in range(5)] == [84, 84, None, None, 84]
    rows = stored(store)
    assert len(rows) == len(versions) == MOST_ADDRESSES
    assert b"host2:1" not in rows


def test_a_column_that_is_too_long_is_cut_at_the_start() -> None:
    store = DictStore([Write(VERSION_COLUMN, b"%05d" % number, b"\x54\0\0\0") for number in range(MOST_ADDRESSES + 7)])
    versions = AddressVersions(store, store.journal, 88, START)
    assert len(versions) == MOST_ADDRESSES
    assert len(stored(store)) == MOST_ADDRESSES


def test_decoding() -> None:
    assert decode_version(b"\x54\0\0\0") == 84
    with pytest.raises(Malformed):
        decode_version(b"\x54\0\0\0\0")
