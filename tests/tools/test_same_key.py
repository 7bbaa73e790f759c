"""A second node with one key: found where the home's config has the RPC of the first."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import pytest
from raw_http import served

from nearnet.home import Home
from nearnet.keys import PeerId, SecretKey
from nearnet.tools.same_key import same_key_at, warn_of_same_key


def home_with(path: Path, rpc_addr: str) -> Home:
    (path / "config.json").write_text(json.dumps({"rpc": {"addr": rpc_addr}}))
    return Home.open(path)


async def test_a_node_that_is_up_and_one_that_is_another(tmp_path: Path) -> None:
    async with served() as (node, server):
        address = str(server.address)
        home = home_with(tmp_path, address)
        assert await asyncio.to_thread(same_key_at, home, node.peer_id, "127.0.0.1:1") == address
        assert await asyncio.to_thread(same_key_at, home, node.peer_id, None) == address
        everywhere = address.replace("127.0.0.1", "0.0.0.0")
        home = home_with(tmp_path, everywhere)
        assert await asyncio.to_thread(same_key_at, home, node.peer_id, None) == everywhere
        assert await asyncio.to_thread(same_key_at, home, node.peer_id, address) is None, "that is this one"
        stranger = PeerId(SecretKey.from_seed("stranger").public_key)
        assert await asyncio.to_thread(same_key_at, home, stranger, None) is None


@pytest.mark.parametrize("rpc_addr", ["", "127.0.0.1:1", "nonsense"])
def test_nobody_answers(tmp_path: Path, rpc_addr: str) -> None:
    assert same_key_at(home_with(tmp_path, rpc_addr), PeerId(SecretKey.from_seed("me").public_key), None) is None


async def test_the_warning_says_where_and_what_to_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with served() as (node, server):
        with caplog.at_level(logging.WARNING, "nearnet"):
            warn_of_same_key(home_with(tmp_path, str(server.address)), node.peer_id, None)
            async with asyncio.timeout(10):
                while not caplog.records:
                    await asyncio.sleep(0.01)
        (told,) = caplog.messages
        assert f"its RPC answers at {server.address}" in told
        assert "stop one" in told
