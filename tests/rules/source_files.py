"""The source tree as the house rules see it: paths, parsed modules, and what git holds."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "nearnet"


def source_files(*parts: str) -> list[Path]:
    """Python files of the package, or of these parts of it; generated ones left out."""
    roots = [PACKAGE / part for part in parts] or [PACKAGE]
    return sorted(
        path
        for root in roots
        for path in ([root] if root.is_file() else root.rglob("*.py"))
        if not path.name.endswith("_pb2.py")
    )


@cache
def tree(path: Path) -> ast.Module:
    """The file, parsed."""
    return ast.parse(path.read_text(), str(path))


def module_name(path: Path) -> str:
    """``nearnet.core.peer.peer`` for ``src/nearnet/core/peer/peer.py``."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def label(path: Path) -> str:
    """The path as a message names it."""
    return str(path.relative_to(ROOT))


def tracked_files() -> list[Path]:
    """What the repository holds; every file of a copy that has no git folder."""
    if not (ROOT / ".git").exists():
        skipped = {
            ".venv",
            ".venv-floors",
            ".venv-proto",
            "__pycache__",
            ".mypy_cache",
            ".ruff_cache",
            ".import_linter_cache",
            ".pytest_cache",
            ".hypothesis",
        }
        return sorted(p for p in ROOT.rglob("*") if p.is_file() and not skipped & set(p.parts))
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return sorted(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())
