"""Token buckets by kind: their arithmetic, the defaults of each dialect, and what the config changes."""

import math
import random

import pytest
from peer_fakes import START, peer_id
from pydantic import ValidationError

from nearnet.config.models import MessageRate, TablesPerSecond
from nearnet.config.models import MessageRates as Configured
from nearnet.core.peer.peer import Outbox, Peer
from nearnet.core.peer.rates import KindBuckets, KindRates, MessageRates
from nearnet.core.runtime.limits import TokenBucket
from nearnet.wire.dialect import dialect_named
from nearnet.wire.message_kinds import BODIES, KINDS, MESSAGES, Rate
from nearnet.wire.messages import SocketAddress

T = START.mono
ENDORSEMENT = 24


def a_peer(rates, dialect="protobuf"):
    peer = Peer(1, SocketAddress("127.0.0.1", 5), Outbox(1000), START)
    peer.dialect = dialect_named(dialect)
    peer.peer_id = peer_id(1)
    rates.begin(peer, T)
    return peer


def made(configured=None, **tables):
    return MessageRates(configured or {}, TablesPerSecond.model_validate(tables))


def bucket(burst, rate, initial=None, mono=T):
    refused = {}
    return KindBuckets(KindRates({0: Rate(burst, rate, initial)}, refused), mono), refused


# --- one bucket ----------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0.0, T, 86_400.0 * 365, 1e9 + 0.1])
@pytest.mark.parametrize("burst", [1, 10, 30_000])
def test_as_many_as_the_burst_at_once_and_not_one_more(start, burst):
    one, refused = bucket(burst, float(burst), mono=start)
    assert sum(one.take(0, start) for _ in range(burst + 1)) == burst
    assert refused == {KINDS[0].name: 1}


def test_each_token_comes_back_in_its_time():
    one, _ = bucket(2, 4.0)
    assert [one.take(0, T) for _ in range(3)] == [True, True, False]
    assert not one.take(0, T + 0.24)
    assert one.take(0, T + 0.25)
    assert not one.take(0, T + 0.26)
    assert [one.take(0, T + 100) for _ in range(3)] == [True, True, False], "never above the burst"


def test_a_bucket_that_is_not_full_at_first():
    one, _ = bucket(10, 2.5, initial=5)
    assert sum(one.take(0, T) for _ in range(7)) == 5
    assert sum(one.take(0, T + 2) for _ in range(7)) == 5
    full, _ = bucket(10, 2.5, initial=50)
    assert sum(full.take(0, T) for _ in range(20)) == 10


@pytest.mark.parametrize("burst", [0, 3])
def test_a_bucket_that_is_never_filled_again(burst):
    one, _ = bucket(burst, 0.0)
    assert sum(one.take(0, T + n) for n in range(10)) == burst
    assert not one.take(0, T + 1e9)


def test_no_burst_takes_nothing():
    one, refused = bucket(0, 5.0)
    assert not one.take(0, T + 100)
    assert refused == {KINDS[0].name: 1}


def test_a_clock_that_goes_back_gives_nothing():
    one, _ = bucket(1, 1.0)
    assert one.take(0, T)
    assert not one.take(0, T - 10)
    assert one.take(0, T + 1)


def test_as_an_exact_bucket_of_tokens():
    chance = random.Random(5)
    one, _ = bucket(7, 3.0)
    exact, at = TokenBucket(3.0, 7, T), T
    for _ in range(2000):
        at += chance.choice([0.0, 0.01, 0.2, 1.0])
        assert one.take(0, at) == exact.take(at)


# --- defaults ------------------------------------------------------------------------------------


@pytest.mark.threat(53)
@pytest.mark.scenario(78)
@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
def test_one_epoch_sync_request_in_30_seconds_from_each_peer(dialect):
    rates = made()
    a, b = a_peer(rates, dialect), a_peer(rates, dialect)
    assert rates.allow(a, "EpochSyncRequest", T)
    assert not rates.allow(a, "EpochSyncRequest", T)
    assert not rates.allow(a, "EpochSyncRequest", T + 29.9)
    assert rates.allow(b, "EpochSyncRequest", T + 1)
    assert rates.allow(a, "EpochSyncRequest", T + 30)
    assert rates.refused == {"EpochSyncRequest": 2}


@pytest.mark.interop("rates by kind")
@pytest.mark.parametrize("number", [at for at, kind in enumerate(KINDS) if kind.rate is not None])
@pytest.mark.interop("rates by kind")
def test_protobuf_peers_have_the_rates_of_the_reference_node(number):
    rates, kind = made(), KINDS[number]
    assert kind.rate is not None
    if kind.name == "SyncRoutingTable":
        assert all(rates.allow(a_peer(rates), kind.name, T) for _ in range(100)), "paced, not dropped"
        return
    burst = kind.rate.maximum_size
    buckets = a_peer(rates).rates
    assert sum(buckets.take(number, T) for _ in range(burst + 5)) == burst
    assert rates.refused == {kind.name: 5}


