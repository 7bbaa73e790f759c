import random

from nearnet.core.runtime.actions import Persist, Write
from nearnet.sim.disk import Disk, Writer

ROW = Write("Peers", b"a", b"1")


class Alarm:
    """Calls that are to be made later, made by hand."""

    def __init__(self) -> None:
        self.calls = []

    def later(self, seconds, call):
        self.calls.append((seconds, call))

    def ring(self):
        (seconds, call), *self.calls = self.calls
        call()
        return seconds


def writer(disk, seed=1):
    alarm, stored = Alarm(), []
    return Writer(disk, random.Random(seed), alarm.later, stored.extend), alarm, stored


def test_rows_are_seen_at_once_and_committed_within_a_second():
    disk = Disk()
    one, alarm, stored = writer(disk)
    one.add(Persist((ROW,), token=7))
    assert one.overlay.get("Peers", b"a") == b"1"
    assert disk.rows.get("Peers", b"a") is None
    assert alarm.ring() == 1.0
    assert disk.rows.get("Peers", b"a") == b"1"
    assert (stored, disk.commits) == ([7], 1)


def test_a_ban_does_not_wait():
    one, alarm, _ = writer(Disk())
    one.add(Persist((ROW,)))
    one.add(Persist((Write("Peers", b"b", b"2"),), urgent=True))
    assert [seconds for seconds, _ in alarm.calls] == [1.0, 0.0]
    alarm.calls.reverse()
    alarm.ring()
    assert one.overlay.is_idle
    alarm.ring()  # The slower alarm finds nothing to do.
    assert one.overlay.is_idle


def test_a_full_disk_is_tried_again_later_and_later_and_loses_nothing():
    disk = Disk()
    disk.full = True
    one, alarm, stored = writer(disk)
    one.add(Persist((ROW,), token=1))
    waits = [alarm.ring() for _ in range(8)]
    assert waits == [1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]
    assert one.degraded
    disk.full = False
    alarm.ring()
    assert (disk.rows.get("Peers", b"a"), stored, one.degraded) == (b"1", [1], False)


def test_a_crash_leaves_a_transaction_whole_or_not_at_all():
    ends = set()
    for seed in range(20):
        disk = Disk(latency=(0.1, 0.1))
        one, alarm, stored = writer(disk, seed)
        one.add(Persist((ROW, Write("Peers", b"b", b"2")), token=1))
        alarm.ring()
        one.crash()
        alarm.ring()
        assert stored == []
        ends.add((disk.rows.get("Peers", b"a"), disk.rows.get("Peers", b"b")))
    assert ends == {(None, None), (b"1", b"2")}


def test_a_clean_stop_stores_all():
    disk = Disk(latency=(0.1, 0.2))
    one, alarm, _ = writer(disk)
    one.add(Persist((ROW,)))
    alarm.ring()
    one.add(Persist((Write("Peers", b"b", b"2"),)))
    one.close()
    assert (disk.rows.get("Peers", b"a"), disk.rows.get("Peers", b"b")) == (b"1", b"2")


def test_a_clean_stop_on_a_full_disk_ends():
    disk = Disk()
    disk.full = True
    one, _, _ = writer(disk)
    one.add(Persist((ROW,)))
    one.close()
    assert disk.commits == 0


def test_a_wiped_disk_is_as_new_but_for_its_speed():
    disk = Disk(latency=(0.1, 0.2))
    one, alarm, _ = writer(disk)
    one.add(Persist((ROW,)))
    alarm.ring()
    alarm.ring()
    assert disk.rows.get("Peers", b"a") == b"1"
    one.add(Persist((Write("Peers", b"b", b"2"),)))
    alarm.ring()
    disk.full = True
    disk.wipe()
    one.crash()
    assert disk.rows.is_empty("Peers"), "what was under way is lost too"
    assert (disk.full, disk.commits, disk.latency) == (False, 0, (0.1, 0.2))
