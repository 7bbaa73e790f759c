"""The rules about known peers (`behaviour.md` §6); `test_peer_store_machine.py` runs them against a model."""

import random

import pytest
from peer_fakes import ME, START, DictStore, addr, info, later, make_config, node, peer_id

from nearnet.core.peer_manager.known_peers import COLUMN, PeerStatus, PeerStore, TrustLevel, decode_known_peer
from nearnet.core.runtime.clock import Now
from nearnet.errors import ReasonForBan
from nearnet.wire.messages import PeerInfo, SocketAddress

SOURCE = "9.9.9.9"
HOUR, DAY = 3600.0, 86_400.0


def make(store: DictStore | None = None, now: Now = START, **config) -> PeerStore:
    store = store or DictStore()
    return PeerStore(ME, make_config(**config), store, store.journal, random.Random(1), now)


def nobody(peer) -> bool:
    return False


class TestTold:
    def test_news_are_taken_once(self):
        peers = make()
        assert peers.add_indirect([info(1), info(2), info(1)], SOURCE, START) == 2
        assert peers.get(peer_id(1)).trust is TrustLevel.INDIRECT
        assert peers.get(peer_id(1)).status is PeerStatus.UNKNOWN
        assert len(peers) == len(peers.peers()) == 2

    def test_never_overrides(self):
        peers = make()
        peers.add_indirect([info(1)], SOURCE, START)
        assert peers.add_indirect([info(1, addr(7)), info(2, addr(1))], SOURCE, START) == 0
        assert peers.at(addr(1)).id == peer_id(1)
        assert peers.get(peer_id(2)) is None

    @pytest.mark.threat(57)
    @pytest.mark.parametrize(
        "told",
        [
            PeerInfo(ME, addr(5)),
            PeerInfo(peer_id(1)),
            info(1, SocketAddress("8.8.8.8", 0)),
            info(1, SocketAddress("10.0.0.1", 5)),
            info(1, SocketAddress("127.0.0.1", 5)),
            info(1, SocketAddress("224.0.0.1", 5)),
            info(1, SocketAddress("::ffff:8.0.1.1", 24567)),
        ],
        ids=["ourselves", "no address", "port 0", "private", "loopback", "multicast", "our address"],
    )
    def test_useless_addresses_are_not_taken(self, told):
        peers = make()
        peers.add_own_address(addr(1))
        assert peers.add_indirect([told], SOURCE, START) == 0
        assert len(peers) == 0

    def test_a_known_peer_without_an_address_gets_one(self):
        peers = make(boot_nodes=(node(1, host="boot.near.org:24567"),))
        peers.ban(peer_id(2), ReasonForBan.ABUSIVE, START)
        assert peers.add_indirect([info(1), info(2)], SOURCE, START) == 1
        assert peers.at(addr(2)).id == peer_id(2)
        assert peers.get(peer_id(1)).addr is None

    def test_a_source_group_has_64_places(self):
        store = DictStore()
        peers = make(store)
        peers.add_indirect([info(number) for number in range(1, 101)], SOURCE, START)
        peers.add_indirect([info(number) for number in range(101, 111)], "7.7.7.7", START)
        assert len(peers) == 74
        assert peers.get(peer_id(36)) is None
        assert peers.get(peer_id(37)) is not None
        assert len(store.settle()) == 110

    @pytest.mark.parametrize(("limited", "kept"), [(False, 100), (True, 64)])
    def test_loopback_has_no_groups(self, limited, kept):
        peers = make(per_ip_on_loopback=limited)
        peers.add_indirect([info(number) for number in range(1, 101)], "127.0.0.1", START)
        assert len(peers) == kept

    def test_no_room_for_strangers_when_all_are_connected(self):
        peers = make(known_peers=1)
        peers.connected(info(1), START)
        assert peers.add_indirect([info(2)], SOURCE, START) == 0
        assert not peers.add_direct(info(2), START)
        peers.connected(info(3), START)
        assert len(peers) == 2


