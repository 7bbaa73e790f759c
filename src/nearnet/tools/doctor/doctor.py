"""The examination: all checks in their order, of a home folder, of a running node, or of both."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from nearnet.errors import NearnetError
from nearnet.keys import SecretKey
from nearnet.tools.doctor import home_checks, machine
from nearnet.tools.doctor.boot import check_clock, check_visits
from nearnet.tools.doctor.doorbell import Doorbell
from nearnet.tools.doctor.finding import Finding, fine, unknown, wrong
from nearnet.tools.doctor.running import RunningNode
from nearnet.tools.doctor.visit import Visitor
from nearnet.wire.messages import GenesisId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from nearnet.config import NetworkConfig
    from nearnet.home import Home
    from nearnet.keys import PeerId
    from nearnet.tools.doctor.visit import Visit

__all__ = ["CHECKS", "DIAL_BACK_TIME", "Doctor"]

CHECKS = (
    "config",
    "key",
    "clock",
    "port",
    "listening",
    "reachable",
    "boot nodes resolve",
    "boot nodes connect",
    "dialect",
    "genesis",
    "version",
    "bans",
    "disk",
    "descriptors",
    "memory",
)
"""In the order of the findings. A running node adds "running", "protocol" and "peers"."""

DIAL_BACK_TIME = 30.0
"""Seconds in which a boot node that we have visited may dial our port."""

_MOST_VISITS = 20


class Doctor:
    """One examination: iterate over `examine()`."""

    def __init__(
        self,
        home: Path | None,
        rpc_addr: str | None = None,
        dial_back_time: float = DIAL_BACK_TIME,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """A home folder, a running node's RPC, or both; without a home only what the node tells is seen."""
        self._path = home
        self._rpc_addr = rpc_addr
        self._dial_back_time = dial_back_time
        self._clock = clock

    async def examine(self) -> AsyncIterator[Finding]:
        """Each finding as soon as it is there. A node that `rpc_addr` names and that does not answer is one too."""
        if self._path is None:
            async for finding in self._examine_node(self._rpc_addr or ""):
                yield finding
            return
        finding, home, config = home_checks.check_config(self._path)
        yield finding
        if home is None or config is None:
            return
        finding, key = home_checks.check_key(home)
        yield finding
        if key is None:
            return
        node, finding_of_node = self._running(config, key)
        if finding_of_node is not None:
            yield finding_of_node
        async for finding in self._examine_home(home, config, key, node):
            yield finding

    def _running(self, config: NetworkConfig, key: SecretKey) -> tuple[RunningNode | None, Finding | None]:
        """The node of that home, when it runs and answers."""
        rpc_addr = self._rpc_addr or config.rpc.addr
        try:
            node = RunningNode.ask(rpc_addr)
        except NearnetError as error:
            if self._rpc_addr is None:
                return None, None
            return None, wrong("running", str(error), "start it: nearnet run; or name where its RPC listens")
        if node.peer_id == str(key.public_key):
            return node, next(iter(node.degraded()), node.uptime())
        if self._rpc_addr is None:
            return None, None
        return None, wrong("running", f"at {rpc_addr} answers {node.peer_id}: another node", "name that of this home")

    # --- a home ----------------------------------------------------------------------------------

    async def _examine_home(
        self, home: Home, config: NetworkConfig, key: SecretKey, node: RunningNode | None
    ) -> AsyncIterator[Finding]:
        pid = home_checks.holder(home)
        port = await home_checks.check_port(config, pid)
        async with contextlib.AsyncExitStack() as stack:
            bell = None
            if node is None and pid is None and config.network.listen_address is not None:
                with contextlib.suppress(NearnetError):
                    bell = await stack.enter_async_context(Doorbell(config.network.listen_address))
            # A node that runs has this key in use: a stranger visits for it.
            guest = key if bell is not None else SecretKey.generate("ed25519")
            visits = await self._visit(config, guest, bell)
            caller = await self._dialed_back(bell, visits)
            nonces = [nonce for visit in visits for nonce in visit.nonces]
            calls = [] if bell is None else list(bell.callers.values())
            told = None if node is None else node.clock()
            nonces += [] if node is None else node.told_nonces
            yield told or check_clock(nonces, calls, self._clock())
            yield port
            yield node.listening() if node is not None else await _listening(bell, config, pid)
            yield node.reachable() if node is not None else _reachable(bell, caller, visits)
        for finding in check_visits(visits, config, 0 if node is None else len(node.peers)):
            yield finding
        addresses = [ip for visit in visits for ip in visit.addresses]
        store = config.nearnet.store or home.store_path
        if node is not None:
            yield home_checks.check_bans(config, node.banned, addresses)
        else:
            yield home_checks.bans_or_why(store, config, addresses)
        genesis = GenesisId(config.chain_id, config.genesis_hash)
        yield machine.check_disk(store, genesis, running=pid is not None)
        yield machine.check_descriptors(config, pid)
        yield machine.check_memory()
        if node is not None:
            yield node.protocol()
            yield node.connections()

    async def _visit(self, config: NetworkConfig, key: SecretKey, bell: Doorbell | None) -> list[Visit]:
        port = bell.address.port if bell is not None else 1
        visitor = Visitor(config, key, port, self._clock())
        others = [one for one in config.network.boot_nodes if one.info.id != key.public_key][:_MOST_VISITS]
        return list(await asyncio.gather(*map(visitor.visit, others)))

    async def _dialed_back(self, bell: Doorbell | None, visits: list[Visit]) -> PeerId | None:
        shaken = {visit.node.info.id for visit in visits if visit.handshake is not None}
        if bell is None or not shaken:
            return None
        return await bell.wait_for(shaken, self._dial_back_time)

    # --- a node alone ----------------------------------------------------------------------------

    async def _examine_node(self, rpc_addr: str) -> AsyncIterator[Finding]:
        try:
            node = RunningNode.ask(rpc_addr)
        except NearnetError as error:
            yield wrong("running", str(error), "start it: nearnet run; or name where its RPC listens")
            return
        yield next(iter(node.degraded()), node.uptime())
        for finding in _of_node(node, self._clock()):
            yield finding


