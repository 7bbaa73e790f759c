from nearnet.sim.disk import Disk
from nearnet.sim.faults import POINTS, Faults
from nearnet.sim.play import play
from nearnet.sim.scenarios import find
from nearnet.sim.timeline import Timeline


def test_pieces_are_the_whole():
    faults = Faults(Timeline())
    data = bytes(range(250))
    cut = [faults.pieces(data) for _ in range(1000)]
    assert all(b"".join(pieces) == data for pieces in cut)
    assert all(all(pieces) for pieces in cut)
    assert 0 < sum(len(pieces) > 1 for pieces in cut) < 100
    assert faults.pieces(b"x") == [b"x"]


def test_none_once_calm():
    faults = Faults(Timeline())
    faults.calm()
    assert {faults.validator_delay() + faults.graph_delay() + faults.lateness() for _ in range(500)} == {0.0}
    assert faults.counts == {}


def test_a_disk_fills_and_empties():
    timeline, disk, seen = Timeline(1), Disk(), set()
    faults = Faults(timeline)
    faults.trouble_disk(disk)
    for _ in range(600):
        timeline.run(0.5)
        seen.add(disk.full)
    assert seen == {False, True}
    faults.calm()
    timeline.run(300)
    assert not disk.full


def test_every_point_is_tried_by_an_exploration():
    counts = dict.fromkeys([*POINTS, "full disk"], 0)
    for seed in range(4):
        for point, count in play(find("chaos"), seed, explore=True).faults.items():
            counts[point] += count
    assert all(counts.values()), counts
