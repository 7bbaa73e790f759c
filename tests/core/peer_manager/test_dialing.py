import random
from itertools import pairwise
from types import SimpleNamespace

import pytest
from peer_fakes import ME, START, DictStore, addr, info, later, make_config, node, peer_id

from nearnet.core.peer_manager.address_versions import VERSION_COLUMN
from nearnet.core.peer_manager.dialing import DIALECT_COLUMN, LOOK_AT_LINKS, REDIAL_EVERY, REDIAL_TRIES, Dialer
from nearnet.core.peer_manager.known_peers import PeerStatus, PeerStore
from nearnet.core.peer_manager.recent_links import LASTING
from nearnet.core.runtime.clock import Now
from nearnet.core.runtime.journal import Journal
from nearnet.errors import ReasonForBan
from nearnet.wire.messages import SocketAddress

SOURCE = "9.9.9.9"


class Net:
    """A dialer with its peer store, and the peers that are connected."""

    def __init__(self, known=(), store: DictStore | None = None, now: Now = START, **config):
        self.store = store or DictStore()
        config = make_config(**config)
        self.peers_known = PeerStore(ME, config, self.store, Journal(), random.Random(1), now)
        self.peers_known.add_indirect([info(number) for number in known], SOURCE, now)
        self.dialer = Dialer(config, self.peers_known, self.store, self.store.journal, random.Random(1), now)
        self.peers = {}
        self.now = now

    def due(self, pending=()):
        outbound = sum(peer.direction == "outbound" for peer in self.peers.values())
        return self.dialer.due(self.now, self.peers, outbound, pending)

    def connect(self, number, direction="outbound", dial=None):
        self.peers[peer_id(number)] = SimpleNamespace(
            info=info(number), address=addr(number), direction=direction, connected_at=self.now.mono, dial=dial
        )
        self.peers_known.connected(info(number), self.now)

    def lose(self, number):
        peer = self.peers.pop(peer_id(number))
        self.peers_known.disconnected(peer_id(number), self.now)
        self.dialer.lost(peer, self.now)

    def wait(self, seconds):
        self.now = later(seconds, self.now)

    def run(self, seconds, outcome):
        """Let time pass timer by timer; `outcome(net, dial)` ends each dial. Returns (seconds since now, dial)s."""
        start, dials = self.now.mono, []
        while self.dialer.next_timer(self.now) <= start + seconds:
            self.wait(self.dialer.next_timer(self.now) - self.now.mono)
            for dial in self.due():
                dials.append((round(self.now.mono - start, 3), dial))
                outcome(self, dial)
        self.wait(start + seconds - self.now.mono)
        return dials


def refuse(net, dial):
    net.dialer.failed(dial, "refused", net.now)


def accept(net, dial):
    net.dialer.succeeded(dial, net.now, 52)
    net.connect(int.from_bytes(dial.peer.id, "big"), dial=dial)


