"""The collector's thresholds inside and after; a cycle goes at the next full collection."""

import asyncio
import gc
import weakref

from nearnet.tools import collecting
from nearnet.tools.collecting import YOUNG, collecting_seldom


class Cycle:
    def __init__(self):
        self.itself = self


async def test_what_is_old_is_collected_now_and_then(monkeypatch):
    before = gc.get_threshold()
    monkeypatch.setattr(collecting, "FULL_COLLECTION", 0.01)
    gc.disable()
    with collecting_seldom():
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[:2] == (YOUNG, before[1])
        assert gc.get_threshold()[2] > 10**9
        for _ in range(2):
            old = Cycle()
            gc.collect()  # it is in the oldest generation now
            gone = weakref.ref(old)
            del old
            async with asyncio.timeout(5):
                while gone() is not None:
                    await asyncio.sleep(0.005)
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
