"""A message as a tree of named fields, and whether its signatures hold (`cli.md`, decode).

The names are those of the golden bytes. Nonces and heights are texts, and so is whatever else is over 2^53.
"""

from __future__ import annotations

from typing import Any

from nearnet.core.routing_table.edge import edge_digest, verify_edge
from nearnet.errors import WireError
from nearnet.keys import PublicKey, check_signature, is_ml_dsa, ml_dsa_check
from nearnet.wire import messages as m
from nearnet.wire.borsh.dialect import encode_announcement
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.edge_layout import has_ml_dsa
from nearnet.wire.routed_body import EXPECTS_RESPONSE, body_name
from nearnet.wire.routed_frame import routed_digest
from nearnet.wire.signed_payload import account_data_of, owned_account_of

__all__ = ["Fields", "message_fields", "variant"]

_NEEDS_KEY = "needs the account's key"
_NEEDS_ML_DSA = "needs nearnet[mldsa]"
_EXACT = 2**53
"""Integers up to here are the same in every JSON reader."""

Fields = dict[str, Any]


def variant(message: m.Message) -> str:
    """What the golden bytes of protobuf call it: a handshake by its tier, a routed message by its body."""
    match message:
        case m.Handshake():
            return f"Tier{message.tier}Handshake"
        case m.Routed():
            return body_name(message.message.body[0])
    return type(message).__name__


def message_fields(message: m.Message, dialect: str) -> Fields:
    """The fields of a message that came in that dialect."""
    match message:
        case m.Handshake():
            return _handshake(message)
        case m.HandshakeFailure():
            return _failure(message)
        case m.LastEdge(edge) | m.ResponseUpdateNonce(edge):
            return _edge(edge)
        case m.SyncRoutingTable(edges, accounts):
            return {"edges": [_edge(edge) for edge in edges], "accounts": [_announcement(one) for one in accounts]}
        case m.RequestUpdateNonce(partial):
            return {"nonce": str(partial.nonce), "signature": str(partial.signature)}
        case m.PeersRequest(most, most_direct):
            return {"max_peers": most, "max_direct_peers": most_direct} if dialect == "protobuf" else {}
        case m.PeersResponse(peers, direct):
            return {"peers": [str(peer) for peer in peers], "direct_peers": [str(peer) for peer in direct]}
        case m.Routed():
            return _routed(message, "body_borsh_v1" if dialect == "protobuf" else "body_borsh")
        case m.Disconnect(flag):
            return {"remove_from_connection_store": flag} if dialect == "protobuf" else {}
    return _of_the_client(message)


def _of_the_client(message: m.Message) -> Fields:
    match message:
        case m.BlockHeadersRequest(hashes):
            return {"hashes": [str(one) for one in hashes]}
        case m.BlockHeaders(_, headers) if headers is not None:
            return {"headers": [header.hex() for header in headers]}
        case m.BlockRequest(value):
            return {"hash": str(value)}
        case m.EpochSyncRequest(value):
            return {} if value is None else {"epoch_id": str(value)}
        case m.EpochSyncFinalizationRequest(value):
            return {"epoch_id": str(value)}
        case m.StateRequestHeader(shard_id, value):
            return {"shard_id": _number(shard_id), "sync_hash": str(value)}
        case m.StateRequestPart(shard_id, value, part_id):
            return {"shard_id": _number(shard_id), "sync_hash": str(value), "part_id": _number(part_id)}
        case m.OptimisticBlock(data, signature, value):
            return {"borsh": data.hex(), "signature": str(signature), "hash": str(value)}
    return _of_today(message)


def _of_today(message: m.Message) -> Fields:
    match message:
        case m.SyncAccountsData(accounts, incremental, requesting):
            return {
                "accounts_data": [_account(one) for one in accounts],
                "incremental": incremental,
                "requesting_full_sync": requesting,
            }
        case m.DistanceVector(root, distances, edges):
            return {
                "root": str(root),
                "distances": [[str(peer), distance] for peer, distance in distances],
                "edges": [_edge(edge) for edge in edges],
            }
        case m.SyncSnapshotHosts(hosts):
            return {"hosts": [_host(host) for host in hosts]}
    data = getattr(message, "data", None)
    return {} if data is None else {"borsh": data.hex()}


def _number(value: int) -> int | str:
    return value if value < _EXACT else str(value)


def _holds(key: PublicKey, signed: bytes, signature: bytes) -> bool | str:
    """Return whether `signature` is the key's of `signed`, or what is needed to know."""
    if is_ml_dsa(key) and ml_dsa_check() is None:
        return _NEEDS_ML_DSA
    return check_signature(key, signature, signed) == "valid"


