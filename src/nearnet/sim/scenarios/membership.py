"""Who is connected to whom: dialing, limits, bans, blacklists, restarts (`scenarios.md` 2, 13-28, 62, 63, 89)."""

from __future__ import annotations

from nearnet.sim.conditions import AtLeastPeers, Connected, Counts, NotConnected, Peers, Routes
from nearnet.sim.steps import Always, Ban, Connect, Restart, Scenario, Setup, Start, Stop, Wait, Within

__all__ = ["ALL"]

_NONE = (Routes(0, {}), Routes(1, {}))
_ARCHIVAL = {
    "max_num_peers": 3,
    "ideal_connections_lo": 2,
    "ideal_connections_hi": 2,
    "safe_set_size": 0,
    "minimum_outbound_peers": 0,
}


def _few(most: int, low: int, high: int) -> Setup:
    limits = {"max_num_peers": most, "ideal_connections_lo": low, "ideal_connections_hi": high}
    return Setup(boot=(0,), dials=True, network={**limits, "safe_set_size": 0, "minimum_outbound_peers": 0})


def _archival(number: int, name: str, rounds: int, safe: int) -> Scenario:
    setup = Setup(network={**_ARCHIVAL, "safe_set_size": safe})
    archival = Setup(archive=True, network={**_ARCHIVAL, "safe_set_size": safe})
    dials = tuple(
        step
        for _ in range(rounds)
        for step in (
            Connect(2, 0),
            Connect(3, 0),
            Connect(4, 0),
            Within(5, Peers(0, 2), Connected(0, 1)),
            Always(1, Connected(0, 1)),
        )
    )
    return Scenario(
        name,
        "an archival node of two peers keeps its archival neighbor through rounds of dials by others",
        number=number,
        nodes=5,
        setup=setup,
        setups={0: archival, 1: archival},
        steps=(Connect(0, 1), Within(5, Connected(0, 1)), *dials),
    )


