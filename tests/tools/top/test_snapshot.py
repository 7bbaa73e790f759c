"""What is worked out of a node's answers."""

from __future__ import annotations

from dataclasses import replace

from told import NAMES, FakeRpc, peer

from nearnet.tools.top import Snapshot


def test_rates_are_since_the_snapshot_before() -> None:
    first = Snapshot.ask(FakeRpc())
    second = replace(first, time=first.time + 2, peers=[peer(0, 4000, 200), peer(2)])
    assert [(row.received, row.sent) for row in first.rows(None)] == [(None, None)] * 2
    assert [(row.received, row.sent) for row in second.rows(first)] == [(2000.0, 100.0), (None, None)]
    assert second.rows(first)[0].seconds == 61.0
    # A connection made anew counts from 0.
    assert next(row.received for row in first.rows(second)) == 0.0


def test_traffic_distances_events() -> None:
    told = Snapshot.ask(FakeRpc())
    assert told.traffic() == [("Routed", 8, 6), ("SyncRoutingTable", 2, 0)]
    assert told.distances() == [(1, 2), (2, 1)]
    assert [event["seq"] for event in told.events_after(0)] == [1]
    assert list(told.events_after(1)) == []
    assert told.as_dict()["nearnet_peers"][0]["peer_id"] == NAMES[0]
