"""A visit to a boot node: resolve, connect, shake hands in each dialect, say goodbye. Nothing is decided here.

A thin client of its own instead of a node, so that what a peer answers is seen as it came: also edges and nonces that a
node would not take.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nearnet.core.peer.handshake_table import version_to_retry
from nearnet.core.routing_table.edge import is_dated, propose_nonce, sign_edge
from nearnet.errors import WireError
from nearnet.net.tcp_dialer import resolve
from nearnet.wire.dialect import SPOKEN, dialect_named
from nearnet.wire.framing import Framer, frame_prefix
from nearnet.wire.messages import (
    Disconnect,
    GenesisId,
    Handshake,
    HandshakeFailure,
    LastEdge,
    PeerChainInfo,
    ProtocolVersionMismatch,
    SyncRoutingTable,
)
from nearnet.wire.peer_text import parse_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nearnet.config import BootNode, NetworkConfig
    from nearnet.config.field_types import VersionRange
    from nearnet.keys import SecretKey
    from nearnet.wire.dialect import Dialect
    from nearnet.wire.edge_bytes import Edge
    from nearnet.wire.messages import Message

__all__ = ["Visit", "Visitor", "messages_from"]

_CONNECT_TIME = 5.0
_TABLE_TIME = 2.0
"""Seconds after the handshake in which the table, and with it fresh nonces, may come."""

_EARLIER = 120.0
"""Seconds before now that our nonces tell: who dials us back then tells its own time and not ours plus two. Above
the tolerance of the doctor's own check, and well below the 300 from which a visited node would warn of its clock."""

_LARGEST = 32 * 2**20
_TRIES = 3


@dataclass(slots=True)
class Visit:
    """What came of one boot node; None where it did not come so far."""

    node: BootNode
    addresses: list[str] = field(default_factory=list)
    why_unresolved: str | None = None
    connected: bool = False
    why_unconnected: str | None = None
    dialect: str | None = None
    """In which it answered readably."""
    handshake: Handshake | None = None
    failure: HandshakeFailure | None = None
    """The last one, None when another version of ours was accepted after it."""
    nonces: list[int] = field(default_factory=list)
    """Those of its table that are times, of edges that are up."""


class Visitor:
    """Who visits: as which key and node, and with which clock."""

    def __init__(self, config: NetworkConfig, key: SecretKey, listen_port: int, wall: float) -> None:
        """`listen_port` is told as ours, 1 for none; `wall` is the time in unix seconds."""
        self._config = config
        self._key = key
        self._port = listen_port
        self._wall = wall

    async def visit(self, node: BootNode) -> Visit:
        """One boot node; ends within some 15 seconds."""
        visit = Visit(node)
        places = await _places(visit)
        for dialect in self._dialects(node):
            if visit.dialect is None and visit.why_unconnected is None:
                await self._call(visit, places, dialect_named(dialect))
        return visit

    def _dialects(self, node: BootNode) -> tuple[str, ...]:
        fixed = self._config.nearnet.peers.get(str(node.info.id))
        wanted = self._config.nearnet.dialect if fixed is None else fixed.dialect
        return tuple(reversed(SPOKEN)) if wanted == "auto" else (wanted,)  # protobuf first

    async def _call(self, visit: Visit, places: list[tuple[str, int]], dialect: Dialect) -> None:
        for place in places:
            try:
                async with asyncio.timeout(_CONNECT_TIME):
                    reader, writer = await asyncio.open_connection(*place)
            except TimeoutError:
                visit.why_unconnected = f"no answer from {place[0]} within {_CONNECT_TIME:g} s"
                continue
            except OSError as error:
                visit.why_unconnected = os.strerror(error.errno) if error.errno else str(error)
                continue
            visit.connected, visit.why_unconnected = True, None
            try:
                await self._talk(visit, reader, writer, dialect)
            except (OSError, WireError):
                pass  # Cut, or no such dialect: what came before is in the visit.
            finally:
                writer.transport.abort()
            return

    async def _talk(
        self, visit: Visit, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dialect: Dialect
    ) -> None:
        def send(message: Message) -> None:
            content = dialect.encode(message)
            writer.write(frame_prefix(len(content)) + content)

        versions = self._config.nearnet.protocol_versions[dialect.name]
        probe = self._config.nearnet.dialect_probe_timeout
        last, sent, version = 0, 1, versions.own
        send(self._handshake(visit.node, dialect.name, last, version))
        try:
            async with asyncio.timeout(probe) as patience:
                async for message in messages_from(reader, dialect):
                    visit.dialect = dialect.name
                    match message:
                        case LastEdge(edge) if sent < _TRIES:
                            last, sent = edge.nonce, sent + 1
                            send(self._handshake(visit.node, dialect.name, last, version))
                        case HandshakeFailure():
                            visit.failure = message
                            next_version = _version_after(message, versions, version) if sent < _TRIES else None
                            if next_version is None:
                                return
                            version, sent = next_version, sent + 1
                            patience.reschedule(asyncio.get_running_loop().time() + probe)
                            send(self._handshake(visit.node, dialect.name, last, version))
                        case Handshake():
                            visit.handshake, visit.failure = message, None
                            if dialect.name == "borsh":
                                break  # Its nonces count, they tell no time.
                            patience.reschedule(asyncio.get_running_loop().time() + _TABLE_TIME)
                        case SyncRoutingTable(edges):
                            visit.nonces += [edge.nonce for edge in edges if self._tells_time(edge)]
                            if visit.handshake is not None:
                                break
        except TimeoutError:
            pass
        if visit.handshake is not None:
            send(Disconnect())
            await writer.drain()

    def _tells_time(self, edge: Edge) -> bool:
        """Not our own, whose nonce comes from our clock."""
        return edge.is_active and is_dated(edge.nonce) and not edge.involves(self._key.public_key)

    def _handshake(self, node: BootNode, dialect: str, last: int, version: int) -> Handshake:
        config = self._config
        oldest = config.nearnet.protocol_versions[dialect].oldest
        chain = PeerChainInfo(GenesisId(config.chain_id, config.genesis_hash), config.head_height)
        half = sign_edge(self._key, node.info.id, propose_nonce(dialect, last, self._wall - _EARLIER))
        me, them = self._key.public_key, node.info.id
        return Handshake(version, oldest, me, them, self._port, chain, half)


def _version_after(failure: HandshakeFailure, ours: VersionRange, sent: int) -> int | None:
    """Return the version for another Handshake, as a node would send it; None when it would close."""
    reason = failure.reason
    return version_to_retry(ours, sent, reason) if isinstance(reason, ProtocolVersionMismatch) else None


async def _places(visit: Visit) -> list[tuple[str, int]]:
    """Where to dial, told in the visit as well."""
    node = visit.node
    if node.info.addr is not None:
        found = [(node.info.addr.ip, node.info.addr.port)]
    else:
        try:
            found = [(str(place[0]), int(place[1])) for place in await resolve(*parse_address(node.host or ""))]
        except (OSError, TimeoutError) as error:
            visit.why_unresolved = str(error) or "the name server does not answer"
            return []
    visit.addresses = [ip for ip, _ in found]
    return found[:3]


async def messages_from(reader: asyncio.StreamReader, dialect: Dialect) -> AsyncIterator[Message]:
    """What comes, until the other end closes; what this version does not know is passed over."""
    framer = Framer(_LARGEST)
    while data := await reader.read(65536):
        framer.feed(data)
        while (frame := framer.next_frame()) is not None:
            try:
                message = dialect.decode(frame)
            except WireError:
                continue
            yield message
