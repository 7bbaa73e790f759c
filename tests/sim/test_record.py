"""What enters the hash, and what the trace."""

import pytest

from nearnet.core.runtime.actions import Event
from nearnet.sim.network import Conditions, Network
from nearnet.sim.record import Record
from nearnet.sim.timeline import Timeline
from nearnet.sim.trace import Trace
from nearnet.sim.wires import Wire
from nearnet.wire.dialect import dialect_named
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import PeersRequest


class Party:
    def __init__(self, host):
        self.host = host


class Named(Party):
    name = "the other"


def wire(timeline, other, number=1):
    return Wire(Network(timeline, Conditions()), number, Party("10.0.0.1"), other("10.0.0.2"), (0.1, 0.1))


HAPPENINGS = {
    "note": lambda record, end: record.note("start", "0"),
    "another kind": lambda record, end: record.note("stop", "0"),
    "another node": lambda record, end: record.note("start", "1"),
    "other data": lambda record, end: record.note("start", "0", why="x"),
    "bytes": lambda record, end: record.received(end, b"x"),
    "other bytes": lambda record, end: record.received(end, b"y"),
    "event": lambda record, end: record.told("0", Event("x")),
    "another event": lambda record, end: record.told("0", Event("y")),
}


@pytest.mark.parametrize("traced", [False, True])
def test_whatever_happens_and_when_is_in_the_hash(traced):
    digests = []
    for happens in HAPPENINGS.values():
        for time in (1.0, 2.0):
            timeline = Timeline()
            record = Record(timeline, Trace() if traced else None)
            timeline.run(time)
            happens(record, wire(timeline, Party).ends[0])
            digests.append(record.digest)
    assert len(set(digests)) == 2 * len(HAPPENINGS)


def test_the_same_again_has_the_same_hash():
    records = [Record(Timeline()) for _ in range(2)]
    for record in records:
        for happens in HAPPENINGS.values():
            happens(record, wire(Timeline(), Party).ends[0])
    assert records[0].digest == records[1].digest != Record(Timeline()).digest


@pytest.mark.parametrize(("other", "to"), [(Party, "10.0.0.2"), (Named, "the other")])
def test_bytes_that_are_sent_are_traced_by_frames(other, to):
    timeline, trace = Timeline(), Trace()
    record = Record(timeline, trace)
    timeline.run(1.5)
    content = dialect_named("borsh").encode(PeersRequest())
    frame = frame_prefix(len(content)) + content
    record.sent("0", wire(timeline, other).ends[0], b"")
    record.sent("0", wire(timeline, other).ends[0], 2 * frame)
    line = {"time": 1.5, "kind": "send", "who": "0", "to": to, "message": "PeersRequest", "bytes": len(content)}
    assert trace.lines == [line, line]
    Record(timeline).sent("0", wire(timeline, other).ends[0], frame)
    assert len(trace.lines) == 2


def test_events_and_notes_are_traced():
    trace = Trace()
    record = Record(Timeline(), trace)
    record.note("step", "3", what="Wait(1)")
    record.told("0", Event("connected", None, {"dialect": "borsh", "who": "not this"}))
    assert trace.lines == [
        {"time": 0.0, "kind": "step", "who": "3", "what": "Wait(1)"},
        {"time": 0.0, "kind": "connected", "who": "0", "peer": None, "dialect": "borsh"},
    ]
