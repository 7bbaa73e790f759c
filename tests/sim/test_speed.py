"""What the simulator must reach, in processor seconds of one core."""

import resource
import time
from dataclasses import replace

import pytest

from nearnet.sim.play import Player, play
from nearnet.sim.scenarios import find
from nearnet.sim.steps import Wait


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_hour_of_a_hundred_quiet_nodes_takes_at_most_ten_seconds():
    player = Player(find("join", 100))
    player.run()
    before, events = time.process_time(), player.world.events
    player.perform(Wait(3600))
    assert time.process_time() - before <= 10.0
    assert player.world.events - events < 50_000, "nothing ticks: some events per node and minute"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_minutes_of_a_hundred_quiet_nodes_of_today():
    """They ask each neighbour for peers every minute, and renew each nonce every ten: that much is to be done."""
    join = find("join", 100)
    player = Player(replace(join, setup=replace(join.setup, nearnet={"dialect": "protobuf"})))
    player.run()
    before, events = time.process_time(), player.world.events
    player.perform(Wait(600))
    assert time.process_time() - before <= 12.0
    assert player.world.events - events < 40_000


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_a_thousand_nodes_join_within_ten_minutes_and_four_gigabytes():
    before = time.process_time()
    result = play(find("join", 1000))
    assert result.failure is None
    assert time.process_time() - before <= 600.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 <= 4 * 2**30
