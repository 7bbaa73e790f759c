"""What bytes of the wire mean: frames or messages as trees, and whether their signatures hold (`cli.md`, decode).

JSON uses the field names of the golden bytes; nonces and heights are texts there, as they may be over 2^53.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nearnet.core.edge import edge_digest, verify_edge
from nearnet.errors import ConfigError, FrameTooLarge, WireError
from nearnet.keys import PublicKey
from nearnet.wire import messages as m
from nearnet.wire.dialect import Dialect, detect, dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.framing import Framer
from nearnet.wire.routed_body import EXPECTS_RESPONSE, body_name
from nearnet.wire.routed_frame import routed_digest

__all__ = ["Decoded", "decode_all", "frames_in", "tree"]

_NEEDS_KEY = "needs the account's key"


@dataclass(frozen=True, slots=True)
class Decoded:
    """One message: its tree, or why there is none; whether encoding it again gives the same bytes."""

    fields: dict[str, Any]
    readable: bool
    equal: bool


def frames_in(text: str) -> Iterator[bytes]:
    """Messages in hexadecimal text, a frame or a message a line; blanks and ``0x`` are fine. `ConfigError` in words."""
    for number, line in enumerate(text.splitlines(), 1):
        digits = "".join(line.split()).removeprefix("0x")
        if not digits:
            continue
        if len(digits) % 2 or any(digit not in string.hexdigits for digit in digits):
            raise ConfigError(f"line {number} is not hexadecimal: {digits[:40]!r}")
        yield from _split(bytes.fromhex(digits))


def _split(data: bytes) -> list[bytes]:
    """Frames when the bytes are exactly that, else one message without its length."""
    framer, frames = Framer(), []
    framer.feed(data)
    try:
        while (frame := framer.next_frame()) is not None:
            frames.append(frame)
    except FrameTooLarge:
        return [data]
    return frames if frames and not framer.buffered else [data]


def decode_all(frames: Iterable[bytes]) -> Iterator[Decoded]:
    """Each message in the dialect that its first byte tells."""
    for frame in frames:
        yield _decode(frame)


def _decode(frame: bytes) -> Decoded:
    head: dict[str, Any] = {"length": len(frame)}
    if not frame:
        return Decoded({**head, "error": "an empty frame holds no message"}, False, False)
    name = detect(frame[0])
    head["dialect"] = name
    try:
        dialect: Dialect = dialect_named(name)
        head["name"] = dialect.kind(frame)
        message = dialect.decode(frame)
    except (WireError, ConfigError) as error:
        return Decoded({**head, "error": str(error)}, False, False)
    return Decoded({**head, "fields": _fields(message)}, True, dialect.encode(message) == frame)


def tree(value: Any, indent: int = 0) -> Iterator[str]:
    """Lines for people: one field each, what is inside further in."""
    pad = "  " * indent
    for key, one in value.items():
        if isinstance(one, dict):
            yield f"{pad}{key}:"
            yield from tree(one, indent + 1)
        elif isinstance(one, list) and one and isinstance(one[0], dict):
            for index, item in enumerate(one):
                yield f"{pad}{key}[{index}]:"
                yield from tree(item, indent + 1)
        else:
            yield f"{pad}{key}: {_shown(one)}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_shown, value)) or "none"
    return str(value)


def _fields(message: m.Message) -> dict[str, Any]:
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
        case m.PeersResponse(peers, direct):
            return {"peers": [str(peer) for peer in peers], "direct_peers": [str(peer) for peer in direct]}
        case m.BlockHeadersRequest(hashes):
            return {"hashes": [str(one) for one in hashes]}
        case m.BlockRequest(value):
            return {"hash": str(value)}
        case m.EpochSyncRequest(value) | m.EpochSyncFinalizationRequest(value):
            return {"epoch_id": None if value is None else str(value)}
        case m.Routed(routed, created_at, num_hops):
            return _routed(routed, created_at, num_hops)
        case m.PeersRequest() | m.Disconnect() | m.HandshakeV2():
            return {}
        case _:
            return {"borsh": message.data.hex()}


def _handshake(message: m.Handshake) -> dict[str, Any]:
    chain, partial = message.sender_chain_info, message.partial_edge_info
    digest = edge_digest(message.sender_peer_id, message.target_peer_id, partial.nonce)
    return {
        "protocol_version": message.protocol_version,
        "oldest_supported_version": message.oldest_supported_version,
        "sender_peer_id": str(message.sender_peer_id),
        "target_peer_id": str(message.target_peer_id),
        "sender_listen_port": message.sender_listen_port,
        "chain_id": chain.genesis_id.chain_id,
        "genesis_hash": str(chain.genesis_id.hash),
        "height": str(chain.height),
        "tracked_shards": list(chain.tracked_shards),
        "archival": chain.archival,
        "nonce": str(partial.nonce),
        "signature": str(partial.signature),
        "verify": message.sender_peer_id.verify(digest, partial.signature),
    }


def _failure(message: m.HandshakeFailure) -> dict[str, Any]:
    told: dict[str, Any] = {"peer": str(message.peer_info), "reason": type(message.reason).__name__}
    match message.reason:
        case m.ProtocolVersionMismatch(version, oldest):
            told |= {"version": version, "oldest_supported_version": oldest}
        case m.GenesisMismatch(genesis_id):
            told |= {"chain_id": genesis_id.chain_id, "genesis_hash": str(genesis_id.hash)}
    return told


def _edge(edge: Edge) -> dict[str, Any]:
    removal = edge.removal
    return {
        "peer0": str(edge.peer0),
        "peer1": str(edge.peer1),
        "nonce": str(edge.nonce),
        "signature0": str(edge.signature0),
        "signature1": str(edge.signature1),
        "removal_info": None if removal is None else [removal[0], str(removal[1])],
        "hash": edge_digest(edge.peer0, edge.peer1, edge.nonce).hex(),
        "verify": verify_edge(edge),
        "borsh": edge.hex(),
    }


def _announcement(one: m.AnnounceAccount) -> dict[str, Any]:
    return {
        "account_id": one.account_id,
        "peer_id": str(one.peer_id),
        "epoch_id": str(one.epoch_id),
        "signature": str(one.signature),
        "verify": _NEEDS_KEY,
    }


def _routed(routed: m.RoutedMessage, created_at: tuple[int, int] | None, num_hops: int | None) -> dict[str, Any]:
    digest = routed_digest(routed)
    to_peer = isinstance(routed.target, PublicKey)
    return {
        "target_peer": str(routed.target) if to_peer else None,
        "target_hash": None if to_peer else str(routed.target),
        "author": str(routed.author),
        "signature": str(routed.signature),
        "ttl": routed.ttl,
        "body": body_name(routed.body[0]),
        "body_borsh": routed.body.hex(),
        "expects_response": routed.body[0] in EXPECTS_RESPONSE,
        "hash": digest.hex(),
        "verify": routed.author.verify(digest, routed.signature),
        "created_at": None if created_at is None else created_at[0],
        "num_hops": num_hops,
    }
