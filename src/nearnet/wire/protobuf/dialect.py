"""The protobuf dialect (`wire.md` §6). Stateless; `proto_reading.py` and `proto_writing.py` have the messages.

The top message is read by hand: its last known message counts, as protobuf nodes have it, a trace goes with it, and the
rest is skipped and counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nearnet.errors import Malformed, UnknownMessage, Unsupported
from nearnet.wire import messages as m
from nearnet.wire.protobuf.fields import DELIMITED, VARINT, Unknown, fields, read_varint
from nearnet.wire.protobuf.reading import READERS, read_trace, table_in_steps
from nearnet.wire.protobuf.routed import (
    forward_routed,
    read_routed,
    read_routed_v3,
    read_usual,
    write_routed,
)
from nearnet.wire.protobuf.writing import write_message, write_trace
from nearnet.wire.routed_body import NEVER_TO_PROTOBUF
from nearnet.wire.routed_frame import RoutedFrame, routed_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from nearnet.wire.messages import TraceContext
    from nearnet.wire.routed_frame import Pieces

__all__ = ["ProtoDialect"]

_KINDS: Final = {
    4: "Handshake",
    5: "HandshakeFailure",
    6: "LastEdge",
    7: "SyncRoutingTable",
    8: "RequestUpdateNonce",
    9: "ResponseUpdateNonce",
    10: "PeersRequest",
    11: "PeersResponse",
    12: "BlockHeadersRequest",
    13: "BlockHeaders",
    14: "BlockRequest",
    15: "Block",
    16: "Transaction",
    17: "Routed",
    18: "Disconnect",
    19: "Challenge",
    25: "SyncAccountsData",
    27: "Tier1Handshake",
    28: "DistanceVector",
    29: "StateRequestHeader",
    30: "StateRequestPart",
    31: "StateResponse",
    32: "SyncSnapshotHosts",
    33: "Tier3Handshake",
    34: "EpochSyncRequest",
    35: "EpochSyncResponse",
    36: "OptimisticBlock",
    37: "Routed",
}
_HANDSHAKES: Final = (4, 27, 33)
_TRACE: Final = 26
_ROUTED: Final = 17
_ROUTED_V3: Final = 37
_U32: Final = 2**32 - 1
_NONE: Final = (0, 0, 0)


class ProtoDialect:
    """See `wire/dialect.py` for what a dialect offers."""

    name = "protobuf"

    def encode(self, message: m.Message, trace: TraceContext | None = None) -> bytes:
        """One frame's content; `Unsupported` for a message that protobuf nodes have no form of."""
        content = self._encode_routed(message) if isinstance(message, m.Routed) else write_message(message)
        return content if trace is None else write_trace(trace) + content

    def _encode_routed(self, message: m.Routed) -> bytes:
        routed, hops = message.message, message.num_hops or 0
        if routed.body[0] in NEVER_TO_PROTOBUF:
            raise Unsupported(f"protobuf nodes cannot read a body of index {routed.body[0]}")
        if not routed.signature:
            raise Unsupported("a routed message needs a signature")
        return write_routed(routed_bytes(routed), message.created_at, hops)

    def can_encode(self, message: m.Message) -> bool:
        """Whether protobuf nodes have a form of this message."""
        try:
            self.encode(message)
        except Unsupported:
            return False
        return True

    def decode(self, frame: bytes, skipped: Callable[[int], None] | None = None) -> m.Message:
        """The whole message, or `Malformed` or `UnknownMessage`; `skipped` is told how many fields were unknown."""
        unknown = Unknown()
        number, start, end = _message_in(frame, unknown)
        message: m.Message
        if number in READERS:
            message = READERS[number](frame, start, end, unknown)
        elif number:
            rf = _routed(frame, number, start, end, unknown)
            message = m.Routed(rf.message(), rf.created_at, rf.num_hops)
        else:
            raise UnknownMessage(f"no message starts with {frame[:2].hex() or 'nothing'}")
        _tell(skipped, unknown)
        return message

    def table_in_steps(
        self, frame: bytes, skipped: Callable[[int], None] | None = None
    ) -> Generator[None, None, m.SyncRoutingTable]:
        """`decode` of a SyncRoutingTable, a bounded piece at each `next`."""
        unknown = Unknown()
        _, start, end = _message_in(frame, unknown)
        table = yield from table_in_steps(frame, start, end, unknown)
        _tell(skipped, unknown)
        return table

    def kind(self, frame: bytes) -> str:
        """The message's name by its field alone, ``Unknown`` for none.

        A handshake of another tier than 2 is a ``Tier1Handshake`` or a ``Tier3Handshake``.
        """
        try:
            number = _message_in(frame, Unknown())[0]
        except Malformed:
            number = _first_field(frame)[0]
        return _KINDS.get(number, "Unknown")

    def peek_handshake_version(self, frame: bytes) -> int | None:
        """A Handshake's version, were the rest not to be read; None when it is no Handshake or has none."""
        try:
            number, at, end = _message_in(frame, Unknown())
        except Malformed:
            number, at = _first_field(frame)
            end = len(frame)
        if number not in _HANDSHAKES:
            return None
        version: int | None = None
        try:
            for field, wire, value, _ in fields(frame, at, end):
                if field == 1 and wire == VARINT:
                    version = value & _U32
        except Malformed:
            return version
        return version or 0

    def trace_context(self, frame: bytes) -> TraceContext | None:
        """The trace that a message belongs to, when it names one; `Malformed` when that does not read."""
        found: tuple[int, int] | None = None
        for number, wire, start, end in fields(frame, 0, len(frame)):
            if number == _TRACE and wire == DELIMITED:
                found = start, end
        return None if found is None else read_trace(frame[found[0] : found[1]])

    def routed(self, frame: bytes, skipped: Callable[[int], None] | None = None) -> RoutedFrame | None:
        """A routed message by its offsets, None for any other message."""
        rf = read_usual(frame)
        if rf is not None:
            return rf
        unknown = Unknown()
        number, start, end = _message_in(frame, unknown)
        if number not in (_ROUTED, _ROUTED_V3):
            return None
        rf = _routed(frame, number, start, end, unknown)
        _tell(skipped, unknown)
        return rf

    def carries(self, routed: RoutedFrame) -> bool:
        """Whether a neighbor of this dialect may be sent it (`wire.md` §5)."""
        return routed.body_index not in NEVER_TO_PROTOBUF

    def forward(self, routed: RoutedFrame) -> bytes:
        """The frame content that a neighbor of this dialect gets: a ttl one less, a hop more."""
        return forward_routed(routed, RoutedFrame.less_one)

    def forward_in_pieces(self, routed: RoutedFrame) -> Pieces:
        """The same without a copy."""
        return forward_routed(routed, RoutedFrame.less_one_in_pieces)


