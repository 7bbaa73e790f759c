"""Homes to examine, nodes to visit, and the findings by their names."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ports import free_port

from nearnet import NetworkConfig, Node
from nearnet.home import write_key
from nearnet.keys import SecretKey
from nearnet.tools.doctor import Doctor, Finding

KEY = SecretKey.from_seed("examined")


def make_home(folder: Path, boot: str = "", **sections: Any) -> Path:
    """A home of the chain "test", its port and RPC chosen by the system."""
    folder.mkdir(exist_ok=True)
    config = {
        "chain_id": "test",
        "rpc": {"addr": ""},
        **sections,
        "network": {"addr": f"127.0.0.1:{free_port()}", "boot_nodes": boot, **sections.pop("network", {})},
        "nearnet": {"dialect": "auto", **sections.pop("nearnet", {})},
    }
    (folder / "config.json").write_text(json.dumps(config))
    write_key(folder / "node_key.json", KEY)
    return folder


@contextlib.asynccontextmanager
async def boot_node(chain_id: str = "test", outbound: bool = False, **sections: Any) -> AsyncIterator[Node]:
    """A node that listens; it dials by itself only with `outbound`."""
    network = {
        "addr": "127.0.0.1:0",
        "experimental": {"network_config_overrides": {"outbound_disabled": not outbound}},
        **sections.pop("network", {}),
    }
    config = NetworkConfig.model_validate({"chain_id": chain_id, "network": network, **sections})
    async with Node(config) as node:
        yield node


def place(node: Node) -> str:
    """Where to dial it."""
    return f"{node.peer_id}@{node.addr}"


async def findings(
    home: Path | None, rpc_addr: str | None = None, wait: float = 0.0, **words: Any
) -> dict[str, Finding]:
    """All of an examination."""
    return {finding.check: finding async for finding in Doctor(home, rpc_addr, wait, **words).examine()}
