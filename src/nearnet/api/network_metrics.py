"""Metrics of what the network does, under the reference's names: hops and latencies, rates, what protobuf nodes tell
(`conventions.md` §3.8). Each is (name, type, help, samples); a histogram's samples are `Histogram`s."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from nearnet.core.peer.peer import FRAME_SIZES
from nearnet.core.runtime.histogram import Histogram
from nearnet.store.sqlite import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nearnet.net.node import Node

__all__ = ["UNRELIABLE_BEHIND", "Metric", "network_metrics"]

Metric = tuple[str, str, str, list[tuple[dict[str, str], Any]]]

UNRELIABLE_BEHIND = 60
"""Blocks by which a peer is behind the highest one to count as unreliable."""

_COUNTED = {
    "near_connected_to_myself": ((), "Connections to ourselves"),
    "near_already_connected_account": ((), "Handshakes of a validator that is connected already"),
    "near_account_to_peer_lookups": (("source",), "Accounts looked up to send them something"),
    "near_edge_updates": ((), "Edges that were news, our own among them"),
    "near_edge_tombstone_sending_skip": ((), "Removed edges left out of tables sent soon after the start"),
    "near_edge_tombstone_receiving_skip": ((), "Removed edges not taken in because they were too old"),
    "near_broadcast_msg": (("type",), "Messages told to all peers, each counted once"),
    "near_requests_count_by_type_total": (("type",), "What the embedding program and the RPC asked to be sent"),
    "near_sync_accounts_data": (("direction", "incremental", "requesting_full_sync"), "SyncAccountsData messages"),
    "near_sync_snapshot_hosts": (("direction",), "SyncSnapshotHosts messages"),
    "nearnet_skipped_frames": (("kind",), "Frames skipped: empty, or of an unknown message"),
    "nearnet_skipped_fields": ((), "Unknown fields skipped"),
    "nearnet_ignored_messages": (("type",), "Messages that mean nothing here or now"),
    "nearnet_oversized_messages": (("type",), "Messages with more in them than anybody needs"),
    "nearnet_unsupported_keys": (("type",), "What was skipped in messages for a key of a type that is not used here"),
    "nearnet_malformed_messages": ((), "Messages dropped because they do not read"),
    "nearnet_outdated_edges": ((), "Edges dropped unverified: too old, or too far ahead"),
}
"""Counters that the core keeps by name: their labels, in order, and what they say."""


_STATES = ("ok", "warning", "error")
_DIRECTIONS = ("sent", "received")
_ALWAYS: dict[str, list[tuple[str, ...]]] = {
    "near_account_to_peer_lookups": [("AnnounceAccount",)],
    "near_broadcast_msg": [("SyncRoutingTable",), ("SyncSnapshotHosts",)],
    "near_sync_accounts_data": list(product(_DIRECTIONS, ("true", "false"), ("true", "false"))),
    "near_sync_snapshot_hosts": [(direction,) for direction in _DIRECTIONS],
}
"""Labels that are told from the first scrape on, with 0: a rate of what has just begun is seen then."""


def network_metrics(node: Node) -> Iterator[Metric]:
    """All of them."""
    yield from _counted(node)
    yield from _routed(node)
    yield from _buffers(node)
    yield from _frames(node)
    yield from _times(node)
    yield from _versions(node)


def _counted(node: Node) -> Iterator[Metric]:
    counters = node.core.context.counters
    for name, (labels, text) in _COUNTED.items():
        samples: list[tuple[dict[str, str], Any]] = [
            (dict(zip(labels, label.split(","), strict=True)) if labels else {}, float(count))
            for (metric, label), count in counters.items()
            if metric == name
        ]
        told = [labelled for labelled, _ in samples]
        always = _ALWAYS.get(name, [] if labels else [()])
        blank = (dict(zip(labels, values, strict=True)) for values in always)
        samples += [(labelled, 0.0) for labelled in blank if labelled not in told]
        yield name, "counter", text, samples


def _routed(node: Node) -> Iterator[Metric]:
    core = node.core
    hops = [({"routed": body, "hops": hops}, float(count)) for (body, hops), count in core.routed.hops.items()]
    yield "near_network_routed_msg_hops", "counter", "Hops that routed messages for us took, 20 at most", hops
    latencies = [
        ({"routed": body, "tier": "T2", "fastest": "false"}, histogram)
        for body, histogram in core.routed.latencies.items()
    ]
    yield "near_network_routed_msg_latency", "histogram", "Seconds that routed messages for us took", latencies
    refused = [({"type": kind}, float(count)) for kind, count in core.context.rates.refused.items()]
    yield "near_peer_message_rate_limited_by_type_total", "counter", "Messages over the rate of their kind", refused
    above = [({"type": kind}, float(count)) for kind, count in core.context.rates.above.items()]
    yield "nearnet_relayed_above_rate", "counter", "Messages passed on above the rate that a peer takes", above


def _buffers(node: Node) -> Iterator[Metric]:
    read = [({"addr": str(peer.address)}, float(peer.framer.buffered)) for peer in node.core.peers.values()]
    write = [({"addr": str(peer.address)}, float(peer.queued)) for peer in node.core.peers.values()]
    yield "near_peer_read_buffer_size", "gauge", "Bytes of frames that are not whole yet", read
    yield "near_peer_write_buffer_size", "gauge", "Bytes that wait to be sent", write


def _frames(node: Node) -> Iterator[Metric]:
    """Sizes by the address of a connected peer; times of all together, of a frame that came in one read none."""
    core = node.core
    sizes: list[tuple[dict[str, str], Any]] = []
    for peer in core.peers.values():
        received = sum(size for _, size in peer.received_by_type.values())
        sizes.append(({"addr": str(peer.address)}, Histogram(FRAME_SIZES, peer.received_sizes, received)))
    yield "near_peer_msg_size_bytes", "histogram", "Bytes of the frames received", sizes
    slow = core.connections.read_latencies
    at_once = sum(messages for messages, _ in core.connections.traffic()["received"].values()) - sum(slow.counts)
    counts = [max(0, at_once) + slow.counts[0], *slow.counts[1:]]
    latencies = Histogram(slow.bounds, counts, slow.total)
    yield "near_peer_msg_read_latency", "histogram", "Seconds from a frame's first read to its last", [({}, latencies)]


def _times(node: Node) -> Iterator[Metric]:
    timings = node.driver.loop_times
    inputs = [({"message": what}, histogram) for what, histogram in timings.inputs.items()]
    yield "near_peer_manager_messages_time", "histogram", "Seconds that the core took for an input", inputs
    monitor = [({"trigger": "monitor_peers"}, timings.monitor_peers)]
    yield "near_peer_manager_trigger_time", "histogram", "Seconds of the timers when this one ran", monitor
    heights = [peer.chain_info.height for peer in node.core.peers.values() if peer.chain_info is not None]
    behind = sum(height + UNRELIABLE_BEHIND < max(heights) for height in heights)
    yield "near_peer_unreliable", "gauge", "Peers far behind the highest one", [({}, float(behind))]


def _versions(node: Node) -> Iterator[Metric]:
    own = node.config.nearnet.protocol_versions["protobuf"].own
    yield "near_node_protocol_version", "gauge", "Newest version spoken", [({}, float(own))]
    yield (
        "near_current_protocol_version",
        "gauge",
        "The same: no chain says another",
        [({}, float(own))],
    )
    now = node.driver.now()
    watch, clock = node.core.protocol_watch, node.core.clock_watch
    newest, status = float(watch.newest_announced), float(_STATES.index(watch.state(now)))
    yield (
        "nearnet_newest_protocol_version",
        "gauge",
        "Newest version that any peer announced, 0 for none",
        [({}, newest)],
    )
    yield (
        "nearnet_protocol_status",
        "gauge",
        "0: ok, 1: a peer announces a version above our own, 2: recent dials failed as ours is too old",
        [({}, status)],
    )
    ahead = max(0.0, clock.ahead(now))
    yield "nearnet_clock_ahead_seconds", "gauge", "Seconds by which our clock is ahead of our peers'", [({}, ahead)]
    yield "near_node_db_version", "gauge", "Version of the store", [({}, float(SCHEMA_VERSION))]
    yield "near_final_block_height", "gauge", "As configured", [({}, float(node.config.head_height))]
    yield "near_is_validator", "gauge", "Never", [({}, 0.0)]
