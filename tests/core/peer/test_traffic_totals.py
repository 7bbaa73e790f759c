"""Totals of connections that live and of those that are gone."""

from nearnet.core.peer.inbound import TrafficTotals


class FakePeer:
    def __init__(self, received, sent):
        self.received_by_type = received
        self.sent_by_type = sent


def test_totals():
    totals = TrafficTotals()
    gone, living = FakePeer({"Ping": [1, 10]}, {}), FakePeer({"Ping": [2, 20]}, {"Pong": [1, 5]})
    totals.add(gone)
    both = {"received": {"Ping": [3, 30]}, "sent": {"Pong": [1, 5]}}
    assert totals.with_those([living]) == both
    assert totals.with_those([living]) == both, "asking changes nothing"
    assert totals.with_those([]) == {"received": {"Ping": [1, 10]}, "sent": {}}
