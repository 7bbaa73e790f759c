import pytest

from nearnet.core.runtime.clock import Now
from nearnet.core.runtime.timers import Timers


def at(mono: float) -> Now:
    return Now(mono, 0.0)


def test_runs_in_order_of_deadline_then_of_arming():
    timers, seen = Timers(), []
    timers.at(2.0, lambda now: seen.append(("b", now.mono)))
    timers.at(1.0, lambda now: seen.append(("a", now.mono)))
    timers.at(2.0, lambda now: seen.append(("c", now.mono)))
    timers.run(at(0.5))
    assert seen == []
    assert timers.next() == 1.0
    timers.run(at(2.0))
    assert seen == [("a", 2.0), ("b", 2.0), ("c", 2.0)]
    assert timers.next() is None


def test_cancelled_never_runs():
    timers, seen = Timers(), []
    timer = timers.at(1.0, seen.append)
    later = timers.at(1.0, lambda now: seen.append("later"))
    assert timer.armed
    timer.cancel()
    assert not timer.armed
    timers.run(at(1.0))
    assert seen == ["later"]
    later.cancel()
    first, second = timers.at(3.0, seen.append), timers.at(4.0, seen.append)
    first.cancel()
    assert timers.next() == 4.0
    second.cancel()
    assert timers.next() is None


def test_what_is_armed_for_now_waits_for_the_next_run():
    timers, seen = Timers(), []

    def again(now: Now) -> None:
        seen.append(now.mono)
        timers.at(now.mono, again)

    timers.at(1.0, again)
    timers.run(at(1.0))
    assert seen == [1.0]
    timers.run(at(1.0))
    assert seen == [1.0, 1.0]


def test_a_timer_may_cancel_another_that_is_due():
    timers, seen = Timers(), []
    victim = None
    timers.at(1.0, lambda now: victim.cancel())
    victim = timers.at(1.0, lambda now: seen.append("victim"))
    timers.run(at(1.0))
    assert seen == []


def test_a_fault_in_one_loses_no_other():
    timers, seen = Timers(), []

    def fail(now: Now) -> None:
        raise ValueError("a fault")

    def arm(now: Now) -> None:
        timers.at(1.0, lambda now: seen.append("armed"))
        timers.at(0.5, lambda now: seen.append("earlier"))

    timers.at(1.0, arm)
    timers.at(1.0, fail)
    timers.at(1.0, lambda now: seen.append("last"))
    with pytest.raises(ValueError, match="a fault"):
        timers.run(at(1.0))
    timers.run(at(1.0))
    assert seen == ["earlier", "last", "armed"]


def test_cancelled_ones_do_not_pile_up():
    timers, seen = Timers(), []
    for number in range(100):
        timers.at(1000.0 + number, lambda now: seen.append(now.mono))
    for number in range(10_000):
        timers.at(5000.0 + number, seen.append).cancel()
    assert len(timers._heap) <= 256
    while (due := timers.next()) is not None:
        timers.run(at(due))
    assert seen == [1000.0 + number for number in range(100)]


def test_a_timer_that_arms_many_runs_on():
    """The heap may be made anew while it is being run."""
    timers, seen = Timers(), []

    def many(now):
        for _ in range(600):
            timers.at(1.0, seen.append).cancel()
        timers.at(1.0, lambda now: seen.append("new"))

    timers.at(1.0, many)
    timers.at(1.0, lambda now: seen.append("old"))
    timers.run(at(1.0))
    assert seen == ["old"]
    timers.run(at(1.0))
    assert seen == ["old", "new"]
