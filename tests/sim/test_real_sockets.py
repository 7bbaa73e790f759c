"""The scenarios marked R, from the same data, on real loopback sockets."""

import pytest
from real_runner import RealRunner

from nearnet.sim.scenarios import ALL
from nearnet.sim.steps import Crash

REAL = [
    pytest.param(scenario, marks=pytest.mark.slow) if Crash(6) in scenario.steps else scenario
    for scenario in ALL
    if scenario.real
]


@pytest.mark.slow
@pytest.mark.scenario(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 25, 26, 27, 28, 29)
@pytest.mark.scenario(30, 31, 32, 33, 34, 35, 51, 58, 63, 64, 65, 71, 72, 73, 79)
@pytest.mark.parametrize("scenario", REAL, ids=lambda scenario: scenario.label)
async def test_it_holds_on_real_sockets(scenario):
    async with RealRunner(scenario) as runner:
        await runner.play()
