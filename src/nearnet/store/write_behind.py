"""Rows on their way to the disk: readers see them at once, the disk gets them in batches (`threats.md` row 64)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.store.base import known_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nearnet.core.runtime.actions import Write
    from nearnet.core.runtime.store_reader import StoreReader

__all__ = ["WriteBehind"]


class WriteBehind:
    """An overlay of pending writes over a store. A row written twice is kept once, in its newest form.

    `take_batch`, commit it elsewhere, then `committed` or `failed`: until then the batch stays visible, and after a
    failure it is pending again. One batch at a time.
    """

    __slots__ = ("_batch", "_pending", "_store")

    def __init__(self, store: StoreReader) -> None:
        self._store = store
        self._pending: dict[tuple[str, bytes], Write] = {}
        self._batch: dict[tuple[str, bytes], Write] = {}

    def put(self, writes: Iterable[Write]) -> None:
        """From now on readers see these; an unknown column raises `StoreError`, and nothing is put."""
        rows = {(known_column(write.column), bytes(write.key)): write for write in writes}
        self._pending.update(rows)

    def get(self, column: str, key: bytes) -> bytes | None:
        """The newest value of one row, or None."""
        at = (column, bytes(key))
        write = self._pending.get(at) or self._batch.get(at)
        return self._store.get(column, key) if write is None else write.value

    def items(self, column: str) -> Iterator[tuple[bytes, bytes]]:
        """All rows of a column in their newest form, in the order of their keys."""
        rows = dict(self._store.items(column))
        for layer in (self._batch, self._pending):
            for (of, key), write in layer.items():
                if of != column:
                    continue
                if write.value is None:
                    rows.pop(key, None)
                else:
                    rows[key] = write.value
        return iter(sorted(rows.items()))

    def is_empty(self, column: str) -> bool:
        """Whether a column has no row at all."""
        if any(of == column for layer in (self._batch, self._pending) for of, _ in layer):
            return next(self.items(column), None) is None
        return self._store.is_empty(column)

    @property
    def pending_count(self) -> int:
        """Rows not known to be on the disk."""
        return len(self._pending) + len(self._batch)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._pending

    def take_batch(self) -> tuple[Write, ...]:
        """All that is pending, for one transaction; empty while there is none, or while a batch is under way."""
        if self._batch:
            return ()
        self._batch, self._pending = self._pending, {}
        return tuple(self._batch.values())

    def committed(self, batch: tuple[Write, ...]) -> None:
        """The batch taken last is on the disk: the store itself shows it now."""
        self._end(batch)

    def failed(self, batch: tuple[Write, ...]) -> None:
        """It is not: it goes back under what was put meanwhile, to be taken again."""
        self._pending = {**self._end(batch), **self._pending}

    def _end(self, batch: tuple[Write, ...]) -> dict[tuple[str, bytes], Write]:
        if batch != tuple(self._batch.values()):
            raise ValueError("this is not the batch that was taken last")
        ended, self._batch = self._batch, {}
        return ended
