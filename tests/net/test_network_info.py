"""Bytes per second, over connections that come and go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from nearnet.net.network_info import Traffic


def peer(sent: int, received: int) -> Any:
    class Counters(SimpleNamespace):
        __hash__ = object.__hash__

    return Counters(sent_bytes=sent, received_bytes=received)


def test_nothing_is_known_from_one_sample() -> None:
    traffic = Traffic()
    assert traffic.per_second == (0, 0)
    traffic.sample([peer(5, 5)], 1.0)
    assert traffic.per_second == (0, 0)


def test_bytes_of_connections_that_ended_count() -> None:
    traffic, first, second = Traffic(), peer(0, 0), peer(0, 0)
    traffic.sample([first], 100.0)
    first.sent_bytes, first.received_bytes = 1000, 500
    traffic.sample([second], 105.0)
    second.sent_bytes = 1000
    traffic.sample([second], 110.0)
    assert traffic.per_second == (200, 50)


def test_only_the_latest_samples_count() -> None:
    traffic, one = Traffic(samples=2), peer(0, 0)
    for second in range(5):
        one.sent_bytes = 2**second
        traffic.sample([one], float(second))
    assert traffic.per_second == (8, 0)