class TestMonitor:
    def test_one_peer_at_a_time_while_few_are_connected(self):
        net = Net(known=range(1, 50))
        dials = net.run(30, accept)
        assert len(net.peers) == 30
        assert net.due() == []
        assert not net.dialer.needs_peers(net.peers, 30)
        assert [dial.id for _, dial in dials] == list(range(1, 31))
        assert dials[0][1].timeout == 1.0

    def test_every_period_is_longer_up_to_a_minute(self):
        net, moments = Net(), []
        while net.now.mono < START.mono + 1_000:
            net.wait(net.dialer.next_timer(net.now) - net.now.mono)
            moments.append(net.now.mono)
            net.due()
        gaps = [b - a for a, b in pairwise(moments)]
        assert gaps[:2] == [pytest.approx(0.01), pytest.approx(0.011)]
        assert max(gaps) <= 60

    def test_back_to_the_start_when_the_first_peer_is_found(self):
        net = Net()
        net.run(20, accept)
        assert net.dialer.needs_peers(net.peers, 0)
        net.peers_known.add_indirect([info(number) for number in range(1, 40)], SOURCE, net.now)
        dials = net.run(10, accept)
        assert len(dials) == 30
        assert dials[-1][0] < 4
        assert not net.dialer.needs_peers(net.peers, 30)

    @pytest.mark.threat(67)
    def test_the_wall_clock_does_not_matter(self):
        net = Net(known=[1])
        net.due()
        for wall in (0.0, START.wall + 1e8):
            net.now = Now(net.dialer.next_timer(net.now), wall)
            net.due()
            assert net.dialer.next_timer(net.now) > net.now.mono

    def test_a_lost_connection_wakes_it(self):
        net = Net(known=range(1, 40), ideal_connections_lo=1, minimum_outbound_peers=0)
        net.run(300, accept)
        (number,) = (int.from_bytes(one, "big") for one in net.peers)
        net.lose(number)
        assert len(net.run(0.02, accept)) == 1

    @pytest.mark.parametrize(
        ("connected", "outbound", "needed"), [(29, 29, True), (30, 4, True), (30, 5, False), (40, 0, False)]
    )
    def test_bootstrap_needed(self, connected, outbound, needed):
        assert Net().dialer.is_outbound_bootstrap_needed(connected, outbound) is needed
        assert not Net(outbound_disabled=True).dialer.is_outbound_bootstrap_needed(connected, outbound)

    def test_nothing_is_dialed_when_outbound_is_disabled(self):
        net = Net(known=[1], outbound_disabled=True, persistent_peers=(node(2),))
        assert net.run(60, accept) == []

    def test_those_being_dialed_count(self):
        net = Net(known=range(1, 10), ideal_connections_lo=2, minimum_outbound_peers=0)
        assert len(net.run(5, lambda net, dial: None)) == 2
        assert net.dialer.dialing_count == 2

    def test_at_most_eight_at_once(self):
        net = Net(known=range(1, 50))
        dials = net.run(30, lambda net, dial: None)
        assert len(dials) == net.dialer.dialing_count == 8
        refuse(net, dials[0][1])
        assert not net.dialer.is_dialing(dials[0][1].peer.id)
        assert net.dialer.is_dialing(dials[1][1].peer.id)
        assert len(net.run(60, lambda net, dial: None)) == 1

    def test_not_those_that_are_already_on_their_way(self):
        net = Net(known=[1, 2])
        net.connect(1, "inbound")
        assert net.due(pending={peer_id(2): None}) == []

    def test_outbound_into_three_networks(self):
        net = Net(known=[*range(1, 60), 256, 512], ideal_connections_lo=5, per_source_group=100)
        net.run(30, accept)
        assert {number.to_bytes(2, "big")[0] for number in (int.from_bytes(p, "big") for p in net.peers)} == {0, 1, 2}

    @pytest.mark.threat(58)
    @pytest.mark.parametrize(("most", "networks"), [(40, [1, 2]), (5, [])])
    def test_one_more_into_another_network_though_there_are_enough(self, most, networks):
        """Whoever took all our places first told us of his own: what we hear of others later is tried, with room."""
        limits = {"ideal_connections_lo": 5, "ideal_connections_hi": 5, "max_num_peers": most}
        net = Net(known=range(1, 40), per_source_group=100, **limits)
        net.run(30, accept)
        assert len(net.peers) == 5
        net.peers_known.add_indirect([info(number) for number in (256, 512, 513)], SOURCE, net.now)
        dials = [int.from_bytes(dial.peer.id, "big") >> 8 for _, dial in net.run(300, accept)]
        assert sorted(dials) == networks, "one into each, and that is enough"

    @pytest.mark.parametrize("limited", [False, True])
    def test_loopback_is_no_network(self, limited):
        net = Net(known=range(1, 4), per_ip_on_loopback=limited)
        net.connect(1)
        net.peers[peer_id(1)].address = SocketAddress("127.0.0.1", 1)
        assert len(net.run(5, accept)) == 2


