"""A node started on a database of which one page is damaged: a sentence and an exit code, or all its bans
(`threats.md` row 66)."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from network.node_process import NodeProcess, make_home

from nearnet.core.runtime.actions import Write
from nearnet.keys import SecretKey
from nearnet.store.base import COLUMNS, COMPONENT_EDGES, PEERS
from nearnet.store.sqlite import SqliteStore

PAGE = 4096
BANS = 40
HARMS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "one bit": lambda page, chance: _flipped(page, chance.randrange(8 * len(page))),
    "zeros": lambda page, _: bytes(len(page)),
    "noise": lambda page, chance: chance.randbytes(len(page)),
}


def _flipped(page: bytes, bit: int) -> bytes:
    changed = bytearray(page)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def make_store(home: Path) -> set[str]:
    """Forty bans, made by a node; a row of 20 000 bytes beside them. Who is banned."""
    with NodeProcess(home) as node:
        peers = {str(SecretKey.from_seed(f"banned {number}").public_key) for number in range(BANS)}
        for peer in peers:
            node.call("nearnet_ban", peer_id=peer)
        node.kill()
    store = SqliteStore(home / "data" / "nearnet.sqlite")
    store.commit([Write(COMPONENT_EDGES, bytes(8), bytes(20_000))])
    assert {len(list(store.items(column))) for column in COLUMNS} >= {BANS, 1}
    assert len(list(store.items(PEERS))) == BANS
    store.close()
    return peers


def start_on(home: Path) -> list[str] | tuple[int, str]:
    """Who is banned when it starts; exit code and sentence when it does not."""
    (home / "log").unlink(missing_ok=True)
    node = NodeProcess(home)
    assert node.process.stdout is not None
    line = node.process.stdout.readline()
    if not line:
        return node.refused()
    node.told = json.loads(line)
    try:
        bans = [one["peer_id"] for one in node.call("nearnet_bans")]
        node.kill()
    finally:
        node.__exit__(None, None, None)
    assert "Traceback" not in node.log()
    return bans


def _try(home: Path, pages: list[int] | None, harms: list[str]) -> tuple[int, int]:
    """Each page harmed in each way; how many starts, and how many of them were refused."""
    banned = make_store(home)
    file = home / "data" / "nearnet.sqlite"
    whole = file.read_bytes()
    assert len(whole) % PAGE == 0
    chance = random.Random(66)
    numbers = range(len(whole) // PAGE) if pages is None else [page % (len(whole) // PAGE) for page in pages]
    starts = refused = 0
    for number in numbers:
        for harm in harms:
            for left in file.parent.glob("nearnet.sqlite-*"):
                left.unlink()
            page = HARMS[harm](whole[number * PAGE : (number + 1) * PAGE], chance)
            file.write_bytes(whole[: number * PAGE] + page + whole[(number + 1) * PAGE :])
            found = start_on(home)
            starts += 1
            if isinstance(found, list):
                assert set(found) == banned, f"page {number}, {harm}: another list of bans, without a word"
                continue
            refused += 1
            assert found[0] == 1, f"page {number}, {harm}: {found}"
            assert "--reset-peer-store" in found[1], f"page {number}, {harm}: {found}"
            assert "Traceback" not in found[1], f"page {number}, {harm}: {found}"
    shutil.rmtree(home)
    return starts, refused


@pytest.mark.slow
@pytest.mark.threat(66)
def test_some_pages(tmp_path: Path) -> None:
    starts, refused = _try(make_home(tmp_path / "home"), [0, 2, -1, -2, 5], ["noise", "one bit"])
    assert starts == 10
    assert refused > 2


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.threat(66)
def test_every_page_in_three_ways(tmp_path: Path) -> None:
    starts, refused = _try(make_home(tmp_path / "home"), None, list(HARMS))
    assert starts > 3 * len(COLUMNS)
    assert refused > starts // 3
