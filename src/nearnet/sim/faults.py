"""Random faults in the shell and the store, each at a point with a name ("buggify"): what real machines do seldom.

Only while exploring, all from the seed. `counts` says how often each point struck, so that none stays untried.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nearnet.sim.disk import Disk
    from nearnet.sim.timeline import Timeline

__all__ = ["POINTS", "Faults"]

POINTS = {
    "split": 0.02,
    "slow validator": 0.05,
    "slow graph": 0.05,
    "late timer": 0.02,
}
"""How often each strikes, of the times that it could."""

_LONGEST_SPLIT = 7


class Faults:
    """The faults of one world."""

    def __init__(self, timeline: Timeline, disks: bool = True) -> None:
        self._timeline = timeline
        self._rng = timeline.random("faults")
        self.counts: dict[str, int] = {}
        self.disks = disks
        self._calm = False

    def calm(self) -> None:
        """No more faults from now on."""
        self.disks, self._calm = False, True

    def strikes(self, point: str, chance: float | None = None) -> bool:
        """Whether this point misbehaves this time; counted."""
        if self._calm or self._rng.random() >= (POINTS[point] if chance is None else chance):
            return False
        self.counts[point] = self.counts.get(point, 0) + 1
        return True

    def pieces(self, data: bytes) -> list[bytes]:
        """A write as it arrives: mostly whole, else cut at random places."""
        if len(data) < 2 or not self.strikes("split"):
            return [data]
        count = min(self._rng.randrange(2, _LONGEST_SPLIT), len(data))
        places = sorted(self._rng.sample(range(1, len(data)), count - 1))
        return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]

    def validator_delay(self) -> float:
        """Seconds that the EdgeValidator takes: mostly none."""
        return self._rng.uniform(0.0, 0.5) if self.strikes("slow validator") else 0.0

    def graph_delay(self) -> float:
        """Seconds that next hops take."""
        return self._rng.uniform(0.0, 1.5) if self.strikes("slow graph") else 0.0

    def lateness(self) -> float:
        """Seconds by which a timer is late."""
        return self._rng.uniform(0.0, 0.1) if self.strikes("late timer") else 0.0

    def trouble_disk(self, disk: Disk) -> None:
        """Make this disk slow from now on, and full for a while now and then."""
        disk.latency = (0.001, 0.3)
        self._timeline.later(self._rng.uniform(1.0, 60.0), partial(self._fill, disk))

    def _fill(self, disk: Disk) -> None:
        if not self.disks:
            return
        self.counts["full disk"] = self.counts.get("full disk", 0) + 1
        disk.full = True
        self._timeline.later(self._rng.uniform(0.5, 20.0), partial(self._free, disk))

    def _free(self, disk: Disk) -> None:
        disk.full = False
        self._timeline.later(self._rng.uniform(1.0, 120.0), partial(self._fill, disk))
