"""Carries the handshake out (document §7.5 to §7.7; `behaviour.md` §2): does what `handshake_table.py` judged.

RegisterPeer lives here: the checks that need the rest of the node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nearnet.core.peer.handshake_table import (
    UNSUPPORTED_KEY,
    Expectation,
    Outcome,
    PeerState,
    has_moved_on,
    judge,
    newest_accepted,
    version_to_retry,
)
from nearnet.core.peer_manager.protocol_watch import ProtocolWatch, describe_refusal
from nearnet.core.routing_table.edge import (
    NonceJudgement,
    build_edge,
    judge_nonce,
    propose_nonce,
    sign_edge,
    verify_edge,
)
from nearnet.keys import is_ml_dsa
from nearnet.wire.messages import (
    GenesisMismatch,
    Handshake,
    HandshakeFailure,
    InvalidTarget,
    LastEdge,
    PeerInfo,
    ProtocolVersionMismatch,
    SocketAddress,
)
from nearnet.wire.signed_payload import owned_account_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from nearnet.config.field_types import VersionRange
    from nearnet.core.context import Context
    from nearnet.core.gossip.own_edges import LocalEdges
    from nearnet.core.peer.peer import Peer
    from nearnet.core.peer_manager.clock_watch import ClockWatch
    from nearnet.core.peer_manager.dialing import Dialer
    from nearnet.core.runtime.clock import Now
    from nearnet.keys import PeerId
    from nearnet.wire.edge_bytes import Edge

__all__ = ["MAX_HANDSHAKES", "OWNED_ACCOUNT_WINDOW", "Handshaking", "describe_failure"]

MAX_HANDSHAKES = 3
"""A dialer's first Handshake and two more after failures (`threats.md` row 13)."""

OWNED_ACCOUNT_WINDOW = 30 * 60
"""Seconds by which the time in an owned account may differ from ours."""


