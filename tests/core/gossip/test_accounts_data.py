"""What validators tell of themselves: kept, relayed, refused (`behaviour.md` §10)."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hand import Core, key_of
from world import World, make_config

from nearnet.core.gossip.accounts_data import MOST_ACCOUNT_KEYS, MOST_ITEMS, MOST_PAYLOAD_BYTES
from nearnet.core.gossip.telling import BEHIND_BYTES
from nearnet.errors import ReasonForBan
from nearnet.keys import PublicKey, Signature
from nearnet.wire.dialect import dialect_named
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.messages import AccountData, PeerAddr, SignedPayload, SocketAddress, SyncAccountsData
from nearnet.wire.signed_payload import account_data_of, sign_payload


def data(account="validator", version=1, seconds=1_700_000_000, peer="its node", proxies=1):
    """Signed by the account's key."""
    key = key_of(account)
    addresses = [PeerAddr(SocketAddress("1.2.3.4", 24567 + n), key_of("proxy").public_key) for n in range(proxies)]
    made = AccountData(key_of(peer).public_key, key.public_key, tuple(addresses), version, (seconds, 5))
    return sign_payload(made, key)


def forged(signed):
    return SignedPayload(signed.payload, Signature(signed.signature[:-2] + b"\0\0"))


def synced(hand):
    return hand.told(SyncAccountsData)


def protobuf_peer(core, name):
    return core.ready(name, dialect="protobuf")


@pytest.mark.scenario(90)
def test_the_dialer_tells_all_and_asks_for_all_and_again_after_ten_minutes():
    core = Core()
    hand = core.dialed("today", dialect="protobuf")
    (ours,) = [message for message in hand.read() if hasattr(message, "partial_edge_info")]
    hand.shake(ours.partial_edge_info.nonce)
    core.advance(0.1)
    asked = [*synced(hand)]
    hand.say(SyncAccountsData((data(),), incremental=False, requesting_full_sync=False))
    core.advance(601)
    asked += synced(hand)
    assert [(one.accounts, one.incremental, one.requesting_full_sync) for one in asked] in (
        [((), False, True), ((data(),), False, True)],
        [((data(),), False, True)],  # The first is among what the handshake's answer brought.
    )


@pytest.mark.scenario(90)
def test_a_request_is_answered_at_once_even_with_nothing():
    core = Core()
    hand, other = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    assert synced(hand) == []
    hand.say(SyncAccountsData((), incremental=False, requesting_full_sync=True))
    assert synced(hand) == [SyncAccountsData((), incremental=False, requesting_full_sync=False)]
    other.say(SyncAccountsData((data(),), incremental=True, requesting_full_sync=False))
    core.advance(10)
    hand.say(SyncAccountsData((), incremental=False, requesting_full_sync=True))
    assert synced(hand)[-1] == SyncAccountsData((data(),), incremental=False, requesting_full_sync=False)


def test_at_most_one_request_in_ten_seconds_is_answered():
    core = Core()
    hand, other = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    asked = SyncAccountsData((), incremental=False, requesting_full_sync=True)
    for _ in range(3):
        hand.say(asked)
    other.say(asked)
    assert [len(synced(one)) for one in (hand, other)] == [1, 1], "each connection for itself"
    assert core.manager.context.limits.hits("accounts_data_full_syncs") == 2
    core.advance(9.9)
    hand.say(asked)
    assert synced(hand) == []
    core.advance(0.1)
    hand.say(asked)
    assert len(synced(hand)) == 1
    assert hand.peer.is_ready


def test_a_neighbor_that_is_slow_gets_the_newest_form_later():
    core = Core()
    source, hand = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    hand.peer.unsent = BEHIND_BYTES + 1
    source.say(SyncAccountsData((data(), data("another")), incremental=True))
    core.advance(25)
    assert synced(hand) == []
    source.say(SyncAccountsData((data(version=2),), incremental=True))
    hand.peer.unsent = 0
    core.advance(10)
    assert [one.accounts for one in synced(hand)] == [(data("another"), data(version=2))]


