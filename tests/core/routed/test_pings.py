import pytest
from peer_fakes import START, digest, later, peer_id

from nearnet.core.routed.forwarding import Pings, PongResult
from nearnet.keys import Signature
from nearnet.wire.messages import RoutedMessage
from nearnet.wire.routed_body import PONG, Pong
from nearnet.wire.routed_frame import RoutedFrame, routed_bytes


def frame(author: int) -> RoutedFrame:
    message = RoutedMessage(peer_id(0), peer_id(author), Signature(bytes(65)), 98, bytes((PONG,)))
    return RoutedFrame(routed_bytes(message), 0, None, 2)


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
    result = pings.answered(frame(1), Pong(second, peer_id(1)), later(0.25))
    assert result == PongResult(peer_id(1), digest(2), second, 98, 2, 250.0)
    assert not pings.answered(frame(1), Pong(second, peer_id(1)), later(0.25))


def test_only_the_one_that_was_asked_may_answer():
    pings = Pings(100)
    nonce = pings.next_nonce()
    pings.sent(nonce, peer_id(1), digest(1), START)
    assert not pings.answered(frame(2), Pong(nonce, peer_id(1)), START)
    assert not pings.answered(frame(1), Pong(nonce + 1, peer_id(1)), START)
    assert pings.answered(frame(1), Pong(nonce, peer_id(1)), START)
