"""The whole examination on real sockets: all well, then each thing broken by itself."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import sys
import time
from pathlib import Path

import pytest
from doctor_home import KEY, boot_node, findings, make_home, place
from network.raw_peer import RawPeer
from ports import free_port

from nearnet import Node, ReasonForBan
from nearnet.api.http import HttpServer
from nearnet.config import load_config
from nearnet.errors import PeerRefused
from nearnet.home import Home
from nearnet.store.sqlite import SqliteStore
from nearnet.tools.doctor import CHECKS, Doctor, Finding, Verdict
from nearnet.tools.doctor import doctor as doctor_module
from nearnet.wire.messages import GenesisId

STRANGER = "ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX"


def verdicts(found: dict[str, Finding]) -> dict[str, str]:
    return {check: str(finding.verdict) for check, finding in found.items()}


async def test_all_is_well(tmp_path: Path) -> None:
    """The boot node has a peer of its own, and dials ours back."""
    async with boot_node() as other, boot_node(outbound=True, nearnet={"dialect": "protobuf"}) as boot:
        await boot.connect(place(other))
        found = await findings(make_home(tmp_path, place(boot)), wait=30.0)
    assert tuple(found) == CHECKS
    assert {check: finding.seen for check, finding in found.items() if finding.verdict is not Verdict.OK} == {}
    assert found["dialect"].seen.endswith(": protobuf")
    assert "dialed our port" in found["reachable"].seen


# --- config, key -----------------------------------------------------------------------------------


async def test_no_home(tmp_path: Path) -> None:
    found = await findings(tmp_path / "none")
    assert verdicts(found) == {"config": "wrong"}
    assert "nearnet init --home" in found["config"].advice


async def test_a_wrong_config(tmp_path: Path) -> None:
    found = await findings(make_home(tmp_path, network={"max_num_peers": -1, "handshake_timeout": "soon"}))
    assert verdicts(found) == {"config": "wrong"}
    assert "network.max_num_peers" in found["config"].seen
    assert "network.handshake_timeout" in found["config"].seen


async def test_a_key_that_others_read(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    (home / "node_key.json").chmod(0o644)
    found = await findings(home)
    assert verdicts(found) == {"config": "ok", "key": "wrong"}
    assert "chmod 600" in found["key"].seen


# --- clock -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shift", "words"), [(-300, "our clock is behind"), (900, "our clock is ahead")])
async def test_a_clock_that_is_off(tmp_path: Path, shift: float, words: str) -> None:
    async with boot_node() as other, boot_node(nearnet={"dialect": "protobuf"}) as boot:
        await boot.connect(place(other))
        home = make_home(tmp_path, place(boot))
        found = await findings(home, clock=lambda: time.time() + shift)
    assert found["clock"].verdict is Verdict.WRONG
    assert words in found["clock"].seen
    assert "timedatectl" in found["clock"].advice


async def test_a_clock_by_who_dials_back(tmp_path: Path) -> None:
    async with boot_node(outbound=True, nearnet={"dialect": "protobuf"}) as boot:
        home = make_home(tmp_path, place(boot))
        found = await findings(home, wait=30.0, clock=lambda: time.time() + 120)
    assert found["clock"].verdict is Verdict.WRONG
    assert "a peer's clock is 1" in found["clock"].seen
    assert "s behind" in found["clock"].seen


# --- our port --------------------------------------------------------------------------------------


async def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = await findings(make_home(tmp_path, network={"addr": f"127.0.0.1:{port}"}))
    assert (found["port"].verdict, found["listening"].verdict) == (Verdict.WRONG, Verdict.WRONG)
    assert f"sport = :{port}" in found["port"].advice


async def test_an_address_of_another_machine(tmp_path: Path) -> None:
    found = await findings(make_home(tmp_path, network={"addr": "192.0.2.1:24567"}))
    assert found["port"].verdict is Verdict.WRONG
    assert "network.addr" in found["port"].advice


async def test_no_listener(tmp_path: Path) -> None:
    found = await findings(make_home(tmp_path, network={"addr": ""}))
    assert found["port"].seen.startswith("no listener is configured")
    assert found["reachable"].verdict is Verdict.UNKNOWN


async def test_nobody_dials_back(tmp_path: Path) -> None:
    async with boot_node() as boot:
        found = await findings(make_home(tmp_path, place(boot)), wait=0.05)
    assert (found["reachable"].verdict, found["reachable"].seen) == (Verdict.UNKNOWN, "no boot node dialed back")
    assert "forward TCP port" in found["reachable"].advice


# --- boot nodes ------------------------------------------------------------------------------------


async def test_no_boot_node(tmp_path: Path) -> None:
    found = await findings(make_home(tmp_path))
    assert found["boot nodes resolve"].verdict is Verdict.WRONG
    assert found["genesis"].verdict is Verdict.UNKNOWN


async def test_a_name_that_does_not_resolve(tmp_path: Path) -> None:
    found = await findings(make_home(tmp_path, f"{STRANGER}@nowhere.invalid:24567"))
    assert found["boot nodes resolve"].verdict is Verdict.WRONG
    assert found["boot nodes resolve"].seen.startswith("nowhere.invalid:24567: ")
    assert found["boot nodes connect"].verdict is Verdict.UNKNOWN


async def test_nobody_listens_there(tmp_path: Path) -> None:
    boot = f"{STRANGER}@127.0.0.1:{free_port()}"
    found = await findings(make_home(tmp_path, boot))
    assert found["boot nodes resolve"].verdict is Verdict.OK
    assert found["boot nodes connect"].verdict is Verdict.WRONG
    assert "Connection refused" in found["boot nodes connect"].seen


async def test_one_of_two_is_enough(tmp_path: Path) -> None:
    dead = f"{STRANGER}@127.0.0.1:{free_port()}"
    async with boot_node() as boot:
        found = await findings(make_home(tmp_path, f"{dead},{place(boot)}"))
    assert found["boot nodes connect"].verdict is Verdict.OK
    assert "1 of 2; 127.0.0.1" in found["boot nodes connect"].seen


async def test_it_speaks_no_dialect_of_ours(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        boot = f"{STRANGER}@127.0.0.1:{silent.getsockname()[1]}"
        found = await findings(make_home(tmp_path, boot, nearnet={"dialect_probe_timeout": 0.1}))
    assert found["boot nodes connect"].verdict is Verdict.OK
    assert found["dialect"].verdict is Verdict.WRONG
    assert "in any dialect" in found["dialect"].seen


@pytest.mark.parametrize("dialect", ["borsh", "protobuf"])
async def test_another_genesis(tmp_path: Path, dialect: str) -> None:
    async with boot_node("another") as boot:
        found = await findings(make_home(tmp_path, place(boot), nearnet={"dialect": dialect}))
    assert (found["genesis"].verdict, found["version"].verdict) == (Verdict.WRONG, Verdict.UNKNOWN)
    assert "its genesis is another 1111" in found["genesis"].seen
    assert found["dialect"].verdict is Verdict.OK


@pytest.mark.parametrize(("dialect", "spoken"), [("borsh", "50 to 52"), ("protobuf", "80 to 88")])
async def test_another_version(tmp_path: Path, dialect: str, spoken: str) -> None:
    versions = {"borsh": [49, 49], "protobuf": [79, 79]}
    async with boot_node() as boot:
        home = make_home(tmp_path, place(boot), nearnet={"dialect": dialect, "protocol_versions": versions})
        found = await findings(home)
    assert (found["genesis"].verdict, found["version"].verdict) == (Verdict.UNKNOWN, Verdict.WRONG)
    assert f"it speaks versions {spoken}" in found["version"].seen


async def test_another_peer_lives_there(tmp_path: Path) -> None:
    async with boot_node() as boot:
        home = make_home(tmp_path, f"{STRANGER}@{boot.addr}")
        found = await findings(home)
    assert f"another peer lives there: {boot.peer_id}" in found["version"].seen


# --- bans, disk, descriptors, memory ---------------------------------------------------------------


async def test_a_boot_node_is_banned(tmp_path: Path) -> None:
    async with boot_node() as boot:
        home = make_home(tmp_path, place(boot))
        config = load_config(home / "config.json").config
        quiet = config.model_copy(update={"network": config.network.model_copy(update={"boot_nodes": ()})})

        (home / "data").mkdir()
        store = SqliteStore(home / "data" / "nearnet.sqlite", GenesisId("test", config.genesis_hash))
        async with Node(quiet, key=KEY, store=store) as node:
            node.ban(boot.peer_id, ReasonForBan.ABUSIVE)
            await node.stored()
        found = await findings(home)
    assert found["bans"].verdict is Verdict.WRONG
    assert f"{boot.peer_id} for Abusive" in found["bans"].seen


async def test_a_boot_node_is_blacklisted(tmp_path: Path) -> None:
    async with boot_node() as boot:
        found = await findings(make_home(tmp_path, place(boot), network={"blacklist": ["127.0.0.1"]}))
    assert (found["bans"].verdict, found["bans"].seen) == (Verdict.WRONG, "boot nodes are blacklisted: 127.0.0.1")


async def test_a_damaged_database(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    (home / "data").mkdir()
    (home / "data" / "nearnet.sqlite").write_bytes(b"no database at all" * 1000)
    found = await findings(home)
    assert found["disk"].verdict is Verdict.WRONG
    assert found["bans"].verdict is Verdict.UNKNOWN


async def test_a_database_of_another_chain(tmp_path: Path) -> None:

    home = make_home(tmp_path)
    (home / "data").mkdir()
    genesis = load_config(home / "config.json").config.genesis_hash
    SqliteStore(home / "data" / "nearnet.sqlite", GenesisId("another", genesis)).close()
    found = await findings(home)
    assert found["disk"].verdict is Verdict.WRONG
    assert "--reset-peer-store" in found["disk"].advice


async def test_too_few_descriptors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told, not made so: this process may have more open itself."""
    real = resource.getrlimit
    told = {resource.RLIMIT_NOFILE: (100, real(resource.RLIMIT_NOFILE)[1])}
    monkeypatch.setattr(resource, "getrlimit", lambda which: told.get(which) or real(which))
    found = await findings(make_home(tmp_path))
    assert (found["descriptors"].verdict, found["memory"].verdict) == (Verdict.WRONG, Verdict.OK)
    assert found["descriptors"].seen == "100 files may be open, 132 are needed for all peers"


