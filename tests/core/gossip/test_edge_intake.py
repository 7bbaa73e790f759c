"""Edges on their way to the table (document §8.2-§8.5; `threats.md` rows 31, 35, 37, 38)."""

import pytest
from hand import Core, edge_of, key_of

from nearnet.core.gossip.exchange import EdgeIntake
from nearnet.core.routing_table.edge import Verdict, run_checks
from nearnet.wire.edge_bytes import Edge

EDGES = [edge_of(key_of(f"x{n}"), key_of(f"y{n}")) for n in range(4)]


def forged(edge):
    return Edge(edge[:-10] + b"\1" + edge[-9:])


@pytest.fixture
def core():
    return Core()


@pytest.fixture
def intake(core):
    return EdgeIntake(core.manager.table)


@pytest.fixture
def a(core):
    return core.ready("teller a").peer


@pytest.fixture
def b(core):
    return core.ready("teller b").peer


def verdict_on(request):
    return run_checks(request.id, request.checks)


def test_valid_edges_come_back_with_their_teller(intake, a):
    request = intake.offer(EDGES, a)
    assert [check.edge for check in request.checks] == EDGES
    assert intake.in_progress == 4
    assert intake.verified(verdict_on(request)) == (EDGES, [], [])
    assert intake.in_progress == 4
    assert [intake.taken(edge) for edge in EDGES] == [(a,)] * 4
    assert intake.in_progress == 0
    assert intake.verified_count == 8


@pytest.mark.threat(35)
def test_nothing_known_is_verified(core, intake, a):
    core.manager.table.add(EDGES, None, core.now)
    assert intake.offer(EDGES, a) is None
    assert intake.offer([], a) is None
    assert intake.verified_count == 0


@pytest.mark.threat(35)
def test_an_echo_is_known_by_its_bytes_while_it_is_held(core, intake, a):
    table, x, y = core.manager.table, key_of("x"), key_of("y")
    old, new = edge_of(x, y, 1), edge_of(x, y, 2)
    assert intake.split_echoes([old, new]) == ([old, new], [])
    table.add([old], a.ready_id, core.now)
    assert intake.split_echoes((old, new, old)) == ([new], [old, old])
    table.add([new], a.ready_id, core.now)
    assert intake.split_echoes([old, new, forged(new)]) == ([old, forged(new)], [new])
    assert intake.offer([old, forged(new)], a) is None, "no newer, by its nonce"
    table.forget(range(2), lambda edge: False)
    (request,) = [intake.offer(intake.split_echoes([new])[0], a)]
    assert [check.edge for check in request.checks] == [new], "gone, and so as new as ever"


@pytest.mark.threat(38)
def test_one_verification_for_many_nonces(intake, a):
    x, y = key_of("x"), key_of("y")
    request = intake.offer([edge_of(x, y, nonce) for nonce in (1, 5, 3)], a)
    assert [check.edge.nonce for check in request.checks] == [5]


def test_the_same_bytes_are_verified_once_for_all_tellers(intake, a, b):
    request = intake.offer(EDGES[:2], a)
    assert intake.offer(EDGES[:2], b) is None
    assert intake.offer(EDGES[:2], b) is None
    valid, forgers, again = intake.verified(verdict_on(request))
    assert (valid, forgers, again) == (EDGES[:2], [], [])
    assert [intake.taken(edge) for edge in valid] == [(a, b), (a, b)]


@pytest.mark.threat(35, 37)
def test_a_valid_edge_that_waits_to_be_taken_is_not_verified_again(intake, a, b):
    request = intake.offer(EDGES[:1], a)
    (edge,), _, _ = intake.verified(verdict_on(request))
    assert intake.offer([edge], b) is None
    assert intake.taken(edge) == (a, b), "who told it meanwhile is not told it back"
    assert intake.verified_count == 2


@pytest.mark.threat(31)
@pytest.mark.threat(37)
def test_after_a_forgery_nothing_of_that_list_is_used(intake, a):
    request = intake.offer([EDGES[0], forged(EDGES[1]), EDGES[2]], a)
    valid, forgers, again = intake.verified(verdict_on(request))
    assert valid == EDGES[:1]
    assert (forgers, again) == ([a], [])
    assert intake.in_progress == 1, "the valid one, until it is taken"


def test_what_others_had_told_too_is_asked_again_in_their_name(intake, a, b):
    request = intake.offer([forged(EDGES[1]), EDGES[2], EDGES[3]], a)
    assert intake.offer([EDGES[2]], b) is None
    valid, forgers, (again,) = intake.verified(verdict_on(request))
    assert (valid, forgers) == ([], [a])
    assert [check.edge for check in again.checks] == [EDGES[2]]
    assert intake.verified(verdict_on(again)) == ([EDGES[2]], [], [])


def test_a_forgery_told_by_two_is_both_ones(intake, a, b):
    request = intake.offer([forged(EDGES[1])], a)
    assert intake.offer([forged(EDGES[1])], b) is None
    assert intake.verified(verdict_on(request))[1] == [a, b]


@pytest.mark.threat(39)
def test_what_only_our_rule_refuses_is_dropped(intake, a):
    request = intake.offer(EDGES[:2], a)
    assert intake.verified(Verdict(request.id, ("strict", "valid"))) == ([EDGES[1]], [], [])
