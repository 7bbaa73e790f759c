"""Borsh primitives (`wire.md` §2): a reader over bytes, a writer over a bytearray.

A count is held against the bytes that are left before anything is built on it; what does not fit is `Malformed`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, TypeVar

from nearnet.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["KEY", "SIGNATURE", "Reader", "Writer"]

KEY: Final = (33, 65, 1953)
"""Bytes of a public key, by its first one (`wire.md` §3; `network-2026.md` §3): ed25519, secp256k1, ML-DSA-65."""

SIGNATURE: Final = (65, 66, 3310)
"""Bytes of a signature, by its first one."""

T = TypeVar("T")
_U16, _U32, _U64 = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<Q")


class Reader:
    """Reads values one after the other; `data[at:]` is what is left."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return len(self.data) - self.at

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        end = self.at + length
        if end > len(self.data):
            raise Malformed(f"{length} bytes wanted, {self.left} left")
        value = self.data[self.at : end]
        self.at = end
        return value

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Two bytes, little-endian."""
        value: int = _U16.unpack(self.take(2))[0]
        return value

    def u32(self) -> int:
        """Four bytes, little-endian."""
        value: int = _U32.unpack(self.take(4))[0]
        return value

    def u64(self) -> int:
        """Eight bytes, little-endian."""
        value: int = _U64.unpack(self.take(8))[0]
        return value

    def bool(self) -> bool:
        """One byte, 0 or 1."""
        value = self.u8()
        if value > 1:
            raise Malformed(f"{value} is no bool")
        return value == 1

    def string(self) -> str:
        """A u32 length and that much UTF-8."""
        try:
            return self.take(self.u32()).decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("a string is not UTF-8") from None

    def vec(self, item: Callable[[Reader], T], min_length: int) -> tuple[T, ...]:
        """A u32 count and that many items of at least `min_length` bytes each."""
        return tuple(item(self) for _ in range(self.count(min_length)))

    def count(self, min_length: int) -> int:
        """A u32 count of items of at least `min_length` bytes each, for which there are bytes."""
        count = self.u32()
        if count * min_length > self.left:
            raise Malformed(f"{count} items claimed in {self.left} bytes")
        return count

    def option(self, item: Callable[[Reader], T]) -> T | None:
        """A byte 0, or 1 and the item."""
        return item(self) if self.bool() else None

    def finish(self) -> None:
        """Nothing may be left."""
        if self.left:
            raise Malformed(f"{self.left} bytes left over")


class Writer:
    """Writes values one after the other."""

    __slots__ = ("_out",)

    def __init__(self) -> None:
        self._out = bytearray()

    def getvalue(self) -> bytes:
        """All that was written."""
        return bytes(self._out)

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self._out += data

    def u8(self, value: int) -> None:
        """One byte."""
        self._out.append(value)

    def u16(self, value: int) -> None:
        """Two bytes, little-endian."""
        self._out += _U16.pack(value)

    def u32(self, value: int) -> None:
        """Four bytes, little-endian."""
        self._out += _U32.pack(value)

    def u64(self, value: int) -> None:
        """Eight bytes, little-endian."""
        self._out += _U64.pack(value)

    def string(self, value: str) -> None:
        """A u32 length and UTF-8."""
        data = value.encode()
        self.u32(len(data))
        self._out += data

    def vec(self, items: Iterable[T], count: int, item: Callable[[T], None]) -> None:
        """A u32 count and the items."""
        self.u32(count)
        for one in items:
            item(one)

    def option(self, value: T | None, item: Callable[[T], None]) -> None:
        """A byte 0, or 1 and the item."""
        self.u8(value is not None)
        if value is not None:
            item(value)