# --- running nodes ---------------------------------------------------------------------------------


async def test_a_running_node_of_this_home(tmp_path: Path) -> None:
    """Its files and its word; nobody is asked as this node while it is up."""
    async with boot_node() as boot:
        path = make_home(tmp_path, place(boot), rpc={"addr": f"127.0.0.1:{free_port()}"})
        home, config = Home.open(path), load_config(path / "config.json").config
        lock = home.lock()
        async with Node(config, key=KEY) as node:
            http = HttpServer(node, config.rpc, None)
            await http.start()
            await node.connect(place(boot))
            found = await _apart(path, None)
            boot.disconnect(node.peer_id)
            await http.stop()
        lock.release()
    assert {"running", "peers"} <= found.keys()
    assert found["running"].seen.startswith(f"{KEY.public_key} answers at ")
    assert f"is this node's own (process {os.getpid()})" in found["port"].seen
    assert found["listening"].seen == f"it listens on {config.network.addr}"
    assert found["genesis"].verdict is Verdict.OK
    assert found["peers"].seen.startswith("1 peers of 1 known")


async def _apart(home: Path | None, rpc_addr: str | None) -> dict[str, Finding]:
    """In another process, as the RPC client blocks and this loop answers it."""

    words = ["--home", str(home)] if home is not None else []
    words += ["--rpc-addr", rpc_addr] if rpc_addr is not None else []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "nearnet", "doctor", *words, "--wait", "0", "--json", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()

    told = json.loads(out)["checks"]
    return {one["check"]: Finding(one["check"], Verdict(one["verdict"]), one["seen"], one["advice"]) for one in told}