class TestTrust:
    @pytest.mark.scenario(53)
    def test_direct_over_indirect_but_not_over_signed(self):
        peers = make()
        peers.add_indirect([info(1)], SOURCE, START)
        assert peers.add_direct(info(1, addr(7)), START)
        assert (peers.at(addr(1)), peers.get(peer_id(1)).addr) == (None, addr(7))
        peers.connected(info(1, addr(8)), START)
        assert not peers.add_direct(info(1, addr(9)), START)
        assert peers.add_direct(info(1, addr(8)), START)
        assert peers.get(peer_id(1)).trust is TrustLevel.SIGNED
        peers.disconnected(peer_id(1), START)
        assert not peers.add_direct(info(2, addr(8)), START), "a Signed address is not another's by word"

    def test_direct_takes_an_address_from_hearsay(self):
        peers = make()
        peers.add_indirect([info(1)], SOURCE, START)
        assert peers.add_direct(info(2, addr(1)), START)
        assert peers.get(peer_id(1)).addr is None

    @pytest.mark.parametrize("told", [PeerInfo(ME, addr(1)), PeerInfo(peer_id(1)), info(1, addr(5))])
    def test_direct_of_ourselves_or_nowhere(self, told):
        peers = make()
        peers.add_own_address(addr(5))
        assert not peers.add_direct(told, START)

    def test_signed_moves_but_not_onto_who_is_connected_or_pinned(self):
        peers = make(boot_nodes=(node(3),))
        peers.connected(info(1), START)
        peers.connected(info(2, addr(1)), START)
        peers.connected(info(4, addr(3)), START)
        assert peers.get(peer_id(2)).addr is peers.get(peer_id(4)).addr is None
        peers.disconnected(peer_id(1), START)
        peers.connected(info(2, addr(1)), START)
        assert peers.at(addr(1)).id == peer_id(2)

    def test_connected_without_an_address(self):
        peers = make()
        peers.connected(PeerInfo(peer_id(1), None, "a.near"), START)
        peers.connected(PeerInfo(peer_id(1)), START)
        assert peers.get(peer_id(1)).account_id == "a.near"


class TestInvalidTarget:
    @pytest.mark.threat(15)
    @pytest.mark.scenario(53)
    def test_takes_the_address_from_whom_we_dialed_there(self):
        peers = make(boot_nodes=(node(2),))
        peers.connected(info(1), START)
        peers.disconnected(peer_id(1), START)
        for dialed, told in ((1, 5), (2, 6)):
            peers.invalid_target(peer_id(dialed), addr(dialed), peer_id(told), START)
            assert peers.get(peer_id(dialed)).addr is None
            assert peers.at(addr(dialed)).id == peer_id(told)
            assert peers.get(peer_id(told)).trust is TrustLevel.DIRECT

    @pytest.mark.threat(15)
    def test_from_nobody_else(self):
        peers = make()
        peers.connected(info(1), START)
        peers.invalid_target(peer_id(2), addr(1), peer_id(5), START)
        assert peers.at(addr(1)).id == peer_id(1)
        assert peers.get(peer_id(5)) is None

    @pytest.mark.threat(15)
    def test_does_not_move_a_signed_peer(self):
        peers = make()
        peers.connected(info(5), START)
        peers.add_indirect([info(1)], SOURCE, START)
        peers.invalid_target(peer_id(1), addr(1), peer_id(5), START)
        assert peers.get(peer_id(5)).addr == addr(5)
        assert peers.at(addr(1)) is None

    @pytest.mark.threat(25)
    def test_our_own_id_marks_the_address_as_ours(self):
        peers = make()
        peers.add_indirect([info(1)], SOURCE, START)
        peers.invalid_target(peer_id(1), addr(1), ME, START)
        assert peers.is_mine(addr(1))
        assert peers.get(peer_id(1)).addr is None

    def test_the_same_id_again_changes_nothing(self):
        peers = make()
        peers.add_indirect([info(1)], SOURCE, START)
        peers.invalid_target(peer_id(1), addr(1), peer_id(1), START)
        assert peers.at(addr(1)).id == peer_id(1)


