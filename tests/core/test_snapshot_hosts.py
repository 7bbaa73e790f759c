"""Hosts of snapshots: told, kept, relayed, refused (`behaviour.md` §10)."""

import pytest
from hand import Core, key_of

from nearnet.core.snapshot_hosts import HOSTS_AT_ONCE, MOST_SHARDS
from nearnet.errors import ReasonForBan
from nearnet.keys import CryptoHash
from nearnet.wire.messages_today import SnapshotHostInfo, SyncSnapshotHosts


def host(name="host", height=7, shards=(0, 2**63), signer=None):
    unsigned = SnapshotHostInfo(key_of(name).public_key, CryptoHash.of(b"sync"), height, tuple(shards), b"")
    signature = (signer or key_of(name)).sign(unsigned.digest())
    return SnapshotHostInfo(unsigned.peer_id, unsigned.sync_hash, height, tuple(shards), signature)


def today(core, name):
    return core.ready(name, dialect="protobuf")


def told(hand):
    return [one.hosts for one in hand.told(SyncSnapshotHosts)]


@pytest.mark.scenario(95)
def test_all_are_told_at_ready_and_news_at_once():
    core = Core()
    hand = core.hand("a", dialect="protobuf")
    assert SyncSnapshotHosts(()) in hand.shake(), "an empty list too"
    hand.say(SyncSnapshotHosts((host(),)))
    other = core.hand("b", dialect="protobuf")
    assert SyncSnapshotHosts((host(),)) in other.shake()
    old = core.ready("old")
    hand.say(SyncSnapshotHosts((host("another"), host())))
    assert told(other) == [(host("another"),)]
    assert told(hand) == told(old) == []
    hand.say(SyncSnapshotHosts((host(height=8),)))
    assert told(other) == [(host(height=8),)]


@pytest.mark.scenario(95)
def test_no_shards_and_old_epochs_are_ignored():
    core = Core()
    hand, other = today(core, "a"), today(core, "b")
    for one in (host(), host(height=6), host("empty", shards=())):
        hand.say(SyncSnapshotHosts((one,)))
    assert core.manager.snapshot_hosts.all() == [host()]
    assert told(other) == [(host(),)]
    assert hand.peer.is_ready


@pytest.mark.scenario(95)
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (host("bad", signer=key_of("x")), ReasonForBan.INVALID_SIGNATURE),
        (host("good", height=9), ReasonForBan.ABUSIVE),
        (host("bad", shards=range(MOST_SHARDS + 1)), ReasonForBan.ABUSIVE),
    ],
    ids=["forged", "twice", "too many shards"],
)
def test_offences(bad, reason):
    core = Core()
    hand, other = today(core, "a"), today(core, "b")
    hand.say(SyncSnapshotHosts((host("good"), bad, host("after"))))
    assert hand.ban is reason
    assert told(other) == [(host("good"),)]


@pytest.mark.scenario(95)
def test_the_oldest_leave_first():
    core = Core(snapshot_hosts_cache_size=3)
    hand = today(core, "a")
    for n in range(5):
        hand.say(SyncSnapshotHosts((host(f"h {n}"),)))
    assert core.manager.snapshot_hosts.all() == [host(f"h {n}") for n in (2, 3, 4)]


def test_many_are_verified_in_pieces():
    core = Core()
    hand, other = today(core, "a"), today(core, "b")
    hosts = tuple(host(f"h {n}") for n in range(HOSTS_AT_ONCE + 2))
    hand.say(SyncSnapshotHosts((*hosts, hosts[0])))
    assert len(core.manager.snapshot_hosts.all()) == HOSTS_AT_ONCE
    assert hand.ban is None
    core.advance(0.001)
    assert [len(one) for one in told(other)] == [HOSTS_AT_ONCE, 2]
    assert hand.ban is ReasonForBan.ABUSIVE
    core = Core()
    hand = today(core, "a")
    hand.say(SyncSnapshotHosts(hosts))
    core.manager.lost(hand.peer, "gone", core.now)
    core.advance(0.001)
    assert len(core.manager.snapshot_hosts.all()) == HOSTS_AT_ONCE
