"""The wheel installs by itself and runs."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, **options: object) -> str:
    """Its output; the test fails with what it said when it fails."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without looking anything up, from a copy: the checkout stays as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if not tracked:
        pytest.skip("no git folder tells what belongs to the project")
    for name in tracked.split("\0"):
        if name.startswith("src/") or "/" not in name:
            source = ROOT / name
            if source.is_file():
                (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / "source" / name).write_bytes(source.read_bytes())
    options = ("--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", "wheel", *options, folder / "source")
    (built,) = folder.glob("nearnet-*.whl")
    return built


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_holds_what_it_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"nearnet/py.typed", "nearnet/wire/protobuf/network_pb2.py", "nearnet/tools/doctor/doctor.py"} <= names
    static = {name.removeprefix("nearnet/api/dashboard/static/") for name in names if "/static/" in name}
    listed = subprocess.run(
        ["git", "ls-files", "src/nearnet/api/dashboard/static"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wanted = {name.partition("/static/")[2] for name in listed.stdout.split() if (ROOT / name).is_file()}
    assert wanted <= static
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_runs_from_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    """As pipx installs it, but for the dependencies, which are those of this environment."""
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-deps", "--quiet", "--no-index", wheel)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = run(python, "-c", "import nearnet; print(nearnet.__file__)", cwd=tmp_path)
    assert where.startswith(str(tmp_path / "venv"))
    nearnet = tmp_path / "venv" / "bin" / "nearnet"
    told = json.loads(run(nearnet, "version", "--json", cwd=tmp_path))
    assert run(nearnet, "version", cwd=tmp_path) == f"nearnet {told['version']}\n"
    assert told["version"] in wheel.name
    run(nearnet, "init", "--home", tmp_path / "home", "--chain-id", "test", cwd=tmp_path)
    assert "is valid" in run(nearnet, "config", "validate", "--home", tmp_path / "home", cwd=tmp_path)
