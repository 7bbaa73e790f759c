"""Every scenario in the simulator, under three seeds."""

import re
from pathlib import Path

import pytest

from nearnet.errors import ConfigError
from nearnet.sim.play import play
from nearnet.sim.scenarios import ALL, UNIT_TESTS, find

COSTLY = {"zero frames", "saturation", "tables 4", "tables 6", "tables 7"}
"""Seconds each: many bytes, or many edges."""

ROOT = Path(__file__).resolve().parents[2]
NUMBERED = [scenario.number for scenario in ALL if scenario.number is not None]
NOT_OURS = {80, 85, 94, 98}
"""Not of this program: no parts of the state, no distance vectors, no tier 1, no demultiplexer (`scenarios.md`)."""


HELD = {
    9: "vanished",
    10: "a reader that stops",
    16: "a wrong signature",
    25: "ourselves",
    26: "the second of two",
    36: "saturation",
    40: "slow but honest",
    43: "forgotten edges",
    64: "full disks",
    67: "clocks",
    69: "partition",
    70: "crash loop",
    71: "paused",
}
"""Rows of the threat table, and the scenario that proves each by simulation."""


@pytest.mark.threat(9, 10, 16, 25, 26, 36, 40, 43, 64, 67, 69, 70, 71)
@pytest.mark.scenario(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26)
@pytest.mark.scenario(27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 51, 57, 58, 59, 60)
@pytest.mark.scenario(61, 62, 63, 64, 65, 67, 69, 70, 71, 72, 73, 79, 81, 82, 86, 87, 88, 89)
@pytest.mark.parametrize(
    "scenario",
    [pytest.param(one, marks=pytest.mark.slow) if one.name in COSTLY else one for one in ALL],
    ids=lambda scenario: scenario.label,
)
def test_it_holds(scenario):
    for seed in (0,) if scenario.name in COSTLY or scenario.nodes > 10 else (0, 1, 2):
        result = play(scenario, seed)
        assert result.failure is None, f"nearnet sim run {scenario.label!r} --seed {seed}: {result.failure}"


def _marked(name):
    """Return the numbers in the marks of that name on the test above."""
    return [number for mark in test_it_holds.pytestmark if mark.name == name for number in mark.args]


def test_all_numbers_are_there_once():
    assert len(NUMBERED) == len(set(NUMBERED))
    assert {*range(1, 100)} - {*NUMBERED, *UNIT_TESTS} == NOT_OURS


def test_the_marks_name_all_numbers():
    assert sorted(_marked("scenario")) == sorted(NUMBERED)


def test_the_marks_name_all_rows_of_the_threat_table():
    assert _marked("threat") == list(HELD)
    assert all(find(name).name == name for name in HELD.values())


def test_unit_tests_are_where_they_are_said_to_be():
    for number, where in UNIT_TESTS.items():
        assert re.search(rf"mark\.scenario\([\d, ]*\b{number}\b", (ROOT / where).read_text()), (number, where)


def test_names_are_all_different():
    assert len({scenario.name for scenario in ALL}) == len(ALL)


def test_those_for_real_sockets_are_those_of_the_specification():
    real = {*range(1, 17), *range(18, 23), *range(25, 36), 51, 58, 63, 64, 65, 71, 72, 73, 79} - {17}
    assert {scenario.number for scenario in ALL if scenario.real} == real


def test_find():
    assert find("12") is find("broken square") is find("broken-square")
    assert find("join", 40).nodes == 40
    assert find("chaos", 7).nodes == 7
    with pytest.raises(ConfigError, match="is proved by tests/core"):
        find("48")
    with pytest.raises(ConfigError, match="sim list names them"):
        find("nonsense")
    with pytest.raises(ConfigError, match="--nodes is for others"):
        find("12", 9)
