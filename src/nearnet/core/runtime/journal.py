"""The journal of actions: what the parts of the core ask of the shell, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nearnet.core.runtime.actions import Action, Event, Notify, Persist, Write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nearnet.keys import PeerId

__all__ = ["Journal"]


class Journal:
    """Takes actions, events and rows from every part of one core.

    Rows of one input are committed together. A row that changes many times in one input is written once.
    """

    __slots__ = ("_actions", "_is_urgent", "_rows")

    def __init__(self) -> None:
        self._actions: list[Action] = []
        self._rows: dict[tuple[str, bytes], bytes | Callable[[], bytes | None] | None] = {}
        self._is_urgent = False

    def add(self, *actions: Action) -> None:
        """Ask the shell for these."""
        self._actions.extend(actions)

    def notify(self, kind: str, peer_id: PeerId | None = None, **data: Any) -> None:
        """Tell an event to whoever watches; `data` must be JSON-able."""
        self._actions.append(Notify(Event(kind, peer_id, data)))

    def write(self, column: str, key: bytes, value: bytes | None) -> None:
        """Have this row stored, or removed where `value` is None."""
        self._rows[column, key] = value

    def write_all(self, writes: Iterable[Write]) -> None:
        """Have these rows stored or removed."""
        for one in writes:
            self._rows[one.column, one.key] = one.value

    def changed(self, column: str, key: bytes, row: Callable[[], bytes | None], urgent: bool = False) -> None:
        """Have the row stored as it is at the end of this input, when `row()` returns it; None removes it.

        `urgent` has all rows of this input committed at once: a ban is on the disk when its command returns.
        """
        self._rows[column, key] = row
        self._is_urgent = self._is_urgent or urgent

    def take(self) -> list[Action]:
        """Return everything that was asked since the last call, the rows last, and forget it."""
        if self._rows:
            rows, self._rows = self._rows, {}
            writes = [Write(column, key, row() if callable(row) else row) for (column, key), row in rows.items()]
            self._actions.append(Persist(tuple(writes), self._is_urgent))
            self._is_urgent = False
        actions, self._actions = self._actions, []
        return actions
