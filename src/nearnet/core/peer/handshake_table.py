"""The handshake as data (document §7.5, §7.6; `behaviour.md` §2).

`TABLE` says what each state does with each input; `judge` takes the checks of a Handshake in their order. Both are
pure: `core/peer/handshake.py` carries the outcome out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from nearnet.core.routing_table.edge import verify_partial
from nearnet.keys import PeerId, is_ml_dsa
from nearnet.wire.messages import (
    GenesisId,
    GenesisMismatch,
    Handshake,
    InvalidTarget,
    PartialEdgeInfo,
    ProtocolVersionMismatch,
)

if TYPE_CHECKING:
    from nearnet.config.field_types import VersionRange

__all__ = [
    "MOST_VERSION",
    "TABLE",
    "UNSUPPORTED_KEY",
    "Expectation",
    "Input",
    "Outcome",
    "PeerState",
    "Step",
    "has_moved_on",
    "judge",
    "newest_accepted",
    "step_for",
    "version_to_retry",
]

MOST_VERSION: Final = 2**32 - 1
"""The largest number that fits the field of a Handshake."""

UNSUPPORTED_KEY: Final = "unsupported key type"
"""Why a connection ends whose peer has a key of ML-DSA-65 (`network-2026.md` §3)."""


class PeerState(Enum):
    """Where a connection stands. The two kinds of Connecting differ in who speaks first."""

    ACCEPTED = auto()
    """Connecting, inbound: waits for a Handshake."""
    DIALED = auto()
    """Connecting, outbound: has sent its Handshake."""
    READY = auto()
    CLOSED = auto()


class Input(Enum):
    """What may happen to a connection."""

    HANDSHAKE = auto()
    OTHER_TIER = auto()
    """A handshake for tier 1 or 3, which this node does not take part in (`behaviour.md` §10)."""
    HANDSHAKE_FAILURE = auto()
    LAST_EDGE = auto()
    DISCONNECT = auto()
    OTHER = auto()
    """Any other message."""
    TIMEOUT = auto()
    """`handshake_timeout` has passed since the TCP connection."""


class Step(Enum):
    """What to do."""

    JUDGE_AS_LISTENER = auto()
    JUDGE_AS_DIALER = auto()
    TAKE_FAILURE = auto()
    TAKE_LAST_EDGE = auto()
    TAKE_DISCONNECT = auto()
    DISPATCH = auto()
    KEEP_FOR_READY = auto()
    """On a connection we dialed: gossip may come before the answer (`behaviour.md` §2)."""
    IGNORE_AND_COUNT = auto()
    """On one we accepted: ignored, too many close (`threats.md` row 22)."""
    IGNORE = auto()
    REFUSE_TIER = auto()
    REFUSE_AGAIN = auto()
    """A second handshake closes a protobuf connection and is ignored on a borsh one (`network-2026.md` §4)."""
    CLOSE = auto()


TABLE: dict[tuple[PeerState, Input], Step] = {
    (PeerState.ACCEPTED, Input.HANDSHAKE): Step.JUDGE_AS_LISTENER,
    (PeerState.ACCEPTED, Input.OTHER_TIER): Step.REFUSE_TIER,
    (PeerState.ACCEPTED, Input.HANDSHAKE_FAILURE): Step.IGNORE_AND_COUNT,
    (PeerState.ACCEPTED, Input.LAST_EDGE): Step.IGNORE_AND_COUNT,
    (PeerState.ACCEPTED, Input.DISCONNECT): Step.IGNORE,
    (PeerState.ACCEPTED, Input.OTHER): Step.IGNORE_AND_COUNT,
    (PeerState.ACCEPTED, Input.TIMEOUT): Step.CLOSE,
    (PeerState.DIALED, Input.HANDSHAKE): Step.JUDGE_AS_DIALER,
    (PeerState.DIALED, Input.OTHER_TIER): Step.REFUSE_TIER,
    (PeerState.DIALED, Input.HANDSHAKE_FAILURE): Step.TAKE_FAILURE,
    (PeerState.DIALED, Input.LAST_EDGE): Step.TAKE_LAST_EDGE,
    (PeerState.DIALED, Input.DISCONNECT): Step.IGNORE,
    (PeerState.DIALED, Input.OTHER): Step.KEEP_FOR_READY,
    (PeerState.DIALED, Input.TIMEOUT): Step.CLOSE,
    (PeerState.READY, Input.HANDSHAKE): Step.REFUSE_AGAIN,
    (PeerState.READY, Input.OTHER_TIER): Step.REFUSE_TIER,
    (PeerState.READY, Input.HANDSHAKE_FAILURE): Step.IGNORE,
    (PeerState.READY, Input.LAST_EDGE): Step.IGNORE,
    (PeerState.READY, Input.DISCONNECT): Step.TAKE_DISCONNECT,
    (PeerState.READY, Input.OTHER): Step.DISPATCH,
    (PeerState.READY, Input.TIMEOUT): Step.IGNORE,
    (PeerState.CLOSED, Input.HANDSHAKE): Step.IGNORE,
    (PeerState.CLOSED, Input.OTHER_TIER): Step.IGNORE,
    (PeerState.CLOSED, Input.HANDSHAKE_FAILURE): Step.IGNORE,
    (PeerState.CLOSED, Input.LAST_EDGE): Step.IGNORE,
    (PeerState.CLOSED, Input.DISCONNECT): Step.IGNORE,
    (PeerState.CLOSED, Input.OTHER): Step.IGNORE,
    (PeerState.CLOSED, Input.TIMEOUT): Step.IGNORE,
}
"""Every pair of state and input."""

_INPUT_OF_KIND = {
    "Handshake": Input.HANDSHAKE,
    "Tier1Handshake": Input.OTHER_TIER,
    "Tier3Handshake": Input.OTHER_TIER,
    "HandshakeFailure": Input.HANDSHAKE_FAILURE,
    "LastEdge": Input.LAST_EDGE,
    "Disconnect": Input.DISCONNECT,
}


def step_for(state: PeerState, kind: str) -> Step:
    """What `state` does with a message of that kind (the name of its class)."""
    return TABLE[state, _INPUT_OF_KIND.get(kind, Input.OTHER)]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a Handshake is held against."""

    me: PeerId
    genesis_id: GenesisId
    version: int
    """Our own version, told in a ProtocolVersionMismatch."""
    oldest_version: int
    newest_version: int
    """The newest version that is accepted; see `newest_accepted`."""
    peer_id: PeerId | None = None
    """Whom we dialed; None when we were dialed."""
    nonce: int | None = None
    """What we proposed; None when we were dialed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`failure` is to be answered and the connection stays; `close` names why it ends; neither: go on to register."""

    failure: ProtocolVersionMismatch | GenesisMismatch | InvalidTarget | None = None
    close: str | None = None
    flagged: bool = False
    """Whether protobuf peers are told to forget the connection (`behaviour.md` §10)."""


