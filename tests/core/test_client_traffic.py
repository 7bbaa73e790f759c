import pytest
from peer_fakes import START, later, peer_id

from nearnet.core.client_traffic import ClientTraffic


def test_the_chains_own_messages_go_to_the_client_and_no_others():
    traffic = ClientTraffic()
    assert all(traffic.allow(peer_id(1), "Block", START) for _ in range(1000))
    for kind in ("Handshake", "PeersRequest", "SyncRoutingTable", "HandshakeV2", "Unknown"):
        assert not traffic.allow(peer_id(1), kind, START)


@pytest.mark.threat(53)
def test_one_epoch_sync_request_in_30_seconds_from_each_peer():
    traffic = ClientTraffic()
    assert traffic.allow(peer_id(1), "EpochSyncRequest", START)
    assert not traffic.allow(peer_id(1), "EpochSyncRequest", START)
    assert not traffic.allow(peer_id(1), "EpochSyncRequest", later(1))
    assert traffic.allow(peer_id(2), "EpochSyncRequest", later(1))
    assert traffic.allow(peer_id(1), "EpochSyncRequest", later(31))
