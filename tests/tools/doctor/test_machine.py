"""Disk, descriptors and memory, each short of what is needed."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from nearnet import NetworkConfig
from nearnet.keys import CryptoHash
from nearnet.tools.doctor import Verdict, machine
from nearnet.tools.doctor.machine import check_descriptors, check_disk, check_memory
from nearnet.wire.messages import GenesisId

GENESIS = GenesisId("test", CryptoHash(bytes(32)))


def test_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data" / "nearnet.sqlite"
    assert check_disk(path, GENESIS, running=False).verdict is Verdict.OK
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(machine, "LEAST_FREE", 2**62)
    assert check_disk(path, GENESIS, running=False).verdict is Verdict.WRONG


def test_a_folder_that_cannot_be_written() -> None:
    finding = check_disk(Path("/proc/nearnet.sqlite"), GENESIS, running=False)
    assert finding.verdict is Verdict.WRONG
    assert "/proc cannot be written" in finding.seen


def test_no_disk_is_needed() -> None:
    assert check_disk("memory", GENESIS, running=False).verdict is Verdict.OK


def test_descriptors_of_another_process() -> None:
    """A real one with a low limit, told by its id."""
    limited = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50)); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", limited], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        finding = check_descriptors(NetworkConfig(), process.pid)
        process.communicate("\n")
    assert finding.verdict is Verdict.WRONG
    assert finding.seen.startswith("50 files may be open")
    assert check_descriptors(NetworkConfig(), 2**30).seen.startswith(str(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
    assert check_descriptors(NetworkConfig(), os.getpid()).verdict is Verdict.OK


def test_memory_by_ulimit() -> None:
    script = (
        "import resource\n"
        "from nearnet.tools.doctor.machine import check_memory\n"
        "resource.setrlimit(resource.RLIMIT_AS, (200 * 2**20, 200 * 2**20))\n"
        "found = check_memory()\n"
        "print(found.verdict, found.seen)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "wrong 200 MiB are to be had (by ulimit -v)\n"


def test_memory_of_machine_and_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9999999 kB\nMemAvailable:    2097152 kB\n")
    monkeypatch.setattr(machine, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_GROUP", tmp_path)
    assert check_memory().seen == "2048 MiB are to be had (of the machine's)"
    (tmp_path / "memory.max").write_text("max\n")
    assert check_memory().verdict is Verdict.OK
    (tmp_path / "memory.max").write_text(f"{300 * 2**20}\n")
    (tmp_path / "memory.current").write_text(f"{200 * 2**20}\n")
    finding = check_memory()
    assert (finding.verdict, finding.seen) == (Verdict.WRONG, "100 MiB are to be had (of the control group's)")
    monkeypatch.setattr(machine, "_MEMORY", tmp_path / "none")
    monkeypatch.setattr(machine, "_GROUP", tmp_path / "none")
    assert "does not tell" in check_memory().seen
