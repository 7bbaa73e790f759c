"""Totals of connections that live and of those that are gone."""

from peer_fakes import START

from nearnet.core.peer.inbound import TrafficTotals
from nearnet.core.peer.peer import Outbox, Peer
from nearnet.wire.messages import SocketAddress


def peer_with(received, sent):
    peer = Peer(1, SocketAddress("127.0.0.1", 1), Outbox(1), START)
    peer.received_by_type, peer.sent_by_type = received, sent
    return peer


def test_totals():
    totals = TrafficTotals()
    gone, living = peer_with({"Ping": [1, 10]}, {}), peer_with({"Ping": [2, 20]}, {"Pong": [1, 5]})
    totals.add(gone)
    both = {"received": {"Ping": [3, 30]}, "sent": {"Pong": [1, 5]}}
    assert totals.with_those([living]) == both
    assert totals.with_those([living]) == both, "asking changes nothing"
    assert totals.with_those([]) == {"received": {"Ping": [1, 10]}, "sent": {}}