def _handshake(message: m.Handshake) -> Fields:
    chain, partial = message.sender_chain_info, message.partial_edge_info
    digest = edge_digest(message.sender_peer_id, message.target_peer_id, partial.nonce)
    fields: Fields = {
        "protocol_version": message.protocol_version,
        "oldest_supported_version": message.oldest_supported_version,
        "sender_peer_id": str(message.sender_peer_id),
        "target_peer_id": str(message.target_peer_id),
        "sender_listen_port": message.sender_listen_port,
        "chain_id": chain.genesis_id.chain_id,
        "genesis_hash": str(chain.genesis_id.hash),
        "height": str(chain.height),
        "tracked_shards": [str(shard) for shard in chain.tracked_shards],
        "archival": chain.archival,
        "nonce": str(partial.nonce),
        "signature": str(partial.signature),
        "verify": _holds(message.sender_peer_id, digest, partial.signature),
    }
    if message.owned_account is not None:
        fields["owned_account"] = _owned(message.owned_account)
    return fields


def _owned(signed: m.SignedPayload) -> Fields:
    owned = owned_account_of(signed)
    fields: Fields = {"payload": signed.payload.hex(), "signature": str(signed.signature)}
    if owned is not None:
        fields |= {
            "account_key": str(owned.account_key),
            "peer_id": str(owned.peer_id),
            "timestamp": owned.timestamp[0],
            "verify": _holds(owned.account_key, signed.payload, signed.signature),
        }
    return fields


def _account(signed: m.SignedPayload) -> Fields:
    fields: Fields = {"payload": signed.payload.hex(), "signature": str(signed.signature)}
    try:
        data = account_data_of(signed)
    except WireError as error:
        return {**fields, "error": str(error)}
    if data is not None:
        fields |= {
            "account_key": str(data.account_key),
            "peer_id": str(data.peer_id),
            "proxies": [str(proxy) for proxy in data.proxies],
            "version": str(data.version),
            "timestamp": data.timestamp[0],
            "verify": _holds(data.account_key, signed.payload, signed.signature),
        }
    return fields


def _host(host: m.SnapshotHostInfo) -> Fields:
    return {
        "peer_id": str(host.peer_id),
        "sync_hash": str(host.sync_hash),
        "epoch_height": _number(host.epoch_height),
        "shards": [_number(shard) for shard in host.shards],
        "signature": str(host.signature),
        "verify": _holds(host.peer_id, host.digest(), host.signature),
    }


def _failure(message: m.HandshakeFailure) -> Fields:
    told: Fields = {"peer": str(message.peer_info), "reason": type(message.reason).__name__}
    match message.reason:
        case m.ProtocolVersionMismatch(version, oldest):
            told |= {"version": version, "oldest_supported_version": oldest}
        case m.GenesisMismatch(genesis_id):
            told |= {"chain_id": genesis_id.chain_id, "genesis_hash": str(genesis_id.hash)}
    return told


def _edge(edge: Edge) -> Fields:
    removal = edge.removal
    return {
        "peer0": str(edge.peer0),
        "peer1": str(edge.peer1),
        "nonce": str(edge.nonce),
        "signature0": str(edge.signature0),
        "signature1": str(edge.signature1),
        "removal_info": None if removal is None else [removal[0], str(removal[1])],
        "hash": edge_digest(edge.peer0, edge.peer1, edge.nonce).hex(),
        "verify": _NEEDS_ML_DSA if has_ml_dsa(edge) and ml_dsa_check() is None else verify_edge(edge),
        "borsh": edge.hex(),
    }


def _announcement(one: m.AnnounceAccount) -> Fields:
    return {
        "account_id": one.account_id,
        "peer_id": str(one.peer_id),
        "epoch_id": str(one.epoch_id),
        "signature": str(one.signature),
        "verify": _NEEDS_KEY,
        "borsh": encode_announcement(one).hex(),
    }


def _routed(message: m.Routed, body_field: str) -> Fields:
    routed, created_at = message.message, message.created_at
    digest = routed_digest(routed)
    to_peer = isinstance(routed.target, PublicKey)
    return {
        "target_peer": str(routed.target) if to_peer else None,
        "target_hash": None if to_peer else str(routed.target),
        "author": str(routed.author),
        "signature": str(routed.signature) or None,
        "ttl": routed.ttl,
        "body": body_name(routed.body[0]),
        body_field: routed.body.hex(),
        "expects_response": routed.body[0] in EXPECTS_RESPONSE,
        "hash": digest.hex(),
        "verify": _holds(routed.author, digest, routed.signature),
        "created_at": None if created_at is None else created_at[0],
        "num_hops": message.num_hops,
    }
