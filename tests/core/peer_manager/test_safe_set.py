"""Which connection is given up (`behaviour.md` §6; `threats.md` row 28; `scenarios.md` 17)."""

import random
from types import SimpleNamespace

import pytest

from nearnet.core.peer_manager.membership import choose_to_drop, safe_set
from nearnet.core.runtime.clock import Now

NOW = Now(10_000.0, 0.0)


def a_config(archive=False, **changes):
    network = {
        "ideal_connections_hi": 2,
        "minimum_outbound_peers": 0,
        "archival_peer_connections_lower_bound": 1,
        "safe_set_size": 0,
        "peer_recent_time_window": 600.0,
    }
    return SimpleNamespace(network=SimpleNamespace(**{**network, **changes}), archive=archive)


class FakePeer:
    def __init__(self, number, ip=None, direction="inbound", archival=False, since=None, received=10_000.0):
        self.id = number
        self.peer_id = f"peer {number}"
        self.address = SimpleNamespace(ip=ip or f"127.0.0.{number}")
        self.direction = direction
        self.chain_info = SimpleNamespace(archival=archival) if archival is not None else None
        self.connected_at = float(number if since is None else since)
        self.last_received = received


def drop(peers, config, persistent=()):
    return choose_to_drop(peers, persistent, config, random.Random(1), NOW)


def test_nobody_at_or_below_the_ideal():
    assert drop([FakePeer(1), FakePeer(2)], a_config()) is None


def test_outbound_ones_stay_while_they_are_few():
    peers = [FakePeer(1, direction="outbound"), FakePeer(2, direction="outbound"), FakePeer(3)]
    assert drop(peers, a_config(minimum_outbound_peers=2)) is peers[2]
    assert safe_set(peers, a_config(minimum_outbound_peers=1), NOW) == {}


@pytest.mark.scenario(17)
def test_archival_ones_stay_where_they_are_needed():
    peers = [FakePeer(1, archival=True), FakePeer(2, archival=None), FakePeer(3)]
    assert list(safe_set(peers, a_config(archive=True), NOW)) == [peers[0]]
    assert safe_set(peers, a_config(), NOW) == {}
    peers.append(FakePeer(4, archival=True))
    assert safe_set(peers, a_config(archive=True), NOW) == {}


def test_the_longest_standing_recent_ones_stay():
    peers = [FakePeer(3), FakePeer(1), FakePeer(2, received=9_000.0), FakePeer(4)]
    assert list(safe_set(peers, a_config(safe_set_size=2), NOW)) == [peers[1], peers[0]]
    assert drop(peers, a_config(safe_set_size=4)) is peers[2]


def test_persistent_ones_are_never_dropped_by_choice():
    peers = [FakePeer(n) for n in range(3)]
    assert drop(peers, a_config(), ["peer 0", "peer 2"]) is peers[1]
    assert drop(peers, a_config(), ["peer 0", "peer 1", "peer 2"]) is None


@pytest.mark.threat(28)
def test_the_newest_of_the_most_crowded_network_goes():
    peers = [FakePeer(1, "5.5.1.1"), FakePeer(4, "6.6.1.1"), FakePeer(2, "6.6.2.2"), FakePeer(5, "7.7.1.1")]
    assert drop(peers, a_config()) is peers[1]


def test_on_loopback_a_random_one():
    peers = [FakePeer(n) for n in range(10)]
    gone = {choose_to_drop(peers, (), a_config(), random.Random(seed), NOW).id for seed in range(20)}
    assert len(gone) > 3
