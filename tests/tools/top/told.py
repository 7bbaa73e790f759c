"""A node's answers, made up."""

from __future__ import annotations

from typing import Any

from nearnet.tools.rpc_client import NodeUnreachable

NAMES = [f"ed25519:{letter * 44}" for letter in "ABC"]


def peer(number: int, received: int = 0, sent: int = 0) -> dict[str, Any]:
    """One connection, as `nearnet_peers` tells it."""
    return {
        "peer_id": NAMES[number],
        "addr": f"10.0.0.{number}:24567",
        "account_id": None,
        "dialect": "borsh",
        "direction": "outbound",
        "nonce": 1,
        "protocol_version": 52,
        "connected_ms": 61_000,
        "sent_bytes": sent,
        "received_bytes": received,
        "sent_by_type": {"Routed": 3},
        "received_by_type": {"Routed": 4, "SyncRoutingTable": 1},
        "send_queue_bytes": 2048,
        "last_ping_ms": None if number else 1.25,
    }


class FakeRpc:
    """Answers as a node with two peers; change `answers` to change what it tells."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails = False
        self.answers: dict[str, Any] = {
            "status": {
                "node_public_key": NAMES[2],
                "chain_id": "test",
                "uptime_sec": 100,
                "nearnet": {"addr": "127.0.0.1:24567", "known_peers": 7, "reachable": 3, "edges": 4},
            },
            "network_info": {
                "num_active_peers": 2,
                "peer_max_count": 40,
                "received_bytes_per_sec": 221_000,
                "sent_bytes_per_sec": 1000,
            },
            "nearnet_peers": [peer(0), peer(1)],
            "nearnet_routes": {
                NAMES[0]: {"distance": 1, "next_hops": []},
                NAMES[1]: {"distance": 1, "next_hops": []},
                "x": {"distance": 2, "next_hops": []},
            },
            "nearnet_events": [{"seq": 1, "time": 0.0, "kind": "connected", "peer_id": NAMES[0]}],
        }

    def call(self, method: str, **_: Any) -> Any:
        """As `RpcClient.call`."""
        if self.fails:
            raise NodeUnreachable("no node answers at 127.0.0.1:1")
        self.calls += 1
        return self.answers[method]
