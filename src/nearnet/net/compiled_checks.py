"""Many signatures checked in one call: loops around libsodium's functions, compiled. Needs numba (the extra `fast`).

PyNaCl lets go of the interpreter's lock for one signature at a time. To take the next one a thread needs it back, and
waits up to the switch interval while the event loop works: it then waits as long as it checks. Here the lock is let go
once for all of them.

Importing this compiles it: see `compile_loop`, and `verifiers.py`.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nearnet.keys import ROW, sodium_address
from nearnet.numba_loops import compile_loop
from nearnet.wire.edge_layout import MIN_EDGE

__all__ = ["first_refused", "first_refused_edge"]

_SIGNED = ROW - 32
"""Bytes of a row before its key: what `crypto_sign_open` takes for a signed message."""

_EDGE_SIGNED = 33 + 33 + 8
"""Bytes of an edge of two ed25519 keys that both ends sign the hash of: its first."""


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


@intrinsic
def _sodium_sha256(_: Any, address: Any, digest: Any, data: Any, length: Any) -> Any:
    """`crypto_hash_sha256` at `address`: the hash of `length` bytes at `data` goes to `digest`."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(64)
        form = ir.FunctionType(ir.IntType(32), (pointer, pointer, number))
        function, digest, data, length = arguments
        digest, data = builder.inttoptr(digest, pointer), builder.inttoptr(data, pointer)
        return builder.call(builder.inttoptr(function, form.as_pointer()), (digest, data, length))

    return types.int32(types.intp, types.intp, types.intp, types.int64), generate


def _loop(address: Any, rows: Any, start: Any, count: Any) -> Any:
    for number in range(start, count):
        at = rows + number * ROW
        if _sodium_open(address, at, _SIGNED, at + _SIGNED):  # type: ignore[call-arg]
            return number
    return count


def _is_well_formed(edges: Any, at: Any) -> Any:
    """As `core.edge.well_formed`: the smaller id first, and the nonce odd."""
    for number in range(at, at + 33):
        if edges[number] != edges[number + 33]:
            return edges[number] < edges[number + 33] and edges[at + 66] & 1 == 1
    return False


def _edges_loop(check: Any, sha256: Any, edges: Any, count: Any, row: Any) -> Any:
    """`row`: room for a signature and a digest."""
    for number in range(count):
        at = number * MIN_EDGE
        if not _is_well_formed(edges, at):
            return number
        edge = edges.ctypes.data + at
        _sodium_sha256(sha256, row.ctypes.data + 64, edge, _EDGE_SIGNED)  # type: ignore[call-arg]
        for end in range(2):
            signature = at + _EDGE_SIGNED + end * 65 + 1
            row[:64] = edges[signature : signature + 64]
            if _sodium_open(check, row.ctypes.data, _SIGNED, edge + end * 33 + 1):
                return number
    return count


_CHECK, _SHA256 = sodium_address("crypto_sign_open"), sodium_address("crypto_hash_sha256")
_compiled: Any = compile_loop(_loop, _CHECK, 0, 0, 0)
_compiled_edges: Any = compile_loop(
    _edges_loop,
    _CHECK,
    _SHA256,
    np.frombuffer(b"\0", np.uint8),
    0,
    np.empty(_SIGNED, np.uint8),
    calls=[_is_well_formed],
)


def first_refused(rows: bytes, start: int, count: int) -> int:
    """As `keys.ManyChecks` says."""
    return int(_compiled(_CHECK, ctypes.cast(ctypes.c_char_p(rows), ctypes.c_void_p).value, start, count))


def first_refused_edge(edges: bytes, count: int) -> int:
    """As `keys.ManyChecks` says."""
    return int(_compiled_edges(_CHECK, _SHA256, np.frombuffer(edges, np.uint8), count, np.empty(_SIGNED, np.uint8)))
