"""One node of a local network: ports, home, and a start that fails. `test_localnet.py` has those that run."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from nearnet.config import load_config
from nearnet.errors import ConfigError, NearnetError
from nearnet.tools.local_node import LocalNode, free_port


def node(folder: Path, number: int = 0, key_type: str = "ed25519") -> LocalNode:
    return LocalNode(number, folder / f"node{number}", key_type, free_port(0), free_port(0))


def test_the_port_wanted_unless_somebody_has_it() -> None:
    port = free_port(0)
    assert free_port(port) == port
    assert free_port(port, [port]) != port
    with socket.create_server(("127.0.0.1", port)):
        assert free_port(port) != port


@pytest.mark.parametrize("key_type", ["ed25519", "secp256k1"])
def test_a_home_like_any_other(tmp_path: Path, key_type: str) -> None:
    first, other = node(tmp_path, 0), node(tmp_path, 1, key_type)
    other.configure({first: "borsh"})
    assert other.peer_id.startswith(f"{key_type}:")
    loaded = load_config(other.home.config_path, {}, [])
    assert not loaded.warnings
    (boot,) = loaded.config.network.boot_nodes
    assert (str(boot.info.id), str(boot.info.addr)) == (first.peer_id, first.addr)
    assert loaded.config.network.experimental.connect_only_to_boot_nodes
    assert other.home.admin_token()


def test_keys_are_kept(tmp_path: Path) -> None:
    first = node(tmp_path)
    first.configure({})
    assert node(tmp_path).peer_id == first.peer_id


def test_another_networks_home_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "node0").mkdir()
    (tmp_path / "node0" / "config.json").write_text(json.dumps({"chain_id": "mainnet"}))
    with pytest.raises(ConfigError, match="a --home of its own"):
        node(tmp_path)


def test_a_node_that_ends_at_once_says_why(tmp_path: Path) -> None:
    failing = node(tmp_path)
    with pytest.raises(NearnetError, match="node0 was not started"):
        failing.await_start()
    failing.configure({})
    port = int(failing.addr.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        failing.start()
        with pytest.raises(NearnetError, match=r"^node0 ended: cannot listen at .*: the port is in use"):
            failing.await_start()
        assert failing.lost_its_ports
    assert not failing.lost_its_ports
    failing.terminate()
    failing.stop(time.monotonic())
    assert failing.exit_code == 1


def test_one_that_was_never_started_is_stopped(tmp_path: Path) -> None:
    idle = node(tmp_path)
    idle.terminate()
    idle.stop(time.monotonic())
