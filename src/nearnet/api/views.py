"""What a node says of itself, as JSON values (`cli.md`, `conventions.md` §3.5, §3.6).

Peer ids are text, hashes base58, times unix seconds, durations milliseconds. Nothing here changes a node.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nearnet.compiled import is_compiled
from nearnet.net import verifiers
from nearnet.version import VERSION

if TYPE_CHECKING:
    from nearnet.core.peer.peer import Peer
    from nearnet.core.peer_manager.known_peers import KnownPeer
    from nearnet.keys import PeerId
    from nearnet.net.network_info import ConnectedPeer
    from nearnet.net.node import Node
    from nearnet.wire.messages import AccountData

__all__ = [
    "accounts",
    "bans",
    "detailed_status",
    "edges",
    "known_peers",
    "limits",
    "network_graph",
    "network_info",
    "peer_store",
    "peers",
    "recent_outbound_connections",
    "routes",
    "snapshot_hosts",
    "status",
]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "000Z")


def _moment(seconds: int) -> str:
    """What a peer told: any number."""
    return _iso(float(seconds)) if 0 <= seconds < 2**37 else str(seconds)


# --- the reference's -----------------------------------------------------------------------------


def status(node: Node, rpc_addr: str | None, started: float, now: float) -> dict[str, Any]:
    """StatusResponse. Without a chain: the genesis, the configured height and the start time stand for a head."""
    config = node.config
    own = config.nearnet.protocol_versions[_newest_dialect(node)].own
    genesis = str(config.genesis_hash)
    view: dict[str, Any] = {
        "version": {"version": VERSION, "build": "nearnet", "commit": "", "rustc_version": ""},
        "chain_id": config.chain_id,
        "protocol_version": own,
        "latest_protocol_version": own,
        "rpc_addr": rpc_addr,
        "validators": [],
        "sync_info": {
            "latest_block_hash": genesis,
            "latest_block_height": config.head_height,
            "latest_state_root": "11111111111111111111111111111111",
            "latest_block_time": _iso(started),
            "syncing": False,
            "earliest_block_hash": None,
            "earliest_block_height": None,
            "earliest_block_time": None,
            "epoch_id": None,
            "epoch_start_height": None,
        },
        "validator_account_id": None,
        "validator_public_key": None,
        "node_public_key": str(node.peer_id),
        "node_key": None,
        "uptime_sec": int(now - started),
        "genesis_hash": genesis,
        "nearnet": _ours(node),
    }
    return {key: value for key, value in view.items() if key != "rpc_addr" or value is not None}


def _ours(node: Node) -> dict[str, Any]:
    """What the reference's status has no place for."""
    versions = node.config.nearnet.protocol_versions
    oldest = versions[_newest_dialect(node)].oldest
    return {
        "oldest_protocol_version": oldest,
        "protocol_versions": {name: [one.own, one.oldest] for name, one in versions.items()},
        **_watched(node),
        "addr": _text(node.addr),
        "connections": len(node.core.peers),
        "pending": len(node.core.context.connections) - len(node.core.peers),
        "known_peers": len(node.core.peer_store),
        "edges": node.core.table.edge_count,
        "reachable": node.core.table.reachable_count,
        "verifier": verifiers.current(),
        "compiled": is_compiled(),
        "degraded": None if node.driver.persister.degraded is None else "storage",
        "limits": limits(node),
    }


def _watched(node: Node) -> dict[str, Any]:
    """What the operator must know before this node is cut off: newer protocol versions, and a clock that is ahead."""
    now = node.driver.now()
    protocol, clock = node.core.protocol_watch, node.core.clock_watch
    return {
        "protocol": {
            "state": protocol.state(now),
            "newest_announced": protocol.newest_announced,
            "sentence": protocol.sentence(now),
        },
        "clock": {
            "state": clock.state(now),
            "ahead_seconds": round(clock.ahead(now), 3),
            "sentence": clock.sentence(now),
        },
    }


def _newest_dialect(node: Node) -> str:
    return "borsh" if node.config.nearnet.dialect == "borsh" else "protobuf"


def network_info(node: Node) -> dict[str, Any]:
    """RpcNetworkInfoResponse."""
    info = node.network_info()
    return {
        "active_peers": [
            {"id": str(peer.info.id), "addr": _text(peer.info.addr), "account_id": peer.info.account_id}
            for peer in info.peers
        ],
        "num_active_peers": len(info.peers),
        "peer_max_count": info.peer_max_count,
        "sent_bytes_per_sec": info.sent_bytes_per_sec,
        "received_bytes_per_sec": info.received_bytes_per_sec,
        "known_producers": [
            {"account_id": one.account_id, "addr": None, "peer_id": str(one.peer_id)}
            for one in node.core.announcements.all()
        ],
    }


