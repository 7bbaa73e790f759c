"""The event log: numbers, the last thousand, slow readers."""

from __future__ import annotations

import asyncio

import pytest

from nearnet.core.runtime.actions import Event
from nearnet.events import Banned, EdgesAdded, NodeEvent, Overflow, Unbanned
from nearnet.keys import SecretKey
from nearnet.net.events import RECENT, EventLog

PEER = SecretKey.from_seed("peer").public_key


def edges(added: int) -> Event:
    return Event("edges", None, {"added": added, "total": 9})


def added(event: NodeEvent | Overflow) -> int:
    assert isinstance(event, EdgesAdded)
    return event.added


def test_events_are_numbered_and_the_last_thousand_kept() -> None:
    log = EventLog()
    for number in range(RECENT + 5):
        log.publish(edges(number), 1_700_000_000.5)
    assert len(log.recent) == RECENT
    assert [log.recent[0].seq, log.recent[-1].seq] == [6, RECENT + 5]
    assert log.recent[-1] == EdgesAdded(seq=RECENT + 5, time=1_700_000_000.5, peer_id=None, added=RECENT + 4, total=9)


def test_an_event_that_has_no_class_takes_no_number() -> None:
    log = EventLog()
    with pytest.raises(KeyError):
        log.publish(Event("no_such_kind"), 0.0)
    log.publish(edges(1), 0.0)
    assert [event.seq for event in log.recent] == [1]


def test_listeners_hear_at_once_until_they_end_it() -> None:
    log, heard = EventLog(), []
    unlisten = log.listen(lambda event: heard.append(added(event)))
    log.publish(edges(1), 0.0)
    unlisten()
    log.publish(edges(2), 0.0)
    assert heard == [1]


def test_listeners_hear_of_the_end_until_they_end_it() -> None:
    log, ends = EventLog(), []
    log.listen(lambda event: None, lambda: ends.append("first"))
    log.listen(lambda event: None, lambda: ends.append("second"))()
    log.close()
    assert ends == ["first"]


async def test_a_stream_begins_now_and_ends_with_the_node() -> None:
    log = EventLog()
    log.publish(edges(1), 0.0)
    stream = log.stream()
    log.publish(edges(2), 0.0)
    log.close()
    assert [added(event) async for event in stream] == [2]


async def test_a_stream_of_some_classes() -> None:
    log = EventLog()
    stream = log.stream(maxsize=2, types=(Banned, Unbanned))
    for number in range(5):
        log.publish(edges(number), 0.0)
    log.publish(Event("banned", PEER, {"reason": "Abusive", "seconds": 60.0}), 0.0)
    log.publish(Event("unbanned", PEER), 0.0)
    log.close()
    assert [type(event) async for event in stream] == [Banned, Unbanned]


async def test_a_waiting_reader_is_woken() -> None:
    log = EventLog()
    stream = log.stream()
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    log.publish(edges(1), 0.0)
    assert added(await first) == 1
    end = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    log.close()
    with pytest.raises(StopAsyncIteration):
        await end


async def test_a_slow_reader_loses_the_oldest_and_is_told_how_many() -> None:
    log = EventLog()
    slow, quick = log.stream(maxsize=2), log.stream()
    for number in range(5):
        log.publish(edges(number), 0.0)
    log.close()
    gap, *read = [event async for event in slow]
    assert gap == Overflow(3)
    assert [added(event) for event in read] == [3, 4]
    assert [added(event) async for event in quick] == list(range(5))
