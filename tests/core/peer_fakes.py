"""What the tests about known peers share: a clock, keys by number, a config of plain values, a store in a dict."""

from __future__ import annotations

from types import SimpleNamespace

from nearnet.config import BootNode
from nearnet.config.field_types import PROTOCOL_VERSIONS
from nearnet.core.runtime.actions import Persist, Write
from nearnet.core.runtime.clock import Now
from nearnet.core.runtime.journal import Journal
from nearnet.keys import CryptoHash, PeerId
from nearnet.wire.messages import PeerInfo, SocketAddress

ME = PeerId(bytes([0]) + bytes(32))
START = Now(5_000.25, 1_700_000_000.5)


def later(seconds: float, since: Now = START) -> Now:
    return Now(since.mono + seconds, since.wall + seconds)


def peer_id(number: int) -> PeerId:
    return PeerId(bytes([0]) + number.to_bytes(32, "big"))


def digest(number: int) -> CryptoHash:
    return CryptoHash(number.to_bytes(32, "big"))


def addr(number: int, port: int = 24567) -> SocketAddress:
    return SocketAddress(f"8.{number >> 8 & 255}.{number & 255}.1", port)


def info(number: int, address: SocketAddress | None = None, account_id: str | None = None) -> PeerInfo:
    return PeerInfo(peer_id(number), addr(number) if address is None else address, account_id)


def node(number: int, host: str | None = None) -> BootNode:
    """A peer as the config names it."""
    return BootNode(PeerInfo(peer_id(number), addr(number) if host is None else None), host)


def make_config(**changes: object) -> SimpleNamespace:
    """The config's fields that the known peers and the dialer read, flat; `changes` by field name."""
    values: dict[str, object] = {
        "boot_nodes": (),
        "blacklist": (),
        "ban_window": 10_800.0,
        "peer_expiration_duration": 7 * 86_400.0,
        "max_num_peers": 40,
        "minimum_outbound_peers": 5,
        "ideal_connections_lo": 30,
        "ideal_connections_hi": 35,
        "monitor_peers_max_period": 60.0,
        "connect_only_to_boot_nodes": False,
        "outbound_disabled": None,
        "connect_to_reliable_peers_on_startup": None,
        "persistent_peers": (),
        "dialect": "borsh",
        "protocol_versions": PROTOCOL_VERSIONS,
        "dialect_probe_timeout": 2.0,
        "peers": {},
        "known_peers": 1000,
        "per_source_group": 64,
        "allow_private": "auto",
        "per_ip_on_loopback": False,
        "monitor_peers_initial": 0.01,
        "dial_timeout": 1.0,
        "parallel_dials": 8,
        "dial_backoff_initial": 1.0,
        "dial_backoff_max": 60.0,
        **changes,
    }
    flat = SimpleNamespace(**values)
    flat.network = flat.experimental = flat.network_config_overrides = flat.nearnet = flat.limits = flat.timing = flat
    return flat


class DictStore:
    """A StoreReader over plain dicts, and a journal for those whose rows it takes."""

    def __init__(self, rows=()):
        self.columns: dict[str, dict[bytes, bytes]] = {}
        self.reads = 0
        self.journal = Journal()
        self.apply(rows)

    def get(self, column, key):
        self.reads += 1
        return self.columns.get(column, {}).get(key)

    def items(self, column):
        return iter(list(self.columns.get(column, {}).items()))

    def is_empty(self, column):
        return not self.columns.get(column)

    def apply(self, writes):
        for write in writes:
            rows = self.columns.setdefault(write.column, {})
            if write.value is None:
                rows.pop(write.key, None)
            else:
                rows[write.key] = write.value

    def settle(self):
        """Apply the rows that wait in the journal, as at the end of an input, and return them."""
        rows = rows_of(self.journal)
        self.apply(rows)
        return rows


def rows_of(journal: Journal) -> list[Write]:
    """Take what was asked of the journal, and return the rows."""
    return [row for action in journal.take() if isinstance(action, Persist) for row in action.writes]
