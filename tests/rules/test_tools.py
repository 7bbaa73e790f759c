"""Ruff and mypy have nothing to say, and the pure parts are covered in every branch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from source_files import ROOT


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python module as a command, from the root of the checkout."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _assert_clean(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_ruff_is_content() -> None:
    _assert_clean(_run("ruff", "check", "--output-format", "concise", "."))


def test_the_format_is_ruffs() -> None:
    _assert_clean(_run("ruff", "format", "--check", "--quiet", "."))


@pytest.mark.timeout(300)
def test_mypy_strict_is_content() -> None:
    _assert_clean(_run("mypy"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_core_and_wire_are_covered_in_every_branch(tmp_path: Path) -> None:
    """By their own test files alone, none of it compiled: `fail_under` in pyproject.toml is 100."""
    data = {"COVERAGE_FILE": str(tmp_path / "coverage"), "NEARNET_PURE": "1"}
    _assert_clean(_run("coverage", "run", "-m", "pytest", "-m", "not nightly", "tests/core", "tests/wire", **data))
    _assert_clean(_run("coverage", "report", **data))
