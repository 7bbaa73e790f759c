"""Each module's `__all__` is exact: sorted, and every public name that the module defines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

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


def _wrong_with(path: Path) -> Iterator[str]:
    """Yield what is wrong with the `__all__` of a file; its order is ruff's (RUF022)."""
    module = tree(path)
    exported, defined = _exported(module), _defined(module)
    if exported is None:
        if defined:
            yield f"no __all__, and public names: {sorted(defined)}"
        return
    if len(set(exported)) < len(exported):
        yield "a name twice in __all__"
    if lacking := defined - set(exported):
        yield f"public names that __all__ lacks: {sorted(lacking)}"
    foreign = set(exported) - defined
    if path.name == "__init__.py":
        # A package re-exports what its modules define; `__version__` and lazily loaded names count too.
        foreign = {name for name in foreign if not name.startswith("__")} - _imported(module)
    if foreign:
        yield f"names that __all__ lists and the module does not define: {sorted(foreign)}"


def test_all_is_exact() -> None:
    found = [f"{label(path)}: {wrong}" for path in source_files() for wrong in _wrong_with(path)]
    assert not found, "\n".join(found)