class TestBackOff:
    def test_doubles_to_a_minute_and_a_success_resets(self):
        net = Net(known=[1], ideal_connections_lo=1, minimum_outbound_peers=0)
        dials = net.run(600, refuse)
        gaps = [b[0] - a[0] for a, b in pairwise(dials)]
        assert all(gap >= wait for gap, wait in zip(gaps, [1, 2, 4, 8, 16, 32, 60, 60], strict=False))
        assert net.peers_known.get(peer_id(1)).last_attempt[1] == "Error: refused"
        net.run(200, accept)
        net.lose(1)
        (first, _), (second, _) = net.run(3, refuse)[:2]
        assert first >= 1.0
        assert second - first >= 1.0

    @pytest.mark.threat(29)
    def test_a_thousand_dead_addresses(self):
        net = Net(known=range(1, 1001), per_source_group=1000)
        assert len(net.run(60, refuse)) > 40
        assert all(peer.status is PeerStatus.UNKNOWN for peer in net.peers_known.peers())

    def test_the_end_of_another_dial_is_no_matter(self):
        net = Net(known=[1])
        (dial,) = net.due()
        refuse(net, dial)
        refuse(net, dial)
        net.dialer.succeeded(dial, net.now, 52)
        net.wait(2)
        (again,) = net.due()
        refuse(net, dial)
        assert again.id != dial.id
        assert net.dialer.is_dialing(peer_id(1))


class TestPinned:
    def test_persistent_peers_are_always_dialed_again(self):
        net = Net(
            persistent_peers=(node(1, host="p.near.org:24567"),), ideal_connections_lo=0, minimum_outbound_peers=0
        )
        dials = net.run(100, refuse)
        assert [moment for moment, _ in dials] == [0, 1, 3, 7, 15, 25, 35, 45, 55, 65, 75, 85, 95]
        assert dials[0][1].host == "p.near.org:24567"
        assert dials[0][1].peer.addr is None
        net.run(20, accept)
        assert peer_id(1) in net.peers
        assert net.run(100, refuse) == []
        net.lose(1)
        assert [moment for moment, _ in net.run(1.5, refuse)] == [1.0]

    def test_not_while_banned_nor_without_room(self):
        net = Net(persistent_peers=(node(1), node(2), node(3)), parallel_dials=1)
        net.peers_known.ban(peer_id(1), ReasonForBan.ABUSIVE, START)
        assert [dial.peer.id for dial in net.due()] == [peer_id(2)]

    def test_boot_nodes_that_failed_while_nobody_is_connected(self):
        net = Net(boot_nodes=(node(1),))
        dials = net.run(100, refuse)
        gaps = [b[0] - a[0] for a, b in pairwise(dials)]
        assert max(gaps) <= 10.1
        assert dials[0][0] == 0
        net.connect(9, "inbound")
        assert len(net.run(100, refuse)) < 10


class TestLastingLinks:
    def lasting(self, *numbers, **config) -> Net:
        net = Net(**config)
        for number in numbers:
            net.connect(number)
            net.wait(1)
        net.connect(99, "inbound")
        net.run(LASTING + LOOK_AT_LINKS + 1, accept)
        net.store.settle()
        return net

    @pytest.mark.scenario(88)
    @pytest.mark.parametrize("numbers", [[1], [1, 2, 3, 4], list(range(1, 10))])
    def test_a_restart_dials_them_again_the_newest_first(self, numbers):
        net = self.lasting(*numbers)
        again = Net(store=net.store, now=net.now)
        dialed = [int.from_bytes(dial.peer.id, "big") for dial in again.due()]
        assert dialed == numbers[::-1][:8]

    @pytest.mark.scenario(88)
    def test_not_with_the_option_off(self):
        store = self.lasting(1).store
        assert Net(store=store, connect_to_reliable_peers_on_startup=False, ideal_connections_lo=0,
                   minimum_outbound_peers=0).due() == []  # fmt: skip

    @pytest.mark.scenario(89)
    def test_only_boot_nodes_when_told(self):
        net = self.lasting(1, 2)
        again = Net(store=net.store, now=net.now, connect_only_to_boot_nodes=True, boot_nodes=(node(1),))
        assert [dial.peer.id for dial in again.run(5, lambda net, dial: None)[0][1:]] == [peer_id(1)]

    @pytest.mark.scenario(88)
    @pytest.mark.interop("recent connections")
    def test_a_lost_one_is_tried_six_times(self):
        net = self.lasting(1, ideal_connections_lo=0, minimum_outbound_peers=0)
        net.lose(1)
        moments = [moment for moment, _ in net.run(300, refuse)]
        assert len(moments) == REDIAL_TRIES
        assert moments[0] <= LOOK_AT_LINKS
        assert [round(b - a, 3) for a, b in pairwise(moments)] == [REDIAL_EVERY] * 5

    def test_until_it_is_back(self):
        net = self.lasting(1, ideal_connections_lo=0, minimum_outbound_peers=0)
        net.lose(1)
        assert len(net.run(300, accept)) == 1

    def test_not_when_short_inbound_forgotten_banned_or_crowded(self):
        quiet = {"ideal_connections_lo": 0, "minimum_outbound_peers": 0}
        net = self.lasting(1, 2, 3, 4, **quiet)
        net.connect(50)
        for number in (50, 99, 1, 2, 3):
            net.lose(number)
        net.dialer.links.forget(peer_id(1))
        net.peers_known.ban(peer_id(2), ReasonForBan.ABUSIVE, net.now)
        assert {dial.peer.id for _, dial in net.run(300, refuse)} == {peer_id(3)}
        net.lose(4)
        for number in range(60, 95):
            net.connect(number)
        assert net.run(300, refuse) == []

    def test_its_peer_may_be_forgotten_meanwhile(self):
        net = self.lasting(1, ideal_connections_lo=0, minimum_outbound_peers=0, known_peers=2)
        net.lose(1)
        net.connect(50)
        assert net.peers_known.get(peer_id(1)) is None
        assert net.run(300, refuse) == []


