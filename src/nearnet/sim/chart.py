"""A trace as a picture: a sequence chart in SVG, one column for each node, time from top to bottom."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MOST_ROWS", "sequence_chart"]

MOST_ROWS = 600
"""Rows of a chart: the last ones, for that is where a failure is."""

_COLUMN = 150
_ROW = 18
_LEFT = 110
_TOP = 40
_STYLE = (
    "text{font:11px sans-serif;fill:#222}.t{fill:#888}.n{font-weight:bold;text-anchor:middle}"
    ".l{stroke:#ccc}.m{stroke:#2266bb;marker-end:url(#a)}.e{fill:#aa3300;text-anchor:middle}.s{fill:#007744}"
)


def sequence_chart(lines: Iterable[dict[str, Any]], title: str) -> str:
    """SVG text of a trace's lines (`Trace.lines`)."""
    rows = list(lines)[-MOST_ROWS:]
    who = dict.fromkeys(
        str(name) for row in rows if row["kind"] != "step" for name in (row["who"], row.get("to")) if name
    )
    columns = {name: _LEFT + _COLUMN // 2 + number * _COLUMN for number, name in enumerate(sorted(who, key=_order))}
    width, height = _LEFT + _COLUMN * max(1, len(columns)), _TOP + _ROW * (len(rows) + 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        '<defs><marker id="a" markerWidth="8" markerHeight="8" refX="7" refY="3" orient="auto">',
        '<path d="M0,0 L7,3 L0,6 z" fill="#2266bb"/></marker></defs>',
        f'<text x="4" y="14">{escape(title)}</text>',
    ]
    for name, x in columns.items():
        parts.append(f'<text class="n" x="{x}" y="{_TOP - 8}">{escape(name)}</text>')
        parts.append(f'<line class="l" x1="{x}" y1="{_TOP}" x2="{x}" y2="{height}"/>')
    for number, row in enumerate(rows):
        parts += _row(row, _TOP + _ROW * (number + 1), columns)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _order(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdigit() else (1 << 30, name)


def _row(row: dict[str, Any], y: int, columns: dict[str, int]) -> list[str]:
    parts = [f'<text class="t" x="4" y="{y + 4}">{row["time"]:.6f} s</text>']
    if row["kind"] == "step":
        return [*parts, f'<text class="s" x="{_LEFT}" y="{y + 4}">{escape(str(row.get("what"))[:200])}</text>']
    x = columns[str(row["who"])]
    if row["kind"] == "send":
        other = columns[str(row["to"])]
        parts.append(f'<line class="m" x1="{x}" y1="{y}" x2="{other}" y2="{y}"/>')
        label = f"{row['message']} {row['bytes']}"
        parts.append(f'<text x="{(x + other) // 2}" y="{y - 2}" text-anchor="middle">{escape(label)}</text>')
        return parts
    detail = row.get("reason") or row.get("why") or ""
    text = escape(f"{row['kind']} {detail}"[:60])
    parts.append(f'<text class="e" x="{x}" y="{y + 4}">{text}</text>')
    return parts
