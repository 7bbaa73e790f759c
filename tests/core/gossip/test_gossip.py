"""What we tell of the graph (document §7.8, §8.5; `threats.md`, send queue)."""

import pytest
from hand import ME, Core, edge_of, key_of

from nearnet.core.gossip.telling import (
    BEHIND_BYTES,
    MOST_MISSED,
    PIECE_BYTES,
    SLOTS_AT_ONCE,
    TABLE_INTERVAL,
    TABLES_SENT_BURST,
)
from nearnet.core.routing_table.edge import run_checks, sign_edge
from nearnet.keys import CryptoHash
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.edge_layout import pair_of
from nearnet.wire.messages import AnnounceAccount, RequestUpdateNonce, SyncRoutingTable

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
    core.advance(0)
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
    core.advance(0)
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
    assert told[1][0] - told[0][0] >= TABLE_INTERVAL
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


# --- what a protobuf neighbor takes (`network-2026.md` §4) --------------------------------------------


def dated(core, count, start=0):
    return edges(count, start, int(core.now.wall) | 1)


def tables_of(hand):
    return hand.told(SyncRoutingTable)


def watched(core, name="watcher", **changes):
    """A protobuf neighbor that has its first table, with a full bucket."""
    hand = core.hand(name, dialect="protobuf")
    hand.shake(**changes)
    core.advance(20)
    hand.read()
    return hand


@pytest.mark.interop("SyncRoutingTable")
def test_a_burst_of_news_goes_in_few_tables():
    core = Core()
    watcher = watched(core)
    tellers = [watched(core, f"teller {n}") for n in range(8)]
    core.advance(20)
    watcher.read()
    news, told = dated(core, 40), []
    for number, edge in enumerate(news):
        tellers[number % 8].say(SyncRoutingTable((edge,)))
        core.advance(0.125)
        told += tables_of(watcher)
    core.advance(3)
    told += tables_of(watcher)
    assert sorted(edge for table in told for edge in table.edges) == sorted(news)
    assert len(told) <= 6


@pytest.mark.interop("SyncRoutingTable")
def test_all_that_a_protobuf_neighbor_is_told_comes_out_of_one_bucket():
    """Its first table in many pieces, news, announcements and nonce answers: eight at once, then one per 1.1 s."""
    core = small_core(10)
    core.manager.table.add(dated(core, 200), None, core.now)
    for n in range(15):
        core.manager.announcements.add(announcement(f"account{n}.near"))
    hand = core.hand("newcomer", dialect="protobuf")
    hand.shake()
    moments = [core.now.mono] * len(tables_of(hand))
    told, nonce = [], 0
    for step in range(600):
        if step % 10 == 0:
            core.manager.table.add(fresh := dated(core, 1, 1000 + step), None, core.now)
            core.manager.gossip.tell(fresh, (), core.now)
        if step % 50 == 0:
            nonce = max(int(core.now.wall), nonce) + 2 | 1
            hand.say(RequestUpdateNonce(sign_edge(hand.key, ME.public_key, nonce)))
        core.advance(0.05)
        for table in tables_of(hand):
            moments.append(core.now.mono)
            told += table.edges
    for number in range(len(moments) - TABLES_SENT_BURST):
        assert moments[number + TABLES_SENT_BURST] - moments[number] >= TABLE_INTERVAL - 0.051
    span = moments[-1] - moments[0]
    assert len(moments) <= TABLES_SENT_BURST + span / TABLE_INTERVAL + 1
    core.advance(10)
    told += [edge for table in tables_of(hand) for edge in table.edges]
    assert {pair_of(edge) for edge in told} >= {pair_of(edge) for edge in core.manager.table.edges()}
    assert max(edge.nonce for edge in told if edge.involves(hand.id)) == nonce


def test_a_nonce_answer_goes_before_the_rest_of_a_large_table():
    core = small_core(10)
    core.manager.table.add(dated(core, 300), None, core.now)
    hand = core.hand("newcomer", dialect="protobuf")
    hand.shake()
    core.advance(0.5)
    hand.read()
    nonce = int(core.now.wall) + 4 | 1
    hand.say(RequestUpdateNonce(sign_edge(hand.key, ME.public_key, nonce)))
    core.advance(1.2)
    assert nonce in [edge.nonce for edge in told_edges(hand)]


def test_more_news_than_one_table_waits_for_its_turns():
    core = small_core(10)
    core.manager.table.add(news := dated(core, 25), None, core.now)
    one, other = watched(core, "one"), watched(core, "other")
    one.read()
    core.manager.gossip.tell(news, (one.peer,), core.now)
    core.advance(2)
    assert told_edges(one) == []
    tables = tables_of(other)
    assert [len(table.edges) for table in tables] == [10, 10, 5]


