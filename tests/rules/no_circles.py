"""A contract for import-linter: no module imports itself, neither directly nor through other modules."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from importlinter import Contract, ContractCheck, fields, output

if TYPE_CHECKING:
    from grimp import ImportGraph


class NoCircles(Contract):
    """All modules of the package keep it, except those of the packages that the field `skipped` names.

    import-linter's `acyclic_siblings` takes each package as one module. So it finds a circle where `wire.edge_bytes`
    imports `wire.borsh.primitives`, and `wire.borsh.dialect` imports `wire.edge_bytes`. There is none among modules.
    """

    type_name = "no_circles"

    skipped = fields.SetField(subfield=fields.ModuleField(), required=False, default=frozenset())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look for a circle; its modules go into the metadata, in the order in which they import each other."""
        modules = {name for name in graph.modules if not self._is_skipped(name)}
        imports = {name: sorted(graph.find_modules_directly_imported_by(name) & modules) for name in sorted(modules)}
        try:
            TopologicalSorter(imports).prepare()
        except CycleError as error:
            return ContractCheck(kept=False, metadata={"circle": error.args[1][::-1]})
        return ContractCheck(kept=True)

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the circle, one module a line."""
        output.print_error("Each of these modules imports the next one:")
        for name in check.metadata["circle"]:
            output.print_error(f"- {name}")

    def _is_skipped(self, name: str) -> bool:
        return any(f"{name}.".startswith(f"{package.name}.") for package in self.skipped)
