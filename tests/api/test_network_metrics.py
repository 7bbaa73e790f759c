"""Metrics of the network; `test_metrics.py` reads them over HTTP."""

from __future__ import annotations

from real_nodes import running

from nearnet.api.network_metrics import network_metrics


async def test_a_label_for_each_part_of_what_the_core_counted() -> None:
    async with running(1) as (node,):
        node.core.context.count("near_sync_accounts_data", "sent,true,false", count=3)
        node.core.context.count("nearnet_skipped_frames", "unknown")
        found = {name: samples for name, _, _, samples in network_metrics(node)}
        labels = {"direction": "sent", "incremental": "true", "requesting_full_sync": "false"}
        assert found["near_sync_accounts_data"][0] == (labels, 3.0)
        assert [count for _, count in found["near_sync_accounts_data"][1:]] == [0.0] * 7, "each way, from the start"
        assert found["near_broadcast_msg"] == [
            ({"type": "SyncRoutingTable"}, 0.0),
            ({"type": "SyncSnapshotHosts"}, 0.0),
        ]
        assert found["nearnet_skipped_frames"] == [({"kind": "unknown"}, 1.0)]
        assert found["nearnet_skipped_fields"] == [({}, 0.0)]
        assert len(found) == len(list(network_metrics(node))), "each name once"
