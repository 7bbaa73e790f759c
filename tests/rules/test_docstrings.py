"""Every module, public class and public function says what it is for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_files import label, source_files, tree

Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _public(node: ast.Module | ast.ClassDef) -> Iterator[Documented]:
    for child in node.body:
        if not isinstance(child, Documented) or child.name.startswith("_"):
            continue
        if any(ast.unparse(decorator).endswith((".setter", "overload")) for decorator in child.decorator_list):
            continue
        yield child
        if isinstance(child, ast.ClassDef):
            yield from _public(child)


@pytest.mark.parametrize("path", source_files(), ids=label)
def test_public_names_are_documented(path: Path) -> None:
    module = tree(path)
    assert ast.get_docstring(module) or not module.body, "a module docstring"
    assert [f"{node.lineno} {node.name}" for node in _public(module) if not ast.get_docstring(node)] == []
