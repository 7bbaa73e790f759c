"""Who calls our port."""

from __future__ import annotations

import asyncio
import time

import pytest
from doctor_home import boot_node

from nearnet.errors import AlreadyRunning, PeerRefused
from nearnet.keys import SecretKey
from nearnet.tools.doctor.doorbell import Doorbell
from nearnet.wire.messages import SocketAddress

US = SecretKey.from_seed("us").public_key


@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
async def test_a_real_node_calls(dialect: str) -> None:
    async with Doorbell(SocketAddress("127.0.0.1", 0)) as bell, boot_node() as node:
        before = int(time.time())
        with pytest.raises(PeerRefused):
            await node.connect(f"{US}@{bell.address}", dialect)
        assert await bell.wait_for({node.peer_id}, 10) == node.peer_id
        if dialect == "protobuf":
            # The caller's clock is told by the nonce of its edge: odd, so it may be the second before.
            assert before - 1 <= bell.callers[node.peer_id] <= time.time() + 1
        assert await bell.takes_connections() is None


async def test_strangers_are_not_who_we_wait_for() -> None:
    async with Doorbell(SocketAddress("127.0.0.1", 0)) as bell:
        _, writer = await asyncio.open_connection("127.0.0.1", bell.address.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n" * 10)
        writer.write_eof()
        assert await bell.wait_for({US}, 0.05) is None
        writer.close()


async def test_a_port_in_use_or_closed() -> None:
    async with Doorbell(SocketAddress("127.0.0.1", 0)) as bell:
        with pytest.raises(AlreadyRunning):
            await Doorbell(bell.address).__aenter__()
    assert await bell.takes_connections() == "Connection refused"
