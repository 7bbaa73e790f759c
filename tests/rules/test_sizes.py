"""Small pieces: a file, a class and a function that one screen and one head can hold."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

import pytest
from source_files import PACKAGE, label, source_files, tree

FILE_LINES = 400
MEDIAN_FILE_LINES = 150
CLASS_LINES = 300
FUNCTION_LINES = 45


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_no_file_is_too_long() -> None:
    assert {label(path): _lines(path) for path in source_files() if _lines(path) > FILE_LINES} == {}


def test_the_median_file_is_short() -> None:
    assert median(_lines(path) for path in source_files() if _lines(path)) <= MEDIAN_FILE_LINES


@pytest.mark.parametrize(
    ("kinds", "most"),
    [((ast.ClassDef,), CLASS_LINES), ((ast.FunctionDef, ast.AsyncFunctionDef), FUNCTION_LINES)],
    ids=["classes", "functions"],
)
def test_no_class_or_function_is_too_long(kinds: tuple[type[ast.AST], ...], most: int) -> None:
    long = {}
    for path in source_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, kinds) and (lines := node.end_lineno - node.lineno + 1) > most:
                long[f"{label(path)}:{node.lineno} {node.name}"] = lines
    assert long == {}


def test_the_package_is_found() -> None:
    assert len(source_files()) > 30
    assert (PACKAGE / "py.typed").exists()
