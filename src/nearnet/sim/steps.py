"""What a scenario is made of: nodes with their settings, and steps in order.

A step acts (`Connect`, `Stop`, `Cut`, ..), lets time pass (`Wait`) or expects (`Within`, `Always`). Nodes are numbers,
seconds are those of the world. `play.py` runs a scenario in the simulator; the same data runs on real sockets in
`tests/sim/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nearnet.config import NetworkConfig
from nearnet.sim.generations import GENERATIONS
from nearnet.sim.network import Conditions

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from nearnet.sim.conditions import Condition
    from nearnet.wire.messages import PeerInfo

__all__ = [
    "Always",
    "Announce",
    "Ban",
    "Connect",
    "Corrupt",
    "Crash",
    "Cut",
    "Disconnect",
    "DiskFull",
    "Heal",
    "JumpClock",
    "Pause",
    "Ping",
    "Preload",
    "Restart",
    "Resume",
    "Scenario",
    "Send",
    "Setup",
    "Snap",
    "Start",
    "Step",
    "Stop",
    "Stuck",
    "Unban",
    "Vanish",
    "Wait",
    "Within",
    "config_of",
]


@dataclass(frozen=True, slots=True)
class Setup:
    """A node's settings. The defaults are those of the reference's own test runner (`scenarios.md`)."""

    boot: tuple[int, ...] = ()
    """Its boot nodes."""
    dials: bool = False
    """Whether it looks for peers by itself."""
    blacklist: tuple[int | str, ...] = ()
    """Nodes, by IP and port, or texts as in the config."""
    blacklist_ips: tuple[int, ...] = ()
    """Nodes, by IP."""
    archive: bool = False
    blocks: bool = False
    """Whether its client makes a numbered Block each second, and relays the newest (`scenarios.md` 36-39)."""
    generation: int | None = None
    """The year of a reference node that it behaves as (`generations.py`); None: it is a node of ours."""
    network: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `network` in config.json."""
    nearnet: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `nearnet`."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is common to all steps: nothing."""


@dataclass(frozen=True, slots=True)
class Start(Step):
    """A node that was not there from the beginning starts."""

    node: int


@dataclass(frozen=True, slots=True)
class Connect(Step):
    """`node` dials `to`, by command."""

    node: int
    to: int


@dataclass(frozen=True, slots=True)
class Disconnect(Step):
    """`node` closes its connection to `to`."""

    node: int
    to: int


@dataclass(frozen=True, slots=True)
class Stop(Step):
    """A clean stop."""

    node: int


@dataclass(frozen=True, slots=True)
class Crash(Step):
    """The process is killed; the machine closes its sockets."""

    node: int


@dataclass(frozen=True, slots=True)
class Vanish(Step):
    """The machine is gone without a word: its connections stay half-open."""

    node: int


@dataclass(frozen=True, slots=True)
class Restart(Step):
    """A node that has stopped comes back; with its store unless told otherwise."""

    node: int
    store: bool = True
    new_key: bool = False
    new_address: bool = False
    setup: Setup | None = None


@dataclass(frozen=True, slots=True)
class Pause(Step):
    """SIGSTOP."""

    node: int


@dataclass(frozen=True, slots=True)
class Resume(Step):
    """SIGCONT."""

    node: int


@dataclass(frozen=True, slots=True)
class Cut(Step):
    """Nothing passes from these nodes to those any more; and back, unless `both_ways` is off."""

    nodes: tuple[int, ...]
    others: tuple[int, ...]
    both_ways: bool = True


@dataclass(frozen=True, slots=True)
class Heal(Step):
    """Every cut ends."""


@dataclass(frozen=True, slots=True)
class Snap(Step):
    """The connection between two nodes is reset."""

    node: int
    other: int


@dataclass(frozen=True, slots=True)
class Stuck(Step):
    """`node` reads nothing any more from `other` (or does again)."""

    node: int
    other: int
    stuck: bool = True


@dataclass(frozen=True, slots=True)
class Corrupt(Step):
    """One bit of each of the next `chunks` chunks from `node` to `to` arrives wrong."""

    node: int
    to: int
    chunks: int = 1


@dataclass(frozen=True, slots=True)
class DiskFull(Step):
    """A node's disk takes nothing any more (or does again)."""

    node: int
    full: bool = True


@dataclass(frozen=True, slots=True)
class JumpClock(Step):
    """A node's clock is set: the wall face by `wall` seconds, both forward by `mono`."""

    node: int
    wall: float = 0.0
    mono: float = 0.0