def test_what_waits_for_a_neighbor_is_bounded():
    core = Core(nearnet={"timing": {"accounts_data_interval": "60s"}})
    source, hand = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    source.say(SyncAccountsData((data("first"),), incremental=True))
    core.advance(0.001)
    assert len(synced(hand)) == 1
    items = [data(f"v {n}") for n in range(MOST_ITEMS + 1)]
    for start in range(0, len(items), 100):
        source.say(SyncAccountsData(tuple(items[start : start + 100]), incremental=True))
    core.advance(60)
    assert [one.accounts for one in synced(hand)] == [tuple(items[1:])]
    assert core.manager.context.limits.hits("accounts_data_waiting") == 1


@pytest.mark.interop("ML-DSA-65")
@pytest.mark.parametrize("place", ["account_key", "peer_id", "proxy", "signature"])
def test_data_with_a_key_that_is_not_used_is_skipped(place):
    core = Core()
    hand, other = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    odd = PublicKey(b"\2" + bytes(1952))
    made = account_data_of(data("odd"))
    signature = Signature(b"\2" + bytes(3309))
    match place:
        case "account_key":
            made = replace(made, account_key=odd)
        case "peer_id":
            made = replace(made, peer_id=odd)
        case "proxy":
            made = replace(made, proxies=(*made.proxies, PeerAddr(SocketAddress("1.2.3.4", 1), odd)))
    bad = sign_payload(made, key_of("odd"))
    if place == "signature":
        bad = SignedPayload(bad.payload, signature)
    hand.say(SyncAccountsData((data("good"), bad, bad, data("after")), incremental=True))
    assert hand.peer.is_ready
    assert [one.account_key for one in core.manager.accounts_data.all()] == [
        key_of(name).public_key for name in ("good", "after")
    ]
    assert core.manager.context.counters["nearnet_unsupported_keys", "SyncAccountsData"] == 2
    core.advance(0.001)
    assert [one.accounts for one in synced(other)] == [(data("good"), data("after"))]


