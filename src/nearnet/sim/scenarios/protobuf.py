"""The protobuf dialect: nonces that are times, their renewal and age; remembered connections (`scenarios.md` 69-88)."""

from __future__ import annotations

from dataclasses import replace

from nearnet.sim.conditions import AllAgree, Connected, EdgeCount, NonceWithin, NotConnected
from nearnet.sim.scenarios import routes
from nearnet.sim.steps import Always, Connect, Crash, Restart, Scenario, Setup, Stop, Wait, Within

__all__ = ["ALL"]

_PROTOBUF = Setup(nearnet={"dialect": "protobuf"})
_AUTO = Setup(nearnet={"dialect": "auto"})
_FEW = {"ideal_connections_lo": 0, "minimum_outbound_peers": 0, "safe_set_size": 0}
_OFF = {
    "experimental": {
        "network_config_overrides": {"outbound_disabled": False, "connect_to_reliable_peers_on_startup": False}
    }
}
_REMEMBERS = Setup(dials=True, network=_FEW, nearnet={"dialect": "protobuf"})


def _again(name: str) -> Scenario:
    """A scenario of the documented era among protobuf nodes."""
    scenario = next(one for one in routes.ALL if one.name == name)
    return replace(scenario, name=f"{name} in protobuf", number=None, setup=_PROTOBUF, real=False)


ALL = (
    *(_again(name) for name in ("line", "square", "ping over a hop", "broken square", "tie-break")),
    Scenario(
        "renewed nonces",
        "after an hour both ends of a link have renewed its nonce, and those further away know it",
        number=69,
        nodes=3,
        setup=_PROTOBUF,
        steps=(
            Connect(0, 1),
            Connect(1, 2),
            Within(15, AllAgree()),
            Wait(3600),
            Within(5, NonceWithin(0, 0, 1, 605), NonceWithin(1, 0, 1, 605), NonceWithin(2, 0, 1, 605)),
            Within(5, AllAgree()),
        ),
    ),
    Scenario(
        "edges of age",
        "edges expire after 110 s: one of others is kept for 100 s, is gone 40 s later, and comes back when renewed",
        number=81,
        nodes=3,
        setup=Setup(nearnet={"dialect": "protobuf", "timing": {"edge_expires_after": 110}}),
        steps=(
            Connect(0, 1),
            Connect(1, 2),
            Within(15, AllAgree()),
            Always(95, EdgeCount(0, 2)),
            Within(40, EdgeCount(0, 1), EdgeCount(2, 1)),
            Within(520, EdgeCount(0, 2), EdgeCount(2, 2)),
        ),
        quiet=False,
    ),
    Scenario(
        "remembered connections",
        "outbound connections that lasted ten minutes are made again after a restart; with the option off they are not",
        number=87,
        nodes=3,
        setup=_PROTOBUF,
        setups={0: _REMEMBERS, 2: replace(_REMEMBERS, network={**_FEW, **_OFF})},
        steps=(
            Connect(0, 1),
            Connect(2, 1),
            Within(5, Connected(0, 1), Connected(2, 1)),
            Wait(700),
            Crash(0),
            Crash(2),
            Wait(2),
            Restart(0),
            Restart(2),
            Within(10, Connected(0, 1)),
            Always(30, NotConnected(2, 1)),
        ),
    ),
    Scenario(
        "lost connections",
        "the other side restarts: it is dialed again within 70 s; what had lasted for less than ten minutes is not",
        number=88,
        nodes=3,
        setup=_PROTOBUF,
        setups={0: _REMEMBERS, 2: _REMEMBERS},
        steps=(
            Connect(0, 1),
            Within(5, Connected(0, 1)),
            Wait(700),
            Connect(2, 1),
            Within(5, Connected(2, 1)),
            Stop(1),
            Wait(5),
            Restart(1),
            Within(75, Connected(0, 1)),
            Always(75, NotConnected(2, 1)),
        ),
    ),
    Scenario(
        "found dialects",
        "a node that speaks both finds which one each neighbor speaks, and is a bridge between them",
        nodes=3,
        setup=_AUTO,
        setups={2: Setup(nearnet={"dialect": "borsh"})},
        steps=(
            Connect(0, 1),
            Connect(2, 1),
            Within(15, AllAgree()),
            Wait(1300),
            Within(5, AllAgree(), NonceWithin(0, 1, 2, 1205)),
        ),
    ),
)
