"""The event log: numbers, the last thousand, slow readers."""

from __future__ import annotations

import asyncio

import pytest

from nearnet.core.runtime.actions import Event
from nearnet.keys import SecretKey
from nearnet.net.events import RECENT, EventLog, NodeEvent, Overflow

PEER = SecretKey.from_seed("peer").public_key


def test_events_are_numbered_and_the_last_thousand_kept() -> None:
    log = EventLog()
    for number in range(RECENT + 5):
        log.publish(Event("edges", None, {"added": number}), 1_700_000_000.5)
    assert len(log.recent) == RECENT
    assert [log.recent[0].seq, log.recent[-1].seq] == [6, RECENT + 5]


def test_an_event_as_json() -> None:
    told = NodeEvent(3, 1.5, "connected", PEER, {"direction": "inbound"})
    assert told.as_dict() == {
        "seq": 3,
        "time": 1.5,
        "kind": "connected",
        "peer_id": str(PEER),
        "direction": "inbound",
    }
    assert NodeEvent(3, 1.5, "routes", None, {}).as_dict() == {"seq": 3, "time": 1.5, "kind": "routes"}
    assert Overflow(4).as_dict() == {"kind": "overflow", "n": 4}


def test_listeners_hear_at_once_until_they_end_it() -> None:
    log, heard = EventLog(), []
    unlisten = log.listen(lambda event: heard.append(event.kind))
    log.publish(Event("one"), 0.0)
    unlisten()
    log.publish(Event("two"), 0.0)
    assert heard == ["one"]


async def test_a_stream_begins_now_and_ends_with_the_node() -> None:
    log = EventLog()
    log.publish(Event("before"), 0.0)
    stream = log.stream()
    log.publish(Event("after"), 0.0)
    log.close()
    assert [event.kind async for event in stream] == ["after"]


async def test_a_waiting_reader_is_woken() -> None:
    log = EventLog()
    stream = log.stream()
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    log.publish(Event("one"), 0.0)
    assert (await first).kind == "one"
    end = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    log.close()
    with pytest.raises(StopAsyncIteration):
        await end


async def test_a_slow_reader_loses_the_oldest_and_is_told_how_many() -> None:
    log = EventLog()
    slow, quick = log.stream(maxsize=2), log.stream()
    for number in range(5):
        log.publish(Event(f"event {number}"), 0.0)
    log.close()
    assert [event.kind async for event in slow] == ["overflow", "event 3", "event 4"]
    assert [event.kind async for event in quick] == [f"event {number}" for number in range(5)]
