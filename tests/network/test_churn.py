"""Six nodes that come, go, crash and dial at random, in one dialect or in both: nobody honest is banned, and whenever
it is quiet the routes are those of a plain search over the connections that are there, as far as a node can hear of
them (`scenarios.md` 21; `threats.md` rows 40, 70; `behaviour.md` §10)."""

import asyncio
import contextlib
import os
import random

import pytest
from network.cluster import Cluster, address, make_config, over_borsh, plain_search

from nearnet import Node
from nearnet.core.routing_table.edge import is_dated
from nearnet.errors import NearnetError
from nearnet.keys import PeerId
from nearnet.store.memory import MemoryStore

NODES = 6
QUIET_AFTER = 20.0
"""Seconds until it must be quiet; it is within one, but for a busy machine."""

TIMING = {"wait_peer_before_remove": 0.3, "wait_on_try_update_nonce": 0.3}
LIMITS = {"tables_per_second": {"protobuf": {"burst": 50, "per_second": 25}}}
"""What happens here in a second is an hour's work elsewhere."""

BOTH = ("borsh", "protobuf")

CHAIN = f"churn {os.getpid()}"
"""Another process may play the same nodes, at ports that some of ours had a moment ago: its network is another one."""


def _search(pairs: list[tuple[int, int]], number: int) -> dict[int, list[int]]:
    return plain_search(pairs, number) if any(number in pair for pair in pairs) else {}


class Churn:
    """What may happen to a network, each thing by chance."""

    def __init__(self, cluster: Cluster, seed: int, outbound: bool, dialects: tuple[str, ...] = ("borsh",)) -> None:
        self.cluster = cluster
        self.dialects = dialects
        self.chance = random.Random(seed)
        self.outbound = outbound
        self.alive: dict[int, Node] = {}
        self.stores = {number: MemoryStore() for number in range(NODES)}
        self.numbers: dict[PeerId, int] = {}
        self.happened: dict[str, int] = {}

    async def start(self, number: int) -> None:
        """A node with its key and what it had stored."""
        dialect = self.chance.choice(self.dialects)
        config = make_config(outbound=self.outbound, timing=TIMING, dialect=dialect, limits=LIMITS, chain_id=CHAIN)
        node = await self.cluster.start(config, key=f"churn {number}", store=self.stores[number])
        self.alive[number] = node
        self.numbers[node.peer_id] = number

    async def step(self) -> None:
        """One thing happens."""
        kinds = {"connect": 6, "disconnect": 2, "stop": 1, "crash": 1, "restart": 3}
        kind = self.chance.choices(list(kinds), weights=list(kinds.values()))[0]
        self.happened[kind] = self.happened.get(kind, 0) + 1
        down = [number for number in range(NODES) if number not in self.alive]
        if kind == "restart" or len(self.alive) < 3:
            if down:
                await self.start(self.chance.choice(down))
        elif kind == "connect":
            a, b = self.chance.sample(sorted(self.alive), 2)
            with contextlib.suppress(NearnetError):
                await self.alive[a].connect(address(self.alive[b]), self.chance.choice(self.dialects), timeout=2)
        elif kind == "disconnect":
            node = self.alive[self.chance.choice(sorted(self.alive))]
            peers = sorted(node.core.peers)
            if peers:
                node.disconnect(self.chance.choice(peers))
        else:
            node = self.alive.pop(self.chance.choice(sorted(self.alive)))
            if kind == "crash":
                for connection in list(node.driver.connections.values()):
                    connection.abort()
            await self.cluster.stop(node)

    # --- when it is quiet ------------------------------------------------------------------------

    def connections(self) -> list[tuple[int, int]] | None:
        """Pairs that both ends hold for connected; None while they do not agree."""
        seen = {
            (number, self.numbers[peer])
            for number, node in self.alive.items()
            for peer in node.core.peers
            if peer in self.numbers
        }
        return None if any((b, a) not in seen for a, b in seen) else sorted(pair for pair in seen if pair[0] < pair[1])

    def routes(self, number: int) -> dict[int, list[int]]:
        """Its table by our numbers."""
        table = self.alive[number].core.table
        found = {self.numbers[peer]: table.next_hops(peer) for peer in table.peers() if peer in self.numbers}
        return {to: sorted(self.numbers[hop] for hop in hops) for to, hops in found.items() if hops}

    def expected(self, number: int, pairs: list[tuple[int, int]]) -> dict[int, list[int]]:
        """A plain search over the links that it can know of; what it must know is judged by what the ends hold."""
        counters, borsh = [], []
        for a, b in pairs:
            one, other = self.alive[a], self.alive[b].peer_id
            peer, edge = one.core.peers[other], one.core.table.get(one.peer_id, other)
            assert edge is not None
            borsh += [(a, b)] if peer.dialect_name == "borsh" else []
            counters += [] if is_dated(edge.nonce) else [(a, b)]
        known = [pair for pair in pairs if pair not in counters] + over_borsh(counters, borsh, number)
        near = {number, *_search(known, number)}
        held = self.held(number)
        outdated = [pair for pair, dated in held if not dated and pair not in pairs + over_borsh([pair], borsh, number)]
        if outdated:
            # The removal of a counter goes over borsh only. What lies behind such a link is what was there once.
            beyond = [pair for pair, _ in held if not near & set(pair)]
            known = [pair for pair in known if near & set(pair)] + outdated + beyond
        return _search(known, number)

    def held(self, number: int) -> list[tuple[tuple[int, int], bool]]:
        """The links in its table, and whether their nonces are times."""
        found = []
        for edge in self.alive[number].core.table.edges():
            if edge.is_active and all(end in self.numbers for end in edge.key):
                a, b = sorted(self.numbers[end] for end in edge.key)
                found.append(((a, b), is_dated(edge.nonce)))
        return found

    def is_right(self) -> bool:
        """Whether every table is that of a plain search."""
        pairs = self.connections()
        return pairs is not None and all(self.routes(number) == self.expected(number, pairs) for number in self.alive)

    async def quiet(self) -> None:
        """All settles."""
        await self.cluster.until(self.is_right, QUIET_AFTER, "tables as a plain search has them")
        assert self.cluster.bans == []


