"""Layers, origins and errors in words."""

import json

import pytest

from nearnet.config import config_from, load_config
from nearnet.errors import ConfigError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.json"

    def write(value):
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    return write


def test_the_order_of_layers(file):
    path = file({"network": {"max_num_peers": 20, "handshake_timeout": {"secs": 9}}, "head_height": 4})
    environ = {"NEARNET_NETWORK__MAX_NUM_PEERS": "25", "NEARNET_NETWORK__BAN_WINDOW": "10m", "NEARNET_HOME": "/x"}
    environ |= {"NEARNET_BIN": "/x/nearnet", "NEARNET_SHARED": "/x/shared"}
    settings = ["network.max_num_peers=30", "nearnet.limits.loop_guard=0", ("network.addr", "", "--network-addr")]
    loaded = load_config(path, environ, settings, {"chain_id": "mainnet", "head_height": 1})
    network = loaded.config.network
    assert (network.max_num_peers, network.ban_window, network.handshake_timeout, network.addr) == (30, 600, 9, "")
    assert loaded.config.nearnet.limits.loop_guard == 0
    origins = {path: origin for path, origin in loaded.origins.items() if origin != "default"}
    assert origins == {
        "chain_id": "genesis.json",
        "genesis_hash": "known for chain_id",
        "head_height": "file config.json",
        "network.max_num_peers": "flag --set",
        "network.ban_window": "environment NEARNET_NETWORK__BAN_WINDOW",
        "network.handshake_timeout": "file config.json",
        "network.addr": "flag --network-addr",
        "network.ideal_connections_hi": "lowered to fit",
        "nearnet.limits.loop_guard": "flag --set",
    }
    assert loaded.warnings == ()
    assert loaded.values()["network.max_num_peers"] == 30
    assert set(loaded.values()) == set(loaded.origins)


def test_values_that_follow_another_field(file):
    loaded = load_config(None, {}, ["nearnet.limits.route_back_entries=7"])
    assert loaded.origins["nearnet.timing.route_back_cache_size"] == "follows another field"


def test_set_takes_json_or_text():
    loaded = load_config(
        None, {}, ["chain_id=my chain", 'network.blacklist=["1.2.3.4"]', "network.ban_window=2h", "rpc.addr="]
    )
    assert loaded.config.chain_id == "my chain"
    assert loaded.config.network.blacklist == (("1.2.3.4", None),)
    assert loaded.config.network.ban_window == 7200
    assert loaded.config.rpc.addr == ""
    for wrong in ("network", "=5"):
        with pytest.raises(ConfigError, match="PATH=VALUE"):
            load_config(None, {}, [wrong])
    with pytest.raises(ConfigError, match="plain value"):
        load_config(None, {}, ["network.addr=x", "network.addr.port=5"])


def test_unknown_fields_are_warnings_that_name_them(file):
    path = file({"network": {"max_peers": 5, "tier1": {"x": 1}}, "state_sync": {}, "nearnet": {}})
    loaded = load_config(path, {"NEARNET_FOO": "1"})
    assert loaded.warnings == (
        "unknown field network.max_peers (file config.json) is ignored",
        "unknown field network.tier1.x (file config.json) is ignored",
        "unknown field state_sync (file config.json) is ignored",
        "unknown field foo (environment NEARNET_FOO) is ignored",
    )
    with pytest.raises(ConfigError, match=r"network\.max_peers"):
        config_from({"network": {"max_peers": 5}})


def test_unknown_kinds_of_rate_limits_are_warnings_that_name_them(file):
    rate = {"maximum_size": 5, "refill_rate": 1.0, "initial_size": 1}
    known = dict.fromkeys(["ChunkEndorsement", "SpicePartialDataRequest", "VersionedStateResponse", "Block"], rate)
    rates = {"rate_limits": {**known, "OptimisticBlock": None, "Blok": rate, "Handshake": None}, "rate_limit": {}}
    overrides = {"received_messages_rate_limits": rates}
    loaded = load_config(file({"network": {"experimental": {"network_config_overrides": overrides}}}))
    path = "network.experimental.network_config_overrides.received_messages_rate_limits"
    assert loaded.warnings == (
        f"unknown field {path}.rate_limits.Blok (file config.json) is ignored",
        f"unknown field {path}.rate_limits.Handshake (file config.json) is ignored",
        f"unknown field {path}.rate_limit (file config.json) is ignored",
    )
    limits = loaded.config.network.experimental.network_config_overrides.received_messages_rate_limits
    assert limits.rate_limits["ChunkEndorsement"].maximum_size == 5
    nothing = {"network_config_overrides": {"received_messages_rate_limits": None}}
    assert load_config(file({"network": {"experimental": nothing}})).warnings == ()