def detailed_status(node: Node, rpc_addr: str | None, started: float, now: float) -> dict[str, Any]:
    """StatusResponse with `detailed_debug_status` (NetworkInfoView and the head)."""
    info, view = node.network_info(), status(node, rpc_addr, started, now)
    head = {"height": node.config.head_height, "hash": str(node.config.genesis_hash)}
    core = node.core
    view["detailed_debug_status"] = {
        "network_info": {
            "peer_max_count": info.peer_max_count,
            "num_connected_peers": len(info.peers),
            "connected_peers": [
                _peer_info_view(node, peer, told) for peer, told in zip(core.peers.values(), info.peers, strict=True)
            ],
            "known_producers": [
                {
                    "account_id": one.account_id,
                    "peer_id": str(one.peer_id),
                    "next_hops": [str(hop) for hop in core.table.next_hops(one.peer_id)] or None,
                }
                for one in core.announcements.all()
            ],
            "tier1_accounts_keys": [str(data.account_key) for data in core.accounts_data.all()],
            "tier1_accounts_data": [_account_data(data) for data in core.accounts_data.all()],
            "tier1_connections": [],
        },
        "sync_status": "NoSync",
        "catchup_status": [],
        "current_head_status": head,
        "current_header_head_status": head,
        "block_production_delay_millis": 0,
    }
    return view


def _account_data(data: AccountData) -> dict[str, Any]:
    return {
        "peer_id": str(data.peer_id),
        "proxies": [{"addr": str(proxy.addr), "peer_id": str(proxy.peer_id)} for proxy in data.proxies],
        "account_key": str(data.account_key),
        "timestamp": _moment(data.timestamp[0]),
    }


def snapshot_hosts(node: Node) -> dict[str, Any]:
    """Which peers offer state snapshots."""
    hosts = [
        {
            "peer_id": str(host.peer_id),
            "sync_hash": str(host.sync_hash),
            "epoch_height": host.epoch_height,
            "shards": list(host.shards),
        }
        for host in node.core.snapshot_hosts.all()
    ]
    return {"status_response": {"SnapshotHosts": {"hosts": hosts}}}


def _peer_info_view(node: Node, peer: Peer, told: ConnectedPeer) -> dict[str, Any]:
    now, chain = node.driver.now().mono, peer.chain_info
    asked = peer.last_peers_request
    info = peer.info
    return {
        "addr": _text(info.addr if info is not None else peer.address),
        "account_id": info.account_id if info is not None else None,
        "height": chain.height if chain is not None else None,
        "block_hash": None,
        "is_highest_block_invalid": False,
        "tracked_shards": list(chain.tracked_shards) if chain is not None else [],
        "archival": chain.archival if chain is not None else False,
        "peer_id": _text(peer.peer_id),
        "received_bytes_per_sec": told.received_bytes_per_sec,
        "sent_bytes_per_sec": told.sent_bytes_per_sec,
        "last_time_peer_requested_millis": 0 if asked is None else _millis(now - asked),
        "last_time_received_message_millis": _millis(now - peer.last_received),
        "connection_established_time_millis": _millis(now - peer.connected_at),
        "is_outbound_peer": peer.direction == "outbound",
        "nonce": peer.edge.nonce if peer.edge is not None else 0,
    }


