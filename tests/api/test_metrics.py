"""Metrics: the reference's names as they are, labels that hostile texts cannot multiply."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from network.raw_peer import RawPeer
from raw_http import call, get, post, served
from real_nodes import place, running

from nearnet.core.runtime.clock import Now
from nearnet.keys import PublicKey, SecretKey
from nearnet.wire.messages import PeerInfo, PeersRequest, SocketAddress

HERE = Path(__file__).parent
OURS = [f"nearnet_{one}" for one in ("peers", "known_peers", "bans", "edges", "routes", "accounts", "limits", "events")]
SAMPLE = re.compile(r'([a-z_]+)((?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})?) (-?[0-9.e+-]+)')


def read(text: str) -> tuple[dict[str, str], dict[str, float]]:
    """Types by name, values by name and labels; every line must read."""
    types: dict[str, str] = {}
    values: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in types, "a metric twice"
            types[name] = kind
        elif not line.startswith("# HELP "):
            found = SAMPLE.fullmatch(line)
            assert found, line
            assert found[1] in types or re.sub("_(bucket|sum|count)$", "", found[1]) in types
            assert found[1] + found[2] not in values, "a sample twice"
            values[found[1] + found[2]] = float(found[3])
    return types, values


async def test_names_types_and_values() -> None:
    async with served() as (node, server), running(1) as (other,):
        await node.connect(place(other))
        await post(server, call("health"))
        await post(server, call("nothing like that"))
        answer = await get(server, "/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        types, values = read(answer.body.decode())
        assert types["near_peer_connections_total"] == "gauge"
        assert types["near_edge_active"] == types["near_edge_total"] == types["near_peer_reachable"] == "gauge"
        for name in (
            "near_peer_data_received_bytes",
            "near_peer_data_sent_bytes",
            "near_peer_message_received_by_type_bytes",
            "near_peer_message_sent_by_type_total",
            "near_routing_table_recalculations_total",
            "near_routed_message_dropped",
            "near_dropped_message_by_type_and_reason_count",
        ):
            assert types[name] == "counter"
        assert values['near_peer_connections{tier="T2",peer_type="Outbound"}'] == 1
        assert values["near_edge_total"] == values["near_edge_active"] == 1
        assert values['near_peer_message_sent_by_type_total{type="Handshake"}'] == 1
        assert values["near_peer_data_sent_bytes"] > 100
        assert values['near_rpc_total_count{method="health"}'] == 1
        assert values['near_rpc_error_count{method="UNSUPPORTED_METHOD",err_code="-32601"}'] == 1


def reference() -> list[tuple[str, str, list[str]]]:
    """The reference node's metrics: name, type, labels."""
    lines = (HERE / "reference_metrics.txt").read_text().splitlines()
    return [(name, kind, labels[0].split(",") if labels else []) for name, kind, *labels in map(str.split, lines)]


async def test_every_metric_of_the_reference_node_or_a_word_on_why_not() -> None:
    explained = (HERE.parents[1] / "docs" / "operating.md").read_text()
    async with served() as (node, server), running(1) as (other,):
        await node.connect(place(other), "protobuf")
        await other.ping(node.peer_id)
        await get(server, "/status")
        await post(server, call("nothing like that"))
        while not (node.driver.loop_times.monitor_peers.total and node.driver.loop_times.recalculation.total):
            await asyncio.sleep(0.01)
        types, values = read((await get(server, "/metrics")).body.decode())
    assert len(reference()) == 60
    for name, kind, labels in reference():
        if name not in types:
            assert f"`{name}`" in explained or name.startswith("near_ping_"), name
            continue
        assert types[name] == kind, name
        for sample in values:
            if re.fullmatch(f"{name}(_bucket)?({{.*}})?", sample):
                told = re.findall(r'[{,]([a-z_]+)="', sample)
                assert [label for label in told if label != "le"] == labels, sample
    sizes = re.findall(r'near_peer_msg_size_bytes_bucket{addr="[^"]*",le="(\d[^"]*)"}', "\n".join(values))
    assert [float(one) for one in sizes] == [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]
    assert values["near_peer_msg_read_latency_count"] >= 3
    assert values["near_edge_updates"] == 1
    assert values['near_peer_manager_messages_time_count{message="received"}'] >= 3
    assert values['near_peer_manager_trigger_time_count{trigger="monitor_peers"}'] >= 1
    assert values["near_routing_table_recalculation_seconds_count"] >= 1
    assert values["near_http_status_requests_total"] == values["near_http_prometheus_requests_total"] == 1
    assert values['near_rpc_processing_time_count{method="UNSUPPORTED_METHOD"}'] == 1
    assert values["near_peer_unreliable"] == 0


