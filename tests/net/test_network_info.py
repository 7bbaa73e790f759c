"""Bytes per second, over connections that come and go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from nearnet.net.network_info import Traffic


def peer(sent: int, received: int, connected_at: float = 0.0) -> Any:
    class Counters(SimpleNamespace):
        __hash__ = object.__hash__

    return Counters(sent_bytes=sent, received_bytes=received, connected_at=connected_at)


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


def test_what_one_connection_does_now_not_on_the_average_of_its_life() -> None:
    traffic, one = Traffic(samples=2), peer(1_000_000, 0)
    assert traffic.of(peer(300, 100, connected_at=997.0), 1000.0) == (100, 33)
    traffic.sample([one], 1000.0)
    traffic.sample([one], 1005.0)
    one.received_bytes = 500
    assert traffic.of(one, 1010.0) == (0, 50)
    traffic.sample([], 1010.0)
    traffic.sample([], 1015.0)
    assert traffic.of(peer(60, 0, connected_at=1014.0), 1015.0) == (60, 0)
