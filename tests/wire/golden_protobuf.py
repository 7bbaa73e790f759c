"""Today's golden messages as values, built from their fields alone."""

from __future__ import annotations

from typing import Any

from nearnet.keys import CryptoHash, PublicKey, Signature
from nearnet.wire import messages as m
from nearnet.wire.borsh.dialect import decode_announcement
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.peer_text import parse_peer
from nearnet.wire.signed_payload import account_data_of
from tests.vectors_file import vectors

CASES = vectors("protobuf")["messages"]
KEY, SIG, HASH = PublicKey.from_text, Signature.from_text, CryptoHash.from_text


def frame_of(name: str) -> bytes:
    """The bytes of the golden message of that name."""
    return bytes.fromhex(next(case["proto"] for case in CASES if case["name"] == name))


def value_of(case: dict[str, Any]) -> m.Message:
    """What the fields of a golden message say."""
    fields = case["fields"]
    if "body_borsh_v1" in fields:
        return _routed(fields)
    if case["variant"].endswith("Handshake"):
        return _handshake(fields, int(case["variant"][4]))
    return _MAKERS[case["variant"]](fields)


def _handshake(fields: dict[str, Any], tier: int) -> m.Handshake:
    owned = fields.get("owned_account")
    if owned is not None:
        owned = m.SignedPayload(bytes.fromhex(owned["payload"]), SIG(owned["signature"]))
    return m.Handshake(
        fields["protocol_version"],
        fields["oldest_supported_version"],
        KEY(fields["sender_peer_id"]),
        KEY(fields["target_peer_id"]),
        fields["sender_listen_port"],
        m.PeerChainInfo(
            m.GenesisId(fields["chain_id"], HASH(fields["genesis_hash"])),
            int(fields["height"]),
            tuple(map(int, fields["tracked_shards"])),
            fields["archival"],
        ),
        m.PartialEdgeInfo(int(fields["nonce"]), SIG(fields["signature"])),
        owned,
        tier,
    )


def _failure(fields: dict[str, Any]) -> m.HandshakeFailure:
    reasons = {
        "ProtocolVersionMismatch": lambda: m.ProtocolVersionMismatch(
            fields["version"], fields["oldest_supported_version"]
        ),
        "GenesisMismatch": lambda: m.GenesisMismatch(m.GenesisId(fields["chain_id"], HASH(fields["genesis_hash"]))),
        "InvalidTarget": m.InvalidTarget,
    }
    return m.HandshakeFailure(parse_peer(fields["peer"]).info(), reasons[fields["reason"]]())


def _peers(texts: list[str]) -> tuple[m.PeerInfo, ...]:
    return tuple(parse_peer(text).info() for text in texts)


def _edge(fields: dict[str, Any]) -> Edge:
    edge = Edge(bytes.fromhex(fields["borsh"]))
    assert (str(edge.peer0), str(edge.peer1), str(edge.nonce)) == (fields["peer0"], fields["peer1"], fields["nonce"])
    return edge


def _announcement(fields: dict[str, Any]) -> m.AnnounceAccount:
    made = m.AnnounceAccount(
        fields["account_id"], KEY(fields["peer_id"]), HASH(fields["epoch_id"]), SIG(fields["signature"])
    )
    assert decode_announcement(bytes.fromhex(fields["borsh"])) == made
    return made


def _account(fields: dict[str, Any]) -> m.SignedPayload:
    signed = m.SignedPayload(bytes.fromhex(fields["payload"]), SIG(fields["signature"]))
    data = account_data_of(signed)
    assert data is not None
    assert (str(data.peer_id), str(data.account_key)) == (fields["peer_id"], fields["account_key"])
    assert [str(proxy) for proxy in data.proxies] == fields["proxies"]
    assert (str(data.version), data.timestamp) == (fields["version"], (fields["timestamp"], 0))
    assert signed.verify(data.account_key)
    return signed


def _host(fields: dict[str, Any]) -> m.SnapshotHostInfo:
    host = m.SnapshotHostInfo(
        KEY(fields["peer_id"]),
        HASH(fields["sync_hash"]),
        fields["epoch_height"],
        tuple(fields["shards"]),
        SIG(fields["signature"]),
    )
    assert host.peer_id.verify(host.digest(), host.signature)
    return host


def _headers(fields: dict[str, Any]) -> m.BlockHeaders:
    headers = tuple(map(bytes.fromhex, fields["headers"]))
    return m.BlockHeaders(len(headers).to_bytes(4, "little") + b"".join(headers), headers)


def _routed(fields: dict[str, Any]) -> m.Routed:
    to_peer, to_hash = fields["target_peer"], fields["target_hash"]
    message = m.RoutedMessage(
        KEY(to_peer) if to_peer else HASH(to_hash),
        KEY(fields["author"]),
        SIG(fields["signature"]),
        fields["ttl"],
        bytes.fromhex(fields["body_borsh_v1"]),
    )
    created_at = None if fields["created_at"] is None else (fields["created_at"], 0)
    return m.Routed(message, created_at, fields["num_hops"])


_MAKERS: dict[str, Any] = {
    "HandshakeFailure": _failure,
    "LastEdge": lambda f: m.LastEdge(_edge(f)),
    "SyncRoutingTable": lambda f: m.SyncRoutingTable(
        tuple(map(_edge, f["edges"])), tuple(map(_announcement, f["accounts"]))
    ),
    "DistanceVector": lambda f: m.DistanceVector(
        KEY(f["root"]), tuple((KEY(peer), far) for peer, far in f["distances"]), tuple(map(_edge, f["edges"]))
    ),
    "RequestUpdateNonce": lambda f: m.RequestUpdateNonce(m.PartialEdgeInfo(int(f["nonce"]), SIG(f["signature"]))),
    "PeersRequest": lambda f: m.PeersRequest(f["max_peers"], f["max_direct_peers"]),
    "PeersResponse": lambda f: m.PeersResponse(_peers(f["peers"]), _peers(f["direct_peers"])),
    "BlockHeadersRequest": lambda f: m.BlockHeadersRequest(tuple(map(HASH, f["hashes"]))),
    "BlockHeaders": _headers,
    "BlockRequest": lambda f: m.BlockRequest(HASH(f["hash"])),
    "Block": lambda f: m.Block(bytes.fromhex(f["borsh"])),
    "Transaction": lambda f: m.Transaction(bytes.fromhex(f["borsh"])),
    "Disconnect": lambda f: m.Disconnect(f["remove_from_connection_store"]),
    "SyncAccountsData": lambda f: m.SyncAccountsData(
        tuple(map(_account, f["accounts_data"])), f["incremental"], f["requesting_full_sync"]
    ),
    "SyncSnapshotHosts": lambda f: m.SyncSnapshotHosts(tuple(map(_host, f["hosts"]))),
    "StateRequestHeader": lambda f: m.StateRequestHeader(f["shard_id"], HASH(f["sync_hash"])),
    "StateRequestPart": lambda f: m.StateRequestPart(f["shard_id"], HASH(f["sync_hash"]), f["part_id"]),
    "EpochSyncRequest": lambda _: m.EpochSyncRequest(),
}
