"""Fetches the dashboard's front-end libraries with npm, at the versions below, into its static files (`make vendor`).

Each comes with its licence; `vendor/README.txt` says what is there, from which version, and the hash of each file.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "src/nearnet/api/dashboard/static/vendor"

LIBRARIES = {
    "uplot": ("1.6.32", "MIT", {"dist/uPlot.esm.js": "uPlot.js", "dist/uPlot.min.css": "uPlot.css"}),
    "d3-dispatch": ("3.0.2", "ISC", {"dist/d3-dispatch.min.js": "d3-dispatch.js"}),
    "d3-quadtree": ("3.0.2", "ISC", {"dist/d3-quadtree.min.js": "d3-quadtree.js"}),
    "d3-timer": ("3.0.2", "ISC", {"dist/d3-timer.min.js": "d3-timer.js"}),
    "d3-force": ("3.0.1", "ISC", {"dist/d3-force.min.js": "d3-force.js"}),
}
"""Name: version, licence, and which file goes by which name."""


def fetch(name: str, version: str, into: Path) -> tarfile.TarFile:
    """The package as npm has it."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(into), f"{name}@{version}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=into)
    return tarfile.open(into / done.stdout.split()[-1])


def contents(package: tarfile.TarFile, name: str) -> bytes:
    """One file of it."""
    found = package.extractfile(f"package/{name}")
    if found is None:
        raise FileNotFoundError(name)
    return found.read()


def main() -> int:
    """Write all of it anew."""
    TARGET.mkdir(parents=True, exist_ok=True)
    lines = ["Written by `make vendor`. Libraries as their authors published them, unchanged.", ""]
    with tempfile.TemporaryDirectory() as folder:
        for name, (version, licence, files) in LIBRARIES.items():
            with fetch(name, version, Path(folder)) as package:
                wanted = {**files, "LICENSE": f"{name}.LICENSE.txt"}
                for source, target in wanted.items():
                    data = contents(package, source)
                    (TARGET / target).write_bytes(data)
                    digest = hashlib.sha256(data).hexdigest()
                    lines.append(f"{target:24} {name} {version} ({licence}) {source}  sha256 {digest}")
    (TARGET / "README.txt").write_text("\n".join(lines) + "\n")
    print(f"wrote {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
