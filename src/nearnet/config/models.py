"""The whole config.json as models: names, defaults and bounds of each field (`config.md`, `conventions.md` §3.3).

After validation every duration is float seconds, peers are `BootNode`s, hashes `CryptoHash`. Section by section:
`network` has the reference node's names, `nearnet` ours.
"""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nearnet.config.field_types import (
    PROTOCOL_VERSIONS,
    Address,
    AllowPrivate,
    Blacklist,
    Count,
    DialectName,
    Duration,
    Flag,
    LogLevel,
    Number,
    Peers,
    Period,
    ProtocolVersions,
    PublicAddresses,
    Texts,
    VerifierName,
    Whitelist,
    canonical_keys,
)
from nearnet.config.values import parse_socket
from nearnet.wire.messages import SocketAddress

__all__ = [
    "GENESIS_HASHES",
    "ExperimentalSection",
    "LimitsSection",
    "MessageRate",
    "MessageRates",
    "NearnetSection",
    "NetworkSection",
    "OverridesSection",
    "PeerSettings",
    "PollingSection",
    "Rate",
    "RpcLimitsSection",
    "RpcSection",
    "Section",
    "TablesPerSecond",
    "Tier1Section",
    "TimingSection",
]

GENESIS_HASHES = {
    "mainnet": "EPnLgE7iEq9s7yTkos96M3cWymH5avBAPm3qx3NXqR8H",
    "testnet": "FWJ9kR6KFWoyMoNjpLXXGHeuiy7tEY6GmoFeCA5yuc6b",
}
"""Chains whose genesis hash need not be told (`conventions.md` §3.10)."""


class Section(BaseModel):
    """What all objects of the config have in common: frozen, unknown fields left to the loader's warning.

    Validators are built at first use: one for the whole config instead of one per section, at a third of the time.
    """

    model_config = ConfigDict(
        extra="ignore", frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False, defer_build=True
    )


class Tier1Section(Section):
    """`network.tier1`: read, not used."""

    enable_inbound: Flag = True
    enable_outbound: Flag = True
    connect_interval: Duration = 60.0
    new_connections_per_attempt: Count = 50
    advertise_proxies_interval: Duration = 900.0


class MessageRate(Section):
    """A token bucket for one kind of message: `initial_size` (or all) at first, then `refill_rate` a second."""

    maximum_size: Count
    refill_rate: Number
    initial_size: Count | None = None


class MessageRates(Section):
    """`received_messages_rate_limits`: by kind of message (`wire/message_kinds.py`, `KEYS`); None lifts a limit."""

    rate_limits: dict[str, MessageRate | None] = {}


class OverridesSection(Section):
    """`network.experimental.network_config_overrides`: None leaves the value that the name stands for as it is."""

    connect_to_reliable_peers_on_startup: Flag | None = None
    max_send_peers: Count | None = None
    routed_message_ttl: Annotated[int, Field(strict=True, ge=1, le=255)] | None = None
    max_routes_to_store: Count | None = None
    highest_peer_horizon: Count | None = None
    push_info_period_millis: Count | None = None
    outbound_disabled: Flag | None = None
    accounts_data_broadcast_rate_limit_burst: Count | None = None
    accounts_data_broadcast_rate_limit_qps: Number | None = None
    routing_table_update_rate_limit_burst: Count | None = None
    routing_table_update_rate_limit_qps: Number | None = None
    received_messages_rate_limits: MessageRates | None = None
    max_edges_per_message: Count | None = None
    max_edges_per_source: Count | None = None
    max_total_edges: Count | None = None
    max_graph_peers: Count | None = None
    routing_graph_max_edges_per_message: Count | None = None
    routing_graph_max_accounts_per_message: Count | None = None
    routing_graph_max_edges_per_source: Count | None = None
    routing_graph_max_edges: Count | None = None
    routing_graph_max_peers: Count | None = None


class ExperimentalSection(Section):
    """`network.experimental`."""

    inbound_disabled: Flag = False
    connect_only_to_boot_nodes: Flag = False
    skip_sending_tombstones_seconds: Count = 0
    network_config_overrides: OverridesSection = Field(default_factory=OverridesSection)


