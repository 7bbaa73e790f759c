"""The fields, their defaults, and the rules that join them."""

import pytest

from nearnet.config import GENESIS_HASHES, NetworkConfig, config_from
from nearnet.config.field_types import VersionRange
from nearnet.errors import ConfigError
from nearnet.keys import CryptoHash

DEFAULTS = {
    "addr": "0.0.0.0:24567",
    "boot_nodes": (),
    "whitelist_nodes": (),
    "max_num_peers": 40,
    "minimum_outbound_peers": 5,
    "ideal_connections_lo": 30,
    "ideal_connections_hi": 35,
    "safe_set_size": 20,
    "archival_peer_connections_lower_bound": 10,
    "peer_recent_time_window": 600,
    "handshake_timeout": 20,
    "skip_sync_wait": False,
    "ban_window": 10800,
    "blacklist": (),
    "ttl_account_id_router": 3600,
    "peer_stats_period": 5,
    "monitor_peers_max_period": 60,
    "peer_states_cache_size": 1000,
    "snapshot_hosts_cache_size": 1000,
    "peer_expiration_duration": 7 * 86400,
    "so_recv_buffer_size": 1_000_000,
    "so_send_buffer_size": 1_000_000,
    "outgoing_queue_limiter_capacity_bytes": None,
    "max_write_buffer_capacity_bytes": None,
    "public_addrs": (),
    "allow_private_ip_in_public_addrs": False,
    "max_send_peers": 512,
    "routed_message_ttl": 100,
    "highest_peer_horizon": 5,
}
LIMITS = {
    "handshake_frame_bytes": 64 * 1024,
    "frame_bytes": 512 * 2**20,
    "large_frame_bytes": 32 * 2**20,
    "inbound_budget_bytes": 256 * 2**20,
    "pending_connections": 60,
    "pending_per_ip": 4,
    "connected_per_ip": 8,
    "per_ip_on_loopback": False,
    "malformed_per_minute": 8,
    "queue_bytes": 64 * 2**20,
    "queues_bytes": 512 * 2**20,
    "edges_per_message_sent": 25_000,
    "edges_per_message_received": 200_000,
    "accounts_per_message_received": 10_000,
    "edges_per_source": 200_000,
    "edges_total": 1_000_000,
    "graph_peers": 100_000,
    "max_send_peers": 512,
    "known_peers": 1000,
    "per_source_group": 64,
    "pings_per_second": 100,
    "loop_guard": 100,
    "route_back_entries": 100_000,
    "announcements": 10_000,
    "loop_stall": 0.05,
    "allow_private": "auto",
}
TIMING = {
    "limit_pending_peers": 60,
    "request_peers_interval": 60,
    "edge_nonce_bump_allowed": 1000,
    "wait_peer_before_remove": 6,
    "wait_on_try_update_nonce": 6,
    "wait_for_sync_delay": 1,
    "broadcast_validated_edges_interval": 0.05,
    "update_routing_table_interval": 1,
    "prune_unreachable_after": 3600,
    "prune_check_after": 7200,
    "routed_message_cache_size": 1000,
    "drop_duplicated_messages_period": 0.05,
    "route_back_cache_size": 100_000,
    "route_back_timeout": 120,
    "route_back_evict": 100,
    "announce_account_cache_size": 10_000,
    "max_transactions_per_block_message": 1000,
    "update_interval_last_time_received_message": 60,
    "monitor_peers_initial": 0.01,
    "dial_timeout": 1,
    "parallel_dials": 8,
    "dial_backoff_initial": 1,
    "dial_backoff_max": 60,
    "edge_expires_after": 1800,
    "nonce_refresh_interval": 600,
    "accounts_data_interval": 10,
    "accounts_data_full_sync_interval": 600,
}


@pytest.mark.parametrize(
    ("section", "expected"), [("network", DEFAULTS), ("nearnet.limits", LIMITS), ("nearnet.timing", TIMING)]
)
def test_defaults(section, expected):
    value = NetworkConfig()
    for name in section.split("."):
        value = getattr(value, name)
    assert {name: getattr(value, name) for name in expected} == expected


