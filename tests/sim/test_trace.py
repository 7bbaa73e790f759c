import json

from nearnet.sim import trace as tracing
from nearnet.sim.play import play
from nearnet.sim.scenarios import find
from nearnet.sim.trace import Trace


def test_a_trace_tells_steps_messages_and_events(tmp_path):
    trace = play(find("7"), trace=True).trace
    kinds = {line["kind"] for line in trace.lines}
    assert {"step", "start", "send", "connected", "pong"} <= kinds
    messages = [line["message"] for line in trace.lines if line["kind"] == "send"]
    assert {"Handshake", "SyncRoutingTable", "Routed", "PeersRequest"} <= set(messages)
    times = [line["time"] for line in trace.lines]
    assert times == sorted(times)
    trace.write(tmp_path / "trace.jsonl")
    assert [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()] == trace.lines


def test_a_trace_changes_nothing():
    assert play(find("chaos"), 3, trace=True).digest == play(find("chaos"), 3).digest
    assert play(find("chaos"), 3).trace is None


def test_a_trace_is_bounded(monkeypatch, tmp_path):
    monkeypatch.setattr(tracing, "MOST_LINES", 2)
    trace = Trace()
    for number in range(5):
        trace.add(float(number), "something", "0")
    trace.write(tmp_path / "trace.jsonl")
    assert len(trace.lines) == 2
    assert json.loads((tmp_path / "trace.jsonl").read_text().splitlines()[-1]) == {"kind": "left out", "lines": 3}
