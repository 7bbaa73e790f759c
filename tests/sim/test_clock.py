import random

import pytest

from nearnet.sim.clock import EPOCH, NodeClock


def test_both_faces_go_on_together():
    clock = NodeClock(100.0, EPOCH)
    assert clock.now(2.5) == (102.5, EPOCH + 2.5)
    assert clock.time_of(102.5) == 2.5


def test_jumps():
    clock = NodeClock(100.0, EPOCH)
    clock.jump(wall=-50.0)
    assert clock.now(0.0) == (100.0, EPOCH - 50)
    clock.jump(mono=10.0)
    assert clock.now(0.0) == (110.0, EPOCH - 40)
    with pytest.raises(ValueError, match="never goes back"):
        clock.jump(mono=-1.0)


def test_strange_starts_are_all_different_and_some_machines_are_fresh():
    rng = random.Random(3)
    starts = [NodeClock.strange(rng, 2.0).now(0.0) for _ in range(200)]
    assert any(start.mono == 0.0 for start in starts)
    assert len({start.mono for start in starts}) > 150
    assert all(abs(start.wall - EPOCH) <= 2.0 for start in starts)
