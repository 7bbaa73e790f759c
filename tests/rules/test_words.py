"""The repository speaks of the project, never of the place where somebody worked on it."""

from __future__ import annotations

import re
from pathlib import Path

from source_files import ROOT, label, tracked_files

FORBIDDEN = {
    "an absolute path of one machine": r"(?<![\w.~])/(?:wo" r"rk|ro" r"ot|ho" r"me/\w+)(?=/|\b(?!\s*=))",
    "the word for a sitting at a desk": r"(?<!scope=\")\bses" r"sion\b",
    "a package registry's host": r"\b(?:py" r"pi\.org|python" r"hosted\.org|crat" r"es\.io|npm" r"js\.(?:com|org))",
    "a number in somebody's tracker": r"\b[Is]s" r"ue #?\d+",
}
GENERATED = ("_pb2.py", "LICENSE-APACHE")


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def test_no_forbidden_words() -> None:
    patterns = {what: re.compile(pattern, re.IGNORECASE) for what, pattern in FORBIDDEN.items()}
    found = [
        f"{label(path)}:{number} {match.group()!r}: {what}"
        for path in tracked_files()
        if ROOT / "tests" / "vectors" not in path.parents and not path.name.endswith(GENERATED)
        for number, line in enumerate(_text(path).splitlines(), 1)
        for what, pattern in patterns.items()
        for match in pattern.finditer(line)
    ]
    assert not found, "\n".join(found)
