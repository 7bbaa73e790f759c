"""`kill -9` at any moment of a node that writes: what it said is stored is stored, and the rest is whole
(`threats.md` row 65)."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from network.node_process import NodeProcess, make_home
from network.raw_peer import RawPeer, edge_between

from nearnet.cli import main
from nearnet.errors import NearnetError
from nearnet.keys import CryptoHash, SecretKey
from nearnet.store.base import COMPONENT_EDGES, PEER_COMPONENT, PEERS
from nearnet.store.schema import describe_row
from nearnet.store.sqlite import SqliteStore
from nearnet.wire.messages import AnnounceAccount, SyncRoutingTable

PRUNING = 'nearnet.timing={"prune_unreachable_after": 0.05, "prune_check_after": 0.05}'
"""So that components go to the disk and come back all the time."""

ROOM = 'nearnet.limits={"known_peers": 100000}'
"""For more bans than a node remembers by default."""


class Writing:
    """What makes a node write: bans by its RPC, edges that nobody reaches, announcements."""

    def __init__(self, node: NodeProcess, numbers: Iterator[int]) -> None:
        self.node = node
        self.numbers = numbers
        self.stored: set[str] = set()
        """Whom it told us to have banned."""

    def ban(self) -> None:
        """Until it is dead."""
        with suppress(NearnetError, OSError):
            for number in self.numbers:
                peer = str(SecretKey.from_seed(f"banned {number}").public_key)
                self.node.call("nearnet_ban", peer_id=peer)
                self.stored.add(peer)

    async def gossip(self) -> None:
        """Until it is dead: pairs that are far away, told again with newer nonces as they come back from the disk."""
        with suppress(EOFError, OSError, TimeoutError):
            async with await RawPeer.ready(self.node.target, f"gossip {next(self.numbers)}") as raw:
                for number in self.numbers:
                    one, other = (SecretKey.from_seed(f"far {number % 5} {end}") for end in range(2))
                    account = f"account{number}.near"
                    said = AnnounceAccount(account, one.public_key, CryptoHash.of(b"epoch"), one.sign(bytes(32)))
                    raw.send(SyncRoutingTable((edge_between(one, other, 2 * number + 1),), (said,)))
                    raw.send(SyncRoutingTable((edge_between(one, raw.key, 2 * number + 1 + number % 2),)))
                    await raw.answers(number)


def look_at(home: Path) -> set[str]:
    """Whole and without contradiction; who is banned in it."""
    assert main(["store", "check", "--home", str(home)]) == 0
    store = SqliteStore(home / "data" / "nearnet.sqlite")
    try:
        assert {value for _, value in store.items(PEER_COMPONENT)} == {key for key, _ in store.items(COMPONENT_EDGES)}
        rows = (describe_row(PEERS, key, value) for key, value in store.items(PEERS))
        return {row["peer_id"] for row in rows if row["ban"] is not None}
    finally:
        store.close()


async def _kill(home: Path, kills: int, seed: int) -> tuple[int, int]:
    """How many bans there are at the end, and how many rows of components were seen on the way."""
    chance = random.Random(seed)
    numbers = itertools.count()
    stored: set[str] = set()
    components = 0
    for _ in range(kills):
        with NodeProcess(home, "--set", PRUNING, "--set", ROOM) as node:
            writing = Writing(node, numbers)
            told = asyncio.create_task(writing.gossip())
            bans = asyncio.create_task(asyncio.to_thread(writing.ban))
            await asyncio.sleep(chance.uniform(0.02, 1.2))
            node.kill()
            await asyncio.gather(told, bans)
            stored |= writing.stored
            assert stored <= look_at(home)
            assert "Traceback" not in node.log()
        store = SqliteStore(home / "data" / "nearnet.sqlite")
        components += len(list(store.items(COMPONENT_EDGES)))
        store.close()
    with NodeProcess(home, "--set", ROOM) as node:
        assert stored <= {one["peer_id"] for one in node.call("nearnet_bans")}
        node.kill()
    return len(stored), components


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.threat(65)
async def test_five_kills(tmp_path: Path) -> None:
    bans, _ = await _kill(make_home(tmp_path / "home"), 5, seed=65)
    assert bans > 5, "components come by chance in so few: the two hundred must have met some"


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.threat(65)
async def test_two_hundred_kills(tmp_path: Path) -> None:
    bans, components = await _kill(make_home(tmp_path / "home"), 200, seed=66)
    assert bans > 200
    assert components > 0
