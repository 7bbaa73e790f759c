"""nearnet store: check, dump and compact the database."""

# Without postponed annotations, as typer reads them (see `app.py`).
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from nearnet.cli.app import new_app
from nearnet.cli.options import HomeOption, JsonOption, load_home, store_location
from nearnet.cli.output import print_json, warn
from nearnet.errors import ConfigError, Malformed
from nearnet.store.base import COLUMNS
from nearnet.store.opening import MEMORY
from nearnet.store.schema import describe_row
from nearnet.store.sqlite import SqliteStore

__all__ = ["app", "check", "compact", "dump"]

app = new_app("The database of known peers, bans, components and announcements.")

_StoreOption = Annotated[
    Path | None, typer.Option("--store", help="The database file; that of the home unless told.", metavar="PATH")
]


@contextmanager
def _opened(home: Path | None, path: Path | None, complaints: list[str]) -> Iterator[SqliteStore]:
    """The store, rows unchecked; what is damaged goes to `complaints` as it is read."""
    where: str | Path
    where = path if path is not None else store_location(*load_home(home))
    if where == MEMORY:
        raise ConfigError("this node keeps its store in memory: there is no file")
    store = SqliteStore(Path(where).expanduser(), on_degraded=complaints.append, check_rows=False)
    try:
        yield store
    finally:
        store.close()


@app.command()
def check(home: HomeOption = None, store: _StoreOption = None, as_json: JsonOption = False) -> None:
    """Read everything; exit code 1 when anything is damaged.

    Example: nearnet store check --home ~/.nearnet
    """
    unread: list[str] = []
    with _opened(home, store, unread) as database:
        wrong = database.check()
        counts = {}
        for column in COLUMNS if not wrong else ():
            rows = list(database.items(column))
            counts[column] = len(rows)
            wrong += [f"{column}: {reason}" for row in rows if (reason := _malformed(column, *row)) is not None]
    if as_json:
        print_json({"ok": not wrong, "rows": counts, "wrong": wrong})
    else:
        for column, count in counts.items():
            print(f"{column}: {count} rows")
        for text in wrong:
            warn(text)
        print("damaged; --reset-peer-store of nearnet run moves it aside" if wrong else "ok")
    if wrong:
        raise typer.Exit(1)


def _malformed(column: str, key: bytes, value: bytes) -> str | None:
    try:
        describe_row(column, key, value)
    except Malformed as error:
        return f"the row {key.hex()[:20]} does not decode: {error}"
    return None


@app.command()
def dump(
    column: Annotated[str, typer.Argument(help=f"One of {', '.join(COLUMNS)}.")],
    home: HomeOption = None,
    store: _StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The rows of a column, one JSON document a line (with or without --json).

    Example: nearnet store dump Peers
    """
    name = next((known for known in COLUMNS if known.lower() == column.lower()), None)
    if name is None:
        raise ConfigError(f"the store has no column {column!r}; it has {', '.join(COLUMNS)}")
    complaints: list[str] = []
    with _opened(home, store, complaints) as database:
        for key, value in database.items(name):
            try:
                print_json(describe_row(name, key, value))
            except Malformed as error:
                complaints.append(f"the row {key.hex()[:20]} of {name} does not decode: {error}")
    for text in complaints:
        warn(text)
    if complaints:
        raise typer.Exit(1)


@app.command()
def compact(home: HomeOption = None, store: _StoreOption = None, as_json: JsonOption = False) -> None:
    """Give the room of deleted rows back to the file system.

    Example: nearnet store compact
    """
    with _opened(home, store, []) as database:
        before = database.path.stat().st_size
        database.compact()
        after = database.path.stat().st_size
    if as_json:
        print_json({"before_bytes": before, "after_bytes": after})
    else:
        print(f"{before} bytes before, {after} after")
