"""What was measured when: one line of JSON for each run, and the machine it ran on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.harness import Result, verification
from nearnet.compiled import is_compiled

ROOT = Path(__file__).parent.parent


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "compiled": is_compiled(),
        "system": platform.system(),
        "verification_us": round(verification() * 1e6, 1),
    }


def commit() -> str:
    """The commit of the checkout, "+" after it when files were changed; "" outside of one."""
    found = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True)
    return found.stdout.strip() if found.returncode == 0 else ""


def document(results: Sequence[Result]) -> dict[str, Any]:
    """A run as JSON."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "results": [result.as_json() for result in results],
    }


def append(path: Path, run: dict[str, Any]) -> None:
    """Add a run to a history."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as history:
        history.write(json.dumps(run, ensure_ascii=False) + "\n")


def read(path: Path) -> list[dict[str, Any]]:
    """All runs of a history, oldest first."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
