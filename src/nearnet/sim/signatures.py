"""What many nodes in one process may share: signatures that cost little, edges held once, edges checked once.

None of it changes a decision. A fast signature is a keyed hash as long as an ed25519 signature; the golden scenarios
run with real ones. The core's own functions check both: the curve's check is exchanged while a world runs, no longer.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from nearnet import keys
from nearnet.core.routing_table.edge import Verdict, check_outcome, edge_digest
from nearnet.keys import PeerId, PublicKey, SecretKey, Signature
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import PeersRequest, PeersResponse, SyncRoutingTable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from nearnet.core.routing_table.edge import EdgeCheck
    from nearnet.core.runtime.actions import Verify
    from nearnet.wire.dialect import Dialect
    from nearnet.wire.messages import Message
    from nearnet.wire.routed_frame import Pieces, RoutedFrame

__all__ = [
    "MOST_HOPS",
    "EdgePool",
    "FastKey",
    "SharedDialect",
    "SharedEdge",
    "fast_check",
    "fast_signatures",
    "made_up_edge",
]

_REMEMBERED = 200_000
"""Decoded small messages, and outcomes of checks, that are kept; then all are forgotten and found anew."""

MOST_HOPS = 100
"""`routed_message_ttl`: so often a message may be passed on, by all nodes together."""

_LISTS_REMEMBERED = 1000
"""Decoded lists of peers that are kept, at up to 40 KB: a node sends all who ask the same one."""

_SMALL = 2048
"""Bytes of a frame up to which its decoded form is kept: gossip of few edges and questions, sent alike by all."""


def _keyed_hash(public: bytes, digest: bytes) -> bytes:
    signature = bytearray(hashlib.blake2b(digest, key=public[:32], digest_size=64).digest())
    signature[63] &= 0x1F  # No ed25519 signature has these bits, and the codecs refuse them.
    return bytes(signature)


class FastKey(SecretKey):
    """A key of the ed25519 form whose signatures anybody could forge, at a fiftieth of the cost."""

    __slots__ = ()

    def __init__(self, seed: str) -> None:
        self._coin = None
        self._secret = hashlib.sha256(seed.encode()).digest()
        self.public_key = PublicKey(b"\0" + hashlib.sha256(b"public " + self._secret).digest())

    def sign(self, digest: bytes) -> Signature:
        """The keyed hash of `digest`."""
        return Signature(b"\0" + _keyed_hash(self.public_key[1:], digest))


def made_up_edge(first: FastKey, second: FastKey, nonce: int) -> Edge:
    """The edge of two keys, the one with the smaller id first."""
    digest = edge_digest(first.public_key, second.public_key, nonce)
    return Edge.build(first.public_key, second.public_key, nonce, first.sign(digest), second.sign(digest))


def fast_check(_: object, __: object, signed: bytes, length: int, public: bytes) -> int:
    """Stands in for libsodium's `crypto_sign_open`: 0 when the 64 bytes before the message are right."""
    return 0 if _keyed_hash(public, signed[64:length]) == signed[:64] else -1


@contextmanager
def fast_signatures(enabled: bool = True) -> Iterator[None]:
    """Inside, the signatures of `FastKey`s hold and those of the curve do not; afterwards all is as it was."""
    if not enabled:
        yield
        return
    before = keys.use_check(fast_check)
    try:
        yield
    finally:
        keys.use_check(*before)


class SharedEdge(Edge):
    """One edge for all nodes that hold it. Its parts are read once; its ids are the same objects everywhere."""

    @cached_property
    def key(self) -> tuple[PeerId, PeerId]:
        """Both ids."""
        return super().key

    @property
    def ends(self) -> tuple[bytes, bytes]:
        """Both ids, the same objects everywhere."""
        return self.key

    @cached_property
    def nonce(self) -> int:
        """Odd: active; even: removed."""
        return super().nonce

    @cached_property
    def is_active(self) -> bool:
        """Whether the nonce is odd."""
        return super().is_active

    @cached_property
    def _parts(self) -> tuple[bytes, bytes, int, bytes, bytes, tuple[bool, bytes] | None]:
        return super().parts()

    def parts(self) -> tuple[bytes, bytes, int, bytes, bytes, tuple[bool, bytes] | None]:
        """All fields at once."""
        return self._parts


