import pytest
from peer_fakes import DictStore, digest, peer_id

from nearnet.core.gossip.announcements import COLUMN, Announcements
from nearnet.core.runtime.actions import Write
from nearnet.keys import Signature
from nearnet.wire.borsh.dialect import encode_announcement
from nearnet.wire.messages import AnnounceAccount

SIGNATURE = Signature(bytes(65))


def said(account_id: str, number: int = 1, epoch: int = 1) -> AnnounceAccount:
    return AnnounceAccount(account_id, peer_id(number), digest(epoch), SIGNATURE)


def put(announcements: Announcements, store: DictStore, *all_of: AnnounceAccount) -> None:
    for one in all_of:
        announcements.add(one)
    store.settle()


@pytest.mark.threat(62)
def test_the_first_of_an_epoch_is_kept():
    store = DictStore()
    announcements = Announcements(store, store.journal)
    assert announcements.owner("a.near") is announcements.last_epoch("a.near") is None
    first, second = said("a.near"), said("a.near", number=2)
    assert announcements.select_new([first, second, first]) == [first]
    put(announcements, store, first)
    assert announcements.select_new([first, second]) == []
    assert announcements.owner("a.near") == peer_id(1)
    assert announcements.last_epoch("a.near") == digest(1)


def test_a_later_epoch_replaces():
    store = DictStore()
    announcements = Announcements(store, store.journal)
    put(announcements, store, said("a.near"))
    new = said("a.near", number=2, epoch=2)
    assert announcements.select_new([new, said("b.near")]) == [new, said("b.near")]
    put(announcements, store, new)
    assert announcements.get("a.near") == new
    assert len(announcements) == 1
    assert store.settle() == []


def test_a_restart_keeps_them():
    store = DictStore()
    put(Announcements(store, store.journal), store, said("a.near"), said("b.near", 2))
    again = Announcements(store, store.journal)
    assert again.all() == [said("a.near"), said("b.near", 2)]
    assert again.select_new([said("a.near", 3)]) == []


@pytest.mark.threat(66)
def test_a_row_that_does_not_decode_stays_and_is_nobodys():
    store = DictStore()
    put(Announcements(store, store.journal), store, said("a.near"), said("b.near"), said("c.near"))
    odd = encode_announcement(said("X"))
    store.apply([Write(COLUMN, b"b.near", odd)])
    again = Announcements(store, store.journal, capacity=1)
    assert [again.owner(name) for name in ("a.near", "b.near", "c.near")] == [peer_id(1), None, peer_id(1)]
    assert store.get(COLUMN, b"b.near") == odd
    put(again, store, said("b.near", 2))
    assert Announcements(store, store.journal).owner("b.near") == peer_id(2)


def test_unknown_accounts_cost_no_read_while_memory_holds_all():
    store = DictStore()
    announcements = Announcements(store, store.journal, capacity=2)
    put(announcements, store, said("a.near"), said("b.near"))
    assert announcements.owner("x.near") is None
    assert store.reads == 0


@pytest.mark.threat(63)
def test_beyond_memory_they_are_read_from_the_store():
    store = DictStore()
    announcements = Announcements(store, store.journal, capacity=2)
    put(announcements, store, said("a.near", 1), said("b.near", 2), said("c.near", 3))
    assert len(announcements) == 2
    assert [a.account_id for a in announcements.all()] == ["b.near", "c.near"]
    assert announcements.owner("a.near") == peer_id(1)
    assert announcements.owner("x.near") is None
    assert announcements.owner("a.near") == peer_id(1)
    assert store.reads == 2
    assert [a.account_id for a in announcements.all()] == ["c.near", "a.near"]
    assert Announcements(store, store.journal, capacity=2).owner("a.near") == peer_id(1)


def test_what_is_only_passed_on_is_known_but_not_used():
    store = DictStore()
    announcements = Announcements(store, store.journal, capacity=2)
    announcements.relay(said("a.near"))
    assert announcements.select_new([said("a.near", number=2)]) == [], "it is not told again"
    assert (announcements.owner("a.near"), len(announcements), announcements.all()) == (None, 0, [])
    assert announcements.told() == [said("a.near")]
    assert store.settle() == []
    for number in range(5):
        announcements.relay(said(f"{number}.near"))
    assert len(announcements.told()) == 2
    put(announcements, store, said("4.near", epoch=2))
    assert announcements.told() == [said("4.near", epoch=2), said("3.near")]
    assert announcements.owner("4.near") == peer_id(1)
