"""A routed message as it lies in its frame: offsets, not objects (`wire.md` §4).

What passes through a node is read by this alone: its body is never decoded, and forwarding copies the frame once with
one byte changed, or, where it is large, not at all.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TypeAlias

from nearnet.errors import Malformed
from nearnet.keys import CryptoHash, PeerId, PublicKey, Signature
from nearnet.wire.borsh.primitives import KEY, SIGNATURE
from nearnet.wire.messages import RoutedMessage
from nearnet.wire.protobuf.fields import Unknown, read_timestamp

__all__ = ["Pieces", "RoutedFrame", "routed_bytes", "routed_digest"]

Pieces: TypeAlias = tuple[bytes | memoryview, ...]
"""Bytes to be written one after the other; some may be empty."""

_COPY_BELOW = 4096
"""Joining small pieces costs less than doing without."""

_BYTES = tuple(bytes((byte,)) for byte in range(256))


class RoutedFrame:
    """One routed message in `frame`, whose borsh `RoutedMessage` lies from `start` to `end` (of the frame by default).

    Reading it raises `Malformed`.
    `is_v3`: it came in the form of field 37 (`wire.md` §6); `frame` holds the V1 message that this form stands for.
    """

    __slots__ = (
        "_digest",
        "author_at",
        "body_index",
        "end",
        "frame",
        "is_v3",
        "num_hops",
        "sig_at",
        "stamp",
        "start",
        "ttl",
        "ttl_at",
    )

    def __init__(
        self,
        frame: bytes,
        start: int,
        stamp: bytes | None = None,
        num_hops: int | None = None,
        is_v3: bool = False,
        end: int | None = None,
    ) -> None:
        self.frame = frame
        self.start = start
        self.end = len(frame) if end is None else end
        self.is_v3 = is_v3
        self.stamp = stamp
        self.num_hops = num_hops
        try:
            self.author_at = author_at = start + 33 if frame[start] else start + 1 + KEY[frame[start + 1]]
            if frame[start] > 1:
                raise Malformed(f"{frame[start]} is no kind of target")
            self.sig_at = sig_at = author_at + KEY[frame[author_at]]
            self.ttl_at = ttl_at = sig_at + SIGNATURE[frame[sig_at]]
            self.ttl: int = frame[ttl_at]
            self.body_index: int = frame[ttl_at + 1]
        except IndexError:
            raise Malformed("a routed message is cut short or has an unknown key or signature type") from None
        if ttl_at + 2 > self.end:
            raise Malformed("a routed message is cut short")
        if not frame[sig_at] and frame[ttl_at - 1] & 0xE0:
            raise Malformed("an ed25519 signature has top bits that none has")
        self._digest: bytes | None = None

    @property
    def has_ml_dsa(self) -> bool:
        """Whether the author or the target is a key of ML-DSA-65 (`network-2026.md` §3)."""
        frame, start = self.frame, self.start
        return frame[self.author_at] == 2 or (frame[start + 1] == 2 and frame[start] == 0)

    @property
    def created_at(self) -> tuple[int, int] | None:
        """When it was made, as its author says: unix seconds and nanoseconds; only protobuf tells."""
        stamp = self.stamp
        return None if stamp is None else read_timestamp(stamp, 0, len(stamp), Unknown())

    @property
    def target(self) -> PeerId | CryptoHash:
        """The peer it is for, or the hash it goes back along."""
        data = self.frame[self.start + 1 : self.author_at]
        return CryptoHash(data) if self.frame[self.start] else PeerId(data)

    @property
    def author(self) -> PeerId:
        """Who made and signed it."""
        return PeerId(self.frame[self.author_at : self.sig_at])

    @property
    def signature(self) -> Signature:
        """The author's, of `digest`."""
        return Signature(self.frame[self.sig_at : self.ttl_at])

    @property
    def header(self) -> bytes:
        """Target, author and signature: two messages that have them in common are the same, but for the ttl."""
        return self.frame[self.start : self.ttl_at]

    def digest(self) -> bytes:
        """The hash that is signed, and that a reply is addressed to: of target, author and body.

        Plain bytes, equal to the `CryptoHash`: an object that Python's collector looks at is too much for each message.
        """
        digest = self._digest
        if digest is None:
            frame = self.frame
            if len(frame) < _COPY_BELOW:
                data = sha256(frame[self.start : self.sig_at] + frame[self.ttl_at + 1 : self.end])
            else:
                data = sha256(frame[self.start : self.sig_at])
                data.update(memoryview(frame)[self.ttl_at + 1 : self.end])
            self._digest = digest = data.digest()
        return digest

    def signature_row(self) -> bytes:
        """For `keys.check_signatures`; as `keys.signature_row`."""
        frame, middle = self.frame, self.sig_at
        return frame[middle + 1 : self.ttl_at] + self.digest() + frame[self.author_at + 1 : middle]

    def less_one(self, start: int, before: bytes = b"", behind: bytes = b"") -> bytes:
        """The frame from `start` to the message's end with a ttl one less, between other bytes, in one copy.

        From `self.start` that is the borsh `RoutedMessage`.
        """
        frame, at, ttl = self.frame, self.ttl_at, _BYTES[self.ttl - 1]
        if len(frame) < _COPY_BELOW:
            return before + frame[start:at] + ttl + frame[at + 1 : self.end] + behind
        return b"".join(self.less_one_in_pieces(start, before, behind))

    def less_one_in_pieces(self, start: int, before: bytes = b"", behind: bytes = b"") -> Pieces:
        """The same without a copy of its body."""
        frame, at, ttl = self.frame, self.ttl_at, _BYTES[self.ttl - 1]
        return before + frame[start:at] + ttl, memoryview(frame)[at + 1 : self.end], behind

    def message(self) -> RoutedMessage:
        """The whole message, for local delivery."""
        body = self.frame[self.ttl_at + 1 : self.end]
        return RoutedMessage(self.target, self.author, self.signature, self.ttl, body)


def routed_bytes(message: RoutedMessage) -> bytes:
    """The borsh `RoutedMessage` of these fields."""
    return _target(message.target) + message.author + message.signature + bytes((message.ttl,)) + message.body


def routed_digest(message: RoutedMessage) -> CryptoHash:
    """The hash of these fields; see `RoutedFrame.digest`. The ttl and the signature are not in it."""
    return CryptoHash.of(_target(message.target) + message.author + message.body)


def _target(target: PeerId | CryptoHash) -> bytes:
    return (b"\0" if isinstance(target, PublicKey) else b"\1") + target