def judge(handshake: Handshake, expected: Expectation) -> Outcome:
    """Steps 1 to 6 of `behaviour.md` §2. A dialer closes where a listener answers: the other end is Ready."""
    if not expected.oldest_version <= handshake.protocol_version <= expected.newest_version:
        return _failed(ProtocolVersionMismatch(expected.version, expected.oldest_version), expected)
    if handshake.sender_chain_info.genesis_id != expected.genesis_id:
        return _failed(GenesisMismatch(expected.genesis_id), expected)
    if handshake.sender_peer_id == expected.me:
        return Outcome(close="connected to ourselves", flagged=True)
    if handshake.target_peer_id != expected.me:
        return _failed(InvalidTarget(), expected)
    if expected.peer_id is not None and handshake.sender_peer_id != expected.peer_id:
        return Outcome(close="another peer answered")
    if is_ml_dsa(handshake.sender_peer_id):
        return Outcome(close=UNSUPPORTED_KEY, flagged=True)
    partial: PartialEdgeInfo = handshake.partial_edge_info
    if not verify_partial(expected.me, handshake.sender_peer_id, partial):
        return Outcome(close="wrong handshake signature", flagged=True)
    if expected.nonce is not None and partial.nonce != expected.nonce:
        return Outcome(close="answered with another nonce")
    return Outcome()


def _failed(failure: ProtocolVersionMismatch | GenesisMismatch | InvalidTarget, expected: Expectation) -> Outcome:
    if expected.peer_id is None:
        return Outcome(failure=failure)
    return Outcome(close=f"answered with {type(failure).__name__}")


def newest_accepted(ours: VersionRange, sent: int | None) -> int:
    """Return the newest protocol version that a Handshake may carry.

    `sent` is the version of our own Handshake on a connection that we dialed, None on one that we accepted. A pair in
    the config pins the range. In automatic mode a listener takes every newer version, because the wire format does not
    depend on it, and a dialer takes the version that it sent, which may be the peer's (`network-2026.md` §1).
    """
    if not ours.automatic:
        return ours.own
    return MOST_VERSION if sent is None else max(ours.own, sent)


def version_to_retry(
    ours: VersionRange, sent: int, theirs: ProtocolVersionMismatch, remembered: int | None = None
) -> int | None:
    """Return the version for another Handshake after `theirs` refused version `sent`; None when there is none.

    It is the highest version that both ends speak. In automatic mode it is the peer's own version when the peer no
    longer accepts ours: once for each connection, so never after such a version was refused (`network-2026.md` §1).
    `remembered` is the version that worked at that address before: the first Handshake may have carried it, and that
    one did not follow anything yet.
    """
    version = min(ours.own, theirs.version)
    if version >= max(ours.oldest, theirs.oldest_supported_version):
        return version
    has_followed = sent > ours.own and sent != remembered
    return theirs.version if ours.automatic and has_moved_on(ours, theirs) and not has_followed else None


def has_moved_on(ours: VersionRange, theirs: ProtocolVersionMismatch) -> bool:
    """Return whether the peer's oldest accepted version is above our own version."""
    return ours.own < theirs.oldest_supported_version <= theirs.version
