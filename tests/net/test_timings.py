"""How long the core was busy with what."""

from __future__ import annotations

from nearnet.net.timings import INPUTS, Timings


def test_each_kind_of_input_has_its_own() -> None:
    timings = Timings()
    timings.input("timer", 0.00015)
    timings.received.observe(1.0)
    assert list(timings.inputs) == list(INPUTS)
    assert timings.inputs["timer"].counts[:3] == [0, 1, 0]
    assert timings.inputs["received"].total == 1.0
    assert timings.inputs["timer"].bounds[:2] == (0.0001, 0.0002)
    assert len(timings.inputs["timer"].bounds) == 15
