"""The project's own benchmarks, which lie in its checkout beside the package (`cli.md`)."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nearnet.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run_benchmarks"]


def run_benchmarks(words: Sequence[str], root: Path | None = None) -> int:
    """Run them with these words of the command line; the exit code. `ConfigError` outside of a checkout."""
    folder = root or Path(__file__).parents[3]
    if not (folder / "benchmarks" / "__main__.py").exists():
        raise ConfigError("the benchmarks come with the project's source, not with the package: run this in a checkout")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    code: int = importlib.import_module("benchmarks.__main__").main(list(words))
    return code
