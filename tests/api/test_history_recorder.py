"""What is sampled of a running node."""

from __future__ import annotations

import asyncio

import pytest
from raw_http import call, get, post, served
from real_nodes import place, running, until

from nearnet.api import history_recorder
from nearnet.api.history_recorder import HistoryRecorder, TrafficByType
from nearnet.core.runtime.actions import Event


class Counters:
    """What is read of a peer."""

    def __init__(self, sent: dict[str, list[int]]) -> None:
        self.sent_by_type = sent


def sampled(recorder: HistoryRecorder) -> dict:
    """Look now, whatever the time, and take the sample."""
    recorder._sample_due = 0.0
    recorder.look()
    return recorder.history.told(None, None)["samples"][-1]


async def test_a_sample_tells_connections_graph_and_traffic() -> None:
    async with running(3) as (node, first, second):
        recorder = HistoryRecorder(node)
        before = sampled(recorder)
        assert (before["inbound"], before["outbound"], before["edges"], before["reachable"]) == (0, 0, 0, 0)
        await node.connect(place(first))
        await second.connect(place(node))
        await until(node, lambda: node.core.table.reachable_count == 2)
        node._events.publish(Event("clock_ahead_over"), 1.0)
        node._events.publish(Event("clock_ahead_over"), 1.0)
        sample = sampled(recorder)
        assert (sample["inbound"], sample["outbound"], sample["pending"]) == (1, 1, 0)
        assert (sample["active_edges"], sample["edges_appeared"], sample["edges_went"]) == (2, 2, 0)
        assert sample["sent_by_type"]["Handshake"][0] == 2
        assert sample["received_by_type"]["Handshake"][0] == 2
        assert sample["sent_by_type"]["Handshake"][1] > 200
        assert sample["events"]["clock_ahead_over"] == 2
        assert sample["events"]["connected"] == 2
        assert sample["sent_bytes_per_sec"] > 0
        node.disconnect(first.peer_id)
        await until(node, lambda: len(node.core.peers) == 1)
        after = sampled(recorder)
        assert after["outbound"] == 0
        assert "clock_ahead_over" not in after["events"]
        assert "Handshake" not in after["sent_by_type"], "told once"


async def test_samples_come_each_ten_seconds_and_looks_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(1) as (node,):
        recorder = HistoryRecorder(node)
        looks: list[int] = []
        three = asyncio.Event()
        original = HistoryRecorder.look

        def look(self: HistoryRecorder) -> None:
            original(self)
            looks.append(len(self.history.told(None, None)["samples"]))
            if len(looks) >= 3:
                three.set()

        monkeypatch.setattr(HistoryRecorder, "look", look)
        monkeypatch.setattr(history_recorder, "PERIOD", 0.01)
        recorder.start()
        await asyncio.wait_for(three.wait(), 5)
        recorder.stop()
        recorder.stop()
        assert looks[:3] == [1, 1, 1]
        count = len(looks)
        await asyncio.sleep(0.05)
        assert len(looks) == count, "nothing after the stop"


def test_traffic_by_type_counts_each_message_once() -> None:
    traffic = TrafficByType("sent")
    one, other = Counters({"Block": [2, 50]}), Counters({})
    assert traffic.since_last([one, other]) == {"Block": [2, 50]}
    assert traffic.since_last([one, other]) == {}
    one.sent_by_type["Block"] = [3, 75]
    other.sent_by_type["Routed"] = [1, 10]
    assert traffic.since_last([other]) == {"Block": [1, 25], "Routed": [1, 10]}
    one.sent_by_type["Block"] = [9, 99]
    assert traffic.since_last([other]) == {}, "who is gone is counted to its end, once"


async def test_history_and_graph_over_the_rpc() -> None:
    async with served() as (node, server), running(1) as (other,):
        await other.connect(place(node))
        await until(node, lambda: node.core.table.edge_count == 1)
        server.jsonrpc.recorder.look()
        whole = (await post(server, call("nearnet_graph"))).json()["result"]
        assert whole["peers"] == [str(node.peer_id), str(other.peer_id)]
        assert (whole["first"], whole["second"], whole["left_out"]) in (([0], [1], 0), ([1], [0], 0))
        nothing = (await post(server, call("nearnet_graph", since=whole["seq"]))).json()["result"]
        assert nothing["changes"] == []
        change = (await post(server, call("nearnet_graph", since=whole["seq"] - 1))).json()["result"]["changes"]
        first, second = sorted((node.peer_id, other.peer_id))
        assert [(one["peer0"], one["peer1"], one["active"]) for one in change] == [(str(first), str(second), True)]
        past = (await post(server, call("nearnet_graph", at=0.0))).json()["result"]
        assert past["first"] == []
        history = (await post(server, call("nearnet_history", **{"from": 0.0, "to": 9e9}))).json()["result"]
        assert history["interval"] == 10.0
        assert len(history["samples"]) == 1
        assert (await post(server, call("nearnet_history", to=5.0))).json()["result"]["samples"] == []
        mine = (await post(server, call("nearnet_history", peer_id=str(other.peer_id)))).json()["result"]
        assert [one["active"] for one in mine["changes"]] == [True]
        for wrong in ({"at": "x"}, {"since": 1.5}, {"more": 1}):
            assert (await post(server, call("nearnet_graph", **wrong))).status == 400
        assert (await post(server, call("nearnet_history", peer_id="nonsense"))).status == 400
        assert (await get(server, "/nearnet_graph")).status == 200