ALL = (
    Scenario(
        "boot node",
        "node 0 is the boot node of node 1 and dialing is on: they connect without a command",
        number=2,
        nodes=2,
        real=True,
        setup=Setup(dials=True, boot=(0,)),
        steps=(Within(15, Routes(0, {1: [1]}), Routes(1, {0: [0]})),),
    ),
    Scenario(
        "blacklisted boot node",
        "node 0 blacklists node 1's address, which is its boot node: both tables stay empty",
        number=13,
        nodes=2,
        real=True,
        setups={0: Setup(dials=True, boot=(1,), blacklist=(1,))},
        steps=(Always(0.5, *_NONE),),
    ),
    Scenario(
        "blacklisted dialer",
        "node 1 blacklists node 0's address: the same",
        number=14,
        nodes=2,
        real=True,
        setups={0: Setup(dials=True, boot=(1,)), 1: Setup(blacklist=(0,))},
        steps=(Always(0.5, *_NONE),),
    ),
    Scenario(
        "blacklisted host",
        "node 0 blacklists node 1's whole host: the same",
        number=15,
        nodes=2,
        real=True,
        setups={0: Setup(dials=True, boot=(1,), blacklist_ips=(1,))},
        steps=(Always(0.5, *_NONE),),
    ),
    Scenario(
        "full",
        "max 2 peers, a triangle; a fourth node dials: it stays alone and the triangle is unchanged",
        number=16,
        nodes=4,
        real=True,
        setup=Setup(network={"max_num_peers": 2}),
        steps=(
            Connect(0, 1),
            Connect(1, 2),
            Connect(2, 0),
            Within(15, Connected(0, 1), Connected(1, 2), Connected(2, 0)),
            Connect(3, 0),
            Connect(3, 1),
            Connect(3, 2),
            Always(1, Peers(3, 0), Connected(0, 1), Connected(1, 2), Connected(2, 0)),
        ),
    ),
    _archival(17, "archival", rounds=4, safe=0),
    Scenario(
        "ban",
        "node 0 bans 1 for a minute: a second later both tables are empty, and nobody reconnects",
        number=19,
        nodes=2,
        real=True,
        setups={
            0: Setup(dials=True, boot=(1,), network={"ban_window": 60.0}),
            1: Setup(dials=True, boot=(0,), network={"ban_window": 60.0}),
        },
        steps=(
            Within(15, Connected(0, 1)),
            Ban(0, 1),
            Within(1, *_NONE, NotConnected(0, 1)),
            Always(2, *_NONE, NotConnected(0, 1)),
        ),
    ),
    Scenario(
        "ban that ends",
        "a ban of two seconds: after one they are apart, afterwards they reconnect by themselves",
        number=20,
        nodes=2,
        real=True,
        setups={
            0: Setup(dials=True, boot=(1,), network={"ban_window": 2.0}),
            1: Setup(dials=True, boot=(0,), network={"ban_window": 2.0}),
        },
        steps=(
            Within(15, Connected(0, 1)),
            Ban(0, 1),
            Wait(0.9),
            Always(0.1, NotConnected(0, 1)),
            Within(14, Connected(0, 1), Routes(0, {1: [1]}), Routes(1, {0: [0]})),
        ),
    ),
    Scenario(
        "churn",
        "a square of four with max 2 peers; two opposite nodes stop; the other two find each other",
        number=21,
        nodes=4,
        real=True,
        setup=Setup(dials=True, network={"max_num_peers": 2}),
        steps=(
            Connect(0, 1),
            Connect(1, 2),
            Connect(2, 3),
            Connect(3, 0),
            Within(15, *(Peers(node, 2) for node in range(4))),
            Wait(3),
            Stop(0),
            Stop(2),
            Within(15, Connected(1, 3)),
        ),
    ),
    Scenario(
        "one peer each",
        "two nodes with max 1 and each other as boot node connect",
        number=22,
        nodes=2,
        real=True,
        setups={
            0: Setup(dials=True, boot=(1,), network={"max_num_peers": 1}),
            1: Setup(dials=True, boot=(0,), network={"max_num_peers": 1}),
        },
        steps=(Within(15, Connected(0, 1)),),
    ),
    Scenario(
        "a fifth",
        "four nodes of at most 4 peers (ideal 1 to 3), then a fifth: all reach one connection or more",
        number=23,
        nodes=5,
        setup=_few(4, 1, 3),
        later=(4,),
        steps=(
            Within(15, *(AtLeastPeers(node, 1) for node in range(4))),
            Start(4),
            Within(15, *(AtLeastPeers(node, 1) for node in range(5))),
        ),
    ),
    Scenario(
        "a sixth",
        "five nodes of at most 4 peers (ideal 2 to 3), then a sixth: room is made, all reach two or more",
        number=24,
        nodes=6,
        setup=_few(4, 2, 3),
        later=(5,),
        steps=(
            Within(15, *(AtLeastPeers(node, 2) for node in range(5))),
            Start(5),
            Within(30, *(AtLeastPeers(node, 2) for node in range(6))),
        ),
    ),
    Scenario(
        "each other's boot node",
        "two nodes that have each other as boot nodes connect within 2 s",
        number=25,
        nodes=2,
        real=True,
        setups={0: Setup(dials=True, boot=(1,)), 1: Setup(dials=True, boot=(0,))},
        steps=(Within(2, Connected(0, 1)),),
    ),
    Scenario(
        "one seed",
        "five joiners that know only the seed: within 10 s each has five peers or more",
        number=26,
        nodes=6,
        real=True,
        setup=Setup(dials=True, boot=(0,)),
        steps=(Within(10, *(AtLeastPeers(node, 5) for node in range(1, 6))),),
    ),
    Scenario(
        "another port",
        "a node that stops leaves the seed's list; back on another port with the same key it reconnects within 10 s",
        number=27,
        nodes=2,
        real=True,
        setup=Setup(dials=True, boot=(0,)),
        steps=(
            Within(10, Connected(0, 1)),
            Stop(1),
            Within(5, Peers(0, 0)),
            Restart(1, new_address=True),
            Within(10, Connected(0, 1)),
        ),
    ),
    Scenario(
        "another key",
        "a peer comes back with a new key and an empty store on the same address: it is learnt and connected",
        number=28,
        nodes=2,
        real=True,
        setup=Setup(dials=True, boot=(0,)),
        steps=(
            Within(10, Routes(0, {1: [1]})),
            Stop(1),
            Within(5, Routes(0, {})),
            Restart(1, store=False, new_key=True),
            Within(10, Routes(0, {1: [1]}), Connected(0, 1)),
            Within(0, *(Counts(node, "near_connected_to_myself", 0) for node in (0, 1))),
        ),
    ),
    _archival(62, "archival pair", rounds=10, safe=1),
    Scenario(
        "ban for a bad block",
        "both sides see the close; dialing again is refused; after the ban it succeeds",
        number=63,
        nodes=2,
        real=True,
        setup=Setup(network={"ban_window": 3.0}),
        steps=(
            Connect(0, 1),
            Within(5, Connected(0, 1)),
            Ban(0, 1, "BadBlock"),
            Within(1, NotConnected(0, 1), Peers(1, 0)),
            Connect(1, 0),
            Always(1, NotConnected(0, 1)),
            Wait(2.5),
            Connect(1, 0),
            Within(5, Connected(0, 1)),
        ),
    ),
    Scenario(
        "boot nodes only",
        "with connect_only_to_boot_nodes nobody else is dialed",
        number=89,
        nodes=3,
        setups={
            0: Setup(
                dials=True,
                boot=(1,),
                network={
                    "experimental": {
                        "connect_only_to_boot_nodes": True,
                        "network_config_overrides": {"outbound_disabled": False},
                    }
                },
            ),
        },
        steps=(Connect(2, 1), Within(10, Connected(0, 1), Connected(1, 2)), Always(60, NotConnected(0, 2))),
    ),
)
