"""Pings peers as a peer of its own: handshakes, routed pings, and what to change when a handshake is refused."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nearnet.config import config_from, parse_peer
from nearnet.errors import ConfigError, NearnetError, NoAnswer, PeerRefused
from nearnet.events import HandshakeFailed
from nearnet.net.node import Node
from nearnet.wire.dialect import SPOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nearnet.config.values import BootNode
    from nearnet.keys import PeerId

__all__ = ["IN_FLIGHT", "ROUTE_TIME", "Handshaken", "PingPlan", "PingResult", "Pinging"]

IN_FLIGHT = 10
"""Pings of one target that wait for their pongs at once, as in the reference tool."""

ROUTE_TIME = 4.0
"""Seconds after the handshake in which the first hop's table must tell a way to each target."""

_ADVICE = (
    (re.compile(r"it speaks versions \d+ to (\d+)"), "try --protocol-version {0}"),
    (re.compile(r"its genesis is (\S+) (\S+)"), "try --chain-id {0} --genesis-hash {1}"),
    (re.compile(r"another peer lives there: (\S+)"), "try that key before the @ of the address"),
)
"""What a refused handshake says, and the flag to change."""


@dataclass(frozen=True, slots=True)
class PingPlan:
    """Whom to ping, through whom, and as what. `via` None: each target is its own first hop."""

    targets: tuple[str, ...]
    chain_id: str
    via: str | None = None
    genesis_hash: str | None = None
    head_height: int = 0
    dialect: str = "auto"
    protocol_version: int | None = None
    count: int = 5
    """Pings of each target; 0: until cancelled."""
    interval: float = 1.0
    ttl: int | None = None
    timeout: float = 5.0
    """Seconds for one pong."""


@dataclass(frozen=True, slots=True)
class Handshaken:
    """A first hop took our handshake."""

    peer_id: PeerId
    address: str
    dialect: str
    protocol_version: int
    milliseconds: float

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        fields = {name: getattr(self, name) for name in ("address", "dialect", "protocol_version", "milliseconds")}
        return {"ok": True, "peer_id": str(self.peer_id), **fields}