def test_nested_defaults():
    config = NetworkConfig()
    assert config.chain_id == "localnet"
    assert config.genesis_hash == bytes(32)
    assert config.network.trusted_stun_servers[0] == "stun.l.google.com:19302"
    assert len(config.network.trusted_stun_servers) == 5
    tier1, experimental = config.network.tier1, config.network.experimental
    assert (tier1.connect_interval, tier1.new_connections_per_attempt, tier1.advertise_proxies_interval) == (
        60,
        50,
        900,
    )
    assert experimental.network_config_overrides.outbound_disabled is None
    assert not experimental.inbound_disabled
    assert config.rpc.addr == "127.0.0.1:3030"
    assert config.rpc.enable_debug_rpc
    assert config.nearnet.protocol_versions == {
        "borsh": VersionRange(52, 50),
        "protobuf": VersionRange(88, 80, automatic=True),
    }
    assert config.nearnet.dialect_probe_timeout == 4
    limits = config.nearnet.limits
    assert (limits.tables_per_second.borsh.burst, limits.tables_per_second.borsh.per_second) == (50, 25)
    assert (limits.tables_per_second.protobuf.burst, limits.tables_per_second.protobuf.per_second) == (20, 10)
    assert (limits.peers_requests.burst, limits.peers_requests.per_second) == (3, 0.1)
    assert set(dict(limits)) >= set(LIMITS)


def test_known_genesis():
    assert str(NetworkConfig(chain_id="mainnet").genesis_hash) == GENESIS_HASHES["mainnet"]
    other = CryptoHash.of(b"")
    assert NetworkConfig(chain_id="testnet", genesis_hash=other).genesis_hash == other


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"max_num_peers": 10}, (10, 10, 10, 5)),
        ({"max_num_peers": 3}, (3, 3, 3, 2)),
        ({"max_num_peers": 0}, (0, 0, 0, 0)),
        ({"ideal_connections_hi": 8}, (8, 8, 20, 5)),
        ({"safe_set_size": 0}, (35, 30, 0, 0)),
        ({"safe_set_size": 5}, (35, 30, 5, 4)),
        ({"max_num_peers": 128}, (35, 30, 20, 5)),
    ],
)
def test_what_is_not_set_is_lowered(told, expected):
    network = NetworkConfig.model_validate({"network": told}).network
    lowered = (
        network.ideal_connections_hi,
        network.ideal_connections_lo,
        network.safe_set_size,
        network.minimum_outbound_peers,
    )
    assert lowered == expected
    assert NetworkConfig().network.ideal_connections_hi == 35


@pytest.mark.scenario(55)
@pytest.mark.threat(41)
@pytest.mark.parametrize(
    ("network", "words"),
    [
        ({"max_num_peers": 129}, "network.max_num_peers: expected at most 128, got 129"),
        ({"ideal_connections_lo": 36}, "expected ideal_connections_lo ≤ ideal_connections_hi, got 36 and 35"),
        ({"ideal_connections_hi": 41}, "expected ideal_connections_hi ≤ max_num_peers, got 41 and 40"),
        ({"minimum_outbound_peers": 20}, "expected safe_set_size > minimum_outbound_peers, got 20 and 20"),
        ({"peer_recent_time_window": 119}, "expected at least 120 s"),
        ({"max_send_peers": 513}, "network.max_send_peers: expected at most 512, got 513"),
        ({"public_addrs": ["x"]}, "network.public_addrs.0: expected"),
        ({"handshake_timeout": 0}, "network.handshake_timeout: expected a duration above 0, got 0"),
    ],
)
def test_wrong_combinations(network, words):
    with pytest.raises(ConfigError) as caught:
        config_from({"network": network})
    assert words in str(caught.value)


def test_public_addresses():
    key = "ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX"
    with pytest.raises(ConfigError, match=r"public addresses, got 10\.0\.0\.1:1"):
        config_from({"network": {"public_addrs": [f"{key}@10.0.0.1:1"]}})
    with pytest.raises(ConfigError, match="at most 10"):
        config_from({"network": {"public_addrs": [f"{key}@8.8.8.8:{port}" for port in range(11)]}})
    private = {"public_addrs": [f"{key}@10.0.0.1:1"], "allow_private_ip_in_public_addrs": True}
    assert config_from({"network": private}).network.public_addrs == (f"{key}@10.0.0.1:1",)


def test_two_names_of_one_number():
    config = config_from({"nearnet": {"limits": {"route_back_entries": 5}, "timing": {"limit_pending_peers": 3}}})
    assert config.nearnet.timing.route_back_cache_size == 5
    assert config.nearnet.limits.pending_connections == 3
    overrides = {"max_send_peers": 7, "routed_message_ttl": 9, "max_total_edges": 11}
    config = config_from({"network": {"experimental": {"network_config_overrides": overrides}}})
    assert (config.network.max_send_peers, config.nearnet.limits.max_send_peers) == (7, 7)
    assert config.network.routed_message_ttl == 9
    assert config.nearnet.limits.edges_total == 11
    assert config_from({}).nearnet.limits.edges_total == 1_000_000


