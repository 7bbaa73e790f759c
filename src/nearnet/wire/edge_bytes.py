"""An edge as its borsh bytes (document §6.3; `wire.md` §4). `core/edge.py` has the rules.

The bytes are the object: about 240 bytes in memory, stored and sent as they are.
"""

from __future__ import annotations

import re
import struct

from nearnet.errors import Malformed
from nearnet.keys import PeerId, Signature

__all__ = ["MIN_EDGE", "PLAIN_PAIR", "Edge", "read_edge", "read_plain_edges"]

_KEY = (33, 65)
_SIGNATURE = (65, 66)
_NONCE = struct.Struct("<Q")
PLAIN_PAIR = rb"\0.{32}\0.{40}(?:\0.{63}[\0-\x1f]){2}"
"""A pattern for the bytes of an edge of two ed25519 keys, up to its removal info."""

_PLAIN = re.compile(PLAIN_PAIR + rb"\0", re.DOTALL).match
"""An edge of two ed25519 keys that nobody removed: nearly all are so, and this finds them in half the time."""

MIN_EDGE = 33 + 33 + 8 + 65 + 65 + 1
"""Bytes of the smallest edge, of two ed25519 keys and not removed: no other has that length."""

_PLAIN_EDGES = re.compile(rb"(?:%b\0)++" % PLAIN_PAIR, re.DOTALL).match
"""Any number of such edges."""

_PLAIN_NONCE_AT = 66


class Edge(bytes):
    """peer0, peer1, nonce, both signatures, removal info. `read_edge` checks the layout, the constructor does not."""

    __slots__ = ()

    @classmethod
    def build(
        cls,
        peer0: bytes,
        peer1: bytes,
        nonce: int,
        signature0: bytes,
        signature1: bytes,
        removal: tuple[bool, bytes] | None = None,
    ) -> Edge:
        """From its parts; `removal` is (whether peer0 removed it, the remover's signature)."""
        end = b"\0" if removal is None else bytes((1, removal[0])) + removal[1]
        return cls(peer0 + peer1 + _NONCE.pack(nonce) + signature0 + signature1 + end)

    @property
    def peer0(self) -> PeerId:
        """The smaller id."""
        return PeerId(self[: _KEY[self[0]]])

    @property
    def peer1(self) -> PeerId:
        """The larger id."""
        start = _KEY[self[0]]
        return PeerId(self[start : start + _KEY[self[start]]])

    @property
    def key(self) -> tuple[PeerId, PeerId]:
        """Both ids: what the edge is known by."""
        middle = _KEY[self[0]]
        return PeerId(self[:middle]), PeerId(self[middle : middle + _KEY[self[middle]]])

    @property
    def ends(self) -> tuple[bytes, bytes]:
        """As `key`, as plain bytes: equal to the ids, at a quarter of the cost."""
        middle = _KEY[self[0]]
        return self[:middle], self[middle : middle + _KEY[self[middle]]]

    @property
    def _nonce_at(self) -> int:
        middle = _KEY[self[0]]
        return middle + _KEY[self[middle]]

    @property
    def nonce(self) -> int:
        """Odd: active; even: removed."""
        nonce: int = _NONCE.unpack_from(self, _PLAIN_NONCE_AT if len(self) == MIN_EDGE else self._nonce_at)[0]
        return nonce

    @property
    def is_active(self) -> bool:
        """Whether the nonce is odd."""
        return self[_PLAIN_NONCE_AT if len(self) == MIN_EDGE else self._nonce_at] & 1 == 1

    @property
    def signatures(self) -> tuple[Signature, Signature]:
        """Of peer0 and peer1, both over the active nonce."""
        start = self._nonce_at + 8
        middle = start + _SIGNATURE[self[start]]
        return Signature(self[start:middle]), Signature(self[middle : middle + _SIGNATURE[self[middle]]])

    @property
    def signature0(self) -> Signature:
        """Of peer0."""
        return self.signatures[0]

    @property
    def signature1(self) -> Signature:
        """Of peer1."""
        return self.signatures[1]

    @property
    def removal(self) -> tuple[bool, Signature] | None:
        """(whether peer0 removed it, the remover's signature over the even nonce), or None."""
        start = self._nonce_at + 8
        middle = start + _SIGNATURE[self[start]]
        end = middle + _SIGNATURE[self[middle]]
        return (bool(self[end + 1]), Signature(self[end + 2 :])) if self[end] else None

    def parts(self) -> tuple[bytes, bytes, int, bytes, bytes, tuple[bool, bytes] | None]:
        """All fields at once, as plain bytes: peer0, peer1, nonce, signature0, signature1, removal."""
        if len(self) == MIN_EDGE:
            (nonce,) = _NONCE.unpack_from(self, _PLAIN_NONCE_AT)
            return self[:33], self[33:66], nonce, self[74:139], self[139:204], None
        middle = _KEY[self[0]]
        at = middle + _KEY[self[middle]]
        first = at + 8
        second = first + _SIGNATURE[self[first]]
        end = second + _SIGNATURE[self[second]]
        removal = (self[end + 1] == 1, self[end + 2 :]) if self[end] else None
        (nonce,) = _NONCE.unpack_from(self, at)
        return self[:middle], self[middle:at], nonce, self[first:second], self[second:end], removal

    def involves(self, peer: bytes) -> bool:
        """Whether `peer` is one of its ends."""
        return self.startswith(peer) or self.startswith(peer, _KEY[self[0]])

    def other(self, peer: bytes) -> PeerId:
        """The end that is not `peer`."""
        peer0, peer1 = self.key
        return peer1 if peer == peer0 else peer0

    def __repr__(self) -> str:
        return f"<Edge {self.peer0} {self.peer1} {self.nonce}>"


def read_edge(data: bytes, start: int) -> tuple[Edge, int]:
    """The edge at `start` and where it ends; `Malformed` when these bytes are none."""
    plain = _PLAIN(data, start)
    if plain is not None:
        return Edge(plain[0]), plain.end()
    try:
        at = start + _KEY[data[start]]
        at += _KEY[data[at]] + 8
        at = _skip_signature(data, at)
        at = _skip_signature(data, at)
        option = data[at]
        at += 1
        if option == 1:
            if data[at] > 1:
                raise Malformed("an edge's removal side is neither 0 nor 1")
            at = _skip_signature(data, at + 1)
        elif option:
            raise Malformed("an edge's option byte is neither 0 nor 1")
    except IndexError:
        raise Malformed("an edge is cut short or has an unknown key or signature type") from None
    if at > len(data):
        raise Malformed("an edge is cut short")
    return Edge(data[start:at]), at


def read_plain_edges(data: bytes, start: int, most: int) -> list[Edge]:
    """The edges of two ed25519 keys that lie from `start` on, one behind the other and none removed; `most` at most."""
    plain = _PLAIN_EDGES(data, start, start + most * MIN_EDGE)
    end = start if plain is None else plain.end()
    return [Edge(data[at : at + MIN_EDGE]) for at in range(start, end, MIN_EDGE)]


def _skip_signature(data: bytes, at: int) -> int:
    end = at + _SIGNATURE[data[at]]
    if not data[at] and data[end - 1] & 0xE0:
        raise Malformed("an ed25519 signature has top bits that none has")
    return end