@dataclass(frozen=True, slots=True)
class PingResult:
    """The outcome of ping number `seq` (from 1) of a target: hops and milliseconds, or the reason for none."""

    target: BootNode
    seq: int
    hops: int | None = None
    milliseconds: float | None = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As `nearnet_ping` answers, and who was asked."""
        who = {"peer_id": str(self.target.info.id), "seq": self.seq}
        if self.reason is not None:
            return {"ok": False, "reason": self.reason, **who}
        return {"ok": True, "hops": self.hops, "milliseconds": self.milliseconds, **who}


class Pinging:
    """One run: `await run(..)`."""

    def __init__(self, plan: PingPlan) -> None:
        """`ConfigError` for a peer, a hash or a number that is wrong."""
        self.plan = plan
        self.targets = tuple(parse_peer(text) for text in plan.targets)
        self._hops = self.targets if plan.via is None else (parse_peer(plan.via),)
        for hop in self._hops:
            if hop.host is None and hop.info.addr is None:
                raise ConfigError(f"where {hop.info.id} listens is not told: KEY@HOST:PORT, or a first hop by --via")
        self._config = config_from(_config(plan))

    async def run(
        self,
        on_handshake: Callable[[Handshaken], None],
        on_result: Callable[[PingResult], None],
        just_handshake: bool = False,
    ) -> None:
        """Handshake, then ping all targets at once; each outcome is told as it comes.

        `PeerRefused` with what to change when there is no first hop at all; one that fails among several is told as
        the outcome of its pings.
        """
        async with Node(self._config) as node:
            outcomes = await asyncio.gather(*(self._handshake(node, hop, on_handshake) for hop in self._hops))
            failed = [outcome for outcome in outcomes if outcome is not None]
            if len(failed) == len(self._hops) or (failed and just_handshake):
                raise failed[0]
            if not just_handshake:
                if self.plan.via is not None:
                    await self._find_ways(node, self._hops[0], on_handshake)
                refused = dict(zip(self.targets, outcomes, strict=False)) if self.plan.via is None else {}
                pings = (self._ping(node, target, refused.get(target), on_result) for target in self.targets)
                await asyncio.gather(*pings)

    async def _handshake(
        self, node: Node, hop: BootNode, on_handshake: Callable[[Handshaken], None], dialect: str | None = None
    ) -> PeerRefused | None:
        started = time.perf_counter()
        try:
            await node.connect(str(hop), dialect)
        except PeerRefused as error:
            reasons = [
                event.reason
                for event in node.recent_events
                if isinstance(event, HandshakeFailed) and event.peer_id == hop.info.id
            ]
            return PeerRefused(_with_advice(str(error), reasons, self.plan.dialect))
        peer = node.core.peers[hop.info.id]
        took = (time.perf_counter() - started) * 1000
        on_handshake(Handshaken(hop.info.id, str(peer.address), peer.dialect_name, peer.protocol_version, took))
        return None

    async def _find_ways(self, node: Node, hop: BootNode, on_handshake: Callable[[Handshaken], None]) -> None:
        """Until the first hop's table has a way to each target. Where we may choose, the other dialect is tried too.

        Edges of the documented era, whose nonces count, are not told to protobuf peers.
        """
        spoken = node.core.peers[hop.info.id].dialect_name
        if await self._ways(node) or self.plan.dialect != "auto":
            return
        (other,) = (name for name in SPOKEN if name != spoken)
        node.disconnect(hop.info.id)
        if await self._handshake(node, hop, on_handshake, other) is not None:
            await self._handshake(node, hop, on_handshake, spoken)
        await self._ways(node)

    async def _ways(self, node: Node) -> bool:
        events, wanted = node.events(), [target.info.id for target in self.targets]
        try:
            async with asyncio.timeout(ROUTE_TIME):
                while not all(node.routes(target) for target in wanted):
                    await anext(events)
        except TimeoutError:
            return False
        return True

    async def _ping(
        self, node: Node, target: BootNode, refused: PeerRefused | None, on_result: Callable[[PingResult], None]
    ) -> None:
        plan, room = self.plan, asyncio.Semaphore(IN_FLIGHT)
        if refused is not None:
            on_result(PingResult(target, 1, reason=str(refused)))
            return

        async def one(seq: int) -> None:
            async with room:
                on_result(await _round_trip(node, target, seq, plan.ttl, plan.timeout))

        async with asyncio.TaskGroup() as group:
            for seq in _numbers(plan.count):
                if seq > 1:
                    await asyncio.sleep(plan.interval)
                async with room:
                    group.create_task(one(seq))


def _numbers(count: int) -> Iterator[int]:
    seq = 0
    while count == 0 or seq < count:
        seq += 1
        yield seq


async def _round_trip(node: Node, target: BootNode, seq: int, ttl: int | None, timeout: float) -> PingResult:
    try:
        pong = await node.ping(target.info.id, ttl, timeout)
    except NoAnswer as error:
        return PingResult(target, seq, reason=str(error))
    except NearnetError as error:
        return PingResult(target, seq, reason=f"no route: {error}")
    return PingResult(target, seq, pong.hops, pong.milliseconds)


def _with_advice(error: str, reasons: list[str], dialect: str) -> str:
    for reason in (error, *reasons):
        for pattern, advice in _ADVICE:
            found = pattern.search(reason)
            if found is not None:
                # What follows the reason names fields of a node's config; here a flag does it.
                reason = reason[: found.end()]
                told = error[: error.index(reason)] + reason if reason in error else f"{error}; {reason}"
                return f"{told}; {advice.format(*found.groups())}"
    return error if dialect == "auto" else f"{error}; if it speaks another dialect: --dialect auto"


def _config(plan: PingPlan) -> dict[str, Any]:
    """A node that listens nowhere, dials nobody by itself and stores nothing."""
    nearnet: dict[str, Any] = {"dialect": plan.dialect, "store": "memory", "verifier_threads": 1}
    if plan.protocol_version is not None:
        version = [plan.protocol_version] * 2
        nearnet["protocol_versions"] = {"borsh": version, "protobuf": version}
    network = {"addr": "", "experimental": {"network_config_overrides": {"outbound_disabled": True}}}
    chain: dict[str, Any] = {"chain_id": plan.chain_id, "head_height": plan.head_height}
    if plan.genesis_hash is not None:
        chain["genesis_hash"] = plan.genesis_hash
    return {**chain, "rpc": {"addr": ""}, "network": network, "nearnet": nearnet}
