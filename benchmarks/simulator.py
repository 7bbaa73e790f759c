"""The simulator: what an event costs of a network of real cores with cheap signatures, under a virtual clock."""

from __future__ import annotations

from benchmarks.harness import Options, Result, by_turns, cpu_of
from nearnet.sim.play import Player
from nearnet.sim.scenarios import find

SCENARIO = "60"
SMALL = "2"


def run(options: Options) -> list[Result]:
    """Per event, in units of one verification."""
    scenario = find(SMALL if options.small else SCENARIO)
    events = [0]

    def play(number: int) -> float:
        player = Player(scenario, seed=number)
        seconds = cpu_of(player.run)
        events[0] = player.world.events
        return seconds / events[0]

    turns = by_turns(play, options)
    detail = f"{scenario.name}: {events[0]} events"
    return [turns.result("simulator, per event", "x a verification", None, detail)]
