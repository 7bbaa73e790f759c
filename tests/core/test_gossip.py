"""What we tell of the graph (document §7.8, §8.5; `threats.md`, send queue)."""

import pytest
from hand import ME, Core, edge_of, key_of

from nearnet.core.edge import run_checks
from nearnet.core.gossip import BEHIND_BYTES
from nearnet.keys import CryptoHash
from nearnet.wire.edge_layout import pair_of
from nearnet.wire.messages import AnnounceAccount, SyncRoutingTable

EXPIRES_AFTER = 1800


def edges(count, start=0, nonce=1):
    hub = key_of("hub")
    return [edge_of(hub, key_of(f"spoke {n}"), nonce) for n in range(start, start + count)]


def announcement(name, epoch="1"):
    return AnnounceAccount(name, key_of("x").public_key, CryptoHash.of(epoch.encode()), key_of("a").sign(bytes(32)))


def told_edges(hand):
    return [edge for table in hand.told(SyncRoutingTable) for edge in table.edges]


def small_core(size):
    return Core(nearnet={"limits": {"edges_per_message_sent": size}})


@pytest.mark.scenario(3)
def test_a_newcomer_gets_the_whole_table_once():
    core = Core()
    core.manager.table.add(edges(5), None, core.now)
    hand = core.ready()
    assert told_edges(hand) == []
    core.advance(1.1)
    tables = hand.told(SyncRoutingTable)
    assert len(tables) == 1
    assert {edge.key for edge in tables[0].edges} == {edge.key for edge in core.manager.table.edges()}
    core.advance(100)
    assert hand.told(SyncRoutingTable) == []


def test_removed_edges_may_be_left_out_of_the_first_tables_after_a_start():
    core = Core(experimental={"skip_sending_tombstones_seconds": 60})
    removed = edge_of(key_of("hub"), key_of("gone"), 2)
    core.manager.table.add([*edges(2), removed], None, core.now)
    early = core.ready("early")
    core.advance(1.1)
    assert removed not in told_edges(early)
    assert core.manager.context.counters["near_edge_tombstone_sending_skip", ""] == 1
    core.advance(60)
    late = core.ready("late")
    core.advance(1.1)
    assert removed in told_edges(late)


def test_an_empty_table_is_told_too():
    core = Core()
    hand = core.hand()
    hand.say(hand.handshake())
    core.advance(1.1)
    assert len(hand.told(SyncRoutingTable)) == 1


def test_a_large_table_goes_in_pieces():
    core = small_core(10)
    core.manager.table.add(edges(25), None, core.now)
    for n in range(12):
        core.manager.announcements.add(announcement(f"account{n}.near"))
    hand = core.ready()
    core.advance(1.1)
    tables = hand.told(SyncRoutingTable)
    assert all(len(table.edges) <= 10 and len(table.accounts) <= 10 for table in tables)
    assert sum(len(table.edges) for table in tables) == 26
    assert sum(len(table.accounts) for table in tables) == 12


def test_the_next_piece_waits_for_a_short_queue():
    core = small_core(10)
    core.manager.table.add(edges(25), None, core.now)
    hand = core.ready()
    hand.peer.unsent = 4 * 2**20
    core.advance(1.1)
    hand.read()
    core.manager.drained(hand.peer, 4 * 2**20, core.now)
    assert told_edges(hand) == []
    core.manager.drained(hand.peer, 0, core.now)
    assert len(told_edges(hand)) == 26


@pytest.mark.scenario(59)
def test_news_goes_to_all_but_who_told_it():
    core = Core()
    a, b, c = core.ready("a"), core.ready("b"), core.ready("c")
    core.advance(2)
    for hand in (a, b, c):
        hand.read()
    news, other = edges(2)
    a.say(SyncRoutingTable((news,)))
    b.say(SyncRoutingTable((other,)))
    core.advance(0.2)
    assert told_edges(a) == [other]
    assert told_edges(b) == [news]
    assert sorted(told_edges(c)) == sorted([news, other])
    a.say(SyncRoutingTable((news, other)))
    core.advance(1)
    assert told_edges(a) == told_edges(b) == told_edges(c) == [], "what is known is not told again"


def test_one_encoding_for_all():
    core = Core()
    hands = [core.ready(f"peer {n}") for n in range(3)]
    core.advance(2)
    for hand in hands:
        hand.read()
    core.manager.gossip.tell(edges(1), (), core.now)
    core.advance(0.1)
    frames = [hand.peer.out[-1] for hand in hands]
    assert frames[0] == frames[1] == frames[2]


def test_announcements_are_news():
    core = Core()
    a, b = core.ready("a"), core.ready("b")
    core.advance(2)
    a.read(), b.read()
    core.manager.gossip.tell_accounts([announcement("alice.near")], (a.peer,), core.now)
    core.advance(0.1)
    assert a.told(SyncRoutingTable) == []
    assert [table.accounts[0].account_id for table in b.told(SyncRoutingTable)] == ["alice.near"]


@pytest.mark.threat(10)
def test_who_is_behind_misses_nothing():
    core = small_core(10)
    slow = core.ready("slow")
    core.advance(2)
    slow.read()
    slow.peer.unsent = BEHIND_BYTES + 1
    first = edges(15)
    core.manager.table.add(first, None, core.now)
    core.manager.gossip.tell(first, (), core.now)
    core.advance(0.1)
    newer = edges(1, nonce=3)
    core.manager.table.add(newer, None, core.now)
    core.manager.gossip.tell(newer, (), core.now)
    core.advance(0.1)
    assert told_edges(slow) == []
    assert "behind" in core.kinds()
    assert slow.peer.behind
    core.manager.drained(slow.peer, 0, core.now)
    told = told_edges(slow)
    core.manager.drained(slow.peer, 0, core.now)
    told += told_edges(slow)
    assert sorted(told) == sorted(newer + first[1:]), "the newest form of each"
    assert not slow.peer.behind


