"""The allocator of a daemon: freed memory of large messages is kept for the next one."""

from __future__ import annotations

__all__ = ["KEPT", "keep_freed_memory"]

KEPT = 32 * 2**20
"""Bytes at the heap's end that are kept; blocks up to this size come from the heap."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed_memory() -> bool:
    """Whether the allocator could be told: glibc's can.

    It gives back a message's MiB as soon as it has been sent, and asks for another at once, page by page: more than a
    third of the CPU time of passing on messages of 1 MiB.
    """
    import ctypes  # which loads libffi: after the p2p port listens

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, KEPT) and mallopt(_M_MMAP_THRESHOLD, KEPT))
