"""A home folder's config, key, port and lock."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from doctor_home import make_home

from nearnet.config import load_config
from nearnet.home import Home
from nearnet.tools.doctor import Verdict
from nearnet.tools.doctor.home_checks import check_config, check_key, check_port, holder, stored_bans


def test_warnings_are_seen(tmp_path: Path) -> None:
    finding, home, config = check_config(make_home(tmp_path, nearnet={"dialekt": "borsh"}))
    assert finding.verdict is Verdict.OK
    assert "unknown field nearnet.dialekt" in finding.seen
    assert home is not None
    assert config is not None


def test_the_environment_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEARNET_NETWORK__MAX_NUM_PEERS", "many")
    finding, _, config = check_config(make_home(tmp_path))
    assert (finding.verdict, config) == (Verdict.WRONG, None)
    assert "network.max_num_peers" in finding.seen


def test_who_holds_a_home(tmp_path: Path) -> None:
    home = Home.open(make_home(tmp_path))
    assert holder(home) is None
    lock = home.lock()
    assert holder(home) == os.getpid()
    lock.release()
    assert holder(home) is None


def test_a_token_that_others_read(tmp_path: Path) -> None:
    home = Home.open(make_home(tmp_path))
    assert check_key(home)[1] is not None
    home.token_path.write_text("0" * 64)
    home.token_path.chmod(0o640)
    finding, key = check_key(home)
    assert (finding.verdict, key) == (Verdict.WRONG, None)
    assert "admin_token can be read by others" in finding.seen


def test_no_key(tmp_path: Path) -> None:
    home = Home.open(make_home(tmp_path))
    home.key_path.unlink()
    finding, _ = check_key(home)
    assert "run nearnet init" in finding.seen
    assert finding.advice.startswith("put a copy of the key back")
    assert finding.advice.endswith(f"nearnet init --home {home.path} --chain-id ID")


def test_a_key_file_that_holds_none(tmp_path: Path) -> None:
    home = Home.open(make_home(tmp_path))
    home.key_path.write_text("garbage")
    finding, key = check_key(home)
    assert (finding.verdict, key) == (Verdict.WRONG, None)
    assert "chmod" not in str(finding.advice)
    assert "move this one away and run nearnet init" in str(finding.advice)


async def test_a_node_that_runs_and_does_not_listen(tmp_path: Path) -> None:
    config = load_config(make_home(tmp_path) / "config.json").config
    finding = await check_port(config, 4242)
    assert finding.verdict is Verdict.WRONG
    assert "process 4242" in finding.seen
    with socket.create_server(("127.0.0.1", int(config.network.addr.rpartition(":")[2]))):
        finding = await check_port(config, 4242)
    assert (finding.verdict, finding.seen) == (
        Verdict.OK,
        f"{config.network.addr} is this node's own (process 4242)",
    )


def test_no_database_no_bans(tmp_path: Path) -> None:
    assert stored_bans("memory", 60.0) == stored_bans(tmp_path / "none.sqlite", 60.0) == {}
