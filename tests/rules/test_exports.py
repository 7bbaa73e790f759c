"""Each module's `__all__` is exact: sorted, and every public name that the module defines."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from source_files import label, source_files, tree


def _exported(module: ast.Module) -> list[str] | None:
    for node in module.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return list(ast.literal_eval(node.value))
    return None


def _targets(node: ast.stmt) -> list[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _defined(module: ast.Module) -> set[str]:
    type_variables = {
        name
        for node in module.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id in ("TypeVar", "ParamSpec")
        for name in _targets(node)
    }
    names = {name for node in module.body for name in _targets(node)}
    return {name for name in names - type_variables if not name.startswith("_")}


def _imported(module: ast.Module) -> set[str]:
    imports = [node for node in ast.walk(module) if isinstance(node, ast.ImportFrom | ast.Import)]
    return {(alias.asname or alias.name) for node in imports for alias in node.names}


@pytest.mark.parametrize("path", source_files(), ids=label)
def test_all_is_exact(path: Path) -> None:
    module = tree(path)
    exported, defined = _exported(module), _defined(module)
    if exported is None:
        assert defined == set(), "public names, and no __all__"
        return
    assert len(set(exported)) == len(exported), "a name twice"
    assert defined <= set(exported), "public names that __all__ lacks"
    foreign = set(exported) - defined
    if path.name == "__init__.py":
        # A package re-exports what its modules define; `__version__` and lazily loaded names count too.
        assert {name for name in foreign if not name.startswith("__")} <= _imported(module)
    else:
        assert foreign == set(), "names that __all__ lists and the module does not define"


def test_all_is_sorted() -> None:
    """Ruff's RUF022 holds the order; that rule must stay switched on."""
    config = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert '"RUF"' in config
    assert "RUF022" not in config
