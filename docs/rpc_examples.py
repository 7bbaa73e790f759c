"""Writes docs/rpc-examples.md: every RPC method asked once of a real node on loopback. `python docs/rpc_examples.py`

Values change from run to run, their form does not: tests/api/test_rpc_examples.py compares it with the page's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nearnet import Disconnected, NetworkConfig, Node, RoutesChanged
from nearnet.api.http import HttpServer
from nearnet.client import announcement_digest
from nearnet.keys import CryptoHash, SecretKey
from nearnet.net.loop import run_on_best_loop

PAGE = Path(__file__).with_name("rpc-examples.md")
OURS, OTHER = SecretKey.from_seed("the node"), SecretKey.from_seed("its neighbor")
_MANY = 20
ACCOUNT, EPOCH = "validator.near", CryptoHash.of(b"an epoch")


def _config() -> NetworkConfig:
    network = {"addr": "127.0.0.1:0", "experimental": {"network_config_overrides": {"outbound_disabled": True}}}
    limits = {"loop_stall": 60.0}  # That a machine is busy is no event of an example.
    return NetworkConfig.model_validate({"chain_id": "example", "network": network, "nearnet": {"limits": limits}})


def requests(address: str) -> list[tuple[str, dict[str, Any] | None]]:
    """Each method with params; the neighbor is at `address`."""
    peer = str(OTHER.public_key)
    signature = OURS.sign(announcement_digest(ACCOUNT, OURS.public_key, EPOCH))
    return [
        ("status", None),
        ("health", None),
        ("network_info", None),
        ("nearnet_peers", {}),
        ("nearnet_known_peers", {}),
        ("nearnet_edges", {}),
        ("nearnet_routes", {"peer_id": peer}),
        ("nearnet_announce", {"account_id": ACCOUNT, "epoch_id": str(EPOCH), "signature": str(signature)}),
        ("nearnet_accounts", {}),
        ("nearnet_ping", {"peer_id": peer, "timeout_ms": 2000}),
        ("nearnet_limits", {}),
        ("nearnet_events", {}),
        ("nearnet_history", {"from": 0, "to": 60}),
        ("nearnet_graph", {}),
        ("nearnet_disconnect", {"peer_id": peer}),
        ("nearnet_connect", {"peer": f"{peer}@{address}"}),
        ("nearnet_ban", {"peer_id": peer, "reason": "Abusive", "seconds": 60.0}),
        ("nearnet_bans", {}),
        ("nearnet_unban", {"peer_id": peer}),
    ]


async def examples() -> dict[str, tuple[dict[str, Any], Any]]:
    """Method -> request and answer."""
    told: dict[str, tuple[dict[str, Any], Any]] = {}
    rpc = _config().rpc.model_copy(update={"addr": "127.0.0.1:0"})
    async with Node(_config(), key=OTHER) as other, Node(_config(), key=OURS) as node:
        await node.connect(f"{other.peer_id}@{other.addr}")
        server = HttpServer(node, rpc, "token")
        await server.start()
        while not node.routes(other.peer_id):
            await node.wait_for(RoutesChanged)
        for number, (method, params) in enumerate(requests(str(other.addr)), 1):
            request = {"jsonrpc": "2.0", "id": number, "method": method}
            if params is not None:
                request["params"] = params
            answer, _ = await server.jsonrpc.answer(json.dumps(request).encode(), authorized=True)
            told[method] = (request, answer)
            while method == "nearnet_disconnect" and node.peers():
                await node.wait_for(Disconnected)
        await server.stop()
    return told


def shortened(value: Any, most: int = 2) -> Any:
    """With the first entries alone, of lists and of long objects."""
    if isinstance(value, list):
        return [shortened(one, most) for one in value[:most]]
    if isinstance(value, dict):
        entries = list(value.items())
        return {key: shortened(one, most) for key, one in (entries if len(entries) <= _MANY else entries[:most])}
    return value


def page(told: dict[str, tuple[dict[str, Any], Any]]) -> str:
    """As Markdown."""
    lines = [
        "# Every RPC method, asked once",
        "",
        "Written by `.venv/bin/python docs/rpc_examples.py` from two nodes on loopback. Of long lists and objects the",
        "first two entries are shown. What the methods are for, and what is refused: [rpc.md](rpc.md).",
    ]
    for method, (request, answer) in told.items():
        lines += ["", f"## {method}", "", "```json", json.dumps(request), "```", "", "```json"]
        lines += [json.dumps(shortened(answer), indent=1), "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(run_on_best_loop(examples())))
