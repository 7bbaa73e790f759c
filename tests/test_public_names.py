"""What `import nearnet` gives, and what it does not load."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import nearnet
import nearnet.events


@pytest.mark.parametrize("name", nearnet.__all__)
def test_each_public_name_is_there(name: str) -> None:
    home = importlib.import_module(f"nearnet.{nearnet._HOME_OF[name]}")
    assert getattr(nearnet, name) is getattr(home, name)
    assert name in home.__all__


def test_the_list_is_exact_and_sorted() -> None:
    assert nearnet.__all__ == sorted(nearnet._HOME_OF)


def test_all_events_and_errors_of_the_api_are_public() -> None:
    assert {one.__name__ for one in nearnet.events.KINDS.values()} <= set(nearnet.__all__)
    raised = {"NearnetError", "ConfigError", "NoAnswer", "NotConnected", "PeerRefused", "RouteNotFound", "StoreError"}
    assert raised <= set(nearnet.__all__)


def test_names_are_listed_and_others_refused() -> None:
    assert dir(nearnet) == sorted(nearnet.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nodes'"):
        _ = nearnet.Nodes


def test_the_import_loads_no_part() -> None:
    code = "import sys, nearnet; print([n for n in sys.modules if n.startswith(('nearnet.', 'pydantic', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
