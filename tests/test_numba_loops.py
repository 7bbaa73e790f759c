"""Loops that numba compiles: also where there is nowhere to keep them, and where it is not installed."""

import subprocess
import sys

import pytest

from nearnet.numba_loops import compile_loop


def total(numbers, count):
    found = 0
    for at in range(count):
        found += numbers[at]
    return found


def test_without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    assert compile_loop(total, [1], 1) is None


@pytest.mark.parametrize("fails", ["to begin", "to keep it"])
def test_where_nothing_can_be_kept_it_is_compiled_anew(monkeypatch, fails):
    """As numba says it: there is no place at all, or its disk is full."""
    numba = pytest.importorskip("numba")
    asked = []

    def njit(*, cache=False, nogil):
        asked.append(cache)

        def decorate(function):
            if cache and fails == "to begin":
                raise RuntimeError("cannot cache function: no locator available")
            if cache:
                raise OSError("no space left on device")
            return function

        return decorate

    monkeypatch.setattr(numba, "njit", njit)
    loop = compile_loop(total, [1], 1)
    assert loop is not None
    assert loop([1, 2, 3], 2) == 3
    assert asked == [True, False]


@pytest.mark.slow
def test_a_node_without_a_home_on_a_read_only_system_compiles_all_the_same(tmp_path):
    """Numba looks for a place beside the file and in the home; here both cannot be written."""
    pytest.importorskip("numba")
    code = (
        "import numba.core.caching as c; c.CacheImpl._locator_classes = [];"
        "from nearnet.core.routing_table.graph_numba import compiled;"
        "from nearnet.net.verifiers import check_many_at_once;"
        "print(compiled() is not None, check_many_at_once())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert ran.stdout == "True True\n"
