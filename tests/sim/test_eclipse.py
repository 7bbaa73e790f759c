"""A node among an attacker's peers, who take its places and tell it of each other (`threats.md` rows 28 and 58)."""

from __future__ import annotations

import pytest

from nearnet.config import NetworkConfig
from nearnet.sim.node import SimNode
from nearnet.sim.world import World
from nearnet.wire.messages import SocketAddress

HONEST, HOSTILE = 8, 32
"""Of the addresses that the victim has heard of, a fifth is honest."""

MOST, IDEAL_HI = 30, 26
MINUTES = 15


def _config(**network: object) -> NetworkConfig:
    limits = {"ideal_connections_lo": 20, "ideal_connections_hi": IDEAL_HI, "max_num_peers": MOST, **network}
    return NetworkConfig.model_validate(
        {"chain_id": "test", "network": limits, "nearnet": {"dialect": "borsh", "limits": {"connected_per_ip": 128}}}
    )


def _surrounded(seed: int) -> tuple[SimNode, list[SimNode], list[SimNode]]:
    """The victim, the honest and the hostile, after a while. The hostile have two networks, and dial all the time."""
    world = World(seed, public=True)
    quiet = _config(experimental={"network_config_overrides": {"outbound_disabled": True}})
    victim = world.node(_config(), "victim", address=SocketAddress("50.1.1.1", 24567))
    honest = [world.node(quiet, f"h{n}", address=SocketAddress(f"6{n}.{n}.1.1", 24567)) for n in range(HONEST)]
    hostile = [
        world.node(quiet, f"x{n}", address=SocketAddress(f"70.{n % 2}.1.{n + 1}", 24567)) for n in range(HOSTILE)
    ]
    for minute in range(MINUTES):
        with world.running():
            for one in hostile:
                if victim.id not in one.core.peers:
                    one.do(one.core.connect, victim.info)
            if minute == 1:  # Late: its places were taken before it heard of anybody honest.
                told = [one.info for one in (*honest, *hostile)]
                victim.core.context.peer_store.add_indirect(told, hostile[0].address.ip, victim.now)
        world.run(60)
    return victim, honest, hostile


def _hold(seed: int) -> None:
    victim, honest, _ = _surrounded(seed)
    ids = {one.id for one in honest}
    peers = victim.core.peers.values()
    assert len(peers) <= MOST
    outbound = [peer for peer in peers if peer.direction == "outbound"]
    assert len(outbound) >= 5, f"seed {seed}"
    assert [peer for peer in outbound if peer.peer_id in ids], f"seed {seed}: surrounded"
    networks = {peer.address.ip.rsplit(".", 2)[0] for peer in outbound}
    assert len(networks) >= 3, f"seed {seed}: all in {networks}"


@pytest.mark.threat(28, 58)
@pytest.mark.parametrize("seed", range(3))
def test_it_keeps_somebody_honest(seed: int) -> None:
    _hold(seed)


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.threat(28, 58)
def test_it_keeps_somebody_honest_under_a_thousand_seeds() -> None:
    for seed in range(1000):
        _hold(seed)