class Handshaking:
    """Takes connections from TCP to Ready."""

    __slots__ = ("_clock_watch", "_context", "_dialer", "_local_edges", "_on_ready", "_protocol_watch")

    def __init__(
        self,
        context: Context,
        dialer: Dialer,
        local_edges: LocalEdges,
        protocol_watch: ProtocolWatch,
        clock_watch: ClockWatch,
        on_ready: Callable[[Peer, Now], None],
    ) -> None:
        self._context = context
        self._dialer = dialer
        self._local_edges = local_edges
        self._protocol_watch = protocol_watch
        self._clock_watch = clock_watch
        self._on_ready = on_ready

    def versions(self, peer: Peer) -> VersionRange:
        """Return the versions that we speak in that connection's dialect."""
        versions: VersionRange = self._context.config.nearnet.protocol_versions[peer.dialect_name]
        return versions

    def newest_accepted(self, peer: Peer) -> int:
        """Return the newest version that a Handshake of this connection may carry."""
        return newest_accepted(self.versions(peer), peer.sent_version if peer.state is PeerState.DIALED else None)

    # --- as the dialer --------------------------------------------------------------------------

    def propose(self, peer: Peer, now: Now, last: int | None = None, version: int | None = None) -> None:
        """Send our Handshake; `last` is the last nonce of that edge where the other end told it.

        Without a `version` it carries the one that worked at that address last, or our own.
        """
        known = self._local_edges.last_nonce(peer.ready_id)
        peer.proposed_nonce = propose_nonce(peer.dialect_name, max(known, last or 0), now.wall)
        peer.handshakes_sent += 1
        peer.sent_version = version or self._dialer.remembered_version(peer.dial, now) or self.versions(peer).own
        self._send_handshake(peer, peer.sent_version, peer.proposed_nonce)

    def _send_handshake(self, peer: Peer, version: int, nonce: int) -> None:
        context = self._context
        peer.send(
            Handshake(
                protocol_version=version,
                oldest_supported_version=self.versions(peer).oldest,
                sender_peer_id=context.me,
                target_peer_id=peer.ready_id,
                sender_listen_port=context.listen_address.port if context.listen_address else peer.local_port,
                sender_chain_info=context.client.chain_info(),
                partial_edge_info=sign_edge(context.key, peer.ready_id, nonce),
            )
        )

    def failed(self, peer: Peer, failure: HandshakeFailure, now: Now) -> None:
        """Take that the other end refused our Handshake: another one follows, or the connection ends."""
        context, reason, why = self._context, failure.reason, describe_failure(failure)
        if is_ml_dsa(failure.peer_info.id):
            context.unsupported_key("HandshakeFailure")
        if isinstance(reason, ProtocolVersionMismatch):
            ours = self.versions(peer)
            version = self._version_to_retry(peer, reason, now)
            if peer.is_protobuf:
                self._protocol_watch.refused(peer, reason, version is not None, now)
            if version is not None:
                context.notify("handshake_retried", peer.peer_id, reason=why, version=version)
                self.propose(peer, now, version=version)
                return
            if peer.is_protobuf and has_moved_on(ours, reason):
                why += f", {describe_refusal(ours)}"
        elif isinstance(reason, InvalidTarget):
            context.peer_store.invalid_target(peer.ready_id, peer.address, failure.peer_info.id, now)
        context.notify("handshake_failed", peer.peer_id, reason=why)
        context.close(peer, why, now)

    def _version_to_retry(self, peer: Peer, theirs: ProtocolVersionMismatch, now: Now) -> int | None:
        if peer.handshakes_sent >= MAX_HANDSHAKES:
            return None
        remembered = self._dialer.remembered_version(peer.dial, now)
        return version_to_retry(self.versions(peer), peer.sent_version, theirs, remembered)

    def last_edge(self, peer: Peer, edge: Edge, now: Now) -> None:
        """Our nonce was not above theirs: propose its successor, when the edge really is ours and newer."""
        context = self._context
        ours = edge.involves(context.me) and edge.involves(peer.ready_id)
        if not ours or edge.nonce < peer.proposed_nonce or peer.handshakes_sent >= MAX_HANDSHAKES:
            context.close(peer, "LastEdge that is not ours or not newer", now)
        elif not verify_edge(edge):
            context.close(peer, "LastEdge with a wrong signature", now)
        else:
            self.propose(peer, now, last=edge.nonce, version=peer.sent_version)

    # --- both ends -------------------------------------------------------------------------------

    def received(self, peer: Peer, handshake: Handshake, now: Now) -> None:
        """A Handshake while Connecting."""
        context = self._context
        versions = self.versions(peer)
        dialed = peer.state is PeerState.DIALED
        expected = Expectation(
            me=context.me,
            genesis_id=context.genesis_id,
            version=versions.own,
            oldest_version=versions.oldest,
            newest_version=self.newest_accepted(peer),
            peer_id=peer.peer_id if dialed else None,
            nonce=peer.proposed_nonce if dialed else None,
        )
        outcome = judge(handshake, expected)
        if outcome.failure is not None:
            self.answer_failure(peer, outcome.failure)
        elif outcome.close is not None:
            self._refuse(peer, outcome, now)
        else:
            self._register(peer, handshake, now)

    def answer_failure(self, peer: Peer, failure: ProtocolVersionMismatch | GenesisMismatch | InvalidTarget) -> None:
        """Say why; the connection stays until `handshake_timeout`."""
        context = self._context
        context.notify("handshake_refused", None, address=str(peer.address), reason=type(failure).__name__)
        peer.send(HandshakeFailure(PeerInfo(context.me, context.told_address), failure))

    def version_mismatch(self, peer: Peer, now: Now) -> None:
        """A Handshake of a version that we cannot even decode."""
        versions = self.versions(peer)
        failure = ProtocolVersionMismatch(versions.own, versions.oldest)
        if peer.state is PeerState.ACCEPTED:
            self.answer_failure(peer, failure)
        else:
            self._context.close(peer, "answered with another version", now)

    def _refuse(self, peer: Peer, outcome: Outcome, now: Now) -> None:
        reason = outcome.close or ""
        if reason == "wrong handshake signature":
            self._context.limits.cool_down(peer.address.ip, now)
        if reason == UNSUPPORTED_KEY:
            self._context.unsupported_key("Handshake")
        if reason == "connected to ourselves":
            self._context.count("near_connected_to_myself")
        self._context.close(peer, reason, now, flagged=outcome.flagged)

    def _register(self, peer: Peer, handshake: Handshake, now: Now) -> None:
        """RegisterPeer (document §7.7): what the manager must agree to, in the order of `behaviour.md` §2."""
        context = self._context
        sender, partial = handshake.sender_peer_id, handshake.partial_edge_info
        if peer.state is PeerState.ACCEPTED:
            last = self._local_edges.last_nonce(sender)
            self._clock_watch.proposed(peer, sender, partial.nonce, last, now)
        refusal = self._refusal(peer, handshake, now)
        if refusal is not None:
            context.close(peer, refusal, now, flagged=True)
            return
        known = context.table.get(context.me, sender)
        judged = self._judge(peer, partial.nonce, known, now)
        if known is None and judged is NonceJudgement.OUT_OF_RANGE:
            # It may go on from an edge that has moved to disk: nodes of the documented era know no other nonce.
            known = context.table.components.edge_between(context.me, sender)
            judged = self._judge(peer, partial.nonce, known, now)
        if judged is NonceJudgement.NOT_NEWER and known is not None and peer.state is PeerState.ACCEPTED:
            peer.send(LastEdge(known))
            return
        if judged is not NonceJudgement.TAKE:
            context.close(peer, f"nonce {judged.value}", now, flagged=judged is NonceJudgement.EVEN)
            return
        self._accept(peer, handshake, now)

    def _judge(self, peer: Peer, nonce: int, known: Edge | None, now: Now) -> NonceJudgement:
        bump = self._context.config.nearnet.timing.edge_nonce_bump_allowed
        return judge_nonce(peer.dialect_name, nonce, 0 if known is None else known.nonce, now.wall, bump)

    def _refusal(self, peer: Peer, handshake: Handshake, now: Now) -> str | None:
        context = self._context
        sender, port = handshake.sender_peer_id, handshake.sender_listen_port
        if port is None or (peer.is_protobuf and port == 0):
            return "no listen port told"
        owned = self._owned_account_refusal(peer, handshake, now)
        if owned is not None:
            return owned
        if context.peer_store.is_blacklisted(SocketAddress(peer.address.ip, port)):
            return "blacklisted"
        if context.peer_store.is_banned(sender):
            return "banned"
        if sender in context.peers:
            return "already connected"
        if peer.state is PeerState.ACCEPTED:
            if sender > context.me and self._dialing(sender):
                return "tie break"
            if len(context.peers) >= context.config.network.max_num_peers:
                return "connection limit exceeded"
        return None

    def _owned_account_refusal(self, peer: Peer, handshake: Handshake, now: Now) -> str | None:
        """A validator's word that it owns the sender: about that peer, of these minutes, signed, and nobody else's."""
        signed = handshake.owned_account
        if signed is None:
            return None
        owned = owned_account_of(signed)
        if owned is not None and any(map(is_ml_dsa, (owned.account_key, owned.peer_id, signed.signature))):
            self._context.unsupported_key("Handshake")  # Nothing of it is used (`network-2026.md` §3).
            return None
        if owned is None or owned.peer_id != handshake.sender_peer_id:
            return "owned account of another peer"
        if abs(owned.timestamp[0] - now.wall) > OWNED_ACCOUNT_WINDOW:
            return "owned account of another time"
        if not signed.verify(owned.account_key):
            return "wrong signature of the owned account"
        if any(one.account_key == owned.account_key for one in self._context.peers.values()):
            self._context.count("near_already_connected_account")
            return "account already connected"
        peer.account_key = owned.account_key
        return None

    def _dialing(self, sender: PeerId) -> bool:
        """In whichever dialect: both ends must come to the same winner, and the other may speak both."""
        if self._dialer.is_dialing(sender):
            return True
        return any(
            peer.state is PeerState.DIALED and peer.peer_id == sender for peer in self._context.connections.values()
        )

    def _accept(self, peer: Peer, handshake: Handshake, now: Now) -> None:
        context = self._context
        sender, partial = handshake.sender_peer_id, handshake.partial_edge_info
        edge = build_edge(context.key, sender, partial.nonce, partial.signature)
        inbound = peer.state is PeerState.ACCEPTED
        peer.peer_id = sender
        peer.edge = edge
        peer.protocol_version = handshake.protocol_version
        peer.chain_info = handshake.sender_chain_info
        port = handshake.sender_listen_port or 0
        if inbound:
            peer.info = PeerInfo(sender, SocketAddress(peer.address.ip, port) if port else None)
            self._send_handshake(peer, handshake.protocol_version, partial.nonce)
        peer.state = PeerState.READY
        context.peers[sender] = peer
        self._local_edges.connected(peer, edge, now)
        self._on_ready(peer, now)


def describe_failure(failure: HandshakeFailure) -> str:
    """In words, as an operator needs it."""
    reason = failure.reason
    if isinstance(reason, ProtocolVersionMismatch):
        return f"it speaks versions {reason.oldest_supported_version} to {reason.version}"
    if isinstance(reason, InvalidTarget):
        return f"another peer lives there: {failure.peer_info.id}"
    return f"its genesis is {reason.genesis_id.chain_id} {reason.genesis_id.hash}"