def test_all_errors_at_once():
    wrong = {
        "chain_id": 7,
        "genesis_hash": "zz",
        "tracked_shards": [1, "a"],
        "network": {
            "max_num_peers": 200,
            "ideal_connections_lo": 30,
            "ideal_connections_hi": 20,
            "ban_window": "5x",
            "skip_sync_wait": 1,
            "experimental": 3,
            "archival_peer_connections_lower_bound": True,
        },
        "nearnet": {
            "dialect": "x",
            "min_peers": "3",
            "peers": {"nokey": {}},
            "protocol_versions": {"borsh": [1, 2]},
            "limits": {"loop_guard": -1, "allow_private": "no", "tables_per_second": {"borsh": {"burst": "a"}}},
        },
    }
    with pytest.raises(ConfigError) as caught:
        config_from(wrong)
    lines = str(caught.value).splitlines()
    for line in (
        "chain_id: expected a text, got 7",
        'tracked_shards.1: expected a whole number, got "a"',
        "network.max_num_peers: expected at most 128, got 200",
        "network.skip_sync_wait: expected true or false, got 1",
        "network.experimental: expected an object, got 3",
        "network.archival_peer_connections_lower_bound: expected a whole number, got true",
        "nearnet.dialect: expected one of 'auto', 'borsh' or 'protobuf', got \"x\"",
        'nearnet.min_peers: expected a whole number, got "3"',
        "nearnet.limits.loop_guard: expected at least 0, got -1",
        'nearnet.limits.allow_private: expected "auto", true or false, got "no"',
        'nearnet.limits.tables_per_second.borsh.burst: expected a number, got "a"',
        "network.ideal_connections_lo: expected ideal_connections_lo ≤ ideal_connections_hi, got 30 and 20",
    ):
        assert line in lines
    assert len(lines) == 16
    assert sum(line.startswith(("genesis_hash:", "network.ban_window:", "nearnet.p")) for line in lines) == 4


def test_the_verifier():
    assert config_from({}).nearnet.verifier == "auto"
    assert config_from({"nearnet": {"verifier": "pynacl"}}).nearnet.verifier == "pynacl"
    for name, words in (
        ("solders", 'expected "auto" or "pynacl" (solders is no longer supported:'),
        ("openssl", "expected one of 'auto' or 'pynacl', got"),
    ):
        with pytest.raises(ConfigError) as caught:
            config_from({"nearnet": {"verifier": name}})
        assert str(caught.value).startswith(f"nearnet.verifier: {words}")


def test_a_long_value_is_cut():
    with pytest.raises(ConfigError) as caught:
        config_from({"network": {"addr": "x" * 500}})
    assert len(str(caught.value)) < 160


def test_comments(file):
    path = file('{ // here\n "chain_id": "a//b\\"//c", // there\n "head_height": 5 }')
    config = load_config(path).config
    assert config.chain_id == 'a//b"//c'
    assert config.head_height == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "is not JSON: line 1, column 2"), ("[1]", "no JSON object"), ("[" * 100_000, "is not JSON")],
)
def test_files_that_are_none(file, text, words):
    with pytest.raises(ConfigError, match=words):
        load_config(file(text))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="run nearnet init"):
        load_config(tmp_path / "config.json")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(tmp_path / "x")


def test_unknown_fields_with_dots_are_warnings_too(file):
    loaded = load_config(file('{"a.b": 1, "network": {"c.d": {}, "max_num_peers": 7}}'))
    assert loaded.warnings == (
        "unknown field a.b (file config.json) is ignored",
        "unknown field network.c.d (file config.json) is ignored",
    )
    assert loaded.config.network.max_num_peers == 7
