import gc

import pytest

from nearnet.sim.timeline import Timeline, TooBusy


def test_time_is_that_of_the_next_event_and_nothing_ticks():
    timeline = Timeline()
    seen = []
    timeline.later(5.0, lambda: seen.append(("b", timeline.time)))
    timeline.at(1.0, lambda: seen.append(("a", timeline.time)))
    timeline.at(1.0, lambda: seen.append(("after a", timeline.time)))
    assert not timeline.run(3.0)
    assert (seen, timeline.time, timeline.events) == ([("a", 1.0), ("after a", 1.0)], 3.0, 2)
    assert timeline.run(100.0, until=lambda: len(seen) == 3)
    assert timeline.time == 5.0


def test_a_run_that_goes_round_and_round_ends():
    timeline = Timeline()
    timeline.most_events = 1000

    def again() -> None:
        timeline.later(0.0, again)

    again()
    with pytest.raises(TooBusy, match="1001 events"):
        timeline.run(1.0)


def test_a_moment_that_never_ends():
    timeline = Timeline()

    def again():
        timeline.later(0.0, again)

    again()
    with pytest.raises(TooBusy, match="20001 events"):
        timeline.run(1)


def test_every_name_has_a_random_source_of_its_own():
    assert Timeline(1).random("a").random() == Timeline(1).random("a").random()
    numbers = {Timeline(seed).random(name).random() for seed in (1, 2) for name in ("a", "b")}
    assert len(numbers) == 4


def test_the_collector_rests_while_time_passes():
    timeline, seen = Timeline(), []
    timeline.later(1.0, lambda: seen.append(gc.isenabled()))
    before = gc.isenabled()
    timeline.run(2.0)
    assert (seen, gc.isenabled()) == ([False], before)