@pytest.mark.scenario(90, 92)
def test_only_what_is_new_is_relayed_and_at_most_every_ten_seconds():
    core = Core()
    source, hand, old = protobuf_peer(core, "a"), protobuf_peer(core, "b"), core.ready("old")
    told = []
    for turn in range(120):
        item = data(f"validator {turn % 3}", version=turn // 3)
        source.say(SyncAccountsData((item,), incremental=True, requesting_full_sync=False))
        source.say(SyncAccountsData((item,), incremental=True, requesting_full_sync=False))
        core.advance(0.25)
        told += [(core.now.mono, one) for one in synced(hand)]
    assert 3 <= len(told) <= 4
    assert all(later[0] - earlier[0] >= 9.5 for earlier, later in pairwise(told))
    assert all(one.incremental and not one.requesting_full_sync for _, one in told)
    source.say(SyncAccountsData((data("last"),), incremental=True, requesting_full_sync=False))
    core.advance(11)
    assert synced(hand)[-1].accounts[-1] == data("last")
    assert synced(source) == synced(old) == []
    assert [one.version for one in core.manager.accounts_data.all()] == [39, 39, 39, 1]
    core.manager.lost(hand.peer, "gone", core.now)
    source.say(SyncAccountsData((data("new"),), incremental=True, requesting_full_sync=False))


@pytest.mark.scenario(93)
@pytest.mark.parametrize(
    ("version", "seconds", "taken"), [(1, 0, False), (0, 99, False), (1, 1, True), (2, -1, True), (3, 0, True)]
)
def test_the_newer_is_kept(version, seconds, taken):
    core = Core()
    hand = protobuf_peer(core, "a")
    for item in (data(), data(version=version, seconds=1_700_000_000 + seconds, peer="moved")):
        hand.say(SyncAccountsData((item,), incremental=True, requesting_full_sync=False))
    (kept,) = core.manager.accounts_data.all()
    assert (kept.peer_id == key_of("moved").public_key) is taken


@pytest.mark.scenario(90)
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (forged(data("bad")), ReasonForBan.INVALID_SIGNATURE),
        (data("good", version=2), ReasonForBan.ABUSIVE),
        (data("bad", proxies=MOST_PAYLOAD_BYTES // 20), ReasonForBan.ABUSIVE),
    ],
    ids=["forged", "twice", "too long"],
)
def test_an_offence_bans_and_what_was_right_before_it_is_kept(bad, reason):
    core = Core()
    hand, other = protobuf_peer(core, "a"), protobuf_peer(core, "b")
    hand.say(SyncAccountsData((data("good"), bad, data("after")), incremental=True, requesting_full_sync=False))
    assert hand.ban is reason
    assert [one.account_key for one in core.manager.accounts_data.all()] == [key_of("good").public_key]
    core.advance(11)
    assert [one.accounts for one in synced(other)] == [(data("good"),)]


def test_what_is_no_accounts_data_is_malformed():
    core = Core()
    hand = protobuf_peer(core, "a")
    junk = SignedPayload(b"", data().signature)
    hand.say(SyncAccountsData((data("good"), junk), incremental=True, requesting_full_sync=False))
    assert hand.peer.is_ready
    assert core.manager.context.counters["nearnet_malformed_messages", ""] == 1
    assert core.manager.accounts_data.all() == [], "the whole message is dropped"


def test_a_bounded_number_of_accounts():
    core = Core()
    hand = protobuf_peer(core, "a")
    items = [data(f"v {n}") for n in range(MOST_ACCOUNT_KEYS + 2)]
    for start in range(0, len(items), 50):
        part = tuple(items[start : start + 50])
        hand.say(SyncAccountsData(part, incremental=True, requesting_full_sync=False))
    known = core.manager.accounts_data.all()
    assert len(known) == MOST_ACCOUNT_KEYS
    assert known[-1].account_key == key_of(f"v {MOST_ACCOUNT_KEYS + 1}").public_key


def test_no_more_than_twice_that_is_verified_of_one_message():
    core = Core()
    hand = protobuf_peer(core, "a")
    items = tuple(data(f"v {n}") for n in range(MOST_ITEMS + 1))
    hand.say(SyncAccountsData(items, incremental=True, requesting_full_sync=False))
    known = core.manager.accounts_data.all()
    assert known[-1].account_key == key_of(f"v {MOST_ITEMS - 1}").public_key
    assert core.manager.context.counters["nearnet_oversized_messages", "SyncAccountsData"] == 1
    assert hand.peer.is_ready


class Counting(World):
    """Counts the frames of one kind on each connection, both directions together."""

    def __init__(self):
        super().__init__()
        self.framers = {}
        self.counts = {}

    def _deliver(self, end, data):
        framer = self.framers.setdefault(end, Framer())
        framer.feed(data)
        link = frozenset((id(end), id(end.other)))
        while (frame := framer.next_frame()) is not None:
            if PROTO.kind(bytes(frame)) == "SyncAccountsData":
                self.counts[link] = self.counts.get(link, 0) + 1
        super()._deliver(end, data)


PROTO = dialect_named("protobuf")


@pytest.mark.scenario(92)
@pytest.mark.interop("SyncAccountsData")
def test_twenty_nodes_in_four_layers_tell_all_at_a_bounded_rate():
    rate = {"accounts_data_broadcast_rate_limit_qps": 0.5, "accounts_data_broadcast_rate_limit_burst": 1}
    overrides = {"network_config_overrides": {"outbound_disabled": True, **rate}}
    world = Counting()
    nodes = [world.node(make_config(experimental=overrides)) for _ in range(20)]
    for at, node in enumerate(nodes[5:]):
        for below in nodes[at // 5 * 5 : at // 5 * 5 + 5]:
            node.connect(below, "protobuf")
    assert len(nodes[7].core.peers) == 10
    for number, node in enumerate(nodes):
        frame = PROTO.encode(SyncAccountsData((data(f"account {number}"),), incremental=True))
        world._deliver(next(iter(node.pipes.values())), frame_prefix(len(frame)) + frame)  # As from that neighbor.
    world.advance(12)
    assert [len(node.core.accounts_data.all()) for node in nodes] == [20] * 20
    assert len(world.counts) == 75
    assert max(world.counts.values()) <= 12
