"""Between the network and the chain client (document §2.4; `behaviour.md` §8): what is handed over, and its answers.

The shell wraps the embedding program's `Client`, so that its faults never reach the core and an answer may come later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nearnet.client import Ban
from nearnet.errors import RouteNotFound, Unsupported
from nearnet.keys import CryptoHash
from nearnet.wire.message_kinds import MOST_HASHES, MOST_TRANSACTION
from nearnet.wire.messages import Block, BlockHeadersRequest, RoutedMessage, Transaction
from nearnet.wire.routed_frame import routed_digest

if TYPE_CHECKING:
    from nearnet.core.context import Context
    from nearnet.core.peer.peer import Peer
    from nearnet.core.routed.forwarding import RoutedMessages
    from nearnet.core.runtime.clock import Now
    from nearnet.keys import PeerId
    from nearnet.wire.messages import Message

__all__ = ["ClientPort"]

_FOR_CLIENT: Final = frozenset(
    {
        "Block",
        "BlockHeaders",
        "BlockHeadersRequest",
        "BlockRequest",
        "Challenge",
        "EpochSyncFinalizationRequest",
        "EpochSyncFinalizationResponse",
        "EpochSyncRequest",
        "EpochSyncResponse",
        "OptimisticBlock",
        "StateRequestHeader",
        "StateRequestPart",
        "StateResponse",
        "Transaction",
    }
)
"""Messages of the chain's own."""


class ClientPort:
    """Hands messages to the client and carries its answers back."""

    __slots__ = ("_context", "_routed", "neighbor")

    def __init__(self, context: Context, routed: RoutedMessages) -> None:
        self._context = context
        self._routed = routed
        self.neighbor: PeerId | None = None
        """Who brought the message that the client is being asked about: for an answer that comes later."""

    def message(self, peer: Peer, message: Message, now: Now) -> None:
        """A message of the chain's own from a neighbor."""
        kind = type(message).__name__
        if kind not in _FOR_CLIENT:
            self._context.count("nearnet_ignored_messages", kind)
            return
        if isinstance(message, Block):
            self._routed.block_received(now)
        if peer.info is not None:
            self.answer(peer.ready_id, message, self._context.client.on_message(message, peer.info), now)

    def routed(self, peer: Peer, message: RoutedMessage, now: Now) -> None:
        """A routed message for this node."""
        self.neighbor = peer.ready_id
        self.answer(peer.ready_id, message, self._context.client.on_routed(message), now)

    def answer(self, peer_id: PeerId, request: object, answer: object, now: Now) -> None:
        """What the client said to `request`, which came by neighbor `peer_id`: nothing, a message, or a ban."""
        context = self._context
        if isinstance(answer, Ban):
            kept = context.config.nearnet.min_peers_kept
            if len(context.peers) - 1 < kept:
                context.notify("ban_deferred", peer_id, reason=answer.reason.label, min_peers_kept=kept)
            else:
                context.ban(peer_id, answer.reason, now, answer.seconds)
        elif isinstance(request, RoutedMessage) and isinstance(answer, bytes):
            self._reply(request, answer, now)
        elif answer is not None and peer_id in context.peers:
            self._send(context.peers[peer_id], answer)  # type: ignore[arg-type]

    def _send(self, peer: Peer, message: Message) -> None:
        try:
            _check_limits(peer, message)
            if not peer.send(message):
                raise Unsupported(f"the {type(message).__name__} is larger than nodes of the protobuf network take")
        except Unsupported as error:
            self._context.notify("answer_dropped", peer.peer_id, reason=str(error))

    def _reply(self, request: RoutedMessage, body: bytes, now: Now) -> None:
        """Back along the way of the request's hash."""
        digest = routed_digest(request)
        try:
            self._routed.send(digest, body, now)
        except RouteNotFound as error:
            self._context.notify("reply_dropped", request.author, reason=error.reason, hash=str(CryptoHash(digest)))


def _check_limits(peer: Peer, message: Message) -> None:
    """Raise `Unsupported` for what a protobuf node would ban us for, or drop (`network-2026.md` §4)."""
    if not peer.is_protobuf:
        return
    if isinstance(message, BlockHeadersRequest) and len(message.hashes) > MOST_HASHES:
        asked = f"a BlockHeadersRequest with {len(message.hashes)} hashes"
        raise Unsupported(f"{asked}: expected at most {MOST_HASHES}, because peers ban for more; ask in parts")
    if isinstance(message, Transaction) and len(message.data) > MOST_TRANSACTION:
        raise Unsupported(f"a Transaction of {len(message.data)} bytes: expected at most {MOST_TRANSACTION}")
