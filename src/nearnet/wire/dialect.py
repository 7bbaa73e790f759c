"""The dialects, and which one a stream speaks (`wire.md`, top). Both share one port and the same message values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nearnet.errors import ConfigError
from nearnet.wire.borsh_dialect import BorshDialect

if TYPE_CHECKING:
    from collections.abc import Generator

    from nearnet.wire.messages import Message, SyncRoutingTable
    from nearnet.wire.routed_frame import RoutedFrame

__all__ = ["SPOKEN", "Dialect", "detect", "dialect_named"]

SPOKEN = ("borsh",)
"""Names of the dialects that are spoken here."""

_LAST_BORSH_TAG = 31
"""A borsh frame starts with an enum index far below it, a protobuf frame with a field tag of 34 or more."""


class Dialect(Protocol):
    """Bytes to messages and back. Frames are contents, without the length prefix."""

    name: str

    def encode(self, message: Message) -> bytes:
        """One frame's content."""

    def decode(self, frame: bytes) -> Message:
        """The whole message; `Malformed` or `UnknownMessage`, never a partial value."""

    def table_in_steps(self, frame: bytes) -> Generator[None, None, SyncRoutingTable]:
        """`decode` of a large SyncRoutingTable: a bounded piece of work at each `next`, then the message."""

    def kind(self, frame: bytes) -> str:
        """The name of the message's class by its tag alone, ``Unknown`` for none."""

    def peek_handshake_version(self, frame: bytes) -> int | None:
        """A Handshake's protocol version without reading the rest; None when it is not to be had."""

    def routed(self, frame: bytes) -> RoutedFrame | None:
        """A routed message by its offsets, None for any other; `Malformed` when its header does not read."""

    def forward(self, routed: RoutedFrame) -> bytes:
        """The frame content for a neighbour of this dialect, with a ttl one less."""


_BORSH = BorshDialect()


def detect(first_byte: int) -> str:
    """The dialect of a stream whose first frame starts with this byte."""
    return "borsh" if first_byte <= _LAST_BORSH_TAG else "protobuf"


def dialect_named(name: str) -> Dialect:
    """The dialect of that name; `ConfigError` for one that is not spoken here."""
    if name == "borsh":
        return _BORSH
    raise ConfigError(f"the dialect {name!r} is not spoken here; {', '.join(SPOKEN)} is")
