"""What verbs print: JSON on one line, or aligned columns. No colours, so nothing for `NO_COLOR` to turn off."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["print_json", "print_table", "printable", "warn"]


def print_json(value: Any) -> None:
    """One document on one line, at once."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns under their names; None is a dash."""
    lines = [list(columns)]
    lines += [["-" if cell is None else printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def printable(text: str) -> str:
    """Without control characters: what a peer told shall not steer the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def warn(text: str) -> None:
    """A sentence on stderr."""
    print(f"nearnet: {text}", file=sys.stderr)