class EdgePool:
    """The edges of one world, each held once and checked once."""

    __slots__ = ("_dialects", "_edges", "_lists", "_messages", "_outcomes", "_passed_on", "_peers")

    def __init__(self) -> None:
        self._dialects: dict[str, Dialect] = {}
        self._edges: dict[Edge, SharedEdge] = {}
        self._peers: dict[PeerId, PeerId] = {}
        self._messages: dict[bytes, Message] = {}
        self._lists: dict[bytes, Message] = {}
        self._outcomes: dict[Edge, str] = {}
        self._passed_on: dict[bytes, int] = {}

    def dialect(self, dialect: Dialect) -> Dialect:
        """The same dialect, with shared edges."""
        shared = self._dialects.get(dialect.name)
        if shared is None:
            shared = self._dialects[dialect.name] = cast("Dialect", SharedDialect(dialect, self))
        return shared

    def passed_on(self, digest: bytes) -> None:
        """A node passes a message on: no more often than its ttl allows."""
        count = self._passed_on.get(digest, 0) + 1
        if count > MOST_HOPS:
            raise AssertionError(f"hops: a message was passed on {count} times")
        if len(self._passed_on) > _REMEMBERED:
            self._passed_on.clear()
        self._passed_on[digest] = count

    def share(self, edge: Edge) -> SharedEdge:
        """The one object for these bytes."""
        shared = self._edges.get(edge)
        if shared is None:
            if len(self._edges) > _REMEMBERED:
                self._edges.clear()
            shared = self._edges[edge] = SharedEdge(edge)
            peer0, peer1 = shared.key
            peers = self._peers
            shared.__dict__["key"] = (peers.setdefault(peer0, peer0), peers.setdefault(peer1, peer1))
        return shared

    def decode(self, dialect: Dialect, frame: bytes, skipped: Callable[[int], None] | None) -> Message:
        """What the dialect decodes, with shared edges."""
        message = self._messages.get(frame) or self._lists.get(frame)
        if message is None:
            left_out: list[int] = []
            message = dialect.decode(frame, left_out.append)
            if skipped is not None:
                for fields in left_out:
                    skipped(fields)
            if isinstance(message, SyncRoutingTable):
                message = self.share_table(message)
            if not left_out:
                self._remember(frame, message)
        return message

    def _remember(self, frame: bytes, message: Message) -> None:
        """What is often sent alike."""
        kept, most = self._messages, _REMEMBERED
        if isinstance(message, PeersResponse):
            kept, most = self._lists, _LISTS_REMEMBERED
        elif len(frame) > _SMALL or not isinstance(message, SyncRoutingTable | PeersRequest):
            return
        if len(kept) > most:
            kept.clear()
        kept[frame] = message

    def share_table(self, message: SyncRoutingTable) -> SyncRoutingTable:
        """The same with shared edges."""
        known, share = self._edges, self.share
        edges = tuple([known.get(edge) or share(edge) for edge in message.edges])
        return SyncRoutingTable(edges, message.accounts)

    def run_checks(self, request: Verify) -> Verdict:
        """As `core.edge.run_checks`, each edge once in this world."""
        outcomes: list[str] = []
        for check in request.checks:
            outcomes.append(self._outcome(check))
            if outcomes[-1] == "forged":
                break
        return Verdict(request.id, tuple(outcomes))

    def _outcome(self, check: EdgeCheck) -> str:
        outcome = self._outcomes.get(check.edge)
        if outcome is None:
            if len(self._outcomes) > _REMEMBERED:
                self._outcomes.clear()
            outcome = self._outcomes[check.edge] = check_outcome(check)
        return outcome


class SharedDialect:
    """A dialect that decodes through a pool; everything else is the dialect's own."""

    def __init__(self, dialect: Dialect, pool: EdgePool) -> None:
        self.name = dialect.name
        self._dialect = dialect
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._dialect, name)
        self.__dict__[name] = value
        return value

    def forward(self, routed: RoutedFrame) -> bytes:
        """A message on its way, with one hop less to go; counted."""
        return self._passed_on(routed, self._dialect.forward(routed))

    def forward_in_pieces(self, routed: RoutedFrame) -> Pieces:
        """The same."""
        pieces = self._dialect.forward_in_pieces(routed)
        self._passed_on(routed, b"".join(pieces))
        return pieces

    def _passed_on(self, routed: RoutedFrame, frame: bytes) -> bytes:
        self._pool.passed_on(routed.digest())
        onward = self._dialect.routed(frame)
        if onward is None or not 0 < onward.ttl == routed.ttl - 1:
            raise AssertionError(f"hops: a message of ttl {routed.ttl} was passed on as {onward and onward.ttl}")
        return frame

    def decode(self, frame: bytes, skipped: Callable[[int], None] | None = None) -> Message:
        """The whole message."""
        return self._pool.decode(self._dialect, frame, skipped)

    def table_in_steps(
        self, frame: bytes, skipped: Callable[[int], None] | None = None
    ) -> Generator[None, None, SyncRoutingTable]:
        """A large table, piece by piece."""
        message = yield from self._dialect.table_in_steps(frame, skipped)
        return self._pool.share_table(message)
