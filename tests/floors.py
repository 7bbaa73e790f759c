"""Prints pins of the package's dependencies at the oldest versions that pyproject.toml allows (`make floors`)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path


def main() -> None:
    """One pin a line; what has no floor is an error."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    for requirement in project["dependencies"]:
        name, floor, marker = re.fullmatch(r"([\w-]+)>=([\d.]+)(;.*)?", requirement).groups(default="")
        print(f"{name}=={floor}.*{marker}")


if __name__ == "__main__":
    main()
