"""The documented era's dialect: borsh (`wire.md` §5). Stateless; one function per message each way."""

from __future__ import annotations

import ipaddress
import struct
from typing import TYPE_CHECKING, TypeVar, cast

from nearnet.errors import Malformed, UnknownMessage, Unsupported
from nearnet.keys import CryptoHash
from nearnet.wire import messages as m
from nearnet.wire.account_id import valid_account_id
from nearnet.wire.borsh.keys import read_public_key, read_signature
from nearnet.wire.borsh.primitives import Reader, Writer
from nearnet.wire.edge_bytes import Edge, read_edge, read_plain_edges
from nearnet.wire.edge_layout import MIN_EDGE
from nearnet.wire.routed_frame import Pieces, RoutedFrame, routed_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from nearnet.wire.messages import TraceContext

__all__ = [
    "STEP",
    "BorshDialect",
    "at_once",
    "decode_announcement",
    "decode_edges",
    "encode_announcement",
    "encode_edges",
    "read_peer_info",
    "write_peer_info",
]

STEP = 1000
"""Edges or announcements read in one step: 1 to 4 ms of work."""

T = TypeVar("T")

_COUNT = struct.Struct("<I")
_KINDS = (
    "Handshake",
    "HandshakeFailure",
    "LastEdge",
    "SyncRoutingTable",
    "RequestUpdateNonce",
    "ResponseUpdateNonce",
    "PeersRequest",
    "PeersResponse",
    "BlockHeadersRequest",
    "BlockHeaders",
    "BlockRequest",
    "Block",
    "Transaction",
    "Routed",
    "Disconnect",
    "Challenge",
    "HandshakeV2",
    "EpochSyncRequest",
    "EpochSyncResponse",
    "EpochSyncFinalizationRequest",
    "EpochSyncFinalizationResponse",
)
_INDEX = {kind: index for index, kind in enumerate(_KINDS)}
_ROUTED = 13
_MIN_PEER_INFO = 33 + 1 + 1
_MIN_ANNOUNCEMENT = 4 + 33 + 32 + 65

# --- structures ----------------------------------------------------------------------------------


def _read_hash(reader: Reader) -> CryptoHash:
    return CryptoHash(reader.take(32))


def _read_account_id(reader: Reader) -> str:
    text = reader.string()
    if not valid_account_id(text):
        raise Malformed(f"{text[:80]!r} is no account id")
    return text


def _read_address(reader: Reader) -> m.SocketAddress:
    version = reader.u8()
    if version > 1:
        raise Malformed(f"{version} is no IP version")
    ip = ipaddress.ip_address(reader.take(16 if version else 4))
    return m.SocketAddress(str(ip), reader.u16())


def _write_address(writer: Writer, address: m.SocketAddress) -> None:
    ip = ipaddress.ip_address(address.ip)
    writer.u8(ip.version == 6)
    writer.raw(ip.packed)
    writer.u16(address.port)


def read_peer_info(reader: Reader) -> m.PeerInfo:
    """A `PeerInfo`."""
    peer_id = read_public_key(reader)
    address = reader.option(_read_address)
    return m.PeerInfo(peer_id, address, reader.option(_read_account_id))


def write_peer_info(writer: Writer, info: m.PeerInfo) -> None:
    """The inverse of `read_peer_info`."""
    writer.raw(info.id)
    writer.option(info.addr, lambda address: _write_address(writer, address))
    writer.option(info.account_id, writer.string)


def _read_genesis_id(reader: Reader) -> m.GenesisId:
    return m.GenesisId(reader.string(), _read_hash(reader))


def _write_genesis_id(writer: Writer, genesis_id: m.GenesisId) -> None:
    writer.string(genesis_id.chain_id)
    writer.raw(genesis_id.hash)


def _read_announcement(reader: Reader) -> m.AnnounceAccount:
    account_id = _read_account_id(reader)
    return m.AnnounceAccount(account_id, read_public_key(reader), _read_hash(reader), read_signature(reader))


def _write_announcement(writer: Writer, announcement: m.AnnounceAccount) -> None:
    writer.string(announcement.account_id)
    writer.raw(announcement.peer_id + announcement.epoch_id + announcement.signature)


def decode_announcement(data: bytes) -> m.AnnounceAccount:
    """An `AnnounceAccount` from exactly these bytes."""
    reader = Reader(data)
    announcement = _read_announcement(reader)
    reader.finish()
    return announcement


def encode_announcement(announcement: m.AnnounceAccount) -> bytes:
    """The inverse of `decode_announcement`."""
    writer = Writer()
    _write_announcement(writer, announcement)
    return writer.getvalue()


def _edges_in_steps(reader: Reader) -> Generator[None, None, tuple[Edge, ...]]:
    count = reader.count(MIN_EDGE)
    data, at = reader.data, reader.at
    edges: list[Edge] = []
    while (left := count - len(edges)) > 0:
        plain = read_plain_edges(data, at, min(left, STEP - len(edges) % STEP))
        if plain:
            edges += plain
            at += len(plain) * MIN_EDGE
        else:
            edge, at = read_edge(data, at)
            edges.append(edge)
        if not len(edges) % STEP:
            yield
    reader.at = at
    return tuple(edges)


