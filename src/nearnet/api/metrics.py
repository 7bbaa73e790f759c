"""Prometheus' text format under the reference's names, written by hand: the library would rename counters.

Values are read from the node when asked for; nothing is counted twice. Labels are few by construction: message types,
reasons, limits (`threats.md` row 79).
"""

from __future__ import annotations

import resource
from itertools import accumulate
from math import inf
from typing import TYPE_CHECKING, Any

from nearnet.api.network_metrics import network_metrics
from nearnet.core.runtime.histogram import Histogram
from nearnet.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nearnet.api.network_metrics import Metric
    from nearnet.api.rpc_stats import RpcStats
    from nearnet.net.node import Node

__all__ = ["CONTENT_TYPE", "exposition"]

_Sample = tuple[dict[str, str], Any]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(node: Node, stats: RpcStats) -> str:
    """All metrics of one node and its HTTP server, for a request that is counted too."""
    stats.prometheus_requests += 1
    lines: list[str] = []
    for name, kind, text, samples in _metrics(node, stats):
        lines.append(f"# HELP {name} {text}")
        lines.append(f"# TYPE {name} {kind}")
        for labels, value in samples:
            if isinstance(value, Histogram):
                lines.extend(_histogram(name, labels, value))
            else:
                lines.append(f"{name}{_labels(labels)} {_number(value)}")
    return "\n".join(lines) + "\n"


def _histogram(name: str, labels: Mapping[str, str], histogram: Histogram) -> Iterable[str]:
    """Buckets are told added up."""
    counts = accumulate(histogram.counts)
    for bound, count in zip((*histogram.bounds, inf), counts, strict=True):
        yield f"{name}_bucket{_labels({**labels, 'le': '+Inf' if bound == inf else repr(bound)})} {count}"
    yield f"{name}_sum{_labels(labels)} {_number(histogram.total)}"
    yield f"{name}_count{_labels(labels)} {sum(histogram.counts)}"


def _number(value: float) -> str:
    """Counts whole, however large."""
    return str(int(value)) if value == int(value) else repr(value)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    escaped = (f'{key}="{_escape(value)}"' for key, value in labels.items())
    return "{" + ",".join(escaped) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _metrics(node: Node, stats: RpcStats) -> Iterable[Metric]:
    yield from _connections(node)
    yield from _graph(node)
    yield from _messages(node)
    yield from network_metrics(node)
    yield from _ours(node)
    yield from stats.metrics()


def _connections(node: Node) -> Iterable[Metric]:
    core, info = node.core, node.network_info()
    for_each = {"Inbound": 0, "Outbound": 0}
    for peer in core.peers.values():
        for_each[peer.direction.capitalize()] += 1
    yield (
        "near_peer_connections",
        "gauge",
        "Connected peers",
        [({"tier": "T2", "peer_type": kind}, float(count)) for kind, count in for_each.items()],
    )
    yield "near_peer_connections_total", "gauge", "Connected peers", [({}, float(len(core.peers)))]
    yield "near_received_bytes_per_second", "gauge", "Received", [({}, float(info.received_bytes_per_sec))]
    yield "near_sent_bytes_per_second", "gauge", "Sent", [({}, float(info.sent_bytes_per_sec))]


def _graph(node: Node) -> Iterable[Metric]:
    table, counters = node.core.table, node.core.context.counters
    yield "near_edge_active", "gauge", "Active edges", [({}, float(table.active_count))]
    yield "near_edge_total", "gauge", "Edges, removed ones too", [({}, float(table.edge_count))]
    yield "near_peer_reachable", "gauge", "Peers that we have a way to", [({}, float(table.reachable_count))]
    computed = counters.get(("near_routing_table_recalculations_total", ""), 0)
    yield (
        "near_routing_table_recalculations_total",
        "counter",
        "Computations of next hops",
        [({}, float(computed))],
    )
    seconds: list[_Sample] = [({}, node.driver.loop_times.recalculation)]
    yield "near_routing_table_recalculation_seconds", "histogram", "Seconds of one computation of next hops", seconds


def _messages(node: Node) -> Iterable[Metric]:
    totals = node.core.connections.traffic()
    for word in ("received", "sent"):
        counts = totals[word]
        total = sum(entry[1] for entry in counts.values())
        yield f"near_peer_data_{word}_bytes", "counter", f"Bytes {word}", [({}, float(total))]
        for part, unit in ((0, "total"), (1, "bytes")):
            yield (
                f"near_peer_message_{word}_by_type_{unit}",
                "counter",
                f"Messages {word}, {unit}",
                [({"type": kind}, float(entry[part])) for kind, entry in sorted(counts.items())],
            )
    drops = dict(node.core.routed.drops)
    for kind, count in node.core.context.outbox.too_large.items():
        key = (kind, "TooLargeForType")
        drops[key] = drops.get(key, 0) + count
    dropped = [({"type": kind, "reason": reason}, float(count)) for (kind, reason), count in drops.items()]
    yield "near_dropped_message_by_type_and_reason_count", "counter", "Messages dropped, most of them routed", dropped
    by_type: dict[str, int] = {}
    for (body, _), count in node.core.routed.drops.items():
        by_type[body] = by_type.get(body, 0) + count
    yield (
        "near_routed_message_dropped",
        "counter",
        "Routed messages dropped",
        [({"type": body}, float(count)) for body, count in by_type.items()],
    )


def _ours(node: Node) -> Iterable[Metric]:
    core = node.core
    yield (
        "nearnet_routed_forwarded_total",
        "counter",
        "Routed messages passed on",
        [({}, float(core.routed.forwarded))],
    )
    closed = [
        ({"reason": reason}, float(count))
        for (metric, reason), count in core.context.counters.items()
        if metric == "nearnet_connections_closed"
    ]
    yield "nearnet_connections_closed_total", "counter", "Connections ended", closed
    hits = [({"limit": use.name}, float(use.hit)) for use in core.limits.uses({}) if use.hit]
    yield "nearnet_limit_hits_total", "counter", "How often a limit refused something", hits
    yield (
        "nearnet_edges_verified_total",
        "counter",
        "Signature checks of edges asked for",
        [({}, float(core.intake.verified_count))],
    )
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield "process_cpu_seconds_total", "counter", "CPU of this process", [({}, usage.ru_utime + usage.ru_stime)]
    yield (
        "near_build_info",
        "counter",
        "The build",
        [({"release": VERSION, "build": "nearnet", "rustc_version": ""}, 1.0)],
    )
