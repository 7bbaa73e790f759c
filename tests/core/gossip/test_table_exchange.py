"""Tables in, next hops, announcements, pruning (document §8, §9; `behaviour.md` §3, §4, §7)."""

import dataclasses

import pytest
from graph_fakes import something_that_moves
from hand import ME, Core, edge_of, key_of
from world import make_config

from nearnet.client import DefaultClient
from nearnet.core.gossip.exchange import EDGES_AT_ONCE, EDGES_IN_PROGRESS
from nearnet.core.routing_table.edge import Verdict
from nearnet.core.runtime.actions import PauseReading, Recompute, ResumeReading
from nearnet.errors import ConfigError, ReasonForBan
from nearnet.keys import CryptoHash, PeerId
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import AnnounceAccount, PeersRequest, PeersResponse, SyncRoutingTable


def edges(count, start=0, nonce=1):
    return [edge_of(key_of("hub"), key_of(f"spoke {n}"), nonce) for n in range(start, start + count)]


def forged(edge):
    return Edge(edge[:-10] + b"\1" + edge[-9:])


def announcement(name="alice.near", epoch="1", peer="x"):
    return AnnounceAccount(name, key_of(peer).public_key, CryptoHash.of(epoch.encode()), key_of("a").sign(bytes(32)))


# --- edges -----------------------------------------------------------------------------------------


def test_foreign_edges_make_routes_and_a_removal_ends_them():
    core = Core()
    hand = core.ready()
    x, y = key_of("x"), key_of("y")
    hand.say(SyncRoutingTable((edge_of(hand.key, x), edge_of(x, y))))
    core.advance(1.5)
    table = core.manager.table
    assert table.next_hops(x.public_key) == table.next_hops(y.public_key) == (hand.id,)
    assert table.distance(y.public_key) == 3
    hand.say(SyncRoutingTable((edge_of(x, y, 2, y),)))
    core.advance(1.5)
    assert table.next_hops(y.public_key) == ()
    assert core.events[-1].kind == "routes"


@pytest.mark.threat(31)
def test_a_forged_edge_bans_its_teller_at_once():
    core = Core()
    hand, honest = core.ready(), core.ready("honest")
    core.advance(2)
    honest.read()
    good, bad, after = edges(3)
    hand.say(SyncRoutingTable((good, forged(bad), after)))
    assert hand.closed == "banned: InvalidEdge"
    assert hand.ban is ReasonForBan.INVALID_EDGE
    core.advance(1)
    table = core.manager.table
    assert table.get(*good.key) == good
    assert table.get(*bad.key) is table.get(*after.key) is None
    assert honest.closed is None


def test_the_document_era_may_tell_its_edge_while_it_is_verified():
    """An answer that comes when its teller is gone changes nothing for the others."""
    core = Core(verify=False)
    hand = core.ready()
    (news,) = edges(1)
    hand.say(SyncRoutingTable((news,)))
    core.manager.lost(hand.peer, "gone", core.now)
    core.verify = True
    for request in core.verifies:
        core.carry_out(request)
    core.act()
    core.advance(1)
    assert core.manager.table.get(*news.key) == news


def test_what_is_left_after_a_forgery_is_verified_for_others():
    core = Core(verify=False)
    a, b = core.ready("a"), core.ready("b")
    bad, good = edges(2)
    a.say(SyncRoutingTable((forged(bad), good)))
    b.say(SyncRoutingTable((good,)))
    core.verify = True
    (request,) = core.verifies
    core.carry_out(request)
    core.act()
    core.advance(1)
    assert core.manager.table.get(*good.key) == good
    assert (a.ban, b.ban) == (ReasonForBan.INVALID_EDGE, None)