class NetworkSection(Section):
    """`network`: the reference node's fields (`conventions.md` §3.3). Some are read for its sake and not used."""

    addr: Address = "0.0.0.0:24567"
    boot_nodes: Peers = ()
    whitelist_nodes: Whitelist = ()
    max_num_peers: Annotated[int, Field(strict=True, ge=0, le=128)] = 40
    minimum_outbound_peers: Count = 5
    ideal_connections_lo: Count = 30
    ideal_connections_hi: Count = 35
    safe_set_size: Count = 20
    archival_peer_connections_lower_bound: Count = 10
    peer_recent_time_window: Duration = 600.0
    handshake_timeout: Period = 20.0
    skip_sync_wait: Flag = False
    ban_window: Duration = 10800.0
    blacklist: Blacklist = ()
    ttl_account_id_router: Duration = 3600.0
    peer_stats_period: Period = 5.0
    monitor_peers_max_period: Period = 60.0
    peer_states_cache_size: Count = 1000
    snapshot_hosts_cache_size: Count = 1000
    peer_expiration_duration: Duration = 7 * 86400.0
    so_recv_buffer_size: Count | None = 1_000_000
    so_send_buffer_size: Count | None = 1_000_000
    outgoing_queue_limiter_capacity_bytes: Count | None = None
    max_write_buffer_capacity_bytes: Count | None = None
    public_addrs: PublicAddresses = ()
    allow_private_ip_in_public_addrs: Flag = False
    trusted_stun_servers: Texts = tuple(f"stun{number}.l.google.com:19302" for number in ("", 1, 2, 3, 4))
    external_address: str = ""
    reconnect_delay: Duration = 60.0
    max_send_peers: Annotated[int, Field(strict=True, ge=0)] = 512
    routed_message_ttl: Annotated[int, Field(strict=True, ge=1, le=255)] = 100
    highest_peer_horizon: Count = 5
    tier1: Tier1Section = Field(default_factory=Tier1Section)
    experimental: ExperimentalSection = Field(default_factory=ExperimentalSection)

    @property
    def listen_address(self) -> SocketAddress | None:
        """`addr` parsed; None for no listener."""
        return parse_socket(self.addr) if self.addr else None


class PollingSection(Section):
    """`rpc.polling_config`: read, not used."""

    polling_interval: Duration = 0.5
    polling_timeout: Duration = 10.0


class RpcLimitsSection(Section):
    """`rpc.limits_config`."""

    json_payload_max_size: Count = 10 * 2**20


class RpcSection(Section):
    """`rpc`. Two defaults are not the reference's: loopback only, and no foreign origin."""

    addr: Address = "127.0.0.1:3030"
    prometheus_addr: Address = ""
    cors_allowed_origins: Texts = ()
    polling_config: PollingSection = Field(default_factory=PollingSection)
    limits_config: RpcLimitsSection = Field(default_factory=RpcLimitsSection)
    enable_debug_rpc: Flag = True
    experimental_debug_pages_src_path: str | None = None


class PeerSettings(Section):
    """What the operator knows of one peer."""

    dialect: DialectName = "auto"


class Rate(Section):
    """A token bucket: `burst` at once, then `per_second`. The default is that of PeersRequests."""

    burst: Number = 3
    per_second: Number = 0.1


class _BorshTables(Rate):
    burst: Number = 50
    per_second: Number = 25


class _ProtobufTables(Rate):
    burst: Number = 20
    per_second: Number = 10


class TablesPerSecond(Section):
    """SyncRoutingTable messages from one peer before its socket is not read for a while, by dialect."""

    borsh: _BorshTables = Field(default_factory=_BorshTables)
    protobuf: _ProtobufTables = Field(default_factory=_ProtobufTables)


