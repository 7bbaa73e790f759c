"""The simulator: what an event costs of a network of real cores with cheap signatures, and an hour of a quiet one."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.harness import Options, Result, by_turns, cpu_of
from nearnet.sim.play import Player
from nearnet.sim.scenarios import find
from nearnet.sim.steps import Wait

SCENARIO = "60"
SMALL = "2"
NODES = 100
HOUR = 3600.0
MOST = 10.0
"""Processor seconds of one core that an hour of a hundred quiet nodes may take."""


def _events(options: Options) -> Result:
    """In units of one verification."""
    scenario = find(SMALL if options.small else SCENARIO)
    events = [0]

    def play(number: int) -> float:
        player = Player(scenario, seed=number)
        seconds = cpu_of(player.run)
        events[0] = player.world.events
        return seconds / events[0]

    turns = by_turns(play, options)
    detail = f"{scenario.name}: {events[0]} events"
    return turns.result("simulator, per event", "x a verification", None, detail)


def _quiet(dialect: str, options: Options) -> Result:
    """The hour after they joined; virtual time, of which less is looked at where little work is asked for."""
    join = find("join", options.size(NODES, 10))
    player = Player(replace(join, setup=replace(join.setup, nearnet={"dialect": dialect})))
    player.run()
    part = options.size(1, 10)
    before = player.world.events
    seconds = part * cpu_of(lambda: player.perform(Wait(HOUR / part)))
    detail = f"{part * (player.world.events - before)} events"
    return Result(f"simulator, an hour of {NODES} quiet nodes, {dialect}", seconds, "s", MOST, detail)


def run(options: Options) -> list[Result]:
    """An event; an hour in each dialect."""
    return [_events(options), *(_quiet(dialect, options) for dialect in ("borsh", "protobuf"))]
