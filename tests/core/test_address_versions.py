"""Which version worked at which address: kept, bounded, stored."""

from __future__ import annotations

import pytest
from peer_fakes import DictStore

from nearnet.core.actions import Write
from nearnet.core.address_versions import MOST_ADDRESSES, VERSION_COLUMN, AddressVersions, decode_version
from nearnet.errors import Malformed


def stored(versions: AddressVersions, store: DictStore) -> dict[bytes, bytes]:
    """The column after what waits is written."""
    assert versions.has_writes
    store.apply(versions.take_writes())
    assert not versions.has_writes
    assert versions.take_writes() == []
    return store.columns.get(VERSION_COLUMN, {})


def test_a_version_is_kept_and_read_again() -> None:
    store = DictStore()
    versions = AddressVersions(store, 88)
    assert versions.get("boot.example:24567") is None
    versions.worked("boot.example:24567", 84)
    versions.worked("10.0.0.1:24567", 2**32 - 1)
    rows = stored(versions, store)
    assert rows == {b"boot.example:24567": b"\x54\0\0\0", b"10.0.0.1:24567": b"\xff\xff\xff\xff"}
    again = AddressVersions(store, 88)
    assert (again.get("boot.example:24567"), again.get("10.0.0.1:24567"), len(again)) == (84, 2**32 - 1, 2)
    again.worked("boot.example:24567", 84)
    assert not again.has_writes, "nothing has changed"


def test_our_own_version_is_not_kept() -> None:
    store = DictStore()
    versions = AddressVersions(store, 88)
    versions.worked("a:1", 88)
    assert not versions.has_writes
    versions.worked("a:1", 84)
    versions.worked("a:1", 88)
    assert versions.get("a:1") is None
    assert stored(versions, store) == {}
    store.apply([Write(VERSION_COLUMN, b"a:1", b"\x58\0\0\0")])
    after_an_upgrade = AddressVersions(store, 88)
    assert after_an_upgrade.get("a:1") is None
    assert stored(after_an_upgrade, store) == {}


@pytest.mark.parametrize(
    ("key", "value"), [(b"a:1", b""), (b"a:1", b"\x54\0\0"), (b"a:1", bytes(5)), (b"\xff", bytes(4))]
)
def test_a_row_that_does_not_decode_is_ignored(key: bytes, value: bytes) -> None:
    store = DictStore([Write(VERSION_COLUMN, key, value), Write(VERSION_COLUMN, b"b:1", b"\x54\0\0\0")])
    versions = AddressVersions(store, 88)
    assert (len(versions), versions.get("a:1"), versions.get("b:1")) == (1, None, 84)


def test_the_least_recently_used_one_leaves_first_and_from_the_disk() -> None:
    store = DictStore()
    versions = AddressVersions(store, 88)
    for number in range(MOST_ADDRESSES):
        versions.worked(f"host{number}:1", 84)
    assert versions.get("host0:1") == 84
    versions.worked("host1:1", 84)
    versions.worked("one more:1", 84)
    versions.worked("two more:1", 84)
    assert [versions.get(f"host{number}:1") for number in range(5)] == [84, 84, None, None, 84]
    rows = stored(versions, store)
    assert len(rows) == len(versions) == MOST_ADDRESSES
    assert b"host2:1" not in rows


def test_a_column_that_is_too_long_is_cut_at_the_start() -> None:
    store = DictStore([Write(VERSION_COLUMN, b"%05d" % number, b"\x54\0\0\0") for number in range(MOST_ADDRESSES + 7)])
    versions = AddressVersions(store, 88)
    assert len(versions) == MOST_ADDRESSES
    assert len(stored(versions, store)) == MOST_ADDRESSES


def test_decoding() -> None:
    assert decode_version(b"\x54\0\0\0") == 84
    with pytest.raises(Malformed):
        decode_version(b"\x54\0\0\0\0")