@dataclass(frozen=True, slots=True)
class Ban(Step):
    """`node` bans `other`; `reason` by its name."""

    node: int
    other: int
    reason: str = "BadBlock"
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Unban(Step):
    """`node` ends its ban of `other`."""

    node: int
    other: int


@dataclass(frozen=True, slots=True)
class Ping(Step):
    """`node` sends a routed ping to `to`. With a `nonce` of one's own the same message can be sent again."""

    node: int
    to: int
    ttl: int | None = None
    nonce: int | None = None


@dataclass(frozen=True, slots=True)
class Send(Step):
    """`node` sends a routed message of the chain's own to `to`, so often: the same one for the same `number`."""

    node: int
    to: int
    number: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class Announce(Step):
    """`node` announces that it serves `account` in an epoch."""

    node: int
    account: str
    epoch: int = 0
    serving: int | None = None
    """Another node that serves it."""


@dataclass(frozen=True, slots=True)
class Preload(Step):
    """These nodes know so many made-up edges from the start, the same ones where `salt` is the same."""

    nodes: tuple[int, ...]
    edges: int
    salt: str


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Time passes."""

    seconds: float


@dataclass(frozen=True, slots=True, init=False)
class Within(Step):
    """All conditions hold at one moment before `seconds` have passed; the next step follows at that moment."""

    seconds: float
    conditions: tuple[Condition, ...]

    def __init__(self, seconds: float, *conditions: Condition) -> None:
        object.__setattr__(self, "seconds", seconds)
        object.__setattr__(self, "conditions", conditions)


@dataclass(frozen=True, slots=True, init=False)
class Always(Within):
    """All conditions hold now, and after every event for `seconds`."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One case. `number` is that of `scenarios.md`; `name` a word for those without, and a help for all."""

    name: str
    title: str
    nodes: int
    steps: tuple[Step, ...]
    number: int | None = None
    setup: Setup = field(default_factory=Setup)
    setups: Mapping[int, Setup] = field(default_factory=dict)
    """Settings of single nodes, in place of `setup`."""
    later: tuple[int, ...] = ()
    """Nodes that `Start` later."""
    conditions: Conditions = field(default_factory=Conditions)
    real: bool = False
    """Whether it also runs on real sockets."""
    quiet: bool = True
    """Whether the network is quiet at the end, so that all invariants must hold."""
    hostile: bool = False
    """Whether somebody breaks the rules, so that bans are right."""
    fast: bool = True
    """Whether keyed hashes stand for signatures."""
    scaled: Callable[[int], Scenario] | None = None
    """The same for another number of nodes (`--nodes`)."""
    generate: Callable[[random.Random, int], tuple[Step, ...]] | None = None
    """Makes the steps from the seed, for so many nodes."""
    cast: Callable[[random.Random, int], Mapping[int, Setup]] | None = None
    """Draws `setups` from the seed, for so many nodes."""

    @property
    def label(self) -> str:
        """As it is called on the command line."""
        return self.name if self.number is None else f"{self.number} {self.name}"


def config_of(
    setup: Setup, info: Callable[[int], PeerInfo], extra: Mapping[str, Any] | None = None, addr: str = ""
) -> NetworkConfig:
    """A node's config; `info` says who node n is and where, `extra` goes into `nearnet.timing`."""
    network: dict[str, Any] = {
        "max_num_peers": 100,
        "ban_window": 1.0,
        "ttl_account_id_router": 5.0,
        "boot_nodes": ",".join(f"{info(n).id}@{info(n).addr}" for n in setup.boot),
        "blacklist": [
            *(str(info(n).addr) if isinstance(n, int) else n for n in setup.blacklist),
            *(address.ip for n in setup.blacklist_ips if (address := info(n).addr) is not None),
        ],
        "experimental": {"network_config_overrides": {"outbound_disabled": not setup.dials}},
        **setup.network,
    }
    if addr:
        network["addr"] = addr
    of_year = {} if setup.generation is None else GENERATIONS[setup.generation].nearnet
    nearnet = {"dialect": "borsh", **of_year, **setup.nearnet}
    nearnet["timing"] = {**(extra or {}), **of_year.get("timing", {}), **setup.nearnet.get("timing", {})}
    return NetworkConfig.model_validate(
        {"chain_id": "sim", "head_height": 1, "archive": setup.archive, "network": network, "nearnet": nearnet}
    )
