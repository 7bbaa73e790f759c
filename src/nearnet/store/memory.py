"""A store that ends with the process (`--store memory`, tests, the simulator)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.store.base import COLUMNS, known_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nearnet.core.runtime.actions import Write

__all__ = ["MemoryStore"]


class MemoryStore:
    """The columns as dicts."""

    def __init__(self) -> None:
        self._columns: dict[str, dict[bytes, bytes]] = {name: {} for name in COLUMNS}

    def get(self, column: str, key: bytes) -> bytes | None:
        """The value of one row, or None."""
        return self._rows(column).get(bytes(key))

    def items(self, column: str) -> Iterator[tuple[bytes, bytes]]:
        """All rows as they are now, in the order of their keys."""
        return iter(sorted(self._rows(column).items()))

    def is_empty(self, column: str) -> bool:
        """Whether a column has no row at all."""
        return not self._rows(column)

    def commit(self, writes: Sequence[Write]) -> None:
        """All of them, or `StoreError` and none."""
        for write in writes:
            self._rows(write.column)
        for write in writes:
            rows = self._columns[write.column]
            if write.value is None:
                rows.pop(bytes(write.key), None)
            else:
                rows[bytes(write.key)] = bytes(write.value)

    def close(self) -> None:
        """Nothing to let go of: what it holds stays readable."""

    def _rows(self, column: str) -> dict[bytes, bytes]:
        return self._columns[known_column(column)]