async def _churn(seed: int, seconds: float, outbound: bool, dialects: tuple[str, ...] = ("borsh",)) -> dict[str, int]:
    async with Cluster() as cluster:
        churn = Churn(cluster, seed, outbound, dialects)
        for number in range(NODES):
            await churn.start(number)
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            for _ in range(churn.chance.randrange(1, 15)):
                await churn.step()
            await churn.quiet()
        tasks = len(asyncio.all_tasks())
        assert tasks < 20 * NODES
        return churn.happened


@pytest.mark.slow
@pytest.mark.threat(40, 70, 73)
@pytest.mark.parametrize("outbound", [False, True])
async def test_five_seconds_of_churn(outbound):
    happened = await _churn(1, 5, outbound)
    assert happened["connect"] > 5


@pytest.mark.slow
@pytest.mark.threat(40, 70, 73)
@pytest.mark.interop("bridge", "nonces")
@pytest.mark.parametrize("outbound", [False, True])
async def test_five_seconds_of_churn_in_both_dialects(outbound):
    happened = await _churn(3, 5, outbound, BOTH)
    assert happened["connect"] > 5


@pytest.mark.nightly  # The minute in both dialects, below, is in make test.
@pytest.mark.timeout(200)
@pytest.mark.threat(40, 70, 73)
@pytest.mark.scenario(21)
@pytest.mark.parametrize("outbound", [False, True])
async def test_a_minute_of_churn(outbound):
    happened = await _churn(2, 60, outbound)
    assert all(happened[kind] > 2 for kind in ("connect", "disconnect", "stop", "crash", "restart")), happened


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.threat(40, 70, 73)
@pytest.mark.interop("bridge", "nonces")
@pytest.mark.parametrize("outbound", [pytest.param(False, marks=pytest.mark.nightly), True])
async def test_a_minute_of_churn_in_both_dialects(outbound):
    happened = await _churn(4, 60, outbound, BOTH)
    assert all(happened[kind] > 2 for kind in ("connect", "disconnect", "stop", "crash", "restart")), happened
