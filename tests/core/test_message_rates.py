import math

import pytest
from peer_fakes import START, later, peer_id
from pydantic import ValidationError

from nearnet.config.models import MessageRate
from nearnet.config.models import MessageRates as Configured
from nearnet.core.message_rates import MessageRates

A, B = peer_id(1), peer_id(2)


@pytest.mark.threat(53)
@pytest.mark.scenario(78)
def test_one_epoch_sync_request_in_30_seconds_from_each_peer():
    rates = MessageRates({})
    assert rates.limits("EpochSyncRequest")
    assert rates.allow(A, "EpochSyncRequest", START)
    assert not rates.allow(A, "EpochSyncRequest", START)
    assert not rates.allow(A, "EpochSyncRequest", later(1))
    assert rates.allow(B, "EpochSyncRequest", later(1))
    assert rates.allow(A, "EpochSyncRequest", later(31))
    assert rates.refused == {"EpochSyncRequest": 2}


@pytest.mark.scenario(76)
def test_an_honest_pace_is_never_hit():
    """5 at the start, 10 at most, 2.5 a second: of 7 at once some are refused, 4 every 2 seconds are all taken."""
    rates = MessageRates({"BlockRequest": MessageRate(maximum_size=10, refill_rate=2.5, initial_size=5)})
    assert sum(rates.allow(A, "BlockRequest", START) for _ in range(7)) == 5
    assert all(rates.allow(A, "Transaction", START) for _ in range(7))
    for turn in range(1, 4):
        assert all(rates.allow(A, "BlockRequest", later(2 * turn)) for _ in range(4))


def test_a_limit_can_be_lifted():
    rates = MessageRates({"EpochSyncRequest": None})
    assert not rates.limits("EpochSyncRequest")
    assert all(rates.allow(A, "EpochSyncRequest", START) for _ in range(100))
    assert rates.refused == {}


def test_each_kind_has_its_own():
    rates = MessageRates({"Block": MessageRate(maximum_size=1, refill_rate=0)})
    assert [rates.allow(A, kind, START) for kind in ("Block", "EpochSyncRequest", "Block")] == [True, True, False]


@pytest.mark.scenario(77)
def test_the_config_takes_no_nonsense():
    assert Configured.model_validate({"rate_limits": {"Block": None}}).rate_limits == {"Block": None}
    for rate in (-1.0, math.nan, math.inf):
        with pytest.raises(ValidationError):
            MessageRate(maximum_size=1, refill_rate=rate)
    with pytest.raises(ValidationError):
        MessageRate(maximum_size=-1, refill_rate=1)
