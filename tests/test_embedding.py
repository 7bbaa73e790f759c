"""The page for embedding programs: its program runs and is well typed, and its table has every event."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from nearnet.events import KINDS, Overflow

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "embedding.md").read_text()
(PROGRAM,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_program_runs() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    connected, reply, disconnected = done.stdout.splitlines()
    assert connected.startswith("Connected(")
    assert reply.startswith("Opaque(index=3, data=b'hello.near') from ed25519:")
    assert disconnected.startswith("Disconnected(")


def test_the_page_has_every_event_with_its_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(one.__name__, one.kind, _meaning(one)) for one in (*KINDS.values(), Overflow)]


def _meaning(one: type) -> str:
    return " ".join((one.__doc__ or "").split("\n\n")[0].split())


def test_no_example_and_no_page_reaches_into_the_core() -> None:
    pages = [*(ROOT / "examples").glob("*.py"), *(ROOT / "docs").glob("*.py"), *(ROOT / "docs").glob("*.md")]
    assert [path.name for path in [*pages, ROOT / "README.md"] if re.search(r"\w\.core\.\w", _code(path))] == []


def _code(path: Path) -> str:
    """A program, or the programs of a page."""
    text = path.read_text()
    return text if path.suffix == ".py" else "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))


@pytest.mark.slow
def test_programs_are_well_typed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    files = [program, ROOT / "tests" / "typed_client.py", *sorted((ROOT / "examples").glob("*.py"))]
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        *map(str, files),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