def test_forms_of_values():
    key = "7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX"
    config = config_from(
        {
            "rpc": None,
            "network": {"addr": "[::]:5", "blacklist": ["1.2.3.4"]},
            "nearnet": {
                "peers": {key: {"dialect": "borsh"}},
                "persistent_peers": f"{key}@1.2.3.4:5",
                "protocol_versions": {"borsh": [60, 55]},
                "log_level": "WARN",
                "limits": {"allow_private": False, "loop_guard": 0, "peers_requests": {"burst": 9}},
            },
        }
    )
    assert config.rpc.addr == ""
    assert config.network.listen_address.ip == "::"
    assert NetworkConfig.model_validate({"network": {"addr": ""}}).network.listen_address is None
    assert config.nearnet.peers[f"ed25519:{key}"].dialect == "borsh"
    assert config.nearnet.persistent_peers[0].info.addr.port == 5
    versions = config.nearnet.protocol_versions
    assert versions == {"borsh": VersionRange(60, 55), "protobuf": VersionRange(88, 80, automatic=True)}
    written = config.model_dump(mode="json")["nearnet"]["protocol_versions"]
    assert written == {"borsh": [60, 55], "protobuf": "auto"}
    pinned = config_from({"nearnet": {"protocol_versions": {"protobuf": [84, 80]}}})
    assert pinned.nearnet.protocol_versions["protobuf"] == VersionRange(84, 80)
    assert NetworkConfig.model_validate(config.model_dump()).nearnet.protocol_versions == versions
    assert config.nearnet.log_level == "warning"
    assert config.nearnet.limits.allow_private is False
    assert config.nearnet.limits.peers_requests.per_second == 0.1


def limits_of(network=None, overrides=None, limits=None):
    experimental = {"network_config_overrides": overrides or {}}
    data = {"network": {"experimental": experimental, **(network or {})}, "nearnet": {"limits": limits or {}}}
    return config_from(data).nearnet.limits


def test_the_reference_names_of_queues_set_ours_unless_ours_are_set():
    told = {"outgoing_queue_limiter_capacity_bytes": 7000, "max_write_buffer_capacity_bytes": 5000}
    limits = limits_of(told)
    assert (limits.queues_bytes, limits.queue_bytes) == (7000, 5000)
    limits = limits_of(told, limits={"queues_bytes": 70, "queue_bytes": 50})
    assert (limits.queues_bytes, limits.queue_bytes) == (70, 50)
    limits = limits_of({"max_write_buffer_capacity_bytes": None})
    assert (limits.queues_bytes, limits.queue_bytes) == (512 * 2**20, 64 * 2**20)
    assert limits_of({"max_write_buffer_capacity_bytes": 0}).queue_bytes == 0


@pytest.mark.parametrize(
    ("older", "newer", "limit"),
    [
        ("max_edges_per_message", "routing_graph_max_edges_per_message", "edges_per_message_received"),
        ("max_edges_per_source", "routing_graph_max_edges_per_source", "edges_per_source"),
        ("max_total_edges", "routing_graph_max_edges", "edges_total"),
        ("max_graph_peers", "routing_graph_max_peers", "graph_peers"),
        (None, "routing_graph_max_accounts_per_message", "accounts_per_message_received"),
    ],
)
def test_overrides_of_the_graphs_limits(older, newer, limit):
    assert getattr(limits_of(overrides={newer: 5}), limit) == 5
    assert limits_of(overrides={newer: 5}).edges_per_message_sent == 25_000
    if older is not None:
        assert getattr(limits_of(overrides={older: 4}), limit) == 4
        for order in ({older: 4, newer: 5}, {newer: 5, older: 4}):
            assert getattr(limits_of(overrides=order), limit) == 5


@pytest.mark.interop("SyncRoutingTable")
def test_no_more_edges_are_sent_than_peers_take():
    assert limits_of(limits={"edges_per_message_sent": 50_000}).edges_per_message_sent == 50_000
    with pytest.raises(ConfigError, match=r"expected at most 50000, because peers drop all edges .* got 50001"):
        limits_of(limits={"edges_per_message_sent": 50_001})


