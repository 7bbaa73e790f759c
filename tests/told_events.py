"""Events of every kind, as the core tells them: complete data by kind, and `told` to make one with other values."""

from __future__ import annotations

from typing import Any

from nearnet.events import NodeEvent, event_from
from nearnet.keys import CryptoHash, PeerId, SecretKey

PEER = SecretKey.from_seed("peer").public_key
_HASH = str(CryptoHash.of(b"a message"))
_REMOTE = "10.0.0.7:24567"

EXAMPLES: dict[str, dict[str, Any]] = {
    "accepted": {"address": _REMOTE},
    "connected": {"address": _REMOTE, "direction": "inbound", "dialect": "borsh", "connections": 3},
    "disconnected": {"reason": "by command", "address": _REMOTE},
    "dial_failed": {"reason": "connection refused", "address": _REMOTE},
    "dialect_refused": {"reason": "decode", "address": _REMOTE},
    "handshake_failed": {"reason": "banned", "address": _REMOTE},
    "handshake_refused": {"address": _REMOTE, "reason": "GenesisMismatch"},
    "handshake_retried": {"reason": "its version is 90", "version": 90},
    "banned": {"reason": "Abusive", "seconds": 10800.0},
    "unbanned": {},
    "ban_deferred": {"reason": "BadBlock", "min_peers_kept": 2},
    "malformed": {"why": "too short", "address": _REMOTE},
    "behind": {"queued": 5_000_000},
    "edges": {"added": 2, "total": 5},
    "routes": {"reachable": 4},
    "announcement": {"account_id": "a.near", "epoch_id": _HASH},
    "accounts_data": {"added": 1, "total": 2},
    "snapshot_hosts": {"added": 1, "total": 2},
    "pong": {"hash": _HASH, "nonce": 7, "ttl": 99, "num_hops": 1, "milliseconds": 1.5},
    "answer_dropped": {"reason": "a Transaction of 9000000 bytes"},
    "reply_dropped": {"reason": "NoRouteFound", "hash": _HASH},
    "network_moved_on": {"version": 120, "oldest": 119, "own": 88},
    "newer_protocol": {"version": 90, "own": 88},
    "newer_protocol_over": {"own": 88},
    "cut_off": {"own": 88, "version": 120, "advice": "upgrade nearnet"},
    "cut_off_over": {"own": 88},
    "clock_ahead": {"seconds": 400},
    "clock_ahead_over": {},
    "stalled": {"input": "timer", "seconds": 0.081},
    "degraded": {"part": "storage", "why": "disk full"},
}


def told(kind: str, peer: PeerId | None = PEER, time: float = 1.0, seq: int = 1, **data: Any) -> NodeEvent:
    """Return an event with these values; the rest is that of `EXAMPLES`."""
    return event_from(kind, EXAMPLES[kind] | data, seq=seq, time=time, peer_id=peer)
