from types import SimpleNamespace

import pytest
from peer_fakes import START, digest, later, peer_id

from nearnet.core.routed.forwarding import Pings, PongResult
from nearnet.wire.routed_body import Pong


def frame(author: int) -> SimpleNamespace:
    return SimpleNamespace(author=peer_id(author), ttl=98, num_hops=2)


@pytest.mark.threat(54)
def test_each_previous_hop_has_its_own_rate():
    pings = Pings(3)
    assert [pings.allow(peer_id(1), START) for _ in range(4)] == [True, True, True, False]
    assert pings.allow(peer_id(2), START)
    assert not pings.allow(peer_id(1), later(0.3))
    assert pings.allow(peer_id(1), later(0.4))


def test_a_pong_ends_one_round_trip():
    pings = Pings(100)
    first, second = pings.next_nonce(), pings.next_nonce()
    pings.sent(first, peer_id(1), digest(1), START)
    pings.sent(second, peer_id(1), digest(2), START)
    assert first != second
    assert pings.answered(frame(1), Pong(second, peer_id(1)), later(0.25))
    assert pings.take_pongs() == [PongResult(peer_id(1), digest(2), second, 98, 2, 250.0)]
    assert pings.take_pongs() == []
    assert not pings.answered(frame(1), Pong(second, peer_id(1)), later(0.25))


def test_only_the_one_that_was_asked_may_answer():
    pings = Pings(100)
    nonce = pings.next_nonce()
    pings.sent(nonce, peer_id(1), digest(1), START)
    assert not pings.answered(frame(2), Pong(nonce, peer_id(1)), START)
    assert not pings.answered(frame(1), Pong(nonce + 1, peer_id(1)), START)
    assert pings.answered(frame(1), Pong(nonce, peer_id(1)), START)
