"""Networks of real processes: as `nearnet localnet` runs them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nearnet.errors import ConfigError, NearnetError
from nearnet.tools import localnet
from nearnet.tools.localnet import Plan, local_network
from nearnet.tools.rpc_client import RpcFailed

Tell = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(nodes=0), "--nodes: expected 1 to 100, got 0"),
        (Plan(nodes=101), "--nodes: expected 1 to 100, got 101"),
        (Plan(base_port=0), "--base-port"),
        (Plan(base_port=65000), "--base-port: expected 1 to 64530, got 65000"),
    ],
)
def test_wrong_plans(plan: Plan, words: str) -> None:
    with pytest.raises(ConfigError, match=words), local_network(plan, lambda event: None):
        pass


def test_what_each_node_gets_in_turn() -> None:
    assert Plan(dialect="mixed").dialects == ("borsh", "protobuf")
    assert Plan().key_types == ("ed25519", "secp256k1")
    assert Plan(key_type="ed25519").key_types == ("ed25519",)


@pytest.mark.slow
def test_a_ring_forms_is_pinged_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("NEARNET_NETWORK__ADDR", "nonsense")  # Not for the nodes: they have configs of their own.
    told: list[dict[str, Any]] = []
    with local_network(Plan(nodes=4, topology="ring"), told.append) as network:
        network.start()
        network.form()
        assert [node.peer_id.partition(":")[0] for node in network.nodes] == ["ed25519", "secp256k1"] * 2
        assert network.routes(network.nodes[0]) == {
            1: {"distance": 1, "next_hops": [1]},
            2: {"distance": 2, "next_hops": [1, 3]},
            3: {"distance": 1, "next_hops": [3]},
        }
        assert network.ping()
        os.kill(network.nodes[3].pid, signal.SIGTERM)
        network.watch(duration=2.0)
        assert {"node": 3, "code": 0}.items() <= by_kind(told, "ended")[0].items()
        assert sorted(tuple(event["nodes"]) for event in by_kind(told, "disconnected")) == [(0, 3), (2, 3)]
        assert list(tmp_path.iterdir()) != []
    assert list(tmp_path.iterdir()) == []
    assert all(node.exit_code == 0 for node in network.nodes)
    assert sorted(tuple(event["nodes"]) for event in by_kind(told, "connected")) == [(0, 1), (0, 3), (1, 2), (2, 3)]
    (pinging,) = by_kind(told, "pinging")
    assert pinging["way"] == [[0], [1, 3], [2]]
    assert [(ping["ok"], ping["hops"]) for ping in by_kind(told, "ping")] == [(True, 2)] * 3
    assert told[-1]["event"] == "stopped"


@pytest.mark.slow
@pytest.mark.interop("bridge", "which dialect")
@pytest.mark.parametrize("topology", ["line", "ring", "random"])
def test_both_dialects_in_one_network(topology: str, tmp_path: Path) -> None:
    """It forms, which means that all hold all edges and have all routes; its longest route leads over both."""
    told: list[dict[str, Any]] = []
    with local_network(Plan(nodes=5, topology=topology, dialect="mixed", home=tmp_path), told.append) as network:
        network.start()
        network.form()
        assert network.ping()
        spoken = {tuple(event["nodes"]): event["dialect"] for event in by_kind(told, "connected")}
        assert sorted(spoken) == network.links
        assert set(spoken.values()) == {"borsh", "protobuf"}
        numbers = {node.peer_id: node.number for node in network.nodes}
        for node in network.nodes:
            for peer in node.rpc.call("nearnet_peers"):
                other = numbers[peer["peer_id"]]
                assert peer["dialect"] == spoken[min(node.number, other), max(node.number, other)]
            assert node.rpc.call("nearnet_bans") == []
    assert "Traceback" not in "".join((tmp_path / f"node{number}" / "log").read_text() for number in range(5))


def by_kind(told: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in told if event["event"] == kind]


def test_a_lone_node_has_nobody_to_ping(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    with local_network(Plan(nodes=1, home=tmp_path / "kept"), told.append) as network:
        network.start()
        network.form()
        assert network.ping()
        network.nodes[0].terminate()
        network.watch(duration=None)  # It ends with the last node.
    assert by_kind(told, "ping") == []
    assert (tmp_path / "kept" / "node0" / "node_key.json").exists()


def test_ports_that_are_lost_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two networks that start at once look at the same ports, and find them free."""
    told: list[dict[str, Any]] = []
    plan = Plan(nodes=1, home=tmp_path / "a")
    with local_network(plan, lambda event: None) as first:
        first.start()
        taken = [int(place.rpartition(":")[2]) for place in (first.nodes[0].addr, first.nodes[0].rpc_addr)]
        answers = iter(taken)
        free_port = localnet.free_port
        monkeypatch.setattr(localnet, "free_port", lambda *asked: next(answers, None) or free_port(*asked))
        with local_network(Plan(nodes=1, home=tmp_path / "b"), told.append) as second:
            second.start()
            assert second.nodes[0].rpc.call("health") is None
            assert by_kind(told, "started")[0]["addr"] not in taken


def test_a_node_that_cannot_start(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    with local_network(Plan(nodes=1, home=tmp_path), told.append) as network:
        (tmp_path / "node0" / "data").rmdir()
        (tmp_path / "node0" / "data").write_text("no folder")
        with pytest.raises(NearnetError, match=r"^node0 ended: "):
            network.start()
    assert [event["event"] for event in told] == ["planned", "stopped"]


class _Rpc:
    """A node's RPC as it might be: alone, or without an answer to its ping."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def call(self, method: str, **params: Any) -> Any:
        if method not in self.answers:
            raise RpcFailed("not asked for in this test")
        return self.answers[method]


class _Node:
    """Runs, as far as anybody can see."""

    exit_code = None

    def __init__(self, number: int, **answers: Any) -> None:
        self.number = number
        self.peer_id = f"key{number}"
        self.rpc = _Rpc(**answers)

    def terminate(self) -> None:
        """Nothing to do."""

    def stop(self, deadline: float) -> None:
        """Nothing to do."""


def network_of(tmp_path: Path, told: list[dict[str, Any]], **answers: Any) -> Any:
    """Two nodes in a line that answer so."""
    context = local_network(Plan(nodes=2, home=tmp_path), told.append)
    network: Any = context.__enter__()
    network.nodes = [_Node(number, **answers) for number in range(2)]
    network._numbers = {node.peer_id: node.number for node in network.nodes}
    return network


def test_what_is_missing_when_it_does_not_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(localnet, "FORM_TIME", -10.0)
    alone = {"status": {"nearnet": {"edges": 0, "reachable": 0}}, "nearnet_peers": []}
    with pytest.raises(NearnetError, match="did not form; not connected: node0 and node1;"):
        network_of(tmp_path, [], **alone).form()
    linked = {**alone, "nearnet_peers": [{"peer_id": "key0"}, {"peer_id": "key1"}, {"peer_id": "a stranger"}]}
    with pytest.raises(NearnetError, match="did not form; without all edges or routes: node0, node1;"):
        network_of(tmp_path, [], **linked).form()


def test_no_pong(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    way = {"distance": 1, "next_hops": ["key1"]}
    network = network_of(
        tmp_path, told, nearnet_routes={"key1": way, "stranger": way}, nearnet_ping={"ok": False, "reason": "no pong"}
    )
    assert not network.ping()
    assert [event["reason"] for event in by_kind(told, "ping")] == ["no pong"] * 3
