"""Where each target starts: the golden bytes of `tests/vectors`, a few texts, and what once failed (`found/`)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from nearnet.config import NetworkConfig
from nearnet.keys import CryptoHash, PublicKey, SecretKey, Signature
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import (
    AnnounceAccount,
    PeerInfo,
    PeersResponse,
    Routed,
    RoutedMessage,
    SnapshotHostInfo,
    SyncRoutingTable,
    SyncSnapshotHosts,
)
from nearnet.wire.routed_body import Ping, encode_body

__all__ = ["FOUND", "seeds_of"]

_VECTORS = Path(__file__).resolve().parent.parent / "tests" / "vectors"

FOUND = Path(__file__).resolve().parent / "found"
"""``found/TARGET/NAME``: inputs that once failed; they are run first, always."""

_METHODS = ("status", "network_info", "health", "nearnet_peers", "nearnet_routes", "nearnet_ping", "nearnet_ban")
_METHODS += ("nearnet_unban", "nearnet_disconnect", "nearnet_announce", "nearnet_graph", "nearnet_history")


_ML_DSA_KEY = PublicKey(b"\2" + bytes(1952))
_ML_DSA_SIGNATURE = Signature(b"\2" + bytes(3309))
_OTHER_KEY = SecretKey.from_seed("an ed25519 key").public_key
_ML_DSA_EDGES = (
    Edge.build(_OTHER_KEY, _ML_DSA_KEY, 1, Signature(bytes(65)), _ML_DSA_SIGNATURE),
    Edge.build(_OTHER_KEY, _ML_DSA_KEY, 2, Signature(bytes(65)), _ML_DSA_SIGNATURE, (False, _ML_DSA_SIGNATURE)),
)


def _with_ml_dsa(dialect: str) -> list[bytes]:
    """Messages with keys of ML-DSA-65; the golden bytes have none."""
    nothing = CryptoHash(bytes(32))
    announced = AnnounceAccount("a.near", _ML_DSA_KEY, nothing, _ML_DSA_SIGNATURE)
    ping = RoutedMessage(_ML_DSA_KEY, _ML_DSA_KEY, _ML_DSA_SIGNATURE, 9, encode_body(Ping(1, _ML_DSA_KEY)))
    hosts = SyncSnapshotHosts((SnapshotHostInfo(_ML_DSA_KEY, nothing, 1, (1,), _ML_DSA_SIGNATURE),))
    messages = [SyncRoutingTable(_ML_DSA_EDGES, (announced,)), PeersResponse((PeerInfo(_ML_DSA_KEY),)), Routed(ping)]
    spoken = dialect_named(dialect)
    return [spoken.encode(one) for one in (*messages, hosts) if spoken.can_encode(one)]


@cache
def _vectors(name: str) -> Any:
    return json.loads((_VECTORS / f"{name}.json").read_text())


def _frame(content: bytes) -> bytes:
    return len(content).to_bytes(4, "little") + content


def _borsh() -> list[bytes]:
    vectors = _vectors("borsh")
    return (
        [bytes.fromhex(one["borsh"]) for one in vectors["messages"]]
        + [bytes.fromhex(one["message"]) for one in vectors["routed"]]
        + _with_ml_dsa("borsh")
    )


def _protobuf() -> list[bytes]:
    return [bytes.fromhex(one["proto"]) for one in _vectors("protobuf")["messages"]] + _with_ml_dsa("protobuf")


def _frames() -> list[bytes]:
    return [b"\x07" + b"".join(map(_frame, _borsh()[:6])), b"\x00" + _frame(b"") * 3 + b"\xff" * 4]


def _core() -> list[bytes]:
    """Before the handshake and behind it, alone and together."""
    old, new = _borsh(), _protobuf()
    kinds = ((0, old), (2, old), (1, new), (3, new))
    alone = [bytes((flags,)) + _frame(one) for flags, contents in kinds for one in contents]
    return alone + [bytes((flags | 40,)) + b"".join(map(_frame, contents)) for flags, contents in kinds]


def _edges() -> list[bytes]:
    edges = [bytes.fromhex(edge["borsh"]) for edge in _vectors("borsh")["edges"]]
    edges += _ML_DSA_EDGES
    lists = [edges[:2], edges[5:6], edges[20:28]] + [[edge] for edge in edges]
    return [len(some).to_bytes(4, "little") + b"".join(some) for some in lists]


def _rows() -> list[bytes]:
    key = bytes.fromhex(_vectors("borsh")["keys"][0]["public_key_borsh"])
    values = [bytes.fromhex(one["borsh"]) for one in _vectors("borsh")["known_peer_states"]]
    values += [bytes.fromhex(_vectors("borsh")["announcements"][0]["borsh"]), bytes(8), _edges()[0], b"borsh"]
    return [bytes((column, len(key))) + key + value for column in range(8) for value in values]


def _config() -> list[bytes]:
    whole = NetworkConfig().model_dump(mode="json")
    texts = [json.dumps(whole), '{"network": {"addr": "0.0.0.0:24567", "boot_nodes": ""}} // comment', "{}", "[]"]
    return [text.encode() for text in texts] + [b"network.max_num_peers=40", b'nearnet.limits={"frame_bytes": 1}']


def _peer_text() -> list[bytes]:
    texts = [one["text"] for one in _vectors("borsh")["peer_infos"]]
    texts += [one["public_key"] for one in _vectors("borsh")["keys"]]
    texts += [one["secret_key"] for one in _vectors("borsh")["keys"]]
    texts += [str(_ML_DSA_KEY), str(_ML_DSA_SIGNATURE)]
    return [text.encode() for text in [*texts, ",".join(texts[:3]), "[::1]:24567", "host.example:80"]]


def _jsonrpc() -> list[bytes]:
    key = _vectors("borsh")["keys"][0]["public_key"]
    params: list[Any] = [None, {}, [], {"peer_id": key}, {"at": 1.0, "since": 2}, {"from": 1, "to": 2}]
    params += [{"peer_id": key, "reason": "Abusive", "seconds": 1.5}, {"peer_id": key, "ttl": 3, "timeout_ms": 1}]
    params += [{"account_id": "alice.near", "epoch_id": "1" * 32, "signature": "ed25519:" + "1" * 64}]
    calls = [{"jsonrpc": "2.0", "id": 1, "method": name, "params": one} for name in _METHODS for one in params]
    return [json.dumps(call).encode() for call in calls] + [b"[" * 70, b'{"a":"\\"}', b"[]", b"\xff", b'{"id": NaN}']


def _decode_tool() -> list[bytes]:
    return [_frame(one).hex().encode() for one in _borsh()[:10] + _protobuf()[:10]] + [b"0x00", b"zz"]


_SEEDS = {
    "frames": _frames,
    "borsh": _borsh,
    "protobuf": _protobuf,
    "routed_body": lambda: [bytes.fromhex(one["body_borsh"]) for one in _vectors("borsh")["routed"]],
    "edges": _edges,
    "core": _core,
    "rows": _rows,
    "config": _config,
    "peer_text": _peer_text,
    "jsonrpc": _jsonrpc,
    "decode_tool": _decode_tool,
}


def seeds_of(target: str) -> list[bytes]:
    """What once failed first, then the golden bytes; never empty."""
    found = [path.read_bytes() for path in sorted((FOUND / target).glob("*")) if path.is_file()]
    return found + _SEEDS[target]()
