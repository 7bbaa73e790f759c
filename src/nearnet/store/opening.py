"""Which store a node gets: ``memory``, or a SQLite file (`config.md`, `nearnet.store`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nearnet.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.store.base import Store
    from nearnet.wire.messages import GenesisId

__all__ = ["MEMORY", "open_store"]

MEMORY = "memory"


def open_store(
    where: str | Path, genesis: GenesisId, reset: bool = False, on_degraded: Callable[[str], None] = lambda why: None
) -> Store:
    """The store at `where`, made when there is none. `reset` moves an existing file aside first, never deletes it."""
    if where == MEMORY:
        from nearnet.store.memory import MemoryStore

        return MemoryStore()
    from nearnet.store.sqlite import SqliteStore, move_aside

    path = Path(where).expanduser()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be made: {error.strerror}") from None
    if reset:
        move_aside(path)
    return SqliteStore(path, genesis, on_degraded)
