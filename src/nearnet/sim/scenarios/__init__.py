"""All scenarios, by number and by name, and where those are proved that are unit tests by nature."""

from __future__ import annotations

from nearnet.errors import ConfigError
from nearnet.sim.scenarios import chaos, faults, generations, gossip, growth, handshakes, membership, protobuf, routes
from nearnet.sim.steps import Scenario

__all__ = ["ALL", "UNIT_TESTS", "find"]

ALL: tuple[Scenario, ...] = (
    *routes.ALL,
    *membership.ALL,
    *handshakes.ALL,
    *gossip.ALL,
    *protobuf.ALL,
    *generations.ALL,
    *faults.ALL,
    *chaos.ALL,
    *growth.ALL,
)

UNIT_TESTS: dict[int, str] = {
    46: "tests/core/routing_table/test_routing_table.py",
    47: "tests/core/routing_table/test_routing_table.py",
    48: "tests/core/routing_table/test_components.py",
    49: "tests/core/routing_table/test_routing_table.py",
    50: "tests/core/routing_table/test_routing_table.py",
    52: "tests/core/routed/test_route_back.py",
    53: "tests/core/peer_manager/test_peer_store.py",
    54: "tests/core/routing_table/test_graph.py",
    55: "tests/config/test_network_config.py",
    56: "tests/network/test_topologies.py",
    66: "tests/core/test_protobuf_peers.py",
    68: "tests/core/test_protobuf_peers.py",
    74: "tests/core/routed/test_client_port.py",
    75: "tests/wire/test_framing.py",
    76: "tests/core/peer/test_message_rates.py",
    77: "tests/core/peer/test_message_rates.py",
    78: "tests/core/peer/test_message_rates.py",
    83: "tests/core/routing_table/test_routing_table.py",
    84: "tests/core/routing_table/test_routing_table.py",
    90: "tests/core/gossip/test_accounts_data.py",
    91: "tests/network/test_today_relays.py",
    92: "tests/core/gossip/test_accounts_data.py",
    93: "tests/network/test_today_relays.py",
    95: "tests/core/gossip/test_snapshot_hosts.py",
    96: "tests/network/test_hostile.py",
    97: "tests/wire/protobuf/test_dialect.py",
    99: "tests/wire/test_routed_frame.py",
}
"""Scenarios that are proved elsewhere: those of one part alone, and some of protobuf on real sockets."""


def find(word: str, nodes: int | None = None) -> Scenario:
    """The scenario of that number or name, for so many nodes where it can be scaled (`ConfigError` otherwise)."""
    for scenario in ALL:
        if word in (scenario.name, str(scenario.number), scenario.name.replace(" ", "-")):
            if nodes is None or nodes == scenario.nodes:
                return scenario
            if scenario.scaled is None:
                raise ConfigError(f"{scenario.name!r} is about {scenario.nodes} nodes; --nodes is for others")
            return scenario.scaled(nodes)
    if word.isdigit() and int(word) in UNIT_TESTS:
        raise ConfigError(f"scenario {word} is proved by {UNIT_TESTS[int(word)]}")
    raise ConfigError(f"{word!r} is no scenario; nearnet sim list names them")
