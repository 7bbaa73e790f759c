import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peer_fakes import START, later

from nearnet.core.runtime.limits import COOL_DOWN, LimitCounters, LimitUse, LruDict, LruSet, TokenBucket
from nearnet.errors import ConfigError


class TestTokenBucket:
    def test_burst_then_rate(self):
        bucket = TokenBucket(0.1, 3, 100.0)
        assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
        assert not bucket.take(109.0)
        assert bucket.take(110.0)
        assert bucket.tokens(1e9) == 3

    def test_a_start_above_the_burst_is_clamped(self):
        assert TokenBucket(1, 5, 0.0, initial=10).tokens(0.0) == 5
        assert TokenBucket(1, 5, 0.0, initial=2).tokens(0.0) == 2

    @pytest.mark.parametrize("numbers", [(-1, 1, 0), (math.nan, 1, 0), (1, -1, 0), (1, math.nan, 0), (1, 1, math.nan)])
    def test_negative_numbers_and_nan_are_refused(self, numbers):
        rate, burst, initial = numbers
        with pytest.raises(ConfigError):
            TokenBucket(rate, burst, 0.0, initial)

    def test_zero_refill_never_refills(self):
        bucket = TokenBucket(0, 1, 0.0)
        assert bucket.take(0.0)
        assert not bucket.take(1e12)
        assert bucket.wait(1e12) == math.inf

    def test_a_clock_that_goes_back_changes_nothing(self):
        bucket = TokenBucket(1, 10, 100.0, initial=0)
        assert bucket.tokens(101.0) == 1
        assert bucket.tokens(50.0) == 1
        assert bucket.tokens(101.0) == 1
        assert bucket.tokens(102.0) == 2

    def test_parts_of_a_token_add_up(self):
        bucket = TokenBucket(0.001, 1, 0.0, initial=0)
        step = next(step for step in range(200_000) if bucket.take(step * 0.01))
        assert step * 0.01 == pytest.approx(1000, abs=1)

    def test_no_overflow(self):
        bucket = TokenBucket(2**32 - 1, 2**32 - 1, 0.0)
        assert bucket.take(0.0, 2**32 - 1)
        assert bucket.tokens(1e18) == 2**32 - 1

    def test_wait(self):
        bucket = TokenBucket(2, 10, 0.0, initial=1)
        assert bucket.wait(0.0) == 0.0
        assert bucket.wait(0.0, 5) == 2.0
        assert bucket.wait(0.0, 11) == math.inf

    @given(st.lists(st.floats(0, 100), max_size=30), st.floats(0, 50), st.floats(1, 50))
    def test_never_more_than_burst_and_rate_allow(self, gaps, rate, burst):
        bucket, now, taken = TokenBucket(rate, burst, 0.0), 0.0, 0
        for gap in gaps:
            now += gap
            taken += bucket.take(now)
        assert taken <= burst + rate * now + 1e-6


def test_lru_dict():
    lru: LruDict[str, int] = LruDict(2)
    assert lru.put("a", 1) is None
    assert lru.put("b", 2) is None
    assert lru.get("a") == 1
    assert lru.put("c", 3) == ("b", 2)
    assert lru.get("b") is None
    assert lru.put("a", 4) is None
    assert list(lru) == ["c", "a"]
    assert list(lru.values()) == [3, 4]
    assert lru.pop("c") == 3
    assert lru.pop("c") is None
    assert "a" in lru
    assert len(lru) == 1


def test_lru_set():
    lru: LruSet[int] = LruSet(2)
    assert [lru.add(member) for member in (1, 2, 1, 3)] == [True, True, False, True]
    assert [member in lru for member in (1, 2, 3)] == [True, False, True]
    assert len(lru) == 2


def test_counters():
    counters = LimitCounters({"per_ip_on_loopback": False, "pings_per_second": 100})
    counters.hit("pings_per_second")
    counters.hit("cool_down")
    counters.hit("cool_down")
    assert counters.hits("cool_down") == 2
    assert counters.hits("loop_guard") == 0
    assert counters.uses({"pings_per_second": 7}) == [
        LimitUse("per_ip_on_loopback", False, None, 0),
        LimitUse("pings_per_second", 100, 7, 1),
        LimitUse("cool_down", None, None, 2),
    ]


@pytest.mark.threat(16, 59)
def test_a_host_cools_down_after_a_ban():
    counters = LimitCounters({"per_ip_on_loopback": False})
    assert not counters.is_cooling("8.8.8.8", START)
    counters.cool_down("8.8.8.8", START)
    counters.cool_down("2a00:1450:0:1201::1", START)
    for ip in ("8.8.8.8", "::ffff:8.8.8.8", "2a00:1450:0:1299::5"):
        assert counters.is_cooling(ip, later(COOL_DOWN - 0.1))
    assert not counters.is_cooling("8.8.8.9", START)
    assert not counters.is_cooling("8.8.8.8", later(COOL_DOWN))
    assert not counters.is_cooling("8.8.8.8", START), "once over, it is forgotten"


@pytest.mark.parametrize("limited", [False, True])
def test_loopback_cools_down_only_when_told(limited):
    counters = LimitCounters({"per_ip_on_loopback": limited})
    counters.cool_down("127.0.0.1", START)
    assert counters.is_cooling("127.0.0.1", START) is limited
