"""What the core needs of a database: to read it. What is to be written leaves the core as actions (`Persist`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["StoreReader"]


class StoreReader(Protocol):
    """Reading only: all that the core may do. An unknown column raises `StoreError`, as does what cannot be read."""

    def get(self, column: str, key: bytes) -> bytes | None:
        """The value of one row, or None."""

    def items(self, column: str) -> Iterator[tuple[bytes, bytes]]:
        """All rows of a column, in the order of their keys, as they are at the time of the call."""

    def is_empty(self, column: str) -> bool:
        """Whether a column has no row at all."""
