"""Only the shell may catch everything: elsewhere a broad `except` hides a fault of ours."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from source_files import PACKAGE, label, source_files, tree

SHELL = {"net", "api", "cli"}
BROAD = {"Exception", "BaseException"}


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(node, ast.Name) and node.id in BROAD for node in ast.walk(handler.type))


def _inside(path: Path) -> bool:
    return path.relative_to(PACKAGE).parts[0] in SHELL


@pytest.mark.parametrize("path", [path for path in source_files() if not _inside(path)], ids=label)
def test_no_broad_except_outside_the_shell(path: Path) -> None:
    handlers = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ExceptHandler)]
    assert [handler.lineno for handler in handlers if _is_broad(handler)] == []