def test_borsh_peers_have_none_but_one():
    rates = made()
    peer = a_peer(rates, "borsh")
    assert peer.body_rates is None
    assert peer.relay_rates is None
    for kind in MESSAGES.keys() - {"EpochSyncRequest"}:
        assert all(rates.allow(peer, kind, T) for _ in range(200))
    assert rates.refused == {}


def test_what_is_never_limited():
    rates = made()
    peer = a_peer(rates)
    assert peer.body_rates is peer.rates
    assert all(peer.rates.take(14, T) and peer.rates.take(BODIES - 1, T) for _ in range(40_000))
    assert all(rates.allow(peer, kind, T) for kind in ("Challenge", "Disconnect", "Other") for _ in range(1000))


def test_before_ready_nothing_is_limited():
    rates = made()
    peer = Peer(1, SocketAddress("127.0.0.1", 5), Outbox(1000), START)
    assert all(rates.allow(peer, "EpochSyncRequest", T) for _ in range(3))


def test_what_is_passed_on_is_counted_by_the_default_rates():
    rates = made({"BlockApproval": None})
    peer = a_peer(rates)
    assert sum(peer.relay_rates.take(0, T) for _ in range(2003)) == 2000
    assert rates.above == {"BlockApproval": 3}
    assert rates.refused == {}


# --- the config ----------------------------------------------------------------------------------


@pytest.mark.scenario(76)
@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
def test_an_honest_pace_is_never_hit(dialect):
    """5 at the start, 10 at most, 2.5 a second: of 7 at once some are refused, 4 every 2 seconds are all taken."""
    rates = made({"BlockRequest": MessageRate(maximum_size=10, refill_rate=2.5, initial_size=5)})
    peer = a_peer(rates, dialect)
    assert sum(rates.allow(peer, "BlockRequest", T) for _ in range(7)) == 5
    assert all(rates.allow(peer, "Transaction", T) for _ in range(7))
    for turn in range(1, 4):
        assert all(rates.allow(peer, "BlockRequest", T + 2 * turn) for _ in range(4))


@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
def test_a_limit_can_be_lifted(dialect):
    rates = made({"EpochSyncRequest": None, "OptimisticBlock": None})
    peer = a_peer(rates, dialect)
    assert all(rates.allow(peer, kind, T) for kind in ("EpochSyncRequest", "OptimisticBlock") for _ in range(100))
    assert rates.refused == {}


def test_routed_bodies_are_limited_by_any_of_their_names():
    few = MessageRate(maximum_size=2, refill_rate=0)
    peer = a_peer(made({"ChunkEndorsement": few, "PartialEncodedStateWitness": few}), "borsh")
    for number in (24, 22, 40):
        assert [peer.body_rates.take(number, T) for _ in range(3)] == [True, True, False]
    assert peer.body_rates.take(23, T)


def test_the_name_of_one_kind_wins_over_that_of_several():
    one, two = MessageRate(maximum_size=1, refill_rate=0), MessageRate(maximum_size=2, refill_rate=0)
    configured = {"VersionedPartialEncodedStateWitness": one, "PartialEncodedStateWitness": two, "NoSuchKind": one}
    peer = a_peer(made(configured))
    assert sum(peer.rates.take(22, T) for _ in range(5)) == 2
    assert sum(peer.rates.take(40, T) for _ in range(5)) == 1


def test_tables_are_paced_by_dialect_or_as_the_operator_says():
    rates = made()
    for dialect, burst, second in (("borsh", 50, 25), ("protobuf", 20, 10)):
        paced = rates.tables(a_peer(rates, dialect), T)
        assert (paced.burst, paced.rate) == (burst, second)
    assert made(protobuf={"burst": 4}).tables(a_peer(rates), T).burst == 4
    told = made({"SyncRoutingTable": MessageRate(maximum_size=3, refill_rate=2, initial_size=1)})
    for dialect in ("borsh", "protobuf"):
        paced = told.tables(a_peer(told, dialect), T)
        assert (paced.burst, paced.rate, paced.tokens(T)) == (3, 2, 1)
        assert made({"SyncRoutingTable": None}).tables(a_peer(told, dialect), T) is None
        assert told.allow(a_peer(told, dialect), "SyncRoutingTable", T)


@pytest.mark.scenario(77)
def test_the_config_takes_no_nonsense():
    assert Configured.model_validate({"rate_limits": {"Block": None}}).rate_limits == {"Block": None}
    for rate in (-1.0, math.nan, math.inf):
        with pytest.raises(ValidationError):
            MessageRate(maximum_size=1, refill_rate=rate)
    with pytest.raises(ValidationError):
        MessageRate(maximum_size=-1, refill_rate=1)
