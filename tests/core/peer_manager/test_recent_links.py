import pytest
from peer_fakes import START, DictStore, info, later, peer_id

from nearnet.core.peer_manager.recent_links import COLUMN, LASTING, MOST_LINKS, RecentLinks
from nearnet.core.runtime.clock import Now


def stored(count: int, now: Now = START) -> tuple[RecentLinks, DictStore]:
    """`count` links, each up one second later than the one before."""
    store = DictStore()
    links = RecentLinks(store, store.journal, now)
    for number in range(count):
        links.up(info(number), now.mono, later(LASTING + number, now))
    store.settle()
    return links, store


@pytest.mark.scenario(87)
@pytest.mark.interop("recent connections")
def test_only_after_ten_minutes():
    links, _ = stored(0)
    links.up(info(1), START.mono, later(LASTING - 0.1))
    assert peer_id(1) not in links
    links.up(info(1), START.mono, later(LASTING))
    assert peer_id(1) in links
    assert links.newest_first()[0].established == START.unix_ns
    assert links.newest_first()[0].connected_until == later(LASTING).unix_ns


@pytest.mark.scenario(87)
@pytest.mark.interop("recent connections")
def test_at_most_forty_and_the_longest_disconnected_leaves():
    links, store = stored(MOST_LINKS + 2)
    numbers = [link.peer_info.id for link in links.newest_first()]
    assert numbers == [peer_id(number) for number in range(MOST_LINKS + 1, 1, -1)]
    assert len(store.columns[COLUMN]) == MOST_LINKS
    assert RecentLinks(store, store.journal, later(9_999)).newest_first() == links.newest_first()


def test_forget():
    links, store = stored(2)
    links.forget(peer_id(0))
    links.forget(peer_id(7))
    store.settle()
    assert list(store.columns[COLUMN]) == [peer_id(1)]
    assert peer_id(0) not in links


@pytest.mark.scenario(87)
def test_a_clock_set_back_one_year():
    """What claims to have ended next year is not newer than what ends now."""
    future = Now(START.mono, START.wall + 365 * 86_400)
    _, store = stored(MOST_LINKS, future)
    links = RecentLinks(store, store.journal, START)
    for number in range(100, 105):
        links.up(info(number), START.mono, later(LASTING + number))
    store.settle()
    newest = [link.peer_info.id for link in links.newest_first()]
    assert newest[:5] == [peer_id(number) for number in range(104, 99, -1)]
    assert len(newest) == MOST_LINKS
    reloaded = RecentLinks(store, store.journal, later(86_400))
    assert {link.peer_info.id for link in reloaded.newest_first()} == set(newest)


def test_unreadable_rows_are_passed_over():
    _, store = stored(1)
    store.columns[COLUMN][b"x"] = b"nonsense"
    assert len(RecentLinks(store, store.journal, START).newest_first()) == 1


def test_a_clock_before_1970_is_stored_as_1970():
    store = DictStore()
    early = Now(START.mono, 5.0)
    links = RecentLinks(store, store.journal, early)
    links.up(info(1), START.mono, later(LASTING, Now(START.mono, -2e9)))
    store.settle()
    (link,) = RecentLinks(store, store.journal, early).newest_first()
    assert (link.established, link.connected_until) == (0, 0)
