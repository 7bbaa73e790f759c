"""Small simulated worlds for the tests of `sim/`."""

from __future__ import annotations

from typing import Any

from nearnet.config import NetworkConfig
from nearnet.sim.node import SimNode
from nearnet.sim.steps import Setup, config_of
from nearnet.sim.world import World
from nearnet.wire.messages import PeerInfo


def quiet_config(**network: Any) -> NetworkConfig:
    """A node that dials nobody by itself."""

    def nobody(number: int) -> PeerInfo:
        raise AssertionError(f"no boot node {number} was asked for")

    return config_of(Setup(network=network), nobody)


def world_of(count: int, seed: int = 1, **options: Any) -> World:
    """That many nodes, not connected."""
    world = World(seed, **options)
    config = quiet_config()
    for _ in range(count):
        world.node(config)
    return world


def connect(world: World, *pairs: tuple[int, int], seconds: float = 3.0) -> None:
    """The first of each pair dials the second; then time passes."""
    with world.running():
        for a, b in pairs:
            node = world.nodes[a]
            node.do(node.core.connect, world.nodes[b].info)
    world.run(seconds)


def connected(node: SimNode, other: SimNode) -> bool:
    """Whether both say so."""
    return other.id in node.core.peers and node.id in other.core.peers