async def test_a_running_node_without_peers() -> None:
    async with boot_node(rpc={"addr": "127.0.0.1:0"}) as node:
        http = HttpServer(node, node.config.rpc, None)
        await http.start()
        nobody = f"{STRANGER}@127.0.0.1:{free_port()}"

        with pytest.raises(PeerRefused):
            await node.connect(nobody)
        found = await _apart(None, str(http.address))
        await http.stop()
    assert found["peers"].verdict is Verdict.WRONG
    assert "lately: Connection refused" in found["peers"].seen
    assert found["config"].verdict is Verdict.UNKNOWN


async def test_a_running_node_beside_newer_peers_whose_clock_is_ahead() -> None:
    async with boot_node(rpc={"addr": "127.0.0.1:0"}) as node:
        http = HttpServer(node, node.config.rpc, None)
        await http.start()
        nonce = int(time.time()) - 400 | 1
        async with await RawPeer.ready(node, "newer", "protobuf", version=120, nonce=nonce):
            found = await _apart(None, str(http.address))
        await http.stop()
    assert (found["protocol"].verdict, found["clock"].verdict) == (Verdict.WRONG, Verdict.WRONG)
    assert found["protocol"].seen.startswith("a connected peer announced protocol version 120, above our own 88")
    assert found["protocol"].advice.startswith("upgrade nearnet")
    assert "s ahead of our peers'" in found["clock"].seen
    assert found["clock"].advice == "set the clock (timedatectl set-ntp true)"


async def test_no_node_answers_there() -> None:
    found = await findings(None, f"127.0.0.1:{free_port()}")
    assert verdicts(found) == {"running": "wrong"}
    assert "nearnet run" in found["running"].advice


def test_thirty_seconds() -> None:
    assert doctor_module.DIAL_BACK_TIME == 30.0
    assert Doctor(None, "127.0.0.1:1")._dial_back_time == 30.0
