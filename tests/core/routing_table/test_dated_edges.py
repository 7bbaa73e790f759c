"""When edges whose nonce is a unix time expire."""

from nearnet.core.routing_table.edge import FIRST_UNIX_NONCE
from nearnet.core.routing_table.expiry import EXPIRE_AT_ONCE, SPAN, DatedEdges

WALL = 1_700_000_000


def test_counters_never_do():
    dated = DatedEdges(100)
    dated.note(1, 7)
    dated.note(2, FIRST_UNIX_NONCE - 1)
    assert (dated.next(), list(dated.due(2**63))) == (None, [])


def test_each_in_its_time():
    dated = DatedEdges(100)
    dated.note(1, WALL + 3 * SPAN)
    dated.note(2, WALL)
    dated.note(3, WALL + 1)
    assert dated.next() == WALL + SPAN + 100
    assert not dated.due(WALL + SPAN + 99)
    assert sorted(dated.due(WALL + SPAN + 100)) == [2, 3]
    assert dated.next() == WALL + 4 * SPAN + 100
    assert list(dated.due(2**62)) == [1]
    assert (dated.next(), list(dated.due(2**62))) == (None, [])


def test_in_pieces():
    dated = DatedEdges(100)
    for slot in range(EXPIRE_AT_ONCE + 1):
        dated.note(slot, WALL)
    pieces = [list(dated.due(2**62)) for _ in range(3)]
    assert [len(piece) for piece in pieces] == [EXPIRE_AT_ONCE, 1, 0]
    assert sorted(pieces[0] + pieces[1]) == list(range(EXPIRE_AT_ONCE + 1))