@pytest.mark.threat(36)
def test_a_large_table_is_taken_in_pieces_and_its_teller_waits():
    core = Core()
    hand = core.ready()
    many = [Edge.build(*edge.key, 2 * n + 1, *edge.signatures) for n, edge in enumerate(edges(1) * 5000)]
    core.verify = False
    hand.say(SyncRoutingTable(tuple(many)), PeersRequest())
    assert PauseReading(hand.peer.id) in core.others
    assert hand.told(PeersResponse) == []
    core.advance(0.1)
    assert ResumeReading(hand.peer.id) in core.others
    assert len(hand.told(PeersResponse)) == 1
    assert len(core.verifies) == -(-5000 // EDGES_AT_ONCE), "the newest of each piece"


def test_pieces_of_who_is_gone_are_dropped():
    core = Core(verify=False)
    hand = core.ready()
    hand.say(SyncRoutingTable(tuple(edges(1) * (2 * EDGES_AT_ONCE))))
    core.manager.lost(hand.peer, "gone", core.now)
    core.advance(0.1)
    assert len(core.verifies) == 1


def test_more_validated_edges_than_one_turn_takes():
    core = Core(verify=False)
    hand = core.ready()
    hand.say(SyncRoutingTable(tuple(edges(EDGES_AT_ONCE + 3))))
    core.advance(0.2)
    core.verify = True
    for request in core.verifies:
        core.carry_out(request)
    core.act()
    core.advance(0.2)
    assert core.manager.table.edge_count == EDGES_AT_ONCE + 4


def test_few_validated_edges_wait_for_other_tellers():
    core = Core(verify=False)
    a, b = core.ready("a"), core.ready("b")
    a.say(SyncRoutingTable(tuple(edges(2))))
    core.verify = True
    core.carry_out(core.verifies[0])
    core.act()
    before = core.manager.table.edge_count
    core.advance(0.04)
    b.say(SyncRoutingTable(tuple(edges(1))))
    assert core.manager.table.edge_count == before
    core.advance(0.02)
    assert core.manager.table.edge_count == before + 2
    core.advance(0.2)
    (told,) = (len(table.edges) for table in b.told(SyncRoutingTable) if set(edges(2)) & set(table.edges))
    assert told == 1, "what it told itself is no news to it"


def test_a_large_table_is_taken_at_once_but_for_its_beginning():
    core = Core(verify=False)
    hand, table = core.ready(), core.manager.table
    hand.say(SyncRoutingTable(tuple(edges(4 * EDGES_AT_ONCE + 20))))
    core.advance(0.01)
    held = table.edge_count

    def taken_after(seconds, which=None):
        """Edges, since the last call; one more of the requests is answered before."""
        nonlocal held
        if which is not None:
            request = core.verifies.pop(which)
            core.manager.verified(Verdict(request.id, ("valid",) * len(request.checks)), core.now)
        core.advance(seconds)
        before, held = held, table.edge_count
        return held - before

    assert taken_after(0.04, 0) == 0, "the first wait"
    assert taken_after(0.02) == EDGES_AT_ONCE, "and then all go"
    assert taken_after(0.001, 0) == EDGES_AT_ONCE, "those that follow at once"
    assert taken_after(0.001, 2) == 0, "but few wait"
    assert taken_after(0.001, 0) == EDGES_AT_ONCE + 20, "until they are many"
    hand.say(SyncRoutingTable(tuple(edges(20, 10_000))))
    assert taken_after(0.001, 0) == EDGES_AT_ONCE
    assert taken_after(0.001, 0) == 20, "or nothing else is being verified"
    core.advance(1)
    hand.say(SyncRoutingTable(tuple(edges(20, 20_000))))
    assert taken_after(0.04, 0) == 0, "the next table"
    assert taken_after(0.02) == 20


def test_the_end_of_a_large_table_is_told_at_once():
    core = Core()
    hand, other = core.ready(), core.ready("other", "127.0.0.2")

    def told_after(seconds):
        core.advance(seconds)
        return sum(len(table.edges) for table in other.told(SyncRoutingTable))

    told_after(2)
    hand.say(SyncRoutingTable(tuple(edges(EDGES_AT_ONCE + 3))))
    assert told_after(0.051) == EDGES_AT_ONCE + 3
    hand.say(SyncRoutingTable(tuple(edges(1, 10_000))))
    assert told_after(0.09) == 0, "what comes next waits so much longer"
    assert told_after(0.02) == 1


def test_pieces_of_two_tellers_take_turns():
    core = Core(verify=False)
    a, b = core.ready("a"), core.ready("b")
    a.say(SyncRoutingTable(tuple(edges(1) * (EDGES_AT_ONCE + 1))))
    b.say(SyncRoutingTable(tuple(edges(1, 1))))
    core.advance(0.1)
    assert [len(request.checks) for request in core.verifies] == [1, 1]
    assert not a.peer.paused


def test_validated_edges_that_are_known_meanwhile_are_no_news():
    core = Core()
    hand = core.ready()
    (known,) = edges(1)
    core.manager.table.add([known], None, core.now)
    before = core.kinds().count("edges")
    core.manager.intake._tellers[known] = (hand.peer,)
    core.manager.exchange._validated.append(known)
    core.manager.exchange._take_validated(core.now)
    assert core.kinds().count("edges") == before


def test_a_message_has_a_limit_of_edges():
    core = Core(nearnet={"limits": {"edges_per_message_received": 2}})
    hand = core.ready()
    hand.say(SyncRoutingTable(tuple(edges(3))))
    core.advance(0.1)
    assert core.manager.table.edge_count == 3
    assert core.manager.limits.hits("edges_per_message_received") == 1
    assert hand.closed is None


@pytest.mark.threat(53)
def test_too_many_tables_pause_the_reading_and_nothing_is_lost():
    rates = {"borsh": {"burst": 3, "per_second": 2}}
    core = Core(nearnet={"limits": {"tables_per_second": rates}})
    hand = core.ready()
    hand.say(*[SyncRoutingTable((edge,)) for edge in edges(10)])
    core.advance(0.2)
    assert 3 <= core.manager.table.edge_count - 1 <= 4
    core.advance(5)
    assert core.manager.table.edge_count - 1 == 10
    assert hand.closed is None


def test_a_peer_without_a_bucket_is_not_paced():
    core = Core()
    hand = core.ready()
    hand.peer.tables = None
    hand.say(SyncRoutingTable())
    assert hand.closed is None


# --- next hops -------------------------------------------------------------------------------------


def test_next_hops_are_computed_at_most_once_a_second():
    core = Core()
    hand = core.ready()
    computed = core.kinds().count("routes")
    for edge in edges(20):
        hand.say(SyncRoutingTable((edge,)))
        core.advance(0.1)
    assert core.kinds().count("routes") - computed <= 3
    core.advance(2)
    quiet = core.kinds().count("routes")
    core.advance(100)
    assert core.kinds().count("routes") == quiet


def test_one_computation_at_a_time():
    core = Core()
    hand = core.ready()
    core.advance(2)
    held = []
    core.on_recompute = held.append
    hand.say(SyncRoutingTable(tuple(edges(1))))
    core.advance(2)
    hand.say(SyncRoutingTable(tuple(edges(1, 1))))
    core.advance(2)
    assert len(held) == 1
    del core.on_recompute
    core.carry_out(held[0])
    core.act()
    core.advance(2)
    assert not core.manager.table.needs_recalculation


def test_a_computation_that_nobody_needs_any_more():
    core = Core()
    core.ready()
    core.advance(2)
    core.manager.exchange._compute(core.now)
    core.act()
    assert not any(isinstance(action, Recompute) for action in core.others)


# --- pruning ---------------------------------------------------------------------------------------


@pytest.mark.scenario(47)
def test_unreachable_peers_go_to_disk_and_come_back():
    core = Core()
    hand = core.ready()
    lost = edges(3)
    hand.say(SyncRoutingTable(tuple(lost)))
    core.advance(1.5)
    assert core.manager.table.edge_count == 4
    core.advance(2 * 3600 + 60)
    assert core.manager.table.edge_count == 1
    assert core.store.get("LastComponentNonce", b"") == bytes(8)
    back = edge_of(hand.key, key_of("spoke 1"))
    hand.say(SyncRoutingTable((back,)))
    core.advance(1.5)
    assert core.manager.table.edge_count == 5
    assert core.manager.table.next_hops(key_of("spoke 2").public_key) == (hand.id,)


def test_an_edge_of_ours_that_comes_back_is_held_against_the_truth():
    core = Core()
    hand = core.ready()
    ghost, far = key_of("ghost"), key_of("far")
    removed = edge_of(ME, ghost, 2, ghost)
    hand.say(SyncRoutingTable((removed, edge_of(ghost, far))))
    core.advance(2 * 3600 + 60)
    assert core.manager.table.get(*removed.key) is None
    hand.say(SyncRoutingTable((edge_of(hand.key, far),)))
    core.advance(1.5)
    assert core.manager.table.get(*removed.key) == removed


@pytest.mark.threat(35, 45)
@pytest.mark.scenario(81)
def test_what_is_too_old_or_too_far_ahead_costs_no_check_and_no_ban():
    core = Core()
    hand = core.ready()
    before = core.manager.intake.verified_count
    wall = int(core.now.wall) | 1
    x, y = key_of("x"), key_of("y")
    hand.say(SyncRoutingTable((edge_of(x, y, wall - 1802), edge_of(hand.key, x, wall + 302))))
    assert core.manager.intake.verified_count == before
    assert core.manager.context.counters["nearnet_outdated_edges", ""] == 2
    hand.say(SyncRoutingTable((edge_of(x, y, wall - 1798), edge_of(hand.key, x, wall + 298))))
    core.advance(0.1)
    assert core.manager.table.get(x.public_key, y.public_key).nonce == wall - 1798
    core.advance(15)
    assert core.manager.table.get(x.public_key, y.public_key) is None
    assert core.manager.table.get(hand.id, x.public_key) is not None
    assert hand.peer.is_ready


def test_an_earlier_moment_comes_first_and_what_moves_to_disk_is_tried_again():
    core = Core()
    hand = core.ready()
    wall = int(core.now.wall) | 1
    young, old = (edge_of(hand.key, key_of(name), nonce) for name, nonce in (("y", wall), ("o", wall - 1700)))
    hand.say(SyncRoutingTable((young,)))
    core.advance(0.1)
    hand.say(SyncRoutingTable((old,)))
    core.advance(5)
    table = core.manager.table
    moving, table._moving = table._moving, something_that_moves()
    core.advance(110)
    assert table.get(*old.key) == old
    table._moving = moving
    core.advance(1.1)
    assert (table.get(*old.key), table.get(*young.key)) == (None, young)
    core.advance(1800)
    assert table.get(*young.key) is None


# --- announcements ---------------------------------------------------------------------------------


@pytest.mark.threat(62)
@pytest.mark.scenario(30)
def test_an_announcement_is_taken_stored_and_told_once():
    core = Core()
    a, b = core.ready("a"), core.ready("b")
    core.advance(2)
    a.read(), b.read()
    a.say(SyncRoutingTable((), (announcement(),)))
    core.advance(0.2)
    assert core.manager.announcements.owner("alice.near") == key_of("x").public_key
    assert core.store.get("AccountAnnouncements", b"alice.near") is not None
    assert [table.accounts for table in b.told(SyncRoutingTable)] == [(announcement(),)]
    b.say(SyncRoutingTable((), (announcement(peer="other"),)))
    core.advance(0.2)
    assert core.manager.announcements.owner("alice.near") == key_of("x").public_key, "the first of an epoch stays"
    assert a.told(SyncRoutingTable) == []
    assert (a.closed, b.closed) == (None, None)
    b.say(SyncRoutingTable((), (announcement(epoch="2", peer="other"),)))
    assert core.manager.announcements.owner("alice.near") == key_of("other").public_key


class Strict(DefaultClient):
    """Says to each account what its name says."""

    def validate_announcement(self, announcement, last_epoch):
        if announcement.account_id.startswith("bad"):
            return ReasonForBan.INVALID_SIGNATURE
        return not announcement.account_id.startswith("old")


def test_announcements_may_be_passed_on_only():
    core = Core(nearnet={"announcements": "relay_only"})
    a, b = core.ready("a"), core.ready("b")
    core.advance(2)
    b.read()
    for hand in (a, b):
        hand.say(SyncRoutingTable((), (announcement(),)))
        core.advance(0.2)
    assert [table.accounts for table in b.told(SyncRoutingTable)] == [(announcement(),)]
    assert core.manager.announcements.owner("alice.near") is None
    assert core.store.get("AccountAnnouncements", b"alice.near") is None
    late = core.ready("late")
    core.advance(2)
    assert (announcement(),) in [table.accounts for table in late.told(SyncRoutingTable)]


@pytest.mark.threat(62)
def test_one_wrong_signature_drops_all_and_bans():
    core = Core(client=Strict(make_config()))
    hand = core.ready()
    hand.say(SyncRoutingTable((), (announcement("good.near"), announcement("bad.near"))))
    assert len(core.manager.announcements) == 0
    assert hand.ban is ReasonForBan.INVALID_SIGNATURE


def test_what_the_client_does_not_want_is_dropped_silently():
    core = Core(client=Strict(make_config()))
    hand = core.ready()
    hand.say(SyncRoutingTable((), (announcement("old.near"),)))
    assert len(core.manager.announcements) == 0
    assert hand.closed is None


@pytest.mark.threat(63)
def test_a_message_has_a_limit_of_announcements():
    core = Core(nearnet={"limits": {"accounts_per_message_received": 2}})
    hand = core.ready()
    hand.say(SyncRoutingTable((), tuple(announcement(f"account{n}.near") for n in range(3))))
    assert len(core.manager.announcements) == 2
    assert core.manager.limits.hits("accounts_per_message_received") == 1


def test_our_own():
    core = Core()
    core.manager.announce(announcement(), core.now)
    core.act()
    assert core.kinds()[-1] == "announcement"
    with pytest.raises(ConfigError, match="already"):
        core.manager.announce(announcement(), core.now)
    with pytest.raises(ConfigError, match="'A' is no account id"):
        core.manager.announce(dataclasses.replace(announcement(), account_id="A"), core.now)
    assert len(core.manager.announcements) == 1, "nobody could read it, nor this node after a restart"


@pytest.mark.threat(36)
def test_no_more_is_sorted_out_than_the_validator_can_take():
    core = Core(verify=False)
    a, b = core.ready("a"), core.ready("b")
    ids = [PeerId(b"\0" + number.to_bytes(32, "big")) for number in range(EDGES_IN_PROGRESS + 1000)]
    many = tuple(Edge.build(*sorted((ME.public_key, other)), 1, bytes(65), bytes(65)) for other in ids)
    a.say(SyncRoutingTable(many))
    core.advance(1)
    assert core.manager.intake.in_progress == EDGES_IN_PROGRESS
    b.say(SyncRoutingTable(tuple(edges(1))), PeersRequest())
    core.advance(1)
    assert b.told(PeersResponse) == [], "it waits, and is not read meanwhile"
    waiting, core.verifies = core.verifies, []
    for request in waiting:
        core.manager.verified(Verdict(request.id, ("strict",) * len(request.checks)), core.now)
    core.act()
    core.advance(1)
    assert len(b.told(PeersResponse)) == 1
    assert sum(len(request.checks) for request in core.verifies) == 1001
    assert (a.peer.paused, b.peer.paused) == ({}, {})
