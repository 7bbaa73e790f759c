"""Processes that are killed, paused, starved and restarted, and what must be there afterwards
(`scenarios.md` 27, 28, 53; `threats.md` rows 30, 58, 64-66, 71)."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import time
import zlib

import pytest
from network.cluster import Cluster, address, make_config
from network.node_process import NodeProcess, free_address, make_home
from network.raw_peer import RawPeer

from nearnet.keys import CryptoHash, SecretKey
from nearnet.store.sqlite import SCHEMA_VERSION
from nearnet.wire.messages import AnnounceAccount, Handshake

ENEMY, FRIEND = (str(SecretKey.from_seed(name).public_key) for name in ("enemy", "friend"))


@pytest.fixture
def home(tmp_path):
    return make_home(tmp_path / "home")


def stored(home, column):
    """Rows that the disk has."""
    with sqlite3.connect(f"file:{home / 'data' / 'nearnet.sqlite'}?mode=ro", uri=True) as database:
        rows = database.execute(f"SELECT key, value FROM {column}").fetchall()
    database.close()
    return dict(rows)


@pytest.mark.threat(58, 65)
@pytest.mark.scenario(27, 53)
async def test_kill_9_costs_nothing_that_was_stored(home):
    async with Cluster() as cluster:
        other = await cluster.start(make_config(outbound=False))
        account = AnnounceAccount("alice.near", other.peer_id, CryptoHash.of(b"epoch"), other.key.sign(bytes(32)))
        with NodeProcess(home, "--boot-nodes", address(other)) as node:
            await cluster.until(lambda: node.peer_id in other.core.peers)
            other.announce(account)
            ban = {"peer_id": ENEMY, "reason": "HeightFraud", "seconds": 1000}
            assert await asyncio.to_thread(node.call, "nearnet_ban", **ban) == {"ok": True}
            await asyncio.to_thread(node.until, "nearnet_accounts", bool)
            await asyncio.to_thread(_until_stored, home, account)
            bans, accounts = node.call("nearnet_bans"), node.call("nearnet_accounts")
            node.kill()
        await cluster.until(lambda: not other.core.peers)
        # Without its boot nodes: from the store alone.
        with NodeProcess(home) as again:
            assert again.peer_id == node.peer_id
            assert again.call("nearnet_bans") == bans
            assert [(one["peer_id"], one["reason"]) for one in bans] == [(ENEMY, "HeightFraud")]
            assert again.call("nearnet_accounts") == accounts
            assert str(other.peer_id) in [one["peer_id"] for one in again.call("nearnet_known_peers")]
            await cluster.until(lambda: again.peer_id in other.core.peers)
            edge = other.core.table.get(other.peer_id, again.peer_id)
            assert edge.nonce == 3, "above the removal that the other end signed"
            again.end()
        assert cluster.bans == []


def _until_stored(home, account):
    """Rows other than bans are stored within a second."""
    deadline = time.monotonic() + 10
    while not (stored(home, "AccountAnnouncements") and len(stored(home, "Peers")) == 2):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.scenario(53)
async def test_a_ban_is_on_the_disk_when_the_call_returns(home):
    for number in range(2):
        with NodeProcess(home) as node:
            peer = str(SecretKey.from_seed(f"banned {number}").public_key)
            await asyncio.to_thread(node.call, "nearnet_ban", peer_id=peer)
            node.kill()
    with NodeProcess(home) as node:
        assert len(node.call("nearnet_bans")) == 2
        node.call("nearnet_unban", peer_id=peer)
        node.kill()
    with NodeProcess(home) as node:
        assert len(node.call("nearnet_bans")) == 1


@pytest.mark.scenario(27)
async def test_a_clean_restart_on_another_port(home):
    async with Cluster() as cluster:
        seed = await cluster.start(make_config(outbound=True))
        for _ in range(2):
            with NodeProcess(home, "--boot-nodes", address(seed)) as node:
                await cluster.until(lambda node=node: node.peer_id in seed.core.peers)
                pong = await seed.ping(node.peer_id)
                assert pong.hops == 1
                node.end()
            await cluster.until(lambda: not seed.core.peers, 2)
        assert cluster.bans == []


@pytest.mark.scenario(28)
async def test_a_new_key_on_the_same_address(tmp_path):
    where = free_address()
    first, second = make_home(tmp_path / "first", addr=where), make_home(tmp_path / "second", addr=where)
    async with Cluster() as cluster:
        watcher = await cluster.start(make_config(outbound=True))
        with NodeProcess(first) as old:
            await watcher.connect(old.address)
            gone = old.peer_id
            old.kill()
        await cluster.until(lambda: not watcher.core.peers and watcher.core.table.next_hops(gone) == ())
        with NodeProcess(second) as new:
            await cluster.until(lambda: new.peer_id in watcher.core.peers, what="the new identity is learnt")
            assert watcher.core.table.next_hops(gone) == ()
            new.end()
        assert ("near_connected_to_myself", "") not in watcher.core.context.counters
        assert cluster.bans == []


@pytest.mark.slow
@pytest.mark.threat(71)
async def test_a_paused_node_comes_back_without_a_restart(home):
    async with Cluster() as cluster:
        other = await cluster.start(make_config(outbound=False))
        with NodeProcess(home, "--boot-nodes", address(other)) as node:
            await cluster.until(lambda: node.peer_id in other.core.peers)
            node.process.send_signal(signal.SIGSTOP)
            await cluster.stays(lambda: node.peer_id in other.core.peers, 1.5)
            node.process.send_signal(signal.SIGCONT)
            assert (await other.ping(node.peer_id)).hops == 1
            node.end()
        assert cluster.bans == []


@pytest.mark.slow
@pytest.mark.threat(30)
async def test_no_descriptors_are_left(home):
    limits = "--set", 'nearnet.limits={"pending_connections": 1000}', "--set", "network.handshake_timeout=60"
    with NodeProcess(home, *limits, descriptors=64) as node:
        raws = [await RawPeer.dial(node.target, f"{number}") for number in range(60)]

        def accepting_rests(_):
            return "no file descriptors left" in node.log()

        await asyncio.to_thread(node.until, "status", accepting_rests)
        # The node serves its callers while it accepts nobody. That it rests between two tries and does not spin is
        # counted in tests/net/test_listener.py.
        for _ in range(20):
            assert await asyncio.to_thread(node.call, "nearnet_peers") == []
            await asyncio.to_thread(node.call, "nearnet_ban", peer_id=ENEMY)
        assert len(stored(home, "Peers")) == 1, "the store works"
        for raw in raws[:5]:
            assert isinstance(await raw.shake(), Handshake), "who was in is served"
        for raw in raws:
            raw.cut()
        assert await _let_in(node.target, 5), "it accepts again"
        node.end()
        assert "Traceback" not in node.log()


async def _let_in(target, seconds):
    """Whether a newcomer is taken within that time, however often it must come back."""
    async with asyncio.timeout(seconds):
        while True:
            async with await RawPeer.dial(target, "newcomer") as late:
                with contextlib.suppress(EOFError):
                    return isinstance(await late.shake(), Handshake)


def _other_genesis(home):
    path = home / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"chain_id": "other"}))


def _newer_schema(home):
    with sqlite3.connect(home / "data" / "nearnet.sqlite") as database:
        database.execute("PRAGMA journal_mode = DELETE")
        key, value = b"schema", str(SCHEMA_VERSION + 1).encode()
        crc = zlib.crc32(key + value)
        database.execute("UPDATE Meta SET value = ?, crc = ? WHERE key = ?", (value, crc, key))
    database.close()


def _cut_short(home):
    path = home / "data" / "nearnet.sqlite"
    os.truncate(path, path.stat().st_size // 2)


def _flipped(home):
    with sqlite3.connect(home / "data" / "nearnet.sqlite") as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("UPDATE Peers SET value = zeroblob(length(value))")
    database.close()


def _no_folder(home):
    shutil.rmtree(home / "data")
    (home / "data").write_text("")


def _unreadable_key(home):
    (home / "node_key.json").write_text("{}")


@pytest.mark.slow
@pytest.mark.threat(66)
@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (_other_genesis, 2, ["belongs to the chain 'test'", "not to the chain 'other'"]),
        (_newer_schema, 2, [f"schema version {SCHEMA_VERSION + 1}", "use a newer nearnet"]),
        (_cut_short, 1, ["--reset-peer-store"]),
        (_flipped, 1, ["--reset-peer-store"]),
        (_unreadable_key, 2, ["node_key.json"]),
        (_no_folder, 2, ["data"]),
    ],
)
def test_what_does_not_start_says_why(home, harm, code, words):
    with NodeProcess(home) as node:
        node.call("nearnet_ban", peer_id=ENEMY)
        node.end()
    (home / "log").unlink()
    harm(home)
    told = NodeProcess(home).refused()
    assert told[0] == code, told
    assert all(word in told[1] for word in words), told
    assert "Traceback" not in told[1]


@pytest.mark.threat(66)
def test_a_reset_moves_the_damaged_aside(home):
    with NodeProcess(home) as node:
        node.call("nearnet_ban", peer_id=FRIEND)
        node.end()
    _cut_short(home)
    with NodeProcess(home, "--reset-peer-store") as node:
        assert node.call("nearnet_bans") == []
        node.end()
    assert len([name for name in os.listdir(home / "data") if name.startswith("nearnet.sqlite")]) >= 2
