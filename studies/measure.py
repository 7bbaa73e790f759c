"""One network of n nodes, measured through a join, a leave, a partition and churn. Everything follows from the seed."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable
from statistics import mean
from typing import Any

from nearnet.sim.conditions import AllAgree
from nearnet.sim.play import Player
from nearnet.sim.scenarios.growth import LEAST, MOST, links_of, wiring
from nearnet.sim.steps import Connect, Crash, Cut, Heal, Ping, Restart, Scenario, Start, Stop, Wait

__all__ = ["PHASES", "Network", "measure"]

PHASES = ("join", "leave", "quiet", "routing", "churn", "halves")
LOOK = 0.05
PINGS_PER_NODE = 5
CHURN_MINUTES = 3
CUT_SECONDS = 80.0
FIRST_LOOK = 0.2


class Network:
    """A network that grows one by one, and what it costs. `look` seconds are how exact the times are."""

    def __init__(self, nodes: int, seed: int) -> None:
        later = tuple(range(nodes))
        scenario = Scenario("study", "measured", nodes, (), later=later, quiet=False)
        self.nodes = nodes
        self.player = Player(scenario, seed, watch=False)  # Invariants are what tests are for.
        self.rng = random.Random(f"study {seed}")
        self._gone = (0, 0)
        self.dials = wiring(nodes)
        self.linked: dict[int, list[int]] = {node: [] for node in range(nodes)}
        for node, other in links_of(self.dials):
            self.linked[node].append(other)
            self.linked[other].append(node)

    def do(self, *steps: Any) -> None:
        """Perform these steps."""
        for step in steps:
            if isinstance(step, Stop | Crash):
                ended = self._sent(step.node)
                self._gone = (self._gone[0] + ended[0], self._gone[1] + ended[1])
            with self.player.world.running():
                self.player.perform(step)

    def until_agreed(self, most: float = 300.0) -> float:
        """Virtual seconds until all nodes that are up hold the same graph and reach each other."""
        world, start, agreed = self.player.world, self.player.world.time, AllAgree()
        while not agreed.holds(self.player):
            if world.time - start > most:
                raise AssertionError(f"no agreement within {most:g} s")
            world.run(LOOK)
        return world.time - start

    def traffic(self) -> tuple[int, int]:
        """Messages and their bytes sent so far, in all."""
        counts = [self._gone, *(self._sent(number) for number in range(self.nodes))]
        return sum(entry[0] for entry in counts), sum(entry[1] for entry in counts)

    def _sent(self, number: int) -> tuple[int, int]:
        node = self.player.world.nodes[number]
        counts = list(node.core.connections.traffic()["sent"].values()) if node.up else []
        return sum(entry[0] for entry in counts), sum(entry[1] for entry in counts)


def measure(
    nodes: int, seed: int, phases: tuple[str, ...] = PHASES, report: Callable[[dict[str, Any]], object] = id
) -> dict[str, Any]:
    """All figures of one network. `join` always comes first. `report` is called after each phase."""
    started = time.process_time()
    network = Network(nodes, seed)
    world = network.player.world
    figures: dict[str, Any] = {"nodes": nodes, "seed": seed, "links": len(links_of(network.dials))}
    for phase in ("join", *(phase for phase in phases if phase != "join")):
        began = time.process_time()
        before, since, chunks, size = network.traffic(), world.time, world.network.chunks, world.network.bytes_sent
        figures[phase] = _PHASES[phase](network)
        messages, _ = network.traffic()
        figures[phase] |= {
            "virtual_seconds": round(world.time - since, 3),
            "messages_per_node": round((messages - before[0]) / nodes, 1),
            "writes_per_node": round((world.network.chunks - chunks) / nodes, 1),
            "bytes_per_node": round((world.network.bytes_sent - size) / nodes),
        }
        figures["cost"] = {
            "cpu_seconds": round(time.process_time() - started, 1),
            "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "events": world.events,
            "hash": world.record.digest,
        }
        figures[phase]["cpu_seconds"] = round(time.process_time() - began, 1)
        report(figures)
    return figures


def _join(network: Network) -> dict[str, Any]:
    for node, others in enumerate(network.dials):
        network.do(Start(node), *(Connect(node, other) for other in others), Wait(0.02))
    degrees = [len(others) for others in network.linked.values()]
    assert min(degrees) >= min(LEAST, network.nodes - 1)
    assert max(degrees) <= MOST
    return {"agree_seconds": round(network.until_agreed(), 3)}


def _leave(network: Network) -> dict[str, Any]:
    node = network.nodes // 2
    network.do(Stop(node), Wait(0.001))
    seconds = network.until_agreed()
    network.do(Restart(node), *(Connect(node, other) for other in network.linked[node]))
    return {"agree_seconds": round(seconds, 3), "rejoin_seconds": round(_rejoined(network, node), 3)}


def _rejoined(network: Network, node: int) -> float:
    """Until the node has its links again, and all agree."""
    world, start = network.player.world, network.player.world.time
    while len(world.nodes[node].core.peers) < len(network.linked[node]):
        world.run(LOOK)
    network.until_agreed()
    return world.time - start


def _quiet(network: Network) -> dict[str, Any]:
    network.do(Wait(60.0))
    return {}


def _routing(network: Network) -> dict[str, Any]:
    """Pings between random pairs: how many messages each node passes on for others."""
    network.do(Wait(5.0))
    nodes = network.player.world.nodes
    before = [node.core.routed.forwarded for node in nodes]
    pairs = [network.rng.sample(range(network.nodes), 2) for _ in range(PINGS_PER_NODE * network.nodes)]
    answered = sum(node.kinds.get("pong", 0) for node in nodes)
    for a, b in pairs:
        network.do(Ping(a, b), Wait(0.002))
    network.do(Wait(2.0))
    passed = sorted(node.core.routed.forwarded - old for node, old in zip(nodes, before, strict=True))
    hops = [hop for node in nodes[:50] for other in nodes if (hop := node.core.table.distance(other.id))]
    return {
        "pings": len(pairs),
        "pongs": sum(node.kinds.get("pong", 0) for node in nodes) - answered,
        "mean_distance": round(mean(hops), 3),
        "greatest_distance": max(hops),
        "passed_on_mean": round(mean(passed), 2),
        "passed_on_least": passed[0],
        "passed_on_median": passed[len(passed) // 2],
        "passed_on_p99": passed[int(0.99 * (len(passed) - 1))],
        "passed_on_most": passed[-1],
        "passed_on": passed,
    }


def _churn(network: Network) -> dict[str, Any]:
    """One in a hundred is killed each minute, and is back half of its turn later."""
    count = max(1, network.nodes // 100) * CHURN_MINUTES
    turn = 60.0 * CHURN_MINUTES / count
    for _ in range(count):
        node = network.rng.randrange(network.nodes)
        network.do(Crash(node), Wait(turn / 2), Restart(node))
        network.do(*(Connect(node, other) for other in network.linked[node]), Wait(turn / 2))
    return {"crashes": count, "agree_seconds": round(network.until_agreed(), 3)}


def _halves(network: Network) -> dict[str, Any]:
    half, rest = tuple(range(network.nodes // 2)), tuple(range(network.nodes // 2, network.nodes))
    network.do(Cut(half, rest), Wait(CUT_SECONDS), Heal())
    across = [(a, b) for a, b in links_of(network.dials) if (a in half) != (b in half)]
    network.do(*(Connect(a, b) for a, b in across), Wait(FIRST_LOOK))
    return {"links_cut": len(across), "agree_seconds": round(FIRST_LOOK + network.until_agreed(), 3)}


_PHASES = {
    "join": _join,
    "leave": _leave,
    "quiet": _quiet,
    "routing": _routing,
    "churn": _churn,
    "halves": _halves,
}
