"""What the contracts in pyproject.toml cannot say: some modules the core may import for type checking only."""

from __future__ import annotations

import grimp
import pytest

TYPES_ONLY = ("nearnet.config", "random")
"""The core gets the config and the source of chance from whoever makes it."""


def _imports_of_the_core(exclude_type_checking_imports: bool) -> set[tuple[str, str]]:
    """Pairs of importer and imported, of `TYPES_ONLY` alone."""
    graph = grimp.build_graph(
        "nearnet",
        include_external_packages=True,
        exclude_type_checking_imports=exclude_type_checking_imports,
        cache_dir=None,
    )
    return {
        (importer, imported)
        for importer in graph.find_descendants("nearnet.core")
        for imported in graph.find_modules_directly_imported_by(importer)
        if f"{imported}.".startswith(tuple(f"{name}." for name in TYPES_ONLY))
    }


def test_the_core_knows_some_modules_only_as_types() -> None:
    assert _imports_of_the_core(exclude_type_checking_imports=True) == set()


@pytest.mark.parametrize("name", TYPES_ONLY)
def test_the_core_knows_them(name: str) -> None:
    """A name that the core no longer imports at all leaves this list and the contracts."""
    assert any(imported.startswith(name) for _, imported in _imports_of_the_core(exclude_type_checking_imports=False))
