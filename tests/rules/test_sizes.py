"""Small pieces: a file holds one idea, and a function fits on a screen."""

from __future__ import annotations

import ast
from pathlib import Path

from source_files import PACKAGE, label, source_files, tree

FILE_LINES = 800
FUNCTION_LINES = 60


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_no_file_is_too_long() -> None:
    found = [f"{label(path)}: {lines} lines" for path in source_files() if (lines := _lines(path)) > FILE_LINES]
    assert not found, "\n".join(found)


def test_no_function_is_too_long() -> None:
    found = [
        f"{label(path)}:{node.lineno} {node.name}: {lines} lines"
        for path in source_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES
    ]
    assert not found, "\n".join(found)


def test_the_package_is_found() -> None:
    assert len(source_files()) > 30
    assert (PACKAGE / "py.typed").exists()