class TestSampling:
    def test_whom_not_to_dial(self):
        peers = make(blacklist=((addr(3).ip, None),), boot_nodes=(node(6, host="boot:1"),))
        peers.add_indirect([info(number) for number in (1, 2, 3, 4, 5)], SOURCE, START)
        peers.connected(info(1), START)
        peers.ban(peer_id(2), ReasonForBan.ABUSIVE, START)
        peers.add_own_address(addr(4))
        peers.connected(PeerInfo(peer_id(7)), START)
        peers.disconnected(peer_id(7), START)
        seen = {peers.sample_random_peer(nobody).id for _ in range(50)}
        assert seen == {peer_id(5), peer_id(6)}
        assert peers.sample_random_peer(lambda peer: True) is None
        assert peers.is_blacklisted_ip(addr(3).ip)
        assert peers.is_blacklisted(addr(3))

    def test_connected_before_goes_first(self):
        peers = make()
        peers.add_indirect([info(number) for number in range(2, 40)], SOURCE, START)
        peers.connected(info(1), START)
        peers.disconnected(peer_id(1), START)
        picks = [peers.sample_random_peer(nobody).id for _ in range(500)]
        assert 250 < picks.count(peer_id(1)) < 370

    def test_boot_only(self):
        peers = make(connect_only_to_boot_nodes=True, boot_nodes=(node(1),), persistent_peers=(node(2),))
        peers.add_indirect([info(number) for number in range(3, 40)], SOURCE, START)
        assert {peers.sample_random_peer(nobody).id for _ in range(50)} == {peer_id(1)}
        assert peers.persistent_ids == {peer_id(2): None}

    def test_other_networks_when_there_are(self):
        peers = make()
        peers.add_indirect([info(1), info(257)], SOURCE, START)
        assert {peers.sample_random_peer(nobody, {"8.0.0.0/16"}).id for _ in range(20)} == {peer_id(257)}
        assert peers.sample_random_peer(nobody, {"8.0.0.0/16", "8.1.0.0/16"}) is not None

    def test_told_to_others(self):
        peers = make()
        peers.add_indirect([info(number) for number in range(1, 31)], SOURCE, START)
        peers.ban(peer_id(1), ReasonForBan.ABUSIVE, START)
        peers.connected(PeerInfo(peer_id(99)), START)
        everybody = peers.peers_for_response(512, random.Random(1))
        assert len(everybody) == 29
        some = peers.peers_for_response(5, random.Random(2))
        assert len(some) == 5
        assert all(one in everybody for one in some)
        assert some != peers.peers_for_response(5, random.Random(3))


class TestAttempts:
    def test_a_failed_dial_makes_it_unknown_again(self):
        peers = make()
        peers.connected(info(1), START)
        peers.attempted(peer_id(1), START)
        assert peers.get(peer_id(1)).last_attempt == (START.wall, "Ok")
        peers.attempted(peer_id(1), START, "refused")
        assert peers.get(peer_id(1)).status is PeerStatus.CONNECTED
        peers.disconnected(peer_id(1), START)
        peers.attempted(peer_id(1), later(1), "refused")
        assert peers.get(peer_id(1)).last_attempt == (later(1).wall, "Error: refused")
        assert peers.get(peer_id(1)).status is PeerStatus.UNKNOWN
        peers.attempted(peer_id(9), START)
        assert peers.get(peer_id(9)) is None


