"""The dialects, and which one a stream speaks (`wire.md`, top). Both share one port and the same message values."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

from nearnet.errors import ConfigError
from nearnet.wire.borsh.dialect import BorshDialect

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from nearnet.wire.messages import Message, SyncRoutingTable, TraceContext
    from nearnet.wire.routed_frame import Pieces, RoutedFrame

__all__ = ["SPOKEN", "Dialect", "detect", "dialect_named"]

SPOKEN = ("borsh", "protobuf")
"""Names of the dialects that are spoken here."""

_LAST_BORSH_TAG = 31
"""A borsh frame starts with an enum index far below it, a protobuf frame with a field tag of 34 or more."""


class Dialect(Protocol):
    """Bytes to messages and back. Frames are contents, without the length prefix."""

    name: str

    def encode(self, message: Message, trace: TraceContext | None = None) -> bytes:
        """One frame's content; `Unsupported` for a message that it has no form of. Borsh leaves a trace out."""

    def can_encode(self, message: Message) -> bool:
        """Whether it has a form of this message."""

    def decode(self, frame: bytes, skipped: Callable[[int], None] | None = None) -> Message:
        """The whole message; `Malformed` or `UnknownMessage`, never a partial value.

        `skipped` is told how many unknown fields there were, when there were any.
        """

    def table_in_steps(
        self, frame: bytes, skipped: Callable[[int], None] | None = None
    ) -> Generator[None, None, SyncRoutingTable]:
        """`decode` of a large SyncRoutingTable: a bounded piece of work at each `next`, then the message."""

    def kind(self, frame: bytes) -> str:
        """The name of the message's class by its tag alone, ``Unknown`` for none."""

    def peek_handshake_version(self, frame: bytes) -> int | None:
        """A Handshake's protocol version without reading the rest; None when it is not to be had."""

    def trace_context(self, frame: bytes) -> TraceContext | None:
        """The trace that a message belongs to, when it names one."""

    def routed(self, frame: bytes, skipped: Callable[[int], None] | None = None) -> RoutedFrame | None:
        """A routed message by its offsets, None for any other; `Malformed` when its header does not read.

        `UnknownMessage` for a body that this version does not know how to tell in the other forms.
        """

    def carries(self, routed: RoutedFrame) -> bool:
        """Whether a neighbor of this dialect may be sent it, whichever dialect it came in."""

    def forward(self, routed: RoutedFrame) -> bytes:
        """The frame content for a neighbor of this dialect, with a ttl one less; only for what it `carries`."""

    def forward_in_pieces(self, routed: RoutedFrame) -> Pieces:
        """The same, for a large message: its body is not copied."""


_BORSH = BorshDialect()


def detect(first_byte: int) -> str:
    """The dialect of a stream whose first frame starts with this byte."""
    return "borsh" if first_byte <= _LAST_BORSH_TAG else "protobuf"


def dialect_named(name: str) -> Dialect:
    """The dialect of that name; `ConfigError` for one that is not spoken here."""
    if name == "borsh":
        return _BORSH
    if name == "protobuf":
        return _protobuf()
    raise ConfigError(f"the dialect {name!r} is not spoken here; {' and '.join(SPOKEN)} are")


@cache
def _protobuf() -> Dialect:
    """Made when first wanted: a node whose neighbors all speak borsh never loads the library."""
    from nearnet.wire.protobuf.dialect import ProtoDialect

    return ProtoDialect()
