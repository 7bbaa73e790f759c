"""The loop for numba, compiled where numba is installed; `test_graph.py` holds what it finds."""

import subprocess
import sys
from importlib.util import find_spec

from nearnet.core.routing_table import graph_numba


def test_it_is_compiled_where_numba_is_installed(monkeypatch):
    graph_numba.compiled.cache_clear()
    assert (graph_numba.compiled() is not None) == (find_spec("numba") is not None)
    graph_numba.compiled.cache_clear()
    monkeypatch.setitem(sys.modules, "numba", None)
    assert graph_numba.compiled() is None
    graph_numba.compiled.cache_clear()


def test_it_is_not_loaded_for_a_small_graph():
    code = (
        "import sys; from array import array; from nearnet.core.routing_table.graph import *; n = NUMPY_FROM;"
        "shortest_paths(Snapshot(array('I', [0] * n), array('I', range(1, n + 1)), b'\\1' * n, n + 1));"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