class TestDialects:
    def test_fixed_by_the_operator(self):
        net = Net(known=[1, 2], dialect="protobuf", peers={str(peer_id(1)): SimpleNamespace(dialect="borsh")})
        dials = {dial.peer.id: dial.dialect for _, dial in net.run(1, lambda net, dial: None)}
        assert dials == {peer_id(1): "borsh", peer_id(2): "protobuf"}
        net.dialer.failed(net.dialer.dial_now(info(3), START), "silence", net.now, silent=True)
        assert net.due() == []

    def test_auto_tries_the_other_at_once_and_remembers(self):
        net = Net(known=[1], dialect="auto")
        (first,) = net.due()
        assert net.dialer.failed(first, "silence", net.now, silent=True)
        assert net.dialer.next_timer(net.now) == net.now.mono
        (second,) = net.due()
        assert (first.dialect, second.dialect) == ("protobuf", "borsh")
        assert (first.probe, second.probe) == (2.0, None)
        accept(net, second)
        net.store.settle()
        assert net.store.columns[DIALECT_COLUMN] == {peer_id(1): b"borsh"}
        assert net.dialer.dial_now(info(1), START).dialect == "borsh"
        assert Net(store=net.store, dialect="auto").dialer.dial_now(info(1), START).dialect == "borsh"

    def test_auto_gives_up_after_both(self):
        net = Net(known=[1], dialect="auto")
        again = []
        for _ in range(2):
            (dial,) = net.due()
            again.append(net.dialer.failed(dial, "silence", net.now, silent=True))
        assert again == [True, False]
        assert net.due() == []
        assert net.peers_known.get(peer_id(1)).last_attempt[1] == "Error: silence"

    def test_the_version_belongs_to_the_place_as_it_was_dialed(self):
        net = Net(dialect="protobuf")
        named = net.dialer.dial_now(info(1), START, "protobuf", "p.near.org:24567")
        net.dialer.succeeded(named, net.now, 84)
        plain = net.dialer.dial_now(info(2), START)
        net.dialer.succeeded(plain, net.now, 120)
        old = net.dialer.dial_now(info(3), START, "borsh")
        net.dialer.succeeded(old, net.now, 51)
        net.store.settle()
        assert net.store.columns[VERSION_COLUMN] == {
            b"p.near.org:24567": b"\x54\0\0\0",
            str(addr(2)).encode(): b"\x78\0\0\0",
        }
        again = Net(store=net.store, dialect="protobuf").dialer
        assert again.remembered_version(named, START) == 84
        assert again.remembered_version(plain, START) == 120
        assert again.remembered_version(again.dial_now(info(2), START, "borsh"), START) is None, "of protobuf alone"
        assert again.remembered_version(again.dial_now(info(1), START), START) is None, "another place"
        assert again.remembered_version(None, START) is None

    def test_by_command(self):
        net = Net(dialect="auto", outbound_disabled=True)
        dial = net.dialer.dial_now(info(1), START, "protobuf", "p.near.org:24567")
        assert (dial.dialect, dial.host) == ("protobuf", "p.near.org:24567")
        net.dialer.failed(dial, "silence", net.now, silent=True)
        assert net.due() == []