@pytest.mark.parametrize("value", [0, 7, 123_456_789, 2**40 + 1])
async def test_large_numbers_are_whole(value: int) -> None:
    async with served() as (node, server):
        node.core.routed.forwarded = value
        _, values = read((await get(server, "/metrics")).body.decode())
        assert values["nearnet_routed_forwarded_total"] == value


@pytest.mark.interop("Routed")
async def test_what_protobuf_neighbors_cause() -> None:
    """Hops and latency of routed messages, what was synced, what was skipped."""
    async with served() as (node, server), running(1) as (other,):
        await node.connect(place(other), "protobuf")
        for _ in range(3):
            await other.ping(node.peer_id)
        types, values = read((await get(server, "/metrics")).body.decode())
        assert types["near_network_routed_msg_latency"] == "histogram"
        labels = 'routed="Ping",tier="T2",fastest="false"'
        assert values[f"near_network_routed_msg_latency_count{{{labels}}}"] == 3
        assert values[f'near_network_routed_msg_latency_bucket{{{labels},le="+Inf"}}'] == 3
        buckets = [value for name, value in values.items() if name.startswith("near_network_routed_msg_latency_bucket")]
        assert buckets == sorted(buckets)
        assert values['near_network_routed_msg_hops{routed="Ping",hops="0"}'] == 3
        assert values['near_sync_snapshot_hosts{direction="received"}'] == 1
        synced = 'direction="sent",incremental="false",requesting_full_sync="true"'
        assert values[f"near_sync_accounts_data{{{synced}}}"] == 1
        assert values["nearnet_skipped_fields"] == 0
        assert any(name.startswith("near_peer_write_buffer_size{addr=") for name in values)


@pytest.mark.threat(79)
async def test_ten_thousand_peers_make_no_more_series() -> None:
    """Who is known, refused or gone is no label, and whoever is connected no longer than that."""
    async with served() as (node, server):
        keys = [SecretKey.from_seed(f"metric {number}") for number in range(15)]
        strangers = [PublicKey(b"\0" + number.to_bytes(32, "big")) for number in range(10_000)]
        infos = [PeerInfo(key, SocketAddress("127.0.0.1", 1 + number)) for number, key in enumerate(strangers)]
        series: list[set[str]] = []
        for method in ("status", "network_info", "health", "nonsense", *OURS):
            await post(server, call(method))
        for part in (keys[:5], keys[5:10], keys[10:]):
            node.core.context.peer_store.add_indirect(infos, "127.0.0.1", Now(1.0, 1.0))
            for key in part:
                raw = await RawPeer.ready(node, key)
                raw.send(PeersRequest(), b"\xff", b"\x03\x01")
                await raw.answers()
                raw.cut()
            for _ in range(20):
                (await RawPeer.dial(node)).cut()
            answer = await get(server, "/metrics")
            lines = answer.body.decode().splitlines()
            series.append({line.rpartition(" ")[0] for line in lines if not line.startswith("#")})
        assert len(series[2]) <= 500
        late = series[2] - series[1]
        late = [one for one in late if 'type="' not in one and 'reason="' not in one]
        assert late == [], "only a kind of message, or a reason to close, may be met late"
        assert not any(str(key.public_key) in one or "127.0.0.1" in one for one in series[2] for key in keys)