def _tell(skipped: Callable[[int], None] | None, unknown: Unknown) -> None:
    if skipped is not None and unknown.count:
        skipped(unknown.count)


def _routed(frame: bytes, number: int, start: int, end: int, unknown: Unknown) -> RoutedFrame:
    read = read_routed if number == _ROUTED else read_routed_v3
    return read(frame, start, end, unknown)


def _first_field(frame: bytes) -> tuple[int, int]:
    """Number of the first field and where its content starts, were that cut short; zeros when there is none."""
    try:
        tag, at = read_varint(frame, 0, len(frame))
        _, at = read_varint(frame, at, len(frame))
    except Malformed:
        return 0, 0
    return (tag >> 3, at) if tag & 7 == DELIMITED else (0, 0)


def _message_in(frame: bytes, unknown: Unknown) -> tuple[int, int, int]:
    """The field that holds the message, and where its content lies; zeros when there is none that is known."""
    length = len(frame)
    if length:  # One field that fills the frame, as everybody writes it: a third of what it costs below.
        tag, at = read_varint(frame, 0, length)
        if tag & 7 == DELIMITED and tag >> 3 in _KINDS:
            size, at = read_varint(frame, at, length)
            if at + size == length:
                return tag >> 3, at, length
    found = _NONE
    for number, wire, start, end in fields(frame, 0, length):
        if number in _KINDS and wire == DELIMITED:
            found = number, start, end
        elif number != _TRACE:
            unknown.count += 1
    return found
