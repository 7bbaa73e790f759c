"""The summary line that operators know."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

from nearnet import NetworkConfig, Node
from nearnet.tools.summary_line import SummaryLine, bytes_in_words, memory_bytes, sentence


def config(**fields: object) -> NetworkConfig:
    network = {"addr": "127.0.0.1:0", "experimental": {"network_config_overrides": {"outbound_disabled": True}}}
    return NetworkConfig.model_validate({"network": network, "nearnet": {"dialect": "borsh"}, **fields})


async def test_a_line_each_period(caplog: pytest.LogCaptureFixture) -> None:
    told = asyncio.Event()

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if len(caplog.records) >= 2:
                told.set()

    watch = Watch()
    logging.getLogger("nearnet.stats").addHandler(watch)
    try:
        with caplog.at_level(logging.INFO, "nearnet.stats"):
            async with Node(config(head_height=2699829)) as a, Node(config()) as b:
                await a.connect(f"{b.peer_id}@{b.addr}")
                line = SummaryLine(a, 0.01)
                await asyncio.wait_for(told.wait(), 10)
                line.stop()
                line.stop()
    finally:
        logging.getLogger("nearnet.stats").removeHandler(watch)
    record = next(one for one in caplog.records if one.name == "nearnet.stats")
    form = r"#  2699829 \| 1 peer ⬇ \S+ k?B/s ⬆ \S+ k?B/s \| 1 known, 1 edges, \d in reach \| CPU: \d+%, Mem: \S+ MB"
    assert re.fullmatch(form, record.getMessage())
    assert record.fields["peers"] == 1  # type: ignore[attr-defined]


async def test_no_period_no_line(caplog: pytest.LogCaptureFixture) -> None:
    async with Node(config()) as node:
        line = SummaryLine(node, 0)
        assert line.facts()["peers"] == 0
        line.stop()
    assert caplog.records == []


def test_waiting_for_peers() -> None:
    names = ("height", "peers", "known_peers", "edges", "reachable", "cpu_percent", "memory_bytes")
    facts = {**dict.fromkeys(names, 0), "received_bytes_per_sec": 0, "sent_bytes_per_sec": 0}
    assert sentence(facts).startswith("#        0 Waiting for peers | 0 peers ⬇ 0 B/s ⬆ 0 B/s")


def test_bytes_in_words() -> None:
    assert [bytes_in_words(n) for n in (0, 999, 221_000, 2_980_000, 2_980_000_000)] == [
        "0 B",
        "999 B",
        "221 kB",
        "2.98 MB",
        "2.98 GB",
    ]


def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1e6 < memory_bytes() < 1e12

    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr("pathlib.Path.read_text", missing)
    assert memory_bytes() > 1e6
