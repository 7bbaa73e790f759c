"""What was asked over HTTP, as metrics; `test_metrics.py` reads them from a node."""

from __future__ import annotations

from nearnet.api.rpc_stats import RpcStats


def test_calls_errors_and_seconds_by_method() -> None:
    stats = RpcStats()
    stats.called("status", "", 0.0015)
    stats.called("status", "-32000", 0.1)
    stats.called("UNSUPPORTED_METHOD", "-32601", 0.0001)
    stats.timeouts += 1
    found = {name: samples for name, _, _, samples in stats.metrics()}
    assert found["near_rpc_total_count"] == [({"method": "status"}, 2.0), ({"method": "UNSUPPORTED_METHOD"}, 1.0)]
    assert found["near_rpc_error_count"] == [
        ({"method": "status", "err_code": "-32000"}, 1.0),
        ({"method": "UNSUPPORTED_METHOD", "err_code": "-32601"}, 1.0),
    ]
    (_, status), (_, other) = found["near_rpc_processing_time"]
    assert (status.bounds[0], len(status.bounds)) == (0.001, 16)
    assert (status.counts[1], sum(status.counts), round(status.total, 4)) == (1, 2, 0.1015)
    assert other.counts[0] == 1
    assert found["near_rpc_timeout_total"] == [({}, 1.0)]


def test_our_own_methods_are_counted_apart_and_timed_together() -> None:
    stats = RpcStats()
    for method in ("nearnet_peers", "nearnet_bans", "status"):
        stats.called(method, "", 0.1)
    found = {name: samples for name, _, _, samples in stats.metrics()}
    assert [labels["method"] for labels, _ in found["near_rpc_total_count"]] == [
        "nearnet_peers",
        "nearnet_bans",
        "status",
    ]
    assert [(labels["method"], sum(one.counts)) for labels, one in found["near_rpc_processing_time"]] == [
        ("nearnet", 2),
        ("status", 1),
    ]
