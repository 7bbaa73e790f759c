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
    assert {label(path): _lines(path) for path in source_files() if _lines(path) > FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    long = {}
    for path in source_files():
        for node in ast.walk(tree(path)):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES:
                long[f"{label(path)}:{node.lineno} {node.name}"] = lines
    assert long == {}


def test_the_package_is_found() -> None:
    assert len(source_files()) > 30
    assert (PACKAGE / "py.typed").exists()
