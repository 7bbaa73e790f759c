"""Many signatures checked in one call: a loop around libsodium's own check, compiled. Needs numba (the extra `fast`).

PyNaCl lets go of the interpreter's lock for one signature at a time. To take the next one a thread needs it back, and
waits up to the switch interval while the event loop works: it then waits as long as it checks. Here the lock is let go
once for all of them.

Importing this compiles it: see `compile_loop`, and `verifiers.py`.
"""

from __future__ import annotations

import ctypes
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nearnet.compiling import compile_loop
from nearnet.keys import ROW, sodium_address

__all__ = ["first_refused"]

_SIGNED = ROW - 32
"""Bytes of a row before its key: what `crypto_sign_open` takes for a signed message."""


@intrinsic
def _sodium_open(_: Any, address: Any, signed: Any, length: Any, key: Any) -> Any:
    """`crypto_sign_open` at `address`, without buffers for a copy of the message."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(64)
        form = ir.FunctionType(ir.IntType(32), (pointer, pointer, pointer, number, pointer))
        function, signed, length, key = arguments
        null = ir.Constant(pointer, None)
        signed, key = builder.inttoptr(signed, pointer), builder.inttoptr(key, pointer)
        return builder.call(builder.inttoptr(function, form.as_pointer()), (null, null, signed, length, key))

    return types.int32(types.intp, types.intp, types.int64, types.intp), generate


def _loop(address: Any, rows: Any, start: Any, count: Any) -> Any:
    for number in range(start, count):
        at = rows + number * ROW
        if _sodium_open(address, at, _SIGNED, at + _SIGNED):  # type: ignore[call-arg]
            return number
    return count


_ADDRESS = sodium_address()
_compiled: Any = compile_loop(_loop, _ADDRESS, 0, 0, 0)


def first_refused(rows: bytes, start: int, count: int) -> int:
    """For `keys.use_check`."""
    return int(_compiled(_ADDRESS, ctypes.cast(ctypes.c_char_p(rows), ctypes.c_void_p).value, start, count))
