"""An echo service over routed messages: one node answers queries, another asks it across a third that only forwards.

    python examples/echo_service.py

A routed message finds its way by the peer's id; the answer finds its way back by the message's hash, so the service
needs neither the asker's address nor a connection to it.
"""

from __future__ import annotations

import asyncio

from nearnet import DefaultClient, NetworkConfig, Node, RoutedMessage

QUERY_REQUEST, QUERY_RESPONSE = b"\x04", b"\x05"
"""The first byte of a routed body is its kind (`wire.md` §5); what follows a query is up to the application."""


class EchoClient(DefaultClient):
    """Answers every query with its own bytes. The answer may come late: the node does not wait for it."""

    async def on_routed(self, message: RoutedMessage) -> bytes | None:
        """Bytes go back to the author by the message's hash."""
        await asyncio.sleep(0)  # a database, another service...
        kind, text = message.body[:1], message.body[1:]
        return QUERY_RESPONSE + text[::-1] if kind == QUERY_REQUEST else None


class AskingClient(DefaultClient):
    """Waits for the answers to its queries."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.answers: dict[bytes, asyncio.Future[bytes]] = {}

    def on_routed(self, message: RoutedMessage) -> None:
        """The target of an answer is the hash of the question."""
        future = self.answers.pop(message.target, None)
        if future is not None:
            future.set_result(message.body[1:])

    def expect(self, query: bytes) -> asyncio.Future[bytes]:
        """The answer to the message with that hash."""
        return self.answers.setdefault(query, asyncio.get_running_loop().create_future())


def quiet_config() -> NetworkConfig:
    """A listener on loopback on a port of the system's choice, and no dialing except by command."""
    overrides = {"network_config_overrides": {"outbound_disabled": True}}
    return NetworkConfig.model_validate(
        {"network": {"addr": "127.0.0.1:0", "experimental": overrides}, "nearnet": {"dialect": "borsh"}}
    )


async def until_reachable(node: Node, peer: Node) -> None:
    """Wait until the routing table knows a way."""
    events = node.events()
    if peer.peer_id in node.core.peers or node.core.table.next_hops(peer.peer_id):
        return
    async for event in events:
        if event.kind == "routes" and node.core.table.next_hops(peer.peer_id):
            return


async def main() -> None:
    """asker - relay - service, a line of three."""
    config = quiet_config()
    asker = AskingClient(config)
    async with (
        Node(config, client=asker) as a,
        Node(config) as relay,
        Node(config, client=EchoClient(config)) as service,
    ):
        await a.connect(f"{relay.peer_id}@{relay.addr}")
        await relay.connect(f"{service.peer_id}@{service.addr}")
        async with asyncio.timeout(10):
            await until_reachable(a, service)
            for word in (b"edge", b"peer", b"route"):
                query = a.send_routed(service.peer_id, QUERY_REQUEST + word)
                answer = await asker.expect(query)
                print(f"{word.decode()} -> {answer.decode()}")
                assert answer == word[::-1]


if __name__ == "__main__":
    asyncio.run(main())