class TestBans:
    @pytest.mark.scenario(53)
    def test_stored_at_once_and_kept_over_a_restart(self):
        store = DictStore()
        peers = make(store)
        peers.connected(info(1), START)
        (persist,) = store.journal.take()
        assert not persist.urgent
        peers.ban(peer_id(1), ReasonForBan.INVALID_EDGE, START)
        peers.disconnected(peer_id(1), START)
        (persist,) = store.journal.take()
        assert persist.urgent
        assert store.journal.take() == []
        store.apply(persist.writes)
        ban = decode_known_peer(store.columns[COLUMN][peer_id(1)]).ban
        assert (ban.reason, ban.time_ns) == (ReasonForBan.INVALID_EDGE, START.unix_ns)
        again = make(store, later(2.9 * HOUR))
        assert again.is_banned(peer_id(1))
        assert again.end_bans(later(2.99 * HOUR)) == []
        assert again.end_bans(later(3 * HOUR + 1)) == [peer_id(1)]
        assert again.get(peer_id(1)).status is PeerStatus.NOT_CONNECTED

    @pytest.mark.parametrize("seconds", [1.0, 30 * DAY])
    def test_a_length_of_its_own(self, seconds):
        store = DictStore()
        peers = make(store)
        peers.ban(peer_id(1), ReasonForBan.ABUSIVE, START, seconds)
        assert peers.next_ban_end() == START.mono + seconds
        store.settle()
        assert make(store, later(seconds - 0.5)).is_banned(peer_id(1))
        assert not make(store, later(seconds + 0.5)).is_banned(peer_id(1))
        peers.expire(later(8 * DAY))
        assert peers.get(peer_id(1)) is not None

    @pytest.mark.parametrize(("seconds", "time_ns"), [(1e30, 2**64 - 1), (0.0, 0)])
    def test_the_stored_time_keeps_its_range(self, seconds, time_ns):
        peers = make()
        peers.ban(peer_id(1), ReasonForBan.ABUSIVE, Now(5.0, 10.0), seconds)
        assert peers.get(peer_id(1)).ban.time_ns == time_ns

    @pytest.mark.threat(67)
    def test_a_wall_clock_that_jumps_changes_nothing(self):
        peers = make()
        peers.ban(peer_id(1), ReasonForBan.ABUSIVE, START)
        for jump in (-DAY, DAY):
            assert peers.end_bans(Now(START.mono + 10_799, START.wall + jump)) == []
        assert peers.end_bans(Now(START.mono + 10_800, START.wall - DAY)) == [peer_id(1)]

    def test_a_shorter_ban_does_not_shorten(self):
        peers = make()
        peers.ban(peer_id(1), ReasonForBan.ABUSIVE, START, 50)
        peers.ban(peer_id(1), ReasonForBan.INVALID_EDGE, later(1), 10)
        assert peers.get(peer_id(1)).ban.reason is ReasonForBan.ABUSIVE
        peers.ban(peer_id(1), ReasonForBan.INVALID_EDGE, later(1), 60)
        assert peers.next_ban_end() == later(61).mono

    def test_unban(self):
        peers = make()
        assert not peers.unban(peer_id(1), START)
        peers.ban(peer_id(1), ReasonForBan.ABUSIVE, START)
        assert [peer.id for peer in peers.bans()] == [peer_id(1)]
        assert peers.unban(peer_id(1), START)
        assert not peers.unban(peer_id(1), START)
        assert peers.next_ban_end() is None


class TestExpiry:
    def test_after_seven_days_of_silence(self):
        store = DictStore()
        peers = make(store, boot_nodes=(node(1),))
        peers.add_indirect([info(2)], SOURCE, START)
        peers.connected(info(3), START)
        peers.connected(info(4), START)
        peers.disconnected(peer_id(4), later(DAY))
        store.settle()
        peers.expire(later(7 * DAY + 1))
        assert [peer.id for peer in peers.peers()] == [peer_id(1), peer_id(3), peer_id(4)]
        assert [(write.key, write.value) for write in store.settle()] == [(peer_id(2), None)]
        assert peers.add_indirect([info(2)], SOURCE, START) == 1, "its address is free again"

    def test_each_in_its_time(self):
        peers = make()
        for number in range(1, 4):
            peers.add_indirect([info(number)], SOURCE, later(number * DAY))
        left = []
        for days in (7.5, 8.5, 8.6, 9.5, 10.5):
            peers.expire(later(days * DAY))
            left.append(len(peers))
        assert left == [3, 2, 2, 1, 0]

    @pytest.mark.threat(67)
    @pytest.mark.parametrize("jump", [-DAY, DAY, 365 * DAY])
    def test_a_wall_clock_that_jumps_forgets_nobody(self, jump):
        peers = make()
        peers.add_indirect([info(1)], SOURCE, START)
        peers.expire(Now(START.mono + 1, START.wall + jump))
        assert len(peers) == 1

    def test_disconnected_strangers_are_no_matter(self):
        make().disconnected(peer_id(1), START)
