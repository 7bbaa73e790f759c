"""Nothing ticks: what a quiet network costs, in events. Their time is measured in `benchmarks/simulator.py`."""

import resource
from dataclasses import replace

import pytest

from nearnet.sim.play import Player, play
from nearnet.sim.scenarios import find
from nearnet.sim.steps import Wait


def events_of(dialect: str, seconds: float) -> int:
    """Of a hundred nodes that have joined, in so many seconds in which nothing happens."""
    join = find("join", 100)
    player = Player(replace(join, setup=replace(join.setup, nearnet={"dialect": dialect})))
    player.run()
    before = player.world.events
    player.perform(Wait(seconds))
    return player.world.events - before


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_hour_of_a_hundred_quiet_nodes():
    assert events_of("borsh", 3600) < 50_000, "less than ten a minute for each node"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_minutes_of_a_hundred_quiet_nodes_of_today():
    """They ask each neighbor for peers every minute, and renew each nonce every ten: that much is to be done."""
    assert events_of("protobuf", 600) < 40_000


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_a_thousand_nodes_join_within_four_gigabytes():
    assert play(find("join", 1000)).failure is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 <= 4 * 2**30
