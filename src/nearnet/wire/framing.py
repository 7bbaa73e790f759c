"""Frames: a u32 little-endian length, then that many bytes holding one message (`wire.md` §1).

A length is a claim: memory grows with the bytes that arrive, never with the claim.
"""

from __future__ import annotations

import struct

from nearnet.errors import FrameTooLarge

__all__ = ["MAX_FRAME", "Framer", "frame_prefix"]

MAX_FRAME = 512 * 2**20
"""The largest length that is no abuse, in bytes."""

_LENGTH = struct.Struct("<I")

frame_prefix = _LENGTH.pack
"""The four bytes before a frame of that length."""


class Framer:
    """Splits a stream. Frames that lie wholly in one chunk are slices of it; only the others are put together."""

    __slots__ = ("_at", "_chunks", "_data", "_max_frame", "_size")

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max_frame = max_frame
        self._data = b""
        self._at = 0
        self._chunks: list[bytes] = []
        """Chunks of a frame longer than what has come, after the head in `_data`."""
        self._size = 0

    @property
    def buffered(self) -> int:
        """Bytes that came in and are in no frame yet."""
        return len(self._data) - self._at + self._size

    @property
    def missing(self) -> int:
        """Bytes that the frame that has started still lacks; 0 while its length is not known."""
        left = len(self._data) - self._at
        if left < 4:
            return 0
        length: int = _LENGTH.unpack_from(self._data, self._at)[0]
        return max(0, length + 4 - left - self._size)

    @property
    def pending_length(self) -> int | None:
        """The claimed length of the frame that is next, None while its four bytes are not there."""
        if len(self._data) - self._at < 4:
            self._join()
            if len(self._data) - self._at < 4:
                return None
        length: int = _LENGTH.unpack_from(self._data, self._at)[0]
        return length

    def feed(self, data: bytes) -> None:
        """Take bytes from the stream."""
        if self._at == len(self._data) and not self._chunks:
            self._data, self._at = data, 0
        else:
            self._chunks.append(data)
            self._size += len(data)

    def next_frame(self) -> bytes | None:
        """The next whole frame's content, None while it is not there; `FrameTooLarge` when it claims too much."""
        data, at = self._data, self._at
        if len(data) - at < 4:
            if at == len(data) and not self._chunks:  # All was taken, as after most reads.
                self._data, self._at = b"", 0
                return None
            self._join()
            data, at = self._data, self._at
            if len(data) < 4:
                return None
        length: int = _LENGTH.unpack_from(data, at)[0]
        if length > self._max_frame:
            raise FrameTooLarge(f"a frame of {length} bytes is over the limit of {self._max_frame}")
        end = at + 4 + length
        if end > len(data):
            return None if end > len(data) + self._size else self._joined(length)
        self._at = end
        return data[at + 4 : end]

    def _joined(self, length: int) -> bytes:
        """A frame that ends in one of the chunks, copied once; what follows it stays as it is."""
        parts: list[bytes | memoryview] = [memoryview(self._data)[self._at + 4 :]]
        missing = length - len(parts[0])
        chunks = iter(self._chunks)
        chunk = next(chunks)
        while missing > len(chunk):
            parts.append(chunk)
            missing -= len(chunk)
            chunk = next(chunks)
        parts.append(memoryview(chunk)[:missing])
        self._data, self._at, self._chunks = chunk, missing, list(chunks)
        self._size = sum(map(len, self._chunks))
        return b"".join(parts)

    def _join(self) -> None:
        """Put head and chunks together: done once per frame that spans chunks, so that the cost stays linear."""
        if self._chunks or self._at:
            self._data = b"".join((self._data[self._at :], *self._chunks))
            self._at = 0
            self._chunks.clear()
            self._size = 0