class LimitsSection(Section):
    """`nearnet.limits` (`threats.md`, limits). Bytes, counts, and rates per second."""

    handshake_frame_bytes: Count = 64 * 2**10
    frame_bytes: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = 512 * 2**20
    large_frame_bytes: Count = 32 * 2**20
    inbound_budget_bytes: Count = 256 * 2**20
    pending_connections: Count = 60
    pending_per_ip: Count = 4
    connected_per_ip: Count = 8
    per_ip_on_loopback: Flag = False
    malformed_per_minute: Count = 8
    queue_bytes: Count = 64 * 2**20
    queues_bytes: Count = 512 * 2**20
    edges_per_message_sent: Annotated[int, Field(strict=True, ge=1)] = 25_000
    edges_per_message_received: Count = 200_000
    accounts_per_message_received: Count = 10_000
    edges_per_source: Count = 200_000
    edges_total: Count = 1_000_000
    ml_dsa_edges: Count = 5_000
    graph_peers: Count = 100_000
    tables_per_second: TablesPerSecond = Field(default_factory=TablesPerSecond)
    peers_requests: Rate = Field(default_factory=Rate)
    max_send_peers: Count = 512
    known_peers: Count = 1000
    per_source_group: Count = 64
    pings_per_second: Count = 100
    loop_guard: Count = 100
    route_back_entries: Annotated[int, Field(strict=True, ge=1)] = 100_000
    announcements: Annotated[int, Field(strict=True, ge=1)] = 10_000
    loop_stall: Period = 0.05
    history_samples: Annotated[int, Field(strict=True, ge=1, le=8640)] = 360
    history_edge_changes: Annotated[int, Field(strict=True, ge=1)] = 50_000
    graph_edges_told: Annotated[int, Field(strict=True, ge=1)] = 50_000
    allow_private: AllowPrivate = "auto"


class TimingSection(Section):
    """`nearnet.timing`: the constants in capitals of `behaviour.md` §1 and its table's other times. Seconds, counts."""

    limit_pending_peers: Count = 60
    request_peers_interval: Duration = 60.0
    edge_nonce_bump_allowed: Count = 1000
    wait_peer_before_remove: Duration = 6.0
    wait_on_try_update_nonce: Duration = 6.0
    wait_for_sync_delay: Duration = 1.0
    broadcast_validated_edges_interval: Period = 0.05
    update_routing_table_interval: Period = 1.0
    prune_unreachable_after: Duration = 3600.0
    prune_check_after: Duration = 7200.0
    routed_message_cache_size: Annotated[int, Field(strict=True, ge=1)] = 1000
    drop_duplicated_messages_period: Duration = 0.05
    route_back_cache_size: Annotated[int, Field(strict=True, ge=1)] = 100_000
    route_back_timeout: Duration = 120.0
    route_back_evict: Annotated[int, Field(strict=True, ge=1)] = 100
    announce_account_cache_size: Annotated[int, Field(strict=True, ge=1)] = 10_000
    max_transactions_per_block_message: Count = 1000
    update_interval_last_time_received_message: Duration = 60.0
    monitor_peers_initial: Period = 0.01
    dial_timeout: Period = 1.0
    parallel_dials: Annotated[int, Field(strict=True, ge=1)] = 8
    dial_backoff_initial: Duration = 1.0
    dial_backoff_max: Duration = 60.0
    edge_expires_after: Period = 1800.0
    nonce_refresh_interval: Period = 600.0
    accounts_data_interval: Period = 10.0
    accounts_data_full_sync_interval: Period = 600.0
    snapshot_hosts_interval: Period = 10.0


class NearnetSection(Section):
    """`nearnet`: what the reference node has no field for."""

    dialect: DialectName = "auto"
    peers: Annotated[dict[str, PeerSettings], BeforeValidator(canonical_keys)] = {}
    dialect_probe_timeout: Period = 4.0
    protocol_versions: ProtocolVersions = PROTOCOL_VERSIONS
    persistent_peers: Peers = ()
    min_peers: Count = 0
    min_peers_kept: Count = 0
    announcements: Literal["accept", "relay_only", "ignore"] = "accept"
    timing: TimingSection = Field(default_factory=TimingSection)
    limits: LimitsSection = Field(default_factory=LimitsSection)
    verifier: VerifierName = "auto"
    verifier_threads: Annotated[int, Field(strict=True, ge=1, le=256)] = os.cpu_count() or 1
    store: str | None = None
    log_level: LogLevel = "info"
    log_format: Literal["text", "json"] = "text"
