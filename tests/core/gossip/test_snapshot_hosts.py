"""Hosts of snapshots: told, kept, relayed, refused (`behaviour.md` §10)."""

from dataclasses import replace

import pytest
from hand import Core, key_of

from nearnet.core.gossip.snapshot_hosts import HOSTS_AT_ONCE, HOSTS_WAITING
from nearnet.core.gossip.telling import BEHIND_BYTES
from nearnet.errors import ReasonForBan
from nearnet.keys import CryptoHash, PublicKey, Signature
from nearnet.wire.messages import MOST_SHARDS, SnapshotHostInfo, SyncSnapshotHosts


def host(name="host", height=7, shards=(0, 2**63), signer=None):
    unsigned = SnapshotHostInfo(key_of(name).public_key, CryptoHash.of(b"sync"), height, tuple(shards), b"")
    signature = (signer or key_of(name)).sign(unsigned.digest())
    return SnapshotHostInfo(unsigned.peer_id, unsigned.sync_hash, height, tuple(shards), signature)


def protobuf_peer(core, name):
    return core.ready(name, dialect="protobuf")


def told(hand):
    return [one.hosts for one in hand.told(SyncSnapshotHosts)]


@pytest.mark.scenario(95)
def test_all_are_told_at_ready_and_news_in_batches():
    core = Core()
    hand = core.hand("a", dialect="protobuf")
    assert SyncSnapshotHosts(()) in hand.shake(), "an empty list too"
    hand.say(SyncSnapshotHosts((host(),)))
    other = core.hand("b", dialect="protobuf")
    assert SyncSnapshotHosts((host(),)) in other.shake()
    old = core.ready("old")
    hand.say(SyncSnapshotHosts((host("another"), host())))
    hand.say(SyncSnapshotHosts((host(height=8),)))
    hand.say(SyncSnapshotHosts((host(height=9),)))
    assert told(other) == [], "less than an interval after Ready"
    core.advance(10)
    assert told(other) == [(host("another"), host(height=9))], "the newest form of each"
    assert told(hand) == told(old) == []
    core.advance(30)
    assert told(other) == [], "nothing new"
    hand.say(SyncSnapshotHosts((host(height=10),)))
    core.advance(0.001)
    assert told(other) == [(host(height=10),)], "at once after a long silence"
    hand.say(SyncSnapshotHosts((host(height=11),)))
    core.advance(9.9)
    assert told(other) == []
    core.advance(0.1)
    assert told(other) == [(host(height=11),)]


def test_a_neighbor_that_is_slow_gets_the_newest_form_later():
    core = Core()
    hand, other = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    hand.say(SyncSnapshotHosts((host(), host("another"))))
    other.peer.unsent = BEHIND_BYTES + 1
    core.advance(25)
    assert told(other) == []
    hand.say(SyncSnapshotHosts((host(height=8),)))
    other.peer.unsent = 0
    core.advance(10)
    assert told(other) == [(host("another"), host(height=8))]


def test_what_waits_for_a_neighbor_is_bounded():
    core = Core(nearnet={"timing": {"snapshot_hosts_interval": "60s"}})
    hand, other = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    hosts = [host(f"h {n}") for n in range(HOSTS_WAITING + 1)]
    hand.say(SyncSnapshotHosts(tuple(hosts)))
    core.advance(50)
    assert told(other) == []
    core.advance(10)
    assert told(other) == [tuple(hosts[1:])]
    assert core.manager.context.limits.hits("snapshot_hosts_waiting") == 1


def test_nothing_is_kept_for_a_neighbor_that_has_gone():
    core = Core()
    hand, other = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    core.manager.lost(other.peer, "gone", core.now)
    hand.say(SyncSnapshotHosts((host(),)))
    core.advance(20)
    assert told(other) == []
    assert list(core.manager.snapshot_hosts._relays) == [hand.peer]


@pytest.mark.interop("ML-DSA-65")
def test_hosts_with_a_key_that_is_not_used_are_skipped():
    core = Core()
    hand, other = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    odd = replace(host("odd"), peer_id=PublicKey(b"\2" + bytes(1952)))
    signed = replace(host("signed"), signature=Signature(b"\2" + bytes(3309)))
    hand.say(SyncSnapshotHosts((odd, host(), odd, signed, host("after"))))
    assert core.manager.snapshot_hosts.all() == [host(), host("after")]
    assert core.manager.context.counters["nearnet_unsupported_keys", "SyncSnapshotHosts"] == 3
    assert core.manager.context.limits.hits("unsupported_key") == 3
    assert hand.peer.is_ready
    core.advance(10)
    assert told(other) == [(host(), host("after"))]


@pytest.mark.interop("SyncSnapshotHosts")
def test_a_message_with_too_many_shards_is_dropped_without_a_ban():
    core = Core()
    hand = protobuf_peer(core, "a")
    hand.say(SyncSnapshotHosts((host("good"), host("bad", shards=range(MOST_SHARDS + 1)))))
    assert core.manager.snapshot_hosts.all() == []
    assert hand.peer.is_ready
    assert core.manager.context.counters["nearnet_malformed_messages", ""] == 1
    hand.say(SyncSnapshotHosts((host("good", shards=range(MOST_SHARDS)),)))
    assert len(core.manager.snapshot_hosts.all()) == 1


@pytest.mark.scenario(95)
def test_no_shards_and_old_epochs_are_ignored():
    core = Core()
    hand, other = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    for one in (host(), host(height=6), host("empty", shards=())):
        hand.say(SyncSnapshotHosts((one,)))
    assert core.manager.snapshot_hosts.all() == [host()]
    core.advance(10)
    assert told(other) == [(host(),)]
    assert hand.peer.is_ready


@pytest.mark.scenario(95)
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (host("bad", signer=key_of("x")), ReasonForBan.INVALID_SIGNATURE),
        (host("good", height=9), ReasonForBan.ABUSIVE),
    ],
    ids=["forged", "twice"],
)
def test_offences(bad, reason):
    core = Core()
    hand, other = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    hand.say(SyncSnapshotHosts((host("good"), bad, host("after"))))
    assert hand.ban is reason
    core.advance(10)
    assert told(other) == [(host("good"),)]


@pytest.mark.scenario(95)
def test_the_oldest_leave_first():
    core = Core(snapshot_hosts_cache_size=3)
    hand = protobuf_peer(core, "a")
    for n in range(5):
        hand.say(SyncSnapshotHosts((host(f"h {n}"),)))
    assert core.manager.snapshot_hosts.all() == [host(f"h {n}") for n in (2, 3, 4)]


def test_many_are_verified_in_pieces():
    core = Core()
    hand, other = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    hosts = tuple(host(f"h {n}") for n in range(HOSTS_AT_ONCE + 2))
    hand.say(SyncSnapshotHosts((*hosts, hosts[0])))
    assert len(core.manager.snapshot_hosts.all()) == HOSTS_AT_ONCE
    assert hand.ban is None
    core.advance(0.001)
    assert hand.ban is ReasonForBan.ABUSIVE
    core.advance(10)
    assert [len(one) for one in told(other)] == [HOSTS_AT_ONCE + 2]
    core = Core()
    hand = protobuf_peer(core, "a")
    hand.say(SyncSnapshotHosts(hosts))
    core.manager.lost(hand.peer, "gone", core.now)
    core.advance(0.001)
    assert len(core.manager.snapshot_hosts.all()) == HOSTS_AT_ONCE
