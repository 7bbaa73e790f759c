"""How long the core was busy with what."""

from __future__ import annotations

from nearnet.net.loop_times import INPUTS, LoopTimes


def test_each_kind_of_input_has_its_own() -> None:
    timings = LoopTimes()
    timings.input("timer", 0.00015)
    timings.received.observe(1.0)
    timings.input("lost", 0.1)
    timings.input("dialed", 0.1)
    assert timings.inputs.keys() == set(INPUTS.values())
    assert sum(timings.inputs["connection"].counts) == 2
    assert timings.inputs["timer"].counts[:3] == [0, 1, 0]
    assert timings.inputs["received"].total == 1.0
    assert timings.inputs["timer"].bounds[:2] == (0.0001, 0.0002)
    assert len(timings.inputs["timer"].bounds) == 15
