"""A process that is paused for half a minute (`threats.md` row 71)."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from network.cluster import Cluster, address, make_config
from network.node_process import NodeProcess, make_home

PAUSE = 30.0


@pytest.mark.nightly
@pytest.mark.timeout(120)
@pytest.mark.threat(71)
async def test_paused_for_thirty_seconds(tmp_path: Path) -> None:
    """Meanwhile its neighbors go on talking: nobody bans it, and it takes part again without a restart."""
    async with Cluster() as cluster:
        first, second = await cluster.start(make_config()), await cluster.start(make_config())
        await cluster.wire((0, 1))
        boot = f"{address(first)},{address(second)}"
        with NodeProcess(make_home(tmp_path / "home"), "--boot-nodes", boot) as node:
            await cluster.until(lambda: all(node.peer_id in one.core.peers for one in (first, second)))
            for one in (first, second):
                await one.ping(node.peer_id)  # It knows of both connections too.
            node.process.send_signal(signal.SIGSTOP)
            first.disconnect(second.peer_id)
            await cluster.stays(lambda: not cluster.bans, PAUSE)
            node.process.send_signal(signal.SIGCONT)
            await cluster.until(lambda: all(node.peer_id in one.core.peers for one in (first, second)))
            assert (await first.ping(node.peer_id)).hops == 1
            await cluster.until(lambda: first.core.table.next_hops(second.peer_id) == (node.peer_id,))
            node.end()
            assert "Traceback" not in node.log()
        assert cluster.bans == []