@pytest.mark.interop("Handshake")
def test_no_more_shards_are_tracked_than_a_handshake_can_tell():
    assert len(config_from({"tracked_shards": list(range(128))}).tracked_shards) == 128
    with pytest.raises(ConfigError, match=r"tracked_shards: expected at most 128 shards, because .* got 129"):
        config_from({"tracked_shards": list(range(129))})


# --- errors in words, whoever makes the config -----------------------------------------------------


MADE = {
    "constructor": lambda data: NetworkConfig(**data),
    "model_validate": NetworkConfig.model_validate,
    "config_from": config_from,
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_typing_errors_are_told_in_words(made):
    with pytest.raises(ConfigError) as caught:
        made({"chain_id": 5, "network": {"max_num_peers": "many", "handshake_timeout": -1}})
    assert str(caught.value).splitlines() == [
        "chain_id: expected a text, got 5",
        'network.max_num_peers: expected a whole number, got "many"',
        'network.handshake_timeout: expected a duration of at least 0: seconds, a text such as "10m", '
        'or {"secs": N, "nanos": N}, got -1',
    ]


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_unknown_fields_are_refused_with_the_one_that_was_meant(made):
    with pytest.raises(ConfigError) as caught:
        made({"chain": "c", "network": {"max_num_peer": 5, "zzz": 1}, "nearnet": {"limits": {"loop_stal": 1}}})
    assert str(caught.value).splitlines() == [
        "unknown field chain; did you mean chain_id?",
        "unknown field network.max_num_peer; did you mean max_num_peers?",
        "unknown field network.zzz: remove it",
        "unknown field nearnet.limits.loop_stal; did you mean loop_stall?",
    ]


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_all_that_is_wrong_is_told_at_once(made):
    with pytest.raises(ConfigError) as caught:
        made({"chain_id": 5, "foo": 1, "network": {"ideal_connections_lo": 9, "ideal_connections_hi": 3}})
    assert str(caught.value).splitlines() == [
        "unknown field foo: remove it",
        "chain_id: expected a text, got 5",
        "network.ideal_connections_lo: expected ideal_connections_lo ≤ ideal_connections_hi, got 9 and 3",
    ]


def test_names_that_no_field_can_have():
    with pytest.raises(ConfigError) as caught:
        NetworkConfig.model_validate({5: 1, "network.addr": "", "network": {"a.b": 1}})
    assert str(caught.value).splitlines() == [
        "unknown field 5: remove it",
        "unknown field network.addr; did you mean addr?",
        "unknown field network.a.b: remove it",
    ]


def test_what_is_no_object_is_told_in_words():
    with pytest.raises(ConfigError, match="dictionary"):
        NetworkConfig.model_validate(["chain_id"])
    with pytest.raises(ConfigError, match="network: expected an object, got 5"):
        NetworkConfig(network=5)


def test_a_config_is_kept_as_it_is():
    config = NetworkConfig(chain_id="c")
    assert NetworkConfig.model_validate(config) is config
    assert NetworkConfig(network=config.network, nearnet=config.nearnet) == NetworkConfig()


def test_the_config_of_a_home_folder(tmp_path):
    (tmp_path / "config.json").write_text('{"chain_id": "c", /' + '/ a comment\n "nearnet": {}}')
    assert NetworkConfig.load(tmp_path) == NetworkConfig.load(str(tmp_path)) == NetworkConfig(chain_id="c", nearnet={})
    (tmp_path / "config.json").write_text('{"chain_idd": "c", "network": {"max_num_peers": -1}}')
    with pytest.raises(ConfigError, match=r"unknown field chain_idd; did you mean chain_id\?\nnetwork.max_num_peers: "):
        NetworkConfig.load(tmp_path)
    with pytest.raises(ConfigError, match="does not exist; run nearnet init"):
        NetworkConfig.load(tmp_path / "none")


def test_the_config_of_a_reference_node(tmp_path):
    (tmp_path / "config.json").write_text('{"consensus": {}, "network": {"max_num_peers": 7, "x": 1}}')
    (tmp_path / "genesis.json").write_text('{"chain_id": "mainnet"}')
    config = NetworkConfig.load(tmp_path)
    assert (config.chain_id, config.network.max_num_peers) == ("mainnet", 7)
    (tmp_path / "genesis.json").write_text("{}")
    with pytest.raises(ConfigError, match="chain_id: expected a text, got null"):
        NetworkConfig.load(tmp_path)
