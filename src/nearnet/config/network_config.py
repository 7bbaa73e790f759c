"""The config's root, and the rules that join fields (`config.md`, checks)."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from nearnet.config.field_types import Count, Duration, Flag, Hash, parse_hash
from nearnet.config.in_words import all_wrong, without_unknown
from nearnet.config.models import GENESIS_HASHES, NearnetSection, NetworkSection, RpcSection, Section
from nearnet.config.sources import read_json
from nearnet.config.values import parse_peer
from nearnet.errors import ConfigError
from nearnet.keys import CryptoHash
from nearnet.wire.message_kinds import MOST_TRACKED_SHARDS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OVERRIDES", "QUEUES", "NetworkConfig"]

_SYNONYMS = (
    ("nearnet.limits.pending_connections", "nearnet.timing.limit_pending_peers"),
    ("nearnet.limits.route_back_entries", "nearnet.timing.route_back_cache_size"),
    ("nearnet.limits.announcements", "nearnet.timing.announce_account_cache_size"),
    ("network.max_send_peers", "nearnet.limits.max_send_peers"),
)
"""Two names of one number: what is set goes for both; the first when both are."""

OVERRIDES = (
    ("network.max_send_peers", "max_send_peers"),
    ("nearnet.limits.max_send_peers", "max_send_peers"),
    ("network.routed_message_ttl", "routed_message_ttl"),
    ("network.highest_peer_horizon", "highest_peer_horizon"),
    ("nearnet.limits.edges_per_message_received", "max_edges_per_message"),
    ("nearnet.limits.edges_per_message_received", "routing_graph_max_edges_per_message"),
    ("nearnet.limits.accounts_per_message_received", "routing_graph_max_accounts_per_message"),
    ("nearnet.limits.edges_per_source", "max_edges_per_source"),
    ("nearnet.limits.edges_per_source", "routing_graph_max_edges_per_source"),
    ("nearnet.limits.edges_total", "max_total_edges"),
    ("nearnet.limits.edges_total", "routing_graph_max_edges"),
    ("nearnet.limits.graph_peers", "max_graph_peers"),
    ("nearnet.limits.graph_peers", "routing_graph_max_peers"),
)
"""What an entry of `network_config_overrides` overrides here. Of two names of one limit the second wins."""

QUEUES = (
    ("nearnet.limits.queues_bytes", "outgoing_queue_limiter_capacity_bytes"),
    ("nearnet.limits.queue_bytes", "max_write_buffer_capacity_bytes"),
)
"""Our limits of what waits to be sent, and the fields of `network` that set them unless ours are set."""

_MOST_EDGES_SENT = 50_000
"""Nodes of 2026 drop all edges of a message with more (`network-2026.md` §4)."""


def _no_rpc(value: object) -> object:
    """The reference node writes null for a node without RPC."""
    return {"addr": ""} if value is None else value


class NetworkConfig(Section):
    """The whole of config.json. Without arguments it is valid: a chain "localnet" with a genesis of 32 zero bytes.

    Fields of `network` that were not set are lowered to fit those that were. The constructor and `model_validate` raise
    `ConfigError`: one line for each wrong or unknown field, with what was expected and what was given.
    """

    chain_id: Annotated[str, Field(min_length=1)] = "localnet"
    genesis_hash: Hash = CryptoHash(bytes(32))
    head_height: Count = 0
    tracked_shards: tuple[Count, ...] = ()
    archive: Flag = False
    log_summary_period: Duration = 10.0
    rpc: Annotated[RpcSection, BeforeValidator(_no_rpc)] = Field(default_factory=RpcSection)
    network: NetworkSection = Field(default_factory=NetworkSection)
    nearnet: NearnetSection = Field(default_factory=NearnetSection)

    @classmethod
    def load(cls, home: str | Path) -> NetworkConfig:
        """Return the config of a home folder, as `nearnet init` or the reference node made it (`config.json`).

        Raises `ConfigError` for a file that cannot be read, and as the constructor does. What a reference node's config
        has besides is left out. Environment variables and flags do not count: `load_config` takes these.
        """
        folder = Path(home)
        data = read_json(folder / "config.json")
        genesis = folder / "genesis.json"
        if "nearnet" not in data and genesis.exists():
            data = {"chain_id": read_json(genesis).get("chain_id")} | without_unknown(cls, data)
        return cls.model_validate(data)

    @model_validator(mode="after")
    def _join(self) -> NetworkConfig:
        if "genesis_hash" not in self.model_fields_set and self.chain_id in GENESIS_HASHES:
            _put(self, "genesis_hash", parse_hash(GENESIS_HASHES[self.chain_id]))
        for path, name in OVERRIDES:
            value = getattr(self.network.experimental.network_config_overrides, name)
            if value is not None:
                _put(self, path, value)
        for path, name in QUEUES:
            value = getattr(self.network, name)
            if value is not None and not _is_set(self, path):
                _put(self, path, value)
        for first, second in _SYNONYMS:
            if _is_set(self, first):
                _put(self, second, _value_at(self, first))
            elif _is_set(self, second):
                _put(self, first, _value_at(self, second))
        for path, value in _lowered(self):
            _put(self, path, value)
        wrong = list(_wrong_combinations(self))
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _in_words(cls, data: Any, validate: ModelWrapValidatorHandler[NetworkConfig]) -> NetworkConfig:
        # Defined last, so that it is the outermost: it sees the rules that `_join` finds broken as well.
        try:
            config = validate(data)
        except ValidationError as error:
            raise ConfigError("\n".join(all_wrong(cls, data, error, validate))) from None
        wrong = all_wrong(cls, data, None, validate)
        if wrong:
            raise ConfigError("\n".join(wrong))
        return config


def _is_set(config: NetworkConfig, path: str) -> bool:
    *parents, name = path.split(".")
    return name in _value_at(config, ".".join(parents)).model_fields_set


def _value_at(config: NetworkConfig, path: str) -> Any:
    """The value at a path such as ``network.max_num_peers``; "" is the config itself."""
    value: Any = config
    for name in path.split(".") if path else ():
        value = getattr(value, name)
    return value


def _put(config: NetworkConfig, path: str, value: object) -> None:
    """Change a frozen field while the config is being made; it does not count as set."""
    *parents, name = path.split(".")
    section = _value_at(config, ".".join(parents))
    section.__dict__[name] = value


def _lowered(config: NetworkConfig) -> Iterator[tuple[str, int]]:
    """What is not set and does not fit, in the order in which one follows from the other."""
    network = config.network
    for name, above in (
        ("ideal_connections_hi", "max_num_peers"),
        ("ideal_connections_lo", "ideal_connections_hi"),
        ("safe_set_size", "max_num_peers"),
        ("minimum_outbound_peers", "safe_set_size"),
    ):
        most = getattr(network, above)
        if name == "minimum_outbound_peers":
            most = max(most - 1, 0)
        if name not in network.model_fields_set and getattr(network, name) > most:
            yield f"network.{name}", most


def _wrong_combinations(config: NetworkConfig) -> Iterator[str]:
    """A sentence for each rule that is broken."""
    network, interval = config.network, config.nearnet.timing.update_interval_last_time_received_message
    lo, hi, most = network.ideal_connections_lo, network.ideal_connections_hi, network.max_num_peers
    safe, outbound, told = network.safe_set_size, network.minimum_outbound_peers, network.max_send_peers
    window = network.peer_recent_time_window
    for holds, names, values in (
        (lo <= hi, ("≤", "ideal_connections_lo", "ideal_connections_hi"), (lo, hi)),
        (hi <= most, ("≤", "ideal_connections_hi", "max_num_peers"), (hi, most)),
        (safe > outbound or safe == outbound == 0, (">", "safe_set_size", "minimum_outbound_peers"), (safe, outbound)),
    ):
        sign, left, right = names
        if not holds:
            yield f"network.{left}: expected {left} {sign} {right}, got {values[0]} and {values[1]}"
    if 2 * interval > window:
        path = "network.peer_recent_time_window"
        yield f"{path}: expected at least {2 * interval:g} s (twice 60 s unless timed otherwise), got {window:g}"
    if told > 512:
        yield f"network.max_send_peers: expected at most 512, got {told}"
    yield from _over_what_peers_take(config)
    yield from _wrong_public_addresses(config)


def _over_what_peers_take(config: NetworkConfig) -> Iterator[str]:
    edges, shards = config.nearnet.limits.edges_per_message_sent, len(config.tracked_shards)
    if edges > _MOST_EDGES_SENT:
        yield (
            f"nearnet.limits.edges_per_message_sent: expected at most {_MOST_EDGES_SENT}, because peers drop all edges "
            f"of a message with more, got {edges}"
        )
    if shards > MOST_TRACKED_SHARDS:
        yield (
            f"tracked_shards: expected at most {MOST_TRACKED_SHARDS} shards, because peers do not read a handshake "
            f"with more, got {shards}"
        )


def _wrong_public_addresses(config: NetworkConfig) -> Iterator[str]:
    network, path = config.network, "network.public_addrs"
    if len(network.public_addrs) > 10:
        yield f"{path}: expected at most 10 addresses, got {len(network.public_addrs)}"
    if network.allow_private_ip_in_public_addrs:
        return
    for text in network.public_addrs:
        address = parse_peer(text).info.addr
        if address is not None and not ipaddress.ip_address(address.ip).is_global:
            yield f"{path}: expected public addresses, got {address}; see allow_private_ip_in_public_addrs"
