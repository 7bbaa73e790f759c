"""Imports point one way, and the pure parts import nothing impure.

wire, keys, errors, config, client <- core <- store, sim, net <- api <- tools, cli
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_files import PACKAGE, label, module_name, source_files, tree

IMPURE = {"asyncio", "os", "random", "select", "selectors", "signal", "socket", "subprocess", "threading", "time"}
LAYERS = {
    **dict.fromkeys(
        (
            "base58",
            "compiled",
            "numba_loops",
            "errors",
            "keys",
            "ml_dsa",
            "wire",
            "config",
            "client",
            "home",
            "version",
        ),
        0,
    ),
    "core": 1,
    **dict.fromkeys(("store", "sim", "net"), 2),
    "api": 3,
    **dict.fromkeys(("tools", "cli"), 4),
}
TOP = 5
"""The package's own `__init__`, which gathers the public names."""


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _imports(node: ast.AST, typing_too: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full name of what is imported, inside functions too."""
    for child in ast.iter_child_nodes(node):
        if _type_checking(child) and not typing_too:
            continue
        if isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            base = child.module or ""
            for alias in child.names:
                inner = PACKAGE.parent.joinpath(*base.split("."), alias.name)
                is_module = inner.with_suffix(".py").exists() or inner.is_dir()
                yield child.lineno, f"{base}.{alias.name}" if is_module else base
        else:
            yield from _imports(child, typing_too)


def _part(module: str) -> str:
    pieces = module.split(".")
    return pieces[1] if len(pieces) > 1 else ""


@pytest.mark.parametrize("path", source_files("core", "wire"), ids=label)
def test_pure_parts_import_nothing_impure(path: Path) -> None:
    assert [(line, name) for line, name in _imports(tree(path)) if name.split(".")[0] in IMPURE] == []


@pytest.mark.parametrize("path", source_files(), ids=label)
def test_imports_point_one_way(path: Path) -> None:
    own = _part(module_name(path))
    level = LAYERS.get(own, TOP)
    upward = [
        (line, name)
        for line, name in _imports(tree(path))
        if name.split(".")[0] == "nearnet" and LAYERS.get(_part(name), TOP) > level
    ]
    assert upward == []


@pytest.mark.parametrize("path", source_files("core"), ids=label)
def test_the_core_sees_the_config_only_as_a_type(path: Path) -> None:
    assert [(n, name) for n, name in _imports(tree(path)) if _part(name) == "config"] == []


@pytest.mark.parametrize("path", source_files("wire"), ids=label)
def test_the_wire_knows_no_config(path: Path) -> None:
    assert [(n, name) for n, name in _imports(tree(path), True) if _part(name) in ("config", "client", "core")] == []


def test_every_part_has_a_layer() -> None:
    parts = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir()}
    known = {*LAYERS, "__init__", "__main__", "__pycache__", "py"}
    assert {part for part in parts if not part.startswith(".")} <= known