def test_what_was_missed_may_be_gone():
    core = Core()
    slow = core.ready("slow")
    core.advance(2)
    slow.read()
    slow.peer.behind = True
    slow.peer.missed = {pair_of(edge_of(key_of("p"), key_of("q"))): None}
    core.manager.drained(slow.peer, 0, core.now)
    assert told_edges(slow) == []
    assert not slow.peer.behind


def test_counters_and_old_edges_stay_from_peers_of_today():
    """A nonce below 1 000 000 000 never goes to them, an old unix time to nobody (`behaviour.md` §10)."""
    core = Core()
    hand = core.ready()
    wall = int(core.now.wall) | 1
    counter, fresh, old = edges(1)[0], edges(1, 1, wall)[0], edges(1, 2, wall - EXPIRES_AFTER - 2)[0]
    today = core.ready("today", dialect="protobuf")
    core.advance(2)
    hand.read(), today.read()
    core.manager.gossip.tell([counter, fresh, old], (), core.now)
    core.advance(1.1)
    assert told_edges(hand) == [counter, fresh]
    assert told_edges(today) == [fresh]
    core.manager.table.add([counter, fresh, old], None, core.now)
    for peer in (hand.peer, today.peer):
        peer.behind = True
        peer.missed.update(dict.fromkeys(map(pair_of, (counter, fresh, old))))
        core.manager.drained(peer, 0, core.now)
    assert told_edges(hand) == [counter, fresh]
    assert told_edges(today) == [fresh]


def test_who_tells_what_waits_to_be_told_is_not_told_it_back():
    core = Core()
    wall = int(core.now.wall) | 1
    a, b, c = (core.ready(name, dialect="protobuf") for name in "abc")
    core.advance(3)
    for hand in (a, b, c):
        hand.read()
    first, second, third = edges(3, nonce=wall)
    a.say(SyncRoutingTable((first,)))
    core.advance(0.2)
    assert told_edges(b) == told_edges(c) == [first]
    a.say(SyncRoutingTable((second, third)))
    core.advance(0.2)
    b.say(SyncRoutingTable((second, first)))
    b.say(SyncRoutingTable((second,)))
    renewed = edges(1, 2, wall + 2)[0]
    a.say(SyncRoutingTable((renewed,)))
    core.advance(0.2)
    b.say(SyncRoutingTable((third,)))
    core.advance(2)
    assert told_edges(a) == []
    assert told_edges(b) == [renewed], "the form that it told is older"
    assert sorted(told_edges(c)) == sorted([second, renewed])


@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
def test_who_comes_back_is_told_what_it_had_told(dialect):
    """It may have crashed and lost it, and it is in no first table while it is being verified, or waits after that."""
    core = Core(verify=False)
    a = core.ready("a", dialect=dialect)
    (edge,) = edges(1, nonce=int(core.now.wall) | 1)
    a.say(SyncRoutingTable((edge,)))
    (request,) = core.verifies
    core.manager.lost(a.peer, "crashed", core.now)
    core.act()
    again = core.hand("a", dialect=dialect)
    again.shake(nonce=a.edge().nonce + 1)
    core.advance(3)
    assert edge not in told_edges(again)
    core.manager.verified(run_checks(request.id, request.checks), core.now)
    core.advance(2)
    assert told_edges(again) == [edge]


def test_each_era_has_its_pace():
    core = Core()
    core.advance(5)
    hand = core.ready()
    core.advance(2)
    hand.read()
    told = []

    class Today:
        name = "protobuf"

        def encode(self, message):
            told.append((core.now.mono, message))
            return b"x"

    today = core.ready("today")
    core.advance(3)
    today.peer.dialect = Today()
    wall = int(core.now.wall) | 1
    for n in range(5):
        core.manager.gossip.tell(edges(1, n, wall), (), core.now)
        core.advance(0.2)
    core.advance(2)
    assert len(told) == 2, "at once, then the rest together"
    assert told[1][0] - told[0][0] >= 1.0
    assert len(hand.told(SyncRoutingTable)) == 6, "the newcomer, and each piece of news"


def test_a_peer_that_closed_is_not_filled():
    core = Core()
    hand = core.ready()
    core.manager.lost(hand.peer, "gone", core.now)
    core.manager.drained(hand.peer, 0, core.now)
    assert ME.public_key == core.manager.peer_id


def test_a_piece_of_what_may_not_be_told_is_no_message():
    core = small_core(10)
    old = int(core.now.wall) - EXPIRES_AFTER - 3 | 1
    core.manager.table.add(edges(10), None, core.now)
    core.manager.table.slots[2] = None
    hand = core.ready()
    core.manager.table.add(edges(25, 20, old), None, core.now)
    core.advance(1.1)
    tables = hand.told(SyncRoutingTable)
    assert [len(table.edges) for table in tables] == [10]


def test_who_has_not_spoken_is_told_nothing():
    core = Core()
    hand = core.ready()
    hand.peer.dialect = None
    assert core.manager.gossip._encode(hand.peer, edges(1), []) == []
