"""An echo service over routed messages: one node answers queries, another asks it across a third that only forwards.

    python examples/echo_service.py

A routed message finds its way by the peer's id, or by an account that the peer has announced. The reply finds its way
back by the message's hash, so the service needs neither the asker's address nor a connection to it.
"""

from __future__ import annotations

import asyncio

from nearnet import (
    BodyKind,
    DefaultClient,
    NetworkConfig,
    Node,
    Opaque,
    RoutedAnswer,
    RoutedMessage,
    RoutesChanged,
    decode_body,
)


class EchoClient(DefaultClient):
    """Answers every query with its own bytes, turned round. The answer may come late: the node does not wait for it."""

    async def on_routed(self, message: RoutedMessage) -> RoutedAnswer:
        """Return a body: it goes back to the author by the message's hash."""
        await asyncio.sleep(0)  # A database, another service...
        match decode_body(message.body):
            case Opaque(index=BodyKind.QUERY_REQUEST, data=text):
                return Opaque(BodyKind.QUERY_RESPONSE, text[::-1])
            case _:
                return None


def quiet_config() -> NetworkConfig:
    """Return a config with a listener on loopback on a free port, and no dialing except by command."""
    overrides = {"network_config_overrides": {"outbound_disabled": True}}
    return NetworkConfig.model_validate(
        {"network": {"addr": "127.0.0.1:0", "experimental": overrides}, "nearnet": {"dialect": "borsh"}}
    )


async def until_reachable(node: Node, peer: Node) -> None:
    """Wait until the routing table knows a way."""
    while not node.routes(peer.peer_id):
        await node.wait_for(RoutesChanged, timeout=10)


async def main() -> None:
    """Run a line of three: asker, relay, service."""
    config = quiet_config()
    async with (
        Node(config) as asker,
        Node(config) as relay,
        Node(config, client=EchoClient(config)) as service,
    ):
        await asker.connect(f"{relay.peer_id}@{relay.addr}")
        await relay.connect(f"{service.peer_id}@{service.addr}")
        await until_reachable(asker, service)
        for word in (b"edge", b"peer", b"route"):
            reply = await asker.request(service.peer_id, Opaque(BodyKind.QUERY_REQUEST, word))
            answer = decode_body(reply.body)
            assert isinstance(answer, Opaque)
            assert answer == Opaque(BodyKind.QUERY_RESPONSE, word[::-1])
            print(f"{word.decode()} -> {answer.data.decode()}")


if __name__ == "__main__":
    asyncio.run(main())
