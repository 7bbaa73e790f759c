import math

from nearnet.core.peer_manager.dialing import BackOff


def test_doubles_up_to_the_most():
    back_off, now, waits = BackOff(1.0), 100.0, []
    assert back_off.until("a") == -math.inf
    for _ in range(8):
        back_off.failed("a", 60.0, now)
        waits.append(back_off.until("a") - now)
        now = back_off.until("a")
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    back_off.failed("a", 10.0, now)
    assert back_off.until("a") - now == 10
    assert back_off.until("b") == -math.inf


def test_success_forgets_and_an_end_waits_a_little():
    back_off = BackOff(1.0)
    back_off.failed("a", 60.0, 0.0)
    back_off.failed("a", 60.0, 1.0)
    back_off.succeeded("a")
    assert back_off.until("a") == -math.inf
    back_off.ended("a", 50.0)
    assert back_off.until("a") == 51.0
    back_off.failed("a", 60.0, 51.0)
    assert back_off.until("a") == 52.0
