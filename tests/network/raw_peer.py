"""A peer of either dialect by hand: our own `wire/`, a plain socket, and no manners.

It says what a test tells it to say and nothing else. `RawPeer.dial` is one that connects to a node, `RawListener` one
that a node dials. Nothing waits longer than `PATIENCE`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from nearnet import Node
from nearnet.core.routing_table.edge import build_edge, edge_digest, sign_edge, sign_removal, unix_nonce
from nearnet.keys import PeerId, SecretKey, Signature
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.framing import frame_prefix
from nearnet.wire.messages import (
    GenesisId,
    Handshake,
    Message,
    PeerChainInfo,
    Routed,
    RoutedMessage,
    SocketAddress,
    SyncRoutingTable,
)
from nearnet.wire.routed_body import Ping, encode_body
from nearnet.wire.routed_frame import routed_digest

BORSH = dialect_named("borsh")
VERSIONS = {"borsh": (52, 50), "protobuf": (84, 80)}
PATIENCE = 10.0
"""Seconds."""

LISTEN_PORT = 12345


def framed(content: bytes) -> bytes:
    """One frame as it goes over the wire."""
    return frame_prefix(len(content)) + content


def edge_between(a: SecretKey, b: SecretKey, nonce: int = 1) -> Edge:
    """An edge that both signed; of an even nonce the removal by `a`."""
    active = nonce - 1 if nonce % 2 == 0 else nonce
    edge = build_edge(a, b.public_key, active, b.sign(edge_digest(a.public_key, b.public_key, active)))
    return edge if active == nonce else sign_removal(a, edge)


def routed(author: SecretKey, target: PeerId | bytes, body: bytes, ttl: int = 100) -> Routed:
    """A routed message, signed."""
    unsigned = RoutedMessage(target, author.public_key, Signature(bytes(65)), ttl, body)
    return Routed(RoutedMessage(target, author.public_key, author.sign(routed_digest(unsigned)), ttl, body))


def ping(author: SecretKey, target: PeerId, nonce: int, ttl: int = 100) -> Routed:
    """A routed ping."""
    return routed(author, target, encode_body(Ping(nonce, author.public_key)), ttl)


@dataclass(frozen=True, slots=True)
class Target:
    """What must be known of a node to talk to it."""

    peer_id: PeerId
    addr: SocketAddress
    genesis: GenesisId

    @classmethod
    def of(cls, node: Node | Target) -> Target:
        """Of a node in this process; one in another is told."""
        return node if isinstance(node, Target) else cls(node.peer_id, node.addr, node.core.context.genesis_id)


class RawPeer:
    """One socket to a node. An asynchronous context manager: the socket is cut at its end."""

    def __init__(
        self,
        target: Target,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        key: SecretKey | None = None,
        dialect: str = "borsh",
    ) -> None:
        self.target = target
        self.key = key or SecretKey.from_seed("raw")
        self.dialect = dialect_named(dialect)
        self.reader = reader
        self.writer = writer
        self.sent = b""
        """All bytes that went out, for who replays them."""

    @classmethod
    async def dial(
        cls, node: Node | Target, key: SecretKey | str | None = None, dialect: str = "borsh", **options: Any
    ) -> RawPeer:
        """A TCP connection and nothing more; `options` are those of `asyncio.open_connection`."""
        target = Target.of(node)
        reader, writer = await asyncio.open_connection(target.addr.ip, target.addr.port, **options)
        return cls(target, reader, writer, SecretKey.from_seed(key) if isinstance(key, str) else key, dialect)

    @classmethod
    async def ready(
        cls, node: Node | Target, key: SecretKey | str | None = None, dialect: str = "borsh", **words: Any
    ) -> RawPeer:
        """A connection whose handshake the node has taken; `words` are those of `handshake`."""
        peer = await cls.dial(node, key, dialect)
        answer = await peer.shake(**words)
        assert isinstance(answer, Handshake), answer
        return peer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    # --- out -------------------------------------------------------------------------------------

    def handshake(
        self,
        nonce: int | None = None,
        version: int | None = None,
        oldest: int | None = None,
        genesis: GenesisId | None = None,
        target: PeerId | None = None,
        port: int | None = LISTEN_PORT,
        signer: SecretKey | None = None,
    ) -> Handshake:
        """Ours, right in every field that is not told otherwise."""
        own, own_oldest = VERSIONS[self.dialect.name]
        if nonce is None:
            nonce = 1 if self.dialect.name == "borsh" else unix_nonce(time.time())
        to = target or self.target.peer_id
        info = PeerChainInfo(genesis or self.target.genesis)
        half = sign_edge(signer or self.key, to, nonce)
        return Handshake(version or own, oldest or own_oldest, self.key.public_key, to, port, info, half)

    async def shake(self, **words: Any) -> Message:
        """Send a handshake; the first message that comes back."""
        self.send(self.handshake(**words))
        return await self.receive()

    def send(self, *messages: Message | bytes) -> None:
        """Messages, or contents of frames."""
        contents = (one if isinstance(one, bytes) else self.dialect.encode(one) for one in messages)
        self.send_bytes(b"".join(framed(content) for content in contents))

    def send_bytes(self, data: bytes) -> None:
        """Bytes as they are."""
        self.sent += data if len(self.sent) < 65536 else b""
        self.writer.write(data)

    def tell(self, *edges: Edge) -> None:
        """Gossip."""
        self.send(SyncRoutingTable(edges))

    # --- in --------------------------------------------------------------------------------------

    async def receive(self, seconds: float = PATIENCE) -> Message:
        """The next message; `EOFError` when the node closes instead."""
        async with asyncio.timeout(seconds):
            try:
                length = int.from_bytes(await self.reader.readexactly(4), "little")
                return self.dialect.decode(await self.reader.readexactly(length))
            except (asyncio.IncompleteReadError, ConnectionError):
                raise EOFError("the node closed") from None

    async def receive_kind(self, kind: type[Message], seconds: float = PATIENCE) -> Any:
        """The next message of that class; others are passed over."""
        async with asyncio.timeout(seconds):
            while not isinstance(message := await self.receive(seconds), kind):
                pass
        return message

    async def rest(self, seconds: float = PATIENCE) -> list[Message]:
        """What still comes until the node closes, which it must."""
        found = []
        async with asyncio.timeout(seconds):
            with contextlib.suppress(EOFError):
                while True:
                    found.append(await self.receive(seconds))
        return found

    async def answers(self, nonce: int = 999_999) -> list[Message]:
        """What came until a ping sent now is answered: all that the node says to what was sent before."""
        self.send(asked := ping(self.key, self.target.peer_id, nonce))
        found: list[Message] = []
        while True:
            message = await self.receive()
            if isinstance(message, Routed) and message.message.target == routed_digest(asked.message):
                return found
            found.append(message)

    # --- the end ---------------------------------------------------------------------------------

    def cut(self) -> None:
        """End the socket without a word."""
        self.writer.transport.abort()


class RawListener:
    """A listening socket that a node dials: `peer()` is its next connection. An asynchronous context manager."""

    def __init__(self, node: Node, key: SecretKey | str = "raw listener", dialect: str = "borsh") -> None:
        self.target = Target.of(node)
        self.dialect = dialect
        self.key = SecretKey.from_seed(key) if isinstance(key, str) else key
        self.connected: asyncio.Queue[RawPeer] = asyncio.Queue()
        self._peers: list[RawPeer] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for peer in self._peers:
            peer.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peers.append(RawPeer(self.target, reader, writer, self.key, self.dialect))
        self.connected.put_nowait(self._peers[-1])

    @property
    def address(self) -> str:
        """How to dial it."""
        return f"{self.key.public_key}@127.0.0.1:{self.port}"

    async def peer(self) -> RawPeer:
        """The next connection that a node made."""
        return await asyncio.wait_for(self.connected.get(), PATIENCE)

    async def asked(self) -> tuple[RawPeer, Handshake]:
        """The next connection, and the Handshake that the node sent on it."""
        peer = await self.peer()
        hello = await peer.receive()
        assert isinstance(hello, Handshake), hello
        return peer, hello

    async def ready(self) -> RawPeer:
        """The next connection, its handshake answered as it should be."""
        peer, hello = await self.asked()
        peer.send(peer.handshake(nonce=hello.partial_edge_info.nonce, version=hello.protocol_version))
        return peer
