"""What the visits to the boot nodes tell: they resolve, connect, speak, agree; and what time they have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.peer.handshake import describe_failure
from nearnet.core.peer.handshake_table import has_moved_on
from nearnet.core.routing_table.edge import is_dated
from nearnet.tools.doctor.finding import Finding, Verdict, fine, unknown, wrong
from nearnet.wire.messages import GenesisMismatch, InvalidTarget, ProtocolVersionMismatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nearnet.config import NetworkConfig
    from nearnet.tools.doctor.visit import Visit

__all__ = ["CLOCK_TOLERANCE", "check_clock", "check_visits"]

CLOCK_TOLERANCE = 60.0
"""Seconds; at 1200 a protobuf peer takes no handshake of ours."""

_STALE = 660.0
"""Seconds: protobuf peers renew each edge every 600, so that the newest one of a table is never older."""


def check_clock(nonces: Sequence[int], calls: Sequence[int], wall: float) -> Finding:
    """Our clock against peers': `nonces` of edges that they told, `calls` of handshakes that arrived just now."""
    advice = "set the clock: timedatectl set-ntp true"
    called = [nonce - wall for nonce in calls if is_dated(nonce)]
    if called:
        offset = min(called, key=abs)
        seen = f"a peer's clock is {abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}"
        return fine("clock", seen) if abs(offset) <= CLOCK_TOLERANCE else wrong("clock", seen, advice)
    if not nonces:
        return unknown("clock", "no peer told a time: only the protobuf dialect does", "compare it: timedatectl")
    age = wall - max(nonces)
    if age < -CLOCK_TOLERANCE:
        return wrong("clock", f"the newest edge is of {-age:.0f} s from now: our clock is behind", advice)
    if age > _STALE:
        return wrong("clock", f"the newest edge is {age:.0f} s old: our clock is ahead", advice)
    return fine("clock", f"the newest edge of the network is {max(age, 0):.0f} s old")


def check_visits(visits: Sequence[Visit], config: NetworkConfig, peers: int = 0) -> Iterator[Finding]:
    """Five findings, in order; each is wrong when it holds for no boot node. With `peers` none is needed."""
    if not visits:
        advice = "set network.boot_nodes to KEY@HOST:PORT, comma separated, or let others dial this node"
        if peers:
            yield fine("boot nodes resolve", f"no boot node is configured, and {peers} peers are connected without")
        else:
            yield wrong("boot nodes resolve", "no boot node is configured", advice)
        for check in ("boot nodes connect", "dialect", "genesis", "version"):
            yield unknown(check, "no boot node to ask")
        return
    yield _all_or_some(
        "boot nodes resolve",
        {_name(visit): visit.why_unresolved for visit in visits},
        "correct the host names in network.boot_nodes, or this machine's name server (resolvectl status)",
    )
    yield _all_or_some(
        "boot nodes connect",
        {_name(visit): visit.why_unconnected for visit in visits if visit.why_unresolved is None},
        "ask for today's boot nodes; open outgoing TCP to their ports in the firewall",
    )
    reached = [visit for visit in visits if visit.connected]
    yield _dialects(reached, config)
    yield _genesis(reached)
    yield _version(reached, config)


def _name(visit: Visit) -> str:
    return str(visit.node.info.addr or visit.node.host)


def _all_or_some(check: str, outcomes: dict[str, str | None], advice: str) -> Finding:
    failed = {name: why for name, why in outcomes.items() if why is not None}
    if not outcomes:
        return unknown(check, "no boot node to ask")
    told = "; ".join(f"{name}: {why}" for name, why in failed.items())
    if len(failed) == len(outcomes):
        return wrong(check, told, advice)
    return fine(check, f"{len(outcomes) - len(failed)} of {len(outcomes)}" + (f"; {told}" if told else ""))


def _dialects(reached: Sequence[Visit], config: NetworkConfig) -> Finding:
    if not reached:
        return unknown("dialect", "no boot node to ask")
    spoken = [f"{_name(visit)}: {visit.dialect}" for visit in reached if visit.dialect is not None]
    if spoken:
        return fine("dialect", "; ".join(spoken))
    wanted = config.nearnet.dialect
    if wanted == "auto":
        advice = "they closed or said nothing: are they boot nodes of this network, and did they ban this node?"
    else:
        advice = 'set nearnet.dialect to "auto"'
    return wrong("dialect", f"no readable answer in {'any dialect' if wanted == 'auto' else wanted}", advice)


def _genesis(reached: Sequence[Visit]) -> Finding:
    return _agreement(
        reached, "genesis", GenesisMismatch, "set chain_id and genesis_hash to theirs, or take other boot nodes"
    )


def _version(reached: Sequence[Visit], config: NetworkConfig) -> Finding:
    ours = config.nearnet.protocol_versions["protobuf"]
    refused = [one.failure.reason for one in reached if one.failure is not None]
    moved_on = any(isinstance(one, ProtocolVersionMismatch) and has_moved_on(ours, one) for one in refused)
    if not moved_on:
        advice = "set nearnet.protocol_versions, or upgrade; another peer's key belongs into network.boot_nodes"
    elif ours.automatic:
        advice = "upgrade nearnet: their oldest version is above our own, and they do not take their own from us"
    else:
        advice = 'set nearnet.protocol_versions to "auto", or upgrade nearnet: their oldest version is above our own'
    finding = _agreement(reached, "version", (ProtocolVersionMismatch, InvalidTarget), advice)
    newer = [f"{_name(one)} has moved on to version {told}" for one in reached if (told := _version_of(one)) > ours.own]
    if finding.verdict is not Verdict.OK or not newer:
        return finding
    return fine("version", f"{finding.seen}; {'; '.join(newer)}, above our own {ours.own}: upgrade nearnet soon")


def _version_of(visit: Visit) -> int:
    """The protobuf version that it agreed to, 0 for none."""
    return visit.handshake.protocol_version if visit.handshake is not None and visit.dialect == "protobuf" else 0


def _agreement(reached: Sequence[Visit], check: str, failure: type | tuple[type, ...], advice: str) -> Finding:
    """From who answered: a handshake agrees in all, a failure names the one thing that it does not agree in."""
    agreed = [visit for visit in reached if visit.handshake is not None]
    refused = {
        _name(visit): describe_failure(visit.failure)
        for visit in reached
        if visit.failure is not None and isinstance(visit.failure.reason, failure)
    }
    told = "; ".join(f"{name}: {why}" for name, why in refused.items())
    if agreed:
        return fine(check, f"{len(agreed)} agree" + (f"; {told}" if told else ""))
    return wrong(check, told, advice) if refused else unknown(check, "no boot node said")
