"""What the rows mean (`behaviour.md` §9): each column's key and value, for `nearnet store dump` and `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nearnet.core.peer_manager.address_versions import decode_version
from nearnet.core.peer_manager.known_peers import decode_known_peer
from nearnet.core.peer_manager.recent_links import decode_link
from nearnet.errors import BadKey, Malformed
from nearnet.keys import PublicKey
from nearnet.store import base
from nearnet.wire.borsh.dialect import decode_announcement, decode_edges
from nearnet.wire.borsh.primitives import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["describe_row"]


def describe_row(column: str, key: bytes, value: bytes) -> dict[str, Any]:
    """One row as JSON knows it; raises `Malformed` when its bytes are not what the column holds."""
    try:
        return _COLUMNS[column](key, value)
    except BadKey as error:
        raise Malformed(f"a row of {column}: {error}") from None


def _u64(data: bytes) -> int:
    reader = Reader(data)
    number = reader.u64()
    reader.finish()
    return number


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("a text that is not UTF-8") from None


def _peer(key: bytes, value: bytes) -> dict[str, Any]:
    state = decode_known_peer(value)
    info, ban = state.peer_info, state.ban
    return {
        "peer_id": str(PublicKey.from_bytes(key)),
        "addr": None if info.addr is None else str(info.addr),
        "account_id": info.account_id,
        "status": state.status.label,
        "ban": None if ban is None else {"reason": ban.reason.label, "time": ban.time_ns / 1e9},
        "first_seen": state.first_seen / 1e9,
        "last_seen": state.last_seen / 1e9,
    }


def _announcement(key: bytes, value: bytes) -> dict[str, Any]:
    announcement = decode_announcement(value)
    return {
        "account_id": _text(key),
        "peer_id": str(announcement.peer_id),
        "epoch_id": str(announcement.epoch_id),
        "signature": str(announcement.signature),
    }


def _component_of(key: bytes, value: bytes) -> dict[str, Any]:
    return {"peer_id": str(PublicKey.from_bytes(key)), "component": _u64(value)}


def _component(key: bytes, value: bytes) -> dict[str, Any]:
    edges = [
        {"peer0": str(edge.peer0), "peer1": str(edge.peer1), "nonce": edge.nonce, "active": edge.is_active}
        for edge in decode_edges(value)
    ]
    return {"component": _u64(key), "edges": edges}


def _last_component(key: bytes, value: bytes) -> dict[str, Any]:
    return {"last_component": _u64(value)}


def _recent_link(key: bytes, value: bytes) -> dict[str, Any]:
    link = decode_link(value)
    return {
        "peer_id": str(PublicKey.from_bytes(key)),
        "addr": None if link.peer_info.addr is None else str(link.peer_info.addr),
        "time_established": link.established / 1e9,
        "time_connected_until": link.connected_until / 1e9,
    }


def _dialect(key: bytes, value: bytes) -> dict[str, Any]:
    return {"peer_id": str(PublicKey.from_bytes(key)), "dialect": _text(value)}


def _version(key: bytes, value: bytes) -> dict[str, Any]:
    return {"address": _text(key), "protocol_version": decode_version(value)}


_COLUMNS: dict[str, Callable[[bytes, bytes], dict[str, Any]]] = {
    base.PEERS: _peer,
    base.ACCOUNT_ANNOUNCEMENTS: _announcement,
    base.PEER_COMPONENT: _component_of,
    base.COMPONENT_EDGES: _component,
    base.LAST_COMPONENT_NONCE: _last_component,
    base.RECENT_OUTBOUND_CONNECTIONS: _recent_link,
    base.PEER_DIALECT: _dialect,
    base.ADDRESS_VERSION: _version,
}
