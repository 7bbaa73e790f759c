"""A node whose disk is full: it says so, loses nothing, and goes on when there is room (`threats.md` row 64).

The disk is a tmpfs of 2 MiB in a mount namespace of the node's own.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
from pathlib import Path

import pytest
from network.node_process import NodeProcess, make_home

from nearnet.keys import SecretKey

SIZE = "2m"


def own_mounts() -> tuple[str, ...] | None:
    """The command that gives a process mounts of its own; None where the machine permits none."""
    for flags in ("-m", "-rm"):
        command = ("unshare", flags, "sh", "-c", "mount -t tmpfs none /mnt")
        if shutil.which("unshare") and subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return ("unshare", flags)
    return None


@pytest.fixture
def small_disk(tmp_path: Path) -> tuple[Path, tuple[str, ...]]:
    """A home whose data lie on a small disk, and the command that makes it so."""
    unshare = own_mounts()
    if unshare is None:
        pytest.skip("no mounts of one's own on this machine: needs unshare, as root or with user namespaces")
    home = make_home(tmp_path / "home")
    (home / "data").mkdir(exist_ok=True)
    mount = f'mount -t tmpfs -o size={SIZE} none "$0" && exec "$@"'
    return home, (*unshare, "sh", "-c", mount, str(home / "data"))


def _bans(node: NodeProcess) -> set[str]:
    return {one["peer_id"] for one in node.call("nearnet_bans")}


def _ban(node: NodeProcess, name: str) -> str:
    peer = str(SecretKey.from_seed(name).public_key)
    node.call("nearnet_ban", peer_id=peer)
    return peer


def _fill(path: Path) -> None:
    """Until nothing fits."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


@pytest.mark.threat(64)
def test_a_full_disk_is_told_and_nothing_is_lost(small_disk: tuple[Path, tuple[str, ...]]) -> None:
    home, within = small_disk
    with NodeProcess(home, within=within) as node:
        before = _ban(node, "before")
        disk = Path("/proc", str(node.process.pid), "root") / (home / "data").relative_to("/")
        assert (disk / "nearnet.sqlite").exists()
        assert not (home / "data" / "nearnet.sqlite").exists(), "the disk is the node's alone"
        filler = disk / "filler"
        _fill(filler)
        # The file's last pages have room for some rows; beyond these it is told.
        during = {before}
        for number in range(400):
            during.add(_ban(node, f"during {number}"))
            if node.call("status")["nearnet"]["degraded"] == "storage":
                break
        else:
            raise AssertionError("never degraded")
        assert _bans(node) == during
        assert "the disk is full" in node.log()
        filler.unlink()
        node.until("status", lambda status: status["nearnet"]["degraded"] is None)
        after = _ban(node, "after")
        kept = [shutil.copy2(disk / name.name, home) for name in disk.glob("nearnet.sqlite*")]
        assert kept
        node.kill()
        assert "Traceback" not in node.log()
    (home / "data").rmdir()
    (home / "data").mkdir()
    for copy in kept:
        shutil.move(copy, home / "data")
    with NodeProcess(home) as again:
        assert _bans(again) == during | {after}
        again.kill()


@pytest.mark.threat(64)
def test_a_start_without_any_room_says_so(small_disk: tuple[Path, tuple[str, ...]]) -> None:
    home, within = small_disk
    fill = 'head -c 4m /dev/zero > "$0/filler" 2>/dev/null; exec "$@"'
    node = NodeProcess(home, within=(*within, "sh", "-c", fill, str(home / "data")))
    code, sentence = node.refused()
    assert code == 1
    assert "the disk is full" in sentence
    assert "Traceback" not in sentence
