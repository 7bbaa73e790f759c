"""A hostile client in a simulated world, told what to say: `Player` and raw steps, and messages of any content."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nearnet.core.routing_table.edge import build_edge, sign_edge, sign_removal
from nearnet.keys import PeerId, SecretKey, Signature
from nearnet.sim.conditions import Connected
from nearnet.sim.play import Player
from nearnet.sim.raw import RawHandshake, RawOpen, RawPeer
from nearnet.sim.steps import Connect, Scenario, Setup, Step, Within
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import Message, Routed, RoutedMessage, SyncRoutingTable
from nearnet.wire.routed_body import Ping, encode_body
from nearnet.wire.routed_frame import routed_digest

__all__ = ["World", "edge_of"]


def edge_of(one: SecretKey, other: SecretKey, nonce: int = 1) -> Edge:
    """An edge that both signed; of an even nonce the removal by `one`."""
    active = nonce - 1 if nonce % 2 == 0 else nonce
    edge = build_edge(one, other.public_key, active, sign_edge(other, one.public_key, active).signature)
    return edge if active == nonce else sign_removal(one, edge)


class World:
    """Nodes wired as told, and enemies by name. Signatures are the fast ones."""

    def __init__(self, nodes: int, *wires: tuple[int, int], seed: int = 0, **network: Any) -> None:
        setup = Setup(dials=network.pop("dials", False), network=network)
        scenario = Scenario("by hand", "", nodes, (), setup=setup, hostile=True)
        self.player = Player(scenario, seed)
        self.world = self.player.world
        self.nodes = self.world.nodes
        with self.world.running():
            for node in self.nodes:
                node.start()
        for one, other in wires:
            self.perform(Connect(one, other), Within(5, Connected(one, other)))
        self.run(2)

    def perform(self, *steps: Step) -> None:
        """Steps, as in a scenario."""
        for step in steps:
            with self.world.running():
                self.player.perform(step)

    def run(self, seconds: float) -> None:
        """Time passes."""
        self.world.run(seconds)

    def enemy(self, name: str, to: int, ready: bool = True, nonce: int = 1) -> RawPeer:
        """A connection, by default one whose handshake is done."""
        self.perform(RawOpen(name, to))
        if ready:
            self.perform(RawHandshake(name, nonce=nonce))
        self.run(1)
        raw = self.player.raw[name]
        if ready:
            assert raw.key.public_key in self.nodes[to].core.peers, raw.heard
        return raw

    def say(self, raw: RawPeer, *messages: Message) -> None:
        """In one write."""
        with self.world.running():
            contents = [dialect_named("borsh").encode(message) for message in messages]
            raw.send(b"".join(frame_prefix(len(content)) + content for content in contents))

    def tell(self, raw: RawPeer, edges: Iterable[Edge]) -> None:
        """Gossip."""
        self.say(raw, SyncRoutingTable(tuple(edges)))

    def ping(self, raw: RawPeer, target: PeerId, nonce: int = 0, ttl: int = 100) -> Routed:
        """A routed ping of theirs, signed."""
        with self.world.running():
            body = encode_body(Ping(nonce, raw.key.public_key))
            unsigned = RoutedMessage(target, raw.key.public_key, Signature(bytes(65)), ttl, body)
            signature = raw.key.sign(routed_digest(unsigned))
            return Routed(RoutedMessage(target, raw.key.public_key, signature, ttl, body))

    def banned(self, node: int) -> list[PeerId | None]:
        """Whom it has banned, ever."""
        return [event.peer_id for _, event in self.nodes[node].events if event.kind == "banned"]
