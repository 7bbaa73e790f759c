"""A hostile peer on a real socket, and the log of the node that it talks to."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

import pytest
from cluster import Cluster, make_config
from raw_peer import RawPeer

from nearnet.keys import SecretKey
from nearnet.net.event_logging import LINES_PER_SECOND


@pytest.mark.slow
@pytest.mark.threat(80)
async def test_a_peer_floods_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Malformed messages on one connection after the other, before and after the handshake."""
    caplog.set_level(logging.INFO, "nearnet")
    key = SecretKey.from_seed("flooder")
    async with Cluster() as cluster:
        node = await cluster.start(make_config(addr="127.0.0.1:0"))
        for number in range(60):
            try:
                if number % 2:
                    peer = await RawPeer.dial(node, key)
                else:
                    peer = await RawPeer.ready(node, key, nonce=2 * number + 1)
            except (EOFError, OSError):
                continue
            async with peer:
                peer.send(*[b"\x00\xff" if number % 2 else b"\x03\xff\xff\xff\xff"] * 20)
                await peer.rest()
        # What was left out is told when the next second begins, by the node's own clockwork.
        async with asyncio.timeout(10):
            while not any("suppressed" in message for message in caplog.messages):
                await asyncio.sleep(0.05)
    lines = [record for record in caplog.records if record.name == "nearnet.node"]
    by_source = Counter(
        (str(event.peer_id or event.data.get("address", "").rpartition(":")[0]), int(event.time))
        for record in lines
        if (event := getattr(record, "nearnet", None)) is not None
    )
    assert max(by_source.values()) <= LINES_PER_SECOND
    assert sum(event.kind == "malformed" for event in node.recent_events) > 5 * LINES_PER_SECOND
