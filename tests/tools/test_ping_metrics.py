"""The reference ping tool's metrics, read by Prometheus' own parser."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from nearnet.config import parse_peer
from nearnet.keys import SecretKey
from nearnet.tools.ping import PingResult
from nearnet.tools.ping_metrics import BUCKETS, PingMetrics

KEY = SecretKey.from_seed("target").public_key
TARGET = parse_peer(f"{KEY}@127.0.0.1:24567")
ACCOUNT = parse_peer(f"{KEY}@127.0.0.1:24567@far.near")


def test_names_labels_and_buckets() -> None:
    metrics = PingMetrics('te"st')
    metrics.add(PingResult(TARGET, 1, 1, 0.02))
    metrics.add(PingResult(TARGET, 2, 1, 5.0))
    metrics.add(PingResult(TARGET, 3, reason="no pong"))
    metrics.add(PingResult(ACCOUNT, 1, 1, 1e12))
    families = {one.name: one for one in text_string_to_metric_families(metrics.exposition())}
    samples = {
        (one.name, one.labels["account_id"], one.labels.get("le")): one.value
        for family in families.values()
        for one in family.samples
    }
    assert {one.labels["chain_id"] for family in families.values() for one in family.samples} == {'te"st'}
    assert "near_ping_ping_sent" in metrics.exposition()
    key = str(KEY)
    received = "near_ping_pong_received"
    assert samples[f"{received}_count", key, None] == 2
    assert samples[f"{received}_sum", key, None] == pytest.approx(0.00502)
    assert samples[f"{received}_count", "far.near", None] == samples[f"{received}_bucket", "far.near", "+Inf"] == 1
    counts = [samples[f"{received}_bucket", key, repr(bound)] for bound in BUCKETS]
    assert (counts[0], counts[1], counts[2], counts[-1]) == (0, 0, 1, 2)
    lines = metrics.exposition().splitlines()
    assert f'near_ping_ping_sent{{chain_id="te\\"st",account_id="{key}"}} 3' in lines
    assert f'near_ping_pong_timeout{{chain_id="te\\"st",account_id="{key}"}} 1' in lines


def test_forty_buckets_from_ten_microseconds() -> None:
    assert len(BUCKETS) == 40
    assert BUCKETS[:2] == (0.00001, pytest.approx(0.000016))


def test_nothing_yet() -> None:
    assert "near_ping_ping_sent{" not in PingMetrics("test").exposition()
