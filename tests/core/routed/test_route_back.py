"""The way back of replies, against a simple model as well."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from peer_fakes import ME, START, digest, later, peer_id

from nearnet.core.routed.route_back import RouteBack
from nearnet.core.runtime.clock import Now


@pytest.mark.threat(52)
def test_a_reply_goes_back_once():
    routes = RouteBack(ME)
    assert routes.insert(digest(1), peer_id(1), START)
    assert len(routes) == 1
    assert routes.held_by(peer_id(1)) == 1
    assert routes.take(digest(1), START) == peer_id(1)
    assert routes.take(digest(1), START) is None
    assert len(routes) == routes.held_by(peer_id(1)) == 0


def test_the_first_one_wins_until_it_is_outdated():
    routes = RouteBack(ME)
    assert routes.insert(digest(1), peer_id(1), START)
    assert not routes.insert(digest(1), peer_id(2), later(119.9))
    assert routes.insert(digest(1), peer_id(2), later(120.0))
    assert routes.take(digest(1), later(120.0)) == peer_id(2)


def test_what_ends_at_ourselves_serves_until_it_expires():
    routes = RouteBack(ME)
    routes.insert(digest(1), ME, START)
    assert [routes.take(digest(1), later(after)) for after in (0.0, 60.0, 119.9, 120.0)] == [ME, ME, ME, None]
    assert len(routes) == 0


@pytest.mark.threat(52)
def test_an_unknown_hash_leads_nowhere():
    assert RouteBack(ME).take(digest(1), START) is None


def test_outdated_entries_are_dropped():
    routes = RouteBack(ME)
    routes.insert(digest(1), peer_id(1), START)
    routes.insert(digest(2), peer_id(1), later(60))
    routes.expire(later(120))
    assert len(routes) == 1
    routes.expire(later(180))
    assert len(routes) == 0


def test_the_wall_clock_does_not_matter():
    routes = RouteBack(ME)
    routes.insert(digest(1), peer_id(1), START)
    assert routes.take(digest(1), Now(START.mono + 1, START.wall + 86_400)) == peer_id(1)


def test_when_full_the_outdated_leave_first():
    routes = RouteBack(ME, capacity=3, evict=1)
    routes.insert(digest(1), peer_id(1), START)
    for number in (2, 3):
        routes.insert(digest(number), peer_id(2), later(60))
    routes.insert(digest(4), peer_id(3), later(130))
    assert [routes.take(digest(number), later(130)) for number in (1, 2, 3, 4)] == [
        None,
        peer_id(2),
        peer_id(2),
        peer_id(3),
    ]


@pytest.mark.threat(51)
@pytest.mark.scenario(52)
def test_poison_attack():
    """Capacity 17: twelve entries of four honest neighbors survive fifty of an attacker."""
    routes = RouteBack(ME, capacity=17, evict=1)
    for number in range(12):
        routes.insert(digest(number), peer_id(number % 4), later(number))
    for number in range(50):
        assert routes.insert(digest(100 + number), peer_id(99), later(20))
    assert len(routes) == 17
    assert routes.held_by(peer_id(99)) == 5
    assert [routes.take(digest(number), later(21)) for number in range(12)] == [peer_id(n % 4) for n in range(12)]


@pytest.mark.threat(51)
@pytest.mark.parametrize("evict", [1, 100])
def test_the_greediest_loses_its_oldest(evict):
    routes = RouteBack(ME, capacity=10, evict=evict)
    for number in range(8):
        routes.insert(digest(number), peer_id(1), START)
    for number in range(8, 11):
        routes.insert(digest(number), peer_id(2), START)
    assert routes.held_by(peer_id(1)) == max(0, 8 - evict)
    assert routes.take(digest(0), START) is None
    assert routes.held_by(peer_id(2)) == 3


@pytest.mark.threat(51)
class RouteBackMachine(RuleBasedStateMachine):
    """Against a list that is scanned each time."""

    CAPACITY, EVICT = 6, 2

    def __init__(self):
        super().__init__()
        self.now = START
        self.routes = RouteBack(ME, self.CAPACITY, 10.0, self.EVICT)
        self.model: list[tuple[int, int, float]] = []

    def fresh(self, entry):
        return self.now.mono - entry[2] < 10.0

    @rule(request=st.integers(0, 15), holder=st.integers(0, 3))
    def insert(self, request, holder):
        known = any(entry[0] == request and self.fresh(entry) for entry in self.model)
        assert self.routes.insert(digest(request), peer_id(holder), self.now) is not known
        if known:
            return
        self.model = [entry for entry in self.model if entry[0] != request]
        if len(self.model) >= self.CAPACITY:
            self.model = [entry for entry in self.model if self.fresh(entry)]
        if len(self.model) >= self.CAPACITY:
            counts = {entry[1]: self.count(entry[1]) for entry in self.model}
            # Between equals any may be the one: follow the choice that was made.
            greedy = [h for h, count in counts.items() if count == max(counts.values())]
            chosen = [h for h in greedy if self.routes.held_by(peer_id(h)) != self.count(h) + (h == holder)]
            assert len(chosen) == 1
            for entry in [entry for entry in self.model if entry[1] == chosen[0]][: self.EVICT]:
                self.model.remove(entry)
        self.model.append((request, holder, self.now.mono))

    def count(self, holder):
        return sum(entry[1] == holder for entry in self.model)

    @rule(request=st.integers(0, 15))
    def take(self, request):
        found = next((entry for entry in self.model if entry[0] == request), None)
        good = found is not None and self.fresh(found)
        assert self.routes.take(digest(request), self.now) == (peer_id(found[1]) if good else None)
        if found is not None and not (good and found[1] == 0):
            self.model.remove(found)

    @rule(seconds=st.floats(0, 6))
    def wait(self, seconds):
        self.now = later(seconds, self.now)

    @rule()
    def expire(self):
        self.routes.expire(self.now)
        self.model = [entry for entry in self.model if self.fresh(entry)]

    @invariant()
    def same(self):
        assert len(self.routes) == len(self.model) <= self.CAPACITY
        assert [self.routes.held_by(peer_id(h)) for h in range(4)] == [self.count(h) for h in range(4)]


RouteBackMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
TestRouteBackMachine = RouteBackMachine.TestCase
