"""What `setup.py` compiles: that it is there, and that it has nothing which mypyc compiles to something else."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from source_files import PACKAGE, ROOT, tree

from nearnet import compiled


def _listed() -> list[str]:
    for node in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COMPILED":
            return list(ast.literal_eval(node.value))
    raise AssertionError("setup.py has no COMPILED")


COMPILED = _listed()


def test_the_list_is_in_order() -> None:
    assert sorted(set(COMPILED)) == COMPILED


def test_no_function_is_empty() -> None:
    """One that has only a docstring counts as abstract, and to call it aborts the process: it says `return None`."""
    found = [
        f"{name}.py:{one.lineno} {one.name}"
        for name in COMPILED
        for one in ast.walk(tree(PACKAGE / f"{name}.py"))
        if isinstance(one, ast.FunctionDef)
        and all(isinstance(line, ast.Pass) or (ast.get_docstring(one) and line is one.body[0]) for line in one.body)
    ]
    assert not found, "\n".join(found)


def _compiled_in_a_new_process(**environment: str) -> str:
    program = "import nearnet.core.routed.forwarding, nearnet.compiled; print(nearnet.compiled.is_compiled())"
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "NEARNET_PURE": "", **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_a_checkout_uses_what_is_of_these_sources() -> None:
    assert _compiled_in_a_new_process(NEARNET_PURE="1") == "False"
    current = compiled.NOTE.exists() and compiled.NOTE.read_text() == compiled.digest_of_sources()
    assert _compiled_in_a_new_process() == str(current)


def test_of_other_sources_it_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEARNET_PURE", raising=False)
    monkeypatch.setattr(compiled, "NOTE", tmp_path / "made-of")
    for text, counts in ((None, False), ("another digest", False), (compiled.digest_of_sources(), True)):
        if text is not None:
            compiled.NOTE.write_text(text)
        compiled.is_current.cache_clear()
        path = compiled.with_compiled(["here"], "core")
        assert (path == [str(compiled.BUILT / "nearnet" / "core"), "here"]) is counts
        assert path[-1] == "here"
    compiled.is_current.cache_clear()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_installed_package_is_compiled_where_there_is_a_compiler(tmp_path: Path) -> None:
    """Whole, or not at all, and it starts either way."""
    for name, compiler, expected in (("with", "", "True"), ("without", "false", "False")):
        if not compiler and not _can_compile():
            continue
        target = tmp_path / name
        install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(target)]
        source = _copy(tmp_path / f"source {name}")
        environment = {**os.environ, "NEARNET_PURE": "", **({"CC": compiler} if compiler else {})}
        subprocess.run([sys.executable, *install, str(source)], env=environment, check=True, capture_output=True)
        assert _compiled_in_a_new_process(PYTHONPATH=str(target)) == expected


def _can_compile() -> bool:
    compiler = str(sysconfig.get_config_var("CC")).split()[0]
    return shutil.which(compiler) is not None and Path(sysconfig.get_path("include"), "Python.h").exists()


def _copy(target: Path) -> Path:
    """The package's sources alone: what is built stays there."""
    (target / "src").mkdir(parents=True)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE-MIT", "LICENSE-APACHE"):
        (target / name).write_bytes((ROOT / name).read_bytes())
    (target / "src" / "nearnet").symlink_to(PACKAGE)
    return target
