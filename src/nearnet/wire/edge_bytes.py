"""An edge as its borsh bytes (document §6.3; `wire.md` §4). `core/routing_table/edge.py` has the rules.

The bytes are the object: about 240 bytes in memory, stored and sent as they are.
"""

from __future__ import annotations

import re
import struct

from nearnet.errors import Malformed
from nearnet.keys import PeerId, Signature
from nearnet.wire.borsh.primitives import KEY, SIGNATURE
from nearnet.wire.edge_layout import MIN_EDGE, ends_of, involves, is_active, nonce_at, nonce_of

__all__ = ["PLAIN_PAIR", "Edge", "read_edge", "read_plain_edges"]

_NONCE = struct.Struct("<Q")
PLAIN_PAIR = rb"\0.{32}\0.{40}(?:\0.{63}[\0-\x1f]){2}"
"""A pattern for the bytes of an edge of two ed25519 keys, up to its removal info."""

_PLAIN = re.compile(PLAIN_PAIR + rb"\0", re.DOTALL).match
"""An edge of two ed25519 keys that nobody removed: nearly all are so, and this finds them in half the time."""

_PLAIN_EDGES = re.compile(rb"(?:%b\0)++" % PLAIN_PAIR, re.DOTALL).match
"""Any number of such edges."""


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
        return PeerId(ends_of(self)[0])

    @property
    def peer1(self) -> PeerId:
        """The larger id."""
        return PeerId(ends_of(self)[1])

    @property
    def key(self) -> tuple[PeerId, PeerId]:
        """Both ids: what the edge is known by."""
        peer0, peer1 = ends_of(self)
        return PeerId(peer0), PeerId(peer1)

    @property
    def nonce(self) -> int:
        """Odd: active; even: removed."""
        return nonce_of(self)

    @property
    def is_active(self) -> bool:
        """Whether the nonce is odd."""
        return is_active(self)

    @property
    def signatures(self) -> tuple[Signature, Signature]:
        """Of peer0 and peer1, both over the active nonce."""
        start = nonce_at(self) + 8
        middle = start + SIGNATURE[self[start]]
        return Signature(self[start:middle]), Signature(self[middle : middle + SIGNATURE[self[middle]]])

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
        start = nonce_at(self) + 8
        middle = start + SIGNATURE[self[start]]
        end = middle + SIGNATURE[self[middle]]
        return (bool(self[end + 1]), Signature(self[end + 2 :])) if self[end] else None

    def parts(self) -> tuple[bytes, bytes, int, bytes, bytes, tuple[bool, bytes] | None]:
        """All fields at once, as plain bytes: peer0, peer1, nonce, signature0, signature1, removal."""
        if len(self) == MIN_EDGE:
            return self[:33], self[33:66], nonce_of(self), self[74:139], self[139:204], None
        first = nonce_at(self) + 8
        second = first + SIGNATURE[self[first]]
        end = second + SIGNATURE[self[second]]
        removal = (self[end + 1] == 1, self[end + 2 :]) if self[end] else None
        return *ends_of(self), nonce_of(self), self[first:second], self[second:end], removal

    def involves(self, peer: bytes) -> bool:
        """Whether `peer` is one of its ends."""
        return involves(self, peer)

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
        at = start + KEY[data[start]]
        at += KEY[data[at]] + 8
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
    end = at + SIGNATURE[data[at]]
    if not data[at] and data[end - 1] & 0xE0:
        raise Malformed("an ed25519 signature has top bits that none has")
    return end
