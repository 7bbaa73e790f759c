"""The allocator is told on Linux with glibc; elsewhere nothing happens."""

import ctypes
import platform
import subprocess
import sys

from nearnet.tools.heap import keep_freed_memory


def test_where_it_is_glibc():
    code = "from nearnet.tools.heap import keep_freed_memory; print(keep_freed_memory())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(platform.libc_ver()[0] == "glibc")


def test_another_allocator(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not keep_freed_memory()
