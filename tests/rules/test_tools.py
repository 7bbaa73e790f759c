"""Ruff, import-linter and mypy find nothing, and the pure parts are covered in every branch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from source_files import ROOT


def _run(*command: str, standard_input: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments, from the root of the checkout."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        input=standard_input,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _assert_clean(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_ruff_is_content() -> None:
    _assert_clean(_run("-m", "ruff", "check", "--output-format", "concise", "."))


PLANTED = """
from .errors import ConfigError
__all__ = ["call", "Open"]
class Open:
    class Inner: pass
    def method(self): pass
def call():
    try: ...
    except Exception: pass
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/nearnet/core/planted.py", {"TID252", "RUF022", "BLE001", "D100", "D101", "D102", "D103", "D106"}),
        ("src/nearnet/planted/__init__.py", {"TID252", "RUF022", "BLE001", "D104", "D101", "D102", "D103", "D106"}),
        ("src/nearnet/net/planted.py", {"TID252", "RUF022", "D100", "D101", "D102", "D103", "D106"}),
        ("tests/planted.py", {"TID252", "RUF022", "BLE001"}),
    ],
)
def test_ruff_holds_the_house_rules(path: str, expected: set[str]) -> None:
    """Each of these rules is on where it should be."""
    done = _run("-m", "ruff", "check", "--output-format", "json", "--stdin-filename", path, "-", standard_input=PLANTED)
    found = {one["code"] for one in json.loads(done.stdout)}
    assert found & {"TID252", "RUF022", "BLE001", "D100", "D101", "D102", "D103", "D104", "D106"} == expected


def test_the_format_is_ruffs() -> None:
    _assert_clean(_run("-m", "ruff", "format", "--check", "--quiet", "."))


def test_imports_keep_the_contracts() -> None:
    """Those of pyproject.toml, with the command that `make lint` runs."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    _assert_clean(_run("-c", program, "--no-cache", "--no-logo"))


@pytest.mark.timeout(300)
def test_mypy_strict_is_content() -> None:
    _assert_clean(_run("-m", "mypy"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_core_and_wire_are_covered_in_every_branch(tmp_path: Path) -> None:
    """By their own test files alone, none of it compiled: `fail_under` in pyproject.toml is 100."""
    data = {"COVERAGE_FILE": str(tmp_path / "coverage"), "NEARNET_PURE": "1"}
    _assert_clean(
        _run("-m", "coverage", "run", "-m", "pytest", "-m", "not nightly", "tests/core", "tests/wire", **data)
    )
    _assert_clean(_run("-m", "coverage", "report", **data))
