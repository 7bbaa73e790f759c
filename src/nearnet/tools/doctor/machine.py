"""Checks of the machine: room on the disk, file descriptors, memory."""

from __future__ import annotations

import contextlib
import resource
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nearnet.errors import StoreError, StoreMismatch
from nearnet.net.descriptors import RESERVED
from nearnet.store.opening import MEMORY, open_store
from nearnet.tools.doctor.finding import Finding, fine, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nearnet.config import NetworkConfig
    from nearnet.wire.messages import GenesisId

__all__ = ["LEAST_FREE", "LEAST_MEMORY", "check_descriptors", "check_disk", "check_memory"]

LEAST_FREE = 200 * 2**20
"""Bytes that shall be free where the database is: a thousand peers and a large graph take a tenth."""

LEAST_MEMORY = 256 * 2**20
"""Bytes that shall be to be had: a node takes some 60 MiB, and a large table of edges passes through."""

_MEMORY = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def check_disk(store: Path | str, genesis: GenesisId, running: bool) -> Finding:
    """Whether the database opens, can be written, and has room. A running node's is not opened a second time."""
    if store == MEMORY:
        return fine("disk", "the store is kept in memory; bans and known peers are lost with the process")
    path = Path(store)
    folder = next(folder for folder in path.parents if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
        if path.exists() and not running:
            open_store(path, genesis).close()
    except OSError as error:
        return wrong("disk", f"{folder} cannot be written: {error.strerror}", f"give its owner back: chown -R {folder}")
    except StoreMismatch as error:
        return wrong("disk", str(error), "name another with nearnet.store, or nearnet run --reset-peer-store")
    except StoreError as error:
        return wrong("disk", str(error), "nearnet store check; nearnet run --reset-peer-store begins anew")
    if free < LEAST_FREE:
        return wrong("disk", f"{free // 2**20} MiB are free in {folder}", f"make room: {LEAST_FREE // 2**20} MiB")
    return fine("disk", f"{free // 2**20} MiB are free in {folder}")


def check_descriptors(config: NetworkConfig, pid: int | None) -> Finding:
    """Whether as many files may be open as peers may connect; of a running node by its process id."""
    needed = config.network.max_num_peers + config.nearnet.limits.pending_connections + RESERVED
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if pid is None else _soft_limit(pid)
    if soft == resource.RLIM_INFINITY:
        return fine("descriptors", "no limit")
    seen = f"{soft} files may be open, {needed} are needed for all peers"
    if soft < needed:
        return wrong("descriptors", seen, "ulimit -n 4096 before the start, or LimitNOFILE=4096 in the systemd unit")
    return fine("descriptors", seen)


def _soft_limit(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines():
            if line.startswith("Max open files"):
                return int(line.split()[3])
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def check_memory() -> Finding:
    """What is still to be had, by the system, the control group, and this process's own limit."""
    least, whose = min(_available(), default=(None, ""))
    if least is None:
        return fine("memory", "this system does not tell how much is left")
    seen = f"{least // 2**20} MiB are to be had ({whose})"
    if least < LEAST_MEMORY:
        advice = (
            f"give it {LEAST_MEMORY // 2**20} MiB; lower nearnet.limits.queues_bytes and edges_total on a small machine"
        )
        return wrong("memory", seen, advice)
    return fine("memory", seen)


def _available() -> Iterator[tuple[int, str]]:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in _MEMORY.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) * 1024, "of the machine's"
    with contextlib.suppress(OSError, ValueError):
        most = int((_GROUP / "memory.max").read_text(encoding="ascii"))
        yield most - int((_GROUP / "memory.current").read_text(encoding="ascii")), "of the control group's"
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    if soft != resource.RLIM_INFINITY:
        yield soft, "by ulimit -v"