def _of_node(node: RunningNode, wall: float) -> Iterator[Finding]:
    """The checks that need no home folder."""
    hidden = "the home folder tells: nearnet doctor --home DIR"
    for check in CHECKS:
        if check == "clock":
            yield node.clock() or check_clock(node.told_nonces, (), wall)
        elif check == "listening":
            yield node.listening()
        elif check == "reachable":
            yield node.reachable()
        elif check == "genesis":
            status = node.status
            yield fine("genesis", f"chain {status['chain_id']}, genesis {status['genesis_hash']}, by its own word")
        elif check == "bans":
            yield fine("bans", f"{len(node.bans)} peers are banned")
        elif check == "memory":
            yield machine.check_memory()
        else:
            yield unknown(check, hidden)
    yield node.protocol()
    yield node.connections()


async def _listening(bell: Doorbell | None, config: NetworkConfig, pid: int | None) -> Finding:
    if config.network.listen_address is None:
        return fine("listening", "no listener is configured")
    if bell is None:
        if pid is not None:
            return unknown("listening", f"process {pid} runs this home and has no RPC to ask", "--rpc-addr IP:PORT")
        return wrong("listening", "the port could not be had", "free it first")
    why = await bell.takes_connections()
    if why is not None:
        return wrong("listening", f"a connection to {bell.address} fails: {why}", "allow it in this machine's firewall")
    return fine("listening", f"a connection to {bell.address} works from this machine")


def _reachable(bell: Doorbell | None, caller: PeerId | None, visits: list[Visit]) -> Finding:
    if bell is None:
        return unknown("reachable", "without a listener of ours nobody could dial back")
    if caller is not None:
        return fine("reachable", f"{caller} dialed our port {bell.address.port}")
    if not any(visit.handshake is not None for visit in visits):
        return unknown("reachable", "no boot node took our handshake, so none could dial back")
    advice = f"forward TCP port {bell.address.port} in the router and open it in the firewall; a full peer dials nobody"
    return unknown("reachable", "no boot node dialed back", advice)