def _announcements_in_steps(reader: Reader) -> Generator[None, None, tuple[m.AnnounceAccount, ...]]:
    announcements = []
    for number in range(reader.count(_MIN_ANNOUNCEMENT)):
        announcements.append(_read_announcement(reader))
        if not number % STEP:
            yield
    return tuple(announcements)


def at_once(steps: Generator[None, None, T]) -> T:
    """What comes of something that may be done in steps."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: T = end.value
            return value


def _read_edges(reader: Reader) -> tuple[Edge, ...]:
    return at_once(_edges_in_steps(reader))


def _read_edge(reader: Reader) -> Edge:
    edge, reader.at = read_edge(reader.data, reader.at)
    return edge


def decode_edges(data: bytes) -> tuple[Edge, ...]:
    """A borsh `Vec<Edge>` from exactly these bytes."""
    reader = Reader(data)
    edges = _read_edges(reader)
    reader.finish()
    return edges


def encode_edges(edges: tuple[Edge, ...] | list[Edge]) -> bytes:
    """The inverse of `decode_edges`."""
    return _COUNT.pack(len(edges)) + b"".join(edges)


def _read_partial(reader: Reader) -> m.PartialEdgeInfo:
    return m.PartialEdgeInfo(reader.u64(), read_signature(reader))


def _write_partial(writer: Writer, partial: m.PartialEdgeInfo) -> None:
    writer.u64(partial.nonce)
    writer.raw(partial.signature)


# --- messages in ---------------------------------------------------------------------------------


def _handshake(reader: Reader) -> m.Handshake:
    version, oldest = reader.u32(), reader.u32()
    sender, target = read_public_key(reader), read_public_key(reader)
    port = reader.option(Reader.u16)
    genesis_id, height = _read_genesis_id(reader), reader.u64()
    chain_info = m.PeerChainInfo(genesis_id, height, reader.vec(Reader.u64, 8), reader.bool())
    return m.Handshake(version, oldest, sender, target, port, chain_info, _read_partial(reader))


def _handshake_failure(reader: Reader) -> m.HandshakeFailure:
    info, reason = read_peer_info(reader), reader.u8()
    match reason:
        case 0:
            return m.HandshakeFailure(info, m.ProtocolVersionMismatch(reader.u32(), reader.u32()))
        case 1:
            return m.HandshakeFailure(info, m.GenesisMismatch(_read_genesis_id(reader)))
        case 2:
            return m.HandshakeFailure(info, m.InvalidTarget())
    raise Malformed(f"{reason} is no reason of a HandshakeFailure")


def _sync_in_steps(reader: Reader) -> Generator[None, None, m.SyncRoutingTable]:
    edges = yield from _edges_in_steps(reader)
    return m.SyncRoutingTable(edges, (yield from _announcements_in_steps(reader)))


_READERS: dict[str, Callable[[Reader], m.Message]] = {
    "Handshake": _handshake,
    "HandshakeFailure": _handshake_failure,
    "LastEdge": lambda reader: m.LastEdge(_read_edge(reader)),
    "SyncRoutingTable": lambda reader: at_once(_sync_in_steps(reader)),
    "RequestUpdateNonce": lambda reader: m.RequestUpdateNonce(_read_partial(reader)),
    "ResponseUpdateNonce": lambda reader: m.ResponseUpdateNonce(_read_edge(reader)),
    "PeersRequest": lambda reader: m.PeersRequest(),
    "PeersResponse": lambda reader: m.PeersResponse(reader.vec(read_peer_info, _MIN_PEER_INFO)),
    "BlockHeadersRequest": lambda reader: m.BlockHeadersRequest(reader.vec(_read_hash, 32)),
    "BlockHeaders": lambda reader: m.BlockHeaders(reader.rest()),
    "BlockRequest": lambda reader: m.BlockRequest(_read_hash(reader)),
    "Block": lambda reader: m.Block(reader.rest()),
    "Transaction": lambda reader: m.Transaction(reader.rest()),
    "Disconnect": lambda reader: m.Disconnect(),
    "Challenge": lambda reader: m.Challenge(reader.rest()),
    "HandshakeV2": lambda reader: m.HandshakeV2(),
    "EpochSyncRequest": lambda reader: m.EpochSyncRequest(_read_hash(reader)),
    "EpochSyncResponse": lambda reader: m.EpochSyncResponse(reader.rest()),
    "EpochSyncFinalizationRequest": lambda reader: m.EpochSyncFinalizationRequest(_read_hash(reader)),
    "EpochSyncFinalizationResponse": lambda reader: m.EpochSyncFinalizationResponse(reader.rest()),
}

# --- messages out --------------------------------------------------------------------------------


def _write_handshake(writer: Writer, message: m.Handshake) -> None:
    writer.u32(message.protocol_version)
    writer.u32(message.oldest_supported_version)
    writer.raw(message.sender_peer_id + message.target_peer_id)
    writer.option(message.sender_listen_port, writer.u16)
    chain_info = message.sender_chain_info
    _write_genesis_id(writer, chain_info.genesis_id)
    writer.u64(chain_info.height)
    writer.vec(chain_info.tracked_shards, len(chain_info.tracked_shards), writer.u64)
    writer.u8(chain_info.archival)
    _write_partial(writer, message.partial_edge_info)


def _write_failure(writer: Writer, message: m.HandshakeFailure) -> None:
    write_peer_info(writer, message.peer_info)
    match message.reason:
        case m.ProtocolVersionMismatch(version, oldest):
            writer.u8(0)
            writer.u32(version)
            writer.u32(oldest)
        case m.GenesisMismatch(genesis_id):
            writer.u8(1)
            _write_genesis_id(writer, genesis_id)
        case _:
            writer.u8(2)


def _write_fields(writer: Writer, message: m.Message) -> None:
    match message:
        case m.Handshake():
            _write_handshake(writer, message)
        case m.HandshakeFailure():
            _write_failure(writer, message)
        case m.LastEdge(edge) | m.ResponseUpdateNonce(edge):
            writer.raw(edge)
        case m.SyncRoutingTable(edges, accounts):
            writer.raw(encode_edges(edges))
            writer.vec(accounts, len(accounts), lambda one: _write_announcement(writer, one))
        case m.RequestUpdateNonce(partial):
            _write_partial(writer, partial)
        case m.PeersResponse(peers):
            writer.vec(peers, len(peers), lambda one: write_peer_info(writer, one))
        case m.BlockHeadersRequest(hashes):
            writer.vec(hashes, len(hashes), writer.raw)
        case m.BlockRequest(value) | m.EpochSyncFinalizationRequest(value):
            writer.raw(value)
        case m.EpochSyncRequest(epoch_id):
            writer.raw(epoch_id or bytes(32))
        case m.Routed(routed):
            writer.raw(routed_bytes(routed))
        case m.PeersRequest() | m.Disconnect() | m.HandshakeV2():
            pass
        case _:  # The rest that borsh has a form of is opaque.
            writer.raw(cast("m.Block", message).data)


class BorshDialect:
    """See `wire/dialect.py` for what a dialect offers."""

    name = "borsh"

    def encode(self, message: m.Message, trace: TraceContext | None = None) -> bytes:
        """One frame's content; `Unsupported` for a message that borsh has no form of. A trace is left out."""
        if not self.can_encode(message):
            raise Unsupported(f"the documented era has no form of this {type(message).__name__}")
        writer = Writer()
        writer.u8(_INDEX[type(message).__name__])
        _write_fields(writer, message)
        return writer.getvalue()

    def can_encode(self, message: m.Message) -> bool:
        """Whether the documented era has a form of this message."""
        match message:
            case m.Handshake(tier=tier):
                return tier == 2
            case m.Routed(routed):
                return bool(routed.signature)
        return type(message).__name__ in _INDEX

    def decode(self, frame: bytes, skipped: Callable[[int], None] | None = None) -> m.Message:
        """The whole message, or `Malformed` or `UnknownMessage`. Borsh has no fields to skip."""
        kind = self.kind(frame)
        if kind == "Routed":
            return m.Routed(RoutedFrame(frame, 1).message())
        if kind not in _READERS:
            raise UnknownMessage(f"no message starts with {frame[:1].hex() or 'nothing'}")
        reader = Reader(frame, 1)
        message = _READERS[kind](reader)
        reader.finish()
        return message

    def table_in_steps(
        self, frame: bytes, skipped: Callable[[int], None] | None = None
    ) -> Generator[None, None, m.SyncRoutingTable]:
        """`decode` of a SyncRoutingTable, a bounded piece at each `next`."""
        reader = Reader(frame, 1)
        table = yield from _sync_in_steps(reader)
        reader.finish()
        return table

    def kind(self, frame: bytes) -> str:
        """The message's name by its index alone, ``Unknown`` for none."""
        return _KINDS[frame[0]] if frame and frame[0] < len(_KINDS) else "Unknown"

    def peek_handshake_version(self, frame: bytes) -> int | None:
        """A Handshake's version, read without the rest; None when it is no Handshake or too short."""
        if len(frame) < 5 or frame[0] != 0:
            return None
        version: int = _COUNT.unpack_from(frame, 1)[0]
        return version

    def trace_context(self, frame: bytes) -> TraceContext | None:
        """Borsh names no trace."""
        return None

    def routed(self, frame: bytes, skipped: Callable[[int], None] | None = None) -> RoutedFrame | None:
        """A routed message by its offsets, None for any other message."""
        return RoutedFrame(frame, 1) if frame[0] == _ROUTED else None

    def carries(self, routed: RoutedFrame) -> bool:
        """Return True: borsh has a form of every routed message."""
        return True

    def forward(self, routed: RoutedFrame) -> bytes:
        """The frame content that a neighbor of this dialect gets: the ttl is one less."""
        return routed.less_one(0) if routed.start == 1 else routed.less_one(routed.start, b"\x0d")

    def forward_in_pieces(self, routed: RoutedFrame) -> Pieces:
        """The same without a copy."""
        return routed.less_one_in_pieces(routed.start, b"\x0d")
