"""What `import nearnet` gives, and what it does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nearnet


@pytest.mark.parametrize("name", nearnet.__all__)
def test_each_public_name_is_there(name: str) -> None:
    assert getattr(nearnet, name).__name__ in (name, "PublicKey")


def test_names_are_listed_and_others_refused() -> None:
    assert dir(nearnet) == sorted(nearnet.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nodes'"):
        _ = nearnet.Nodes


def test_the_import_loads_no_part() -> None:
    code = "import sys, nearnet; print([n for n in sys.modules if n.startswith(('nearnet.', 'pydantic', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
