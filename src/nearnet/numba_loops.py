"""Plain loops over numbers, compiled by numba (the extra `fast`) where it is installed; nothing needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["compile_loop"]


def compile_loop(
    function: Callable[..., Any], *arguments: Any, calls: Sequence[Callable[..., Any]] = ()
) -> Callable[..., Any] | None:
    """`function`, compiled for arguments like these, with which it is called once; None without numba.

    `calls`: functions of ours that it calls.

    It lets go of the interpreter's lock. What was compiled is kept for the next process. Takes a third of a second and
    110 MB, the first time on a machine a second more.
    """
    try:
        from numba import njit
        from numba.extending import register_jitable
    except ImportError:
        return None
    for called in calls:
        register_jitable(called)
    try:
        loop = njit(cache=True, nogil=True)(function)
        loop(*arguments)
    except (OSError, RuntimeError):
        # Nowhere to keep it: a service without a home on a read-only system, a full disk.
        loop = njit(nogil=True)(function)
        loop(*arguments)
    return loop