def test_who_misses_too_much_gets_the_whole_table_again():
    core = small_core(10)
    core.manager.table.add(news := edges(30), None, core.now)
    slow = core.ready("slow")
    core.advance(2)
    slow.read()
    slow.peer.unsent = BEHIND_BYTES + 1
    slow.peer.missed = dict.fromkeys(n.to_bytes(3, "big") for n in range(MOST_MISSED - 5))
    core.manager.gossip.tell(news, (), core.now)
    core.advance(0.1)
    assert (slow.peer.missed, slow.peer.sync_cursor) == ({}, 0)
    core.manager.drained(slow.peer, 0, core.now)
    core.advance(0)
    assert sorted(told_edges(slow)) == sorted([*news, slow.edge()])
    assert not slow.peer.behind


@pytest.mark.threat(63)
def test_who_is_behind_hears_the_newest_announcement_of_each_account():
    core = Core()
    slow = core.ready("slow")
    core.advance(2)
    slow.read()
    slow.peer.unsent = BEHIND_BYTES + 1
    for name, epoch in (("a.near", "1"), ("b.near", "1"), ("a.near", "2")):
        core.manager.announce(announcement(name, epoch), core.now)
        core.advance(0.1)
    slow.peer.missed_accounts["gone.near"] = None
    core.manager.drained(slow.peer, 0, core.now)
    (table,) = tables_of(slow)
    assert table.accounts == (announcement("b.near", "1"), announcement("a.near", "2")) or set(table.accounts) == {
        announcement("b.near", "1"),
        announcement("a.near", "2"),
    }


def test_accounts_that_left_memory_are_no_longer_waited_for():
    core = Core(nearnet={"limits": {"announcements": 3}})
    slow = core.ready("slow")
    core.advance(2)
    slow.read()
    slow.peer.unsent = BEHIND_BYTES + 1
    for number in range(9):
        core.manager.announce(announcement(f"a{number}.near"), core.now)
        core.advance(0.1)
    assert list(slow.peer.missed_accounts) == [f"a{number}.near" for number in range(3, 9)]
    core.manager.drained(slow.peer, 0, core.now)
    assert [one.account_id for table in tables_of(slow) for one in table.accounts] == ["a6.near", "a7.near", "a8.near"]


def test_a_long_table_that_may_not_be_told_is_looked_through_in_turns():
    core = Core()
    hand = core.ready("today", dialect="protobuf")
    core.advance(2)
    hand.read()
    core.manager.table.add(edges(3), None, core.now)
    core.manager.table.add(last := dated(core, 1, 5), None, core.now)
    edge_slots = core.manager.table.slots
    edge_slots[1:1] = [None] * SLOTS_AT_ONCE
    hand.peer.sync_cursor = 1
    core.manager.gossip.drained(hand.peer, core.now)
    assert told_edges(hand) == []
    core.advance(0)
    assert told_edges(hand) == last


# --- keys of a type that not everybody reads -----------------------------------------------------------


def ml_dsa_edge(core, number=1):
    """An edge with such a key, as the table holds it after the check."""
    peer1 = b"\2" + number.to_bytes(4, "big") * 488
    nonce = int(core.now.wall) | 1
    return Edge.build(key_of("hub").public_key, peer1, nonce, bytes(65), b"\2" + bytes(3309))


@pytest.mark.interop("ML-DSA-65")
@pytest.mark.parametrize("company", [True, False])
def test_edges_with_ml_dsa_keys_go_to_those_that_read_them(company):
    core = Core()
    old = core.ready("old")
    hands = {version: watched(core, f"v{version}", protocol_version=version) for version in (84, 85, 88)}
    core.advance(20)
    edge, plain = ml_dsa_edge(core), dated(core, 1)
    for hand in (old, *hands.values()):
        hand.read()
    core.manager.table.add([edge, *plain], None, core.now)
    core.manager.gossip.tell([edge, *(plain if company else [])], (), core.now)
    core.advance(2)
    rest = plain if company else []
    assert (told_edges(old), told_edges(hands[84])) == (rest, rest)
    assert told_edges(hands[85]) == told_edges(hands[88]) == [edge, *rest]
    late = {version: core.hand(f"late {version}", dialect="protobuf") for version in (84, 85)}
    for version, hand in late.items():
        hand.shake(protocol_version=version)
    core.advance(1)
    assert edge not in told_edges(late[84])
    assert edge in told_edges(late[85])


def test_a_table_of_large_edges_stays_below_what_a_frame_may_hold():
    core = Core()
    hand = watched(core, protocol_version=88)
    size = len(ml_dsa_edge(core))
    in_one = PIECE_BYTES // size + 1
    large = [ml_dsa_edge(core, number) for number in range(in_one + 5)]
    core.manager.table.add(large, None, core.now)
    core.manager.gossip.tell(large, (), core.now)
    tables = []
    for _ in range(4):
        core.advance(0.5)
        tables += tables_of(hand)
        core.manager.drained(hand.peer, 0, core.now)
    assert [len(table.edges) for table in tables] == [in_one, 5]
    assert len(hand.dialect.encode(tables[0])) < 32 * 2**20
