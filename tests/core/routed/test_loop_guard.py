import pytest
from peer_fakes import digest

from nearnet.core.routed.forwarding import LoopGuard


@pytest.mark.threat(47)
def test_one_message_passes_as_often_as_the_limit_says_and_again_after_the_window():
    guard = LoopGuard(limit=3, window=60.0)
    assert [guard.allow(digest(1), 10.0 + n) for n in range(5)] == [True, True, True, False, False]
    assert not guard.allow(digest(1), 69.9)
    assert guard.allow(digest(1), 70.0)
    assert guard.allow(digest(2), 70.0)


def test_zero_turns_it_off():
    guard = LoopGuard(limit=0)
    assert all(guard.allow(digest(1), 0.0) for _ in range(1000))
    assert len(guard) == 0


def test_memory_is_bounded_and_the_last_half_is_always_known():
    guard = LoopGuard(limit=1, capacity=100)
    for number in range(1000):
        assert guard.allow(digest(number), 5.0)
        assert len(guard) <= 100
    assert not any(guard.allow(digest(number), 5.0) for number in range(950, 1000))
    assert len(guard) <= 100
    assert guard.allow(digest(1), 5.0)


def test_what_is_older_than_two_windows_is_forgotten():
    guard = LoopGuard(limit=1, window=60.0)
    for number in range(500):
        assert guard.allow(digest(number), float(number))
        assert len(guard) <= 121
    assert not any(guard.allow(digest(number), 499.0) for number in range(440, 500)), "but none of the last window"


def test_a_count_outlives_a_change_of_generations():
    guard = LoopGuard(limit=2, capacity=4)
    assert guard.allow(digest(1), 5.0)
    for number in (2, 3, 1, 4):
        assert guard.allow(digest(number), 5.0)
    assert not guard.allow(digest(1), 5.0)
