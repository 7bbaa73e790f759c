"""Only the shell may catch everything: elsewhere a broad `except` hides a fault of ours."""

from __future__ import annotations

import ast
from pathlib import Path

from source_files import PACKAGE, label, source_files, tree

SHELL = {"net", "api", "cli"}
BROAD = {"Exception", "BaseException"}


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(node, ast.Name) and node.id in BROAD for node in ast.walk(handler.type))


def _inside(path: Path) -> bool:
    return path.relative_to(PACKAGE).parts[0] in SHELL


def test_no_broad_except_outside_the_shell() -> None:
    """Ruff's BLE001 accepts one that raises again or logs; here none is."""
    found = [
        f"{label(path)}:{node.lineno}"
        for path in source_files()
        if not _inside(path)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
    ]
    assert not found, "\n".join(found)