def _millis(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def peer_store(node: Node) -> dict[str, Any]:
    """Every known peer, the newest attempt first; status and address as Rust's Debug prints them."""
    known = sorted(node.core.peer_store.peers(), key=lambda peer: (peer.last_attempt or (0.0, ""))[0], reverse=True)
    states = [
        {
            "peer_id": str(peer.id),
            "status": _debug_status(peer),
            "addr": "None" if peer.addr is None else f"Some({peer.addr})",
            "addr_text": _text(peer.addr),
            "first_seen": peer.first_seen // 10**9,
            "last_seen": peer.last_seen // 10**9,
            "last_attempt": None if peer.last_attempt is None else [int(peer.last_attempt[0]), peer.last_attempt[1]],
        }
        for peer in known
    ]
    return {"status_response": {"PeerStore": {"peer_states": states}}}


def _debug_status(peer: KnownPeer) -> str:
    if peer.ban is None:
        return peer.status.label
    return f"Banned({peer.ban.reason.label}, {_iso(peer.ban.time_ns / 1e9)})"


def network_graph(node: Node) -> dict[str, Any]:
    """Active edges and next hops."""
    active = [
        {"peer0": str(edge.peer0), "peer1": str(edge.peer1), "nonce": edge.nonce}
        for edge in node.edges()
        if edge.active
    ]
    hops = {peer: route["next_hops"] for peer, route in routes(node).items()}
    return {"status_response": {"NetworkGraph": {"edges": active, "next_hops": hops}}}


def recent_outbound_connections(node: Node) -> dict[str, Any]:
    """Outbound connections that lasted, the newest first."""
    links = [
        {
            "peer_id": str(link.peer_info.id),
            "addr": _text(link.peer_info.addr),
            "time_established": link.established // 10**9,
            "time_connected_until": link.connected_until // 10**9,
        }
        for link in node.core.dialer.links.newest_first()
    ]
    return {"status_response": {"RecentOutboundConnections": {"recent_outbound_connections": links}}}


# --- ours ----------------------------------------------------------------------------------------


def peers(node: Node) -> list[dict[str, Any]]:
    """Connections that are Ready."""
    now = node.driver.now().mono
    return [_peer(peer, now) for peer in node.core.peers.values()]


def _peer(peer: Peer, now: float) -> dict[str, Any]:
    info = peer.info
    return {
        "peer_id": _text(peer.peer_id),
        "addr": _text(info.addr if info is not None and info.addr is not None else peer.address),
        "account_id": info.account_id if info is not None else None,
        "dialect": peer.dialect.name if peer.dialect is not None else None,
        "direction": peer.direction,
        "nonce": peer.edge.nonce if peer.edge is not None else 0,
        "protocol_version": peer.protocol_version,
        "connected_ms": _millis(now - peer.connected_at),
        "sent_bytes": peer.sent_bytes,
        "received_bytes": peer.received_bytes,
        "sent_by_type": {kind: counts[0] for kind, counts in peer.sent_by_type.items()},
        "received_by_type": {kind: counts[0] for kind, counts in peer.received_by_type.items()},
        "send_queue_bytes": peer.queued,
        "last_ping_ms": peer.last_ping_ms,
    }


def known_peers(node: Node) -> list[dict[str, Any]]:
    """Everybody in the peer store."""
    return [
        {
            "peer_id": str(peer.peer_id),
            "addr": _text(peer.address) or peer.host,
            "status": peer.status,
            "trust": peer.trust,
            "first_seen": int(peer.first_seen),
            "last_seen": int(peer.last_seen),
        }
        for peer in node.known_peers()
    ]


def bans(node: Node) -> list[dict[str, Any]]:
    """Who is banned, why, and until when."""
    return [
        {
            "peer_id": str(ban.peer_id),
            "addr": _text(ban.address),
            "reason": ban.reason.label,
            "banned_at": int(ban.since),
            "until": int(ban.until),
        }
        for ban in node.bans()
    ]


def edges(node: Node) -> list[dict[str, Any]]:
    """Every edge held, removed ones too."""
    return [
        {"peer0": str(edge.peer0), "peer1": str(edge.peer1), "nonce": edge.nonce, "active": edge.active}
        for edge in node.edges()
    ]


def routes(node: Node, peer_id: PeerId | None = None) -> dict[str, dict[str, Any]]:
    """Distance and next hops of every reachable peer, or of one; empty when there is no way to it."""
    return {
        str(route.peer_id): {"distance": route.distance, "next_hops": [str(hop) for hop in route.next_hops]}
        for route in node.routes(peer_id)
    }


def accounts(node: Node) -> list[dict[str, Any]]:
    """Announced accounts."""
    return [
        {"account_id": one.account_id, "peer_id": str(one.peer_id), "epoch_id": str(one.epoch_id)}
        for one in node.core.announcements.all()
    ]


def limits(node: Node) -> dict[str, dict[str, Any]]:
    """Each limit: its value, what of it is used where that is known, how often it was hit."""
    core, context = node.core, node.core.context
    pending = len(context.connections) - len(core.peers)
    used: dict[str, float] = {
        "pending_connections": pending,
        "edges_total": core.table.edge_count,
        "ml_dsa_edges": core.table.ml_dsa_count,
        "graph_peers": core.table.peer_count,
        "known_peers": len(core.peer_store),
        "announcements": len(core.announcements),
        "route_back_entries": len(core.route_back),
        "queue_bytes": max((peer.queued for peer in core.peers.values()), default=0),
        "queues_bytes": sum(peer.queued for peer in core.peers.values()),
    }
    return {use.name: {"value": _plain(use.value), "used": use.used, "hit": use.hit} for use in core.limits.uses(used)}


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
