from nearnet.sim.conditions import Connected, NotConnected
from nearnet.sim.play import play
from nearnet.sim.shrinking import kind_of, shrink
from nearnet.sim.steps import Connect, Disconnect, Ping, Scenario, Wait, Within


def test_a_long_timeline_becomes_the_two_steps_that_matter():
    noise = tuple(step for _ in range(10) for step in (Ping(0, 1), Wait(0.3), Disconnect(1, 2)))
    steps = (*noise, Connect(0, 1), *noise, Wait(2), Within(0, NotConnected(0, 1)), *noise)
    failed = play(Scenario("made here", "for tests", 3, steps, quiet=False))
    assert failed.failure is not None
    short, tries = shrink(failed, explore=False)
    assert len(short.scenario.steps) <= 3
    assert Connect(0, 1) in short.scenario.steps
    assert kind_of(short.failure) == kind_of(failed.failure)
    assert tries < 200


def test_what_cannot_be_shorter_stays():
    failed = play(Scenario("made here", "for tests", 2, (Within(1, Connected(0, 1)),), quiet=False))
    short, _ = shrink(failed, explore=False)
    assert short.scenario.steps == failed.scenario.steps


def test_kinds_of_failures():
    assert kind_of("at 3.123 s, not within 5 s: x") == "expectation"
    assert kind_of("agreement: <SimNode 1> and <SimNode 2> differ") == "agreement"
    assert kind_of("KeyError in add (table.py): 3") == kind_of("KeyError in add (table.py): 4")
