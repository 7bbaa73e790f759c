"""The rules of an edge (document §6.3; `behaviour.md` §2, §3, §10; `wire.md` §4): what is signed, what holds, and which
nonces it may take (`threats.md` rows 17-19).

The bytes themselves are `wire/edge_bytes.py`. By borsh a nonce is a counter, by protobuf unix seconds made odd. A
bridge gives its borsh neighbors unix nonces too, so the counter rule also takes those near the present.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from nearnet.keys import CryptoHash, check_signature, check_signatures, many_checks, signature_row
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.edge_layout import MIN_EDGE, has_ml_dsa, is_active
from nearnet.wire.messages import PartialEdgeInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nearnet.keys import PeerId, SecretKey

__all__ = [
    "EDGE_AHEAD",
    "FIRST_UNIX_NONCE",
    "NONCE_WINDOW",
    "EdgeCheck",
    "NonceJudgement",
    "Verdict",
    "build_edge",
    "check_outcome",
    "edge_digest",
    "is_current",
    "is_dated",
    "judge_nonce",
    "near_now",
    "next_nonce",
    "propose_nonce",
    "renewed_nonce",
    "run_checks",
    "sign_edge",
    "sign_removal",
    "unix_nonce",
    "verify_edge",
    "verify_partial",
    "well_formed",
]

_NONCE = struct.Struct("<Q")
_WORST_FIRST = ("forged", "strict", "valid")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The EdgeValidator's answer to one `Verify`: one outcome per edge, cut after the first forgery."""

    id: int
    outcomes: tuple[str, ...]
    """``"valid"``, ``"strict"`` (only our stricter rule refuses it: drop, no ban) or, as the last, ``"forged"``."""


class EdgeCheck:
    """An edge that is to be checked. What that takes is worked out by whoever does it: many may be waiting."""

    __slots__ = ("edge", "known")

    def __init__(self, edge: Edge, known: Edge | None = None) -> None:
        self.edge = edge
        self.known = known
        """The form that is held. Of the removal of just that one, byte for byte, only the third signature is
        checked."""

    @property
    def signature_count(self) -> int:
        """How many signatures it takes."""
        if len(self.edge) == MIN_EDGE or is_active(self.edge):
            return 2 * well_formed(self.edge)
        return len(self.checks or ())

    @property
    def checks(self) -> tuple[bytes, ...] | None:
        """A `signature_row` each; None: it is not well formed, so no crypto is spent on it."""
        edge = self.edge
        if not well_formed(edge):
            return None
        peer0, peer1, nonce, signature0, signature1, removal = edge.parts()
        if removal is None:
            digest = _digest(peer0, peer1, nonce)
            return signature_row(peer0, digest, signature0), signature_row(peer1, digest, signature1)
        by_peer0, signature = removal
        third = signature_row(peer0 if by_peer0 else peer1, _digest(peer0, peer1, nonce), signature)
        known = self.known
        if known is not None and known.nonce == nonce - 1 and known.signatures == (signature0, signature1):
            return (third,)
        digest = _digest(peer0, peer1, nonce - 1)
        return signature_row(peer0, digest, signature0), signature_row(peer1, digest, signature1), third


def next_nonce(nonce: int) -> int:
    """The nonce of the next active edge after this one."""
    return nonce + 2 if nonce % 2 else nonce + 1


def edge_digest(a: bytes, b: bytes, nonce: int) -> CryptoHash:
    """What both ends sign: the sha256 of the smaller id, the larger id and the nonce."""
    first, second = (a, b) if a < b else (b, a)
    return CryptoHash(_digest(first, second, nonce))


def _digest(peer0: bytes, peer1: bytes, nonce: int) -> bytes:
    return hashlib.sha256(peer0 + peer1 + _NONCE.pack(nonce)).digest()


def sign_edge(key: SecretKey, other: PeerId, nonce: int) -> PartialEdgeInfo:
    """Our half of an edge."""
    return PartialEdgeInfo(nonce, key.sign(edge_digest(key.public_key, other, nonce)))


def verify_partial(me: PeerId, other: PeerId, partial: PartialEdgeInfo) -> bool:
    """Whether `other` signed an edge with us of that nonce. Whether the nonce will do is judged apart."""
    if not 0 <= partial.nonce < 2**64:
        return False
    return check_signature(other, partial.signature, edge_digest(me, other, partial.nonce)) == "valid"


def build_edge(key: SecretKey, other: PeerId, nonce: int, other_signature: bytes) -> Edge:
    """The edge of both halves; `other_signature` must have been verified."""
    me, mine = key.public_key, key.sign(edge_digest(key.public_key, other, nonce))
    if me < other:
        return Edge.build(me, other, nonce, mine, other_signature)
    return Edge.build(other, me, nonce, other_signature, mine)


def sign_removal(key: SecretKey, edge: Edge) -> Edge:
    """The removal, by us, of an active edge of ours: its nonce is one more."""
    peer0, peer1 = edge.key
    nonce = edge.nonce + 1
    removal = (key.public_key == peer0, key.sign(edge_digest(peer0, peer1, nonce)))
    return Edge.build(peer0, peer1, nonce, *edge.signatures, removal)


def well_formed(edge: Edge) -> bool:
    """All of an edge's validity but its signatures: order of its ends, nonce, removal (`threats.md` rows 32-34)."""
    if len(edge) == MIN_EDGE:  # One of two ed25519 keys that is not removed, as nearly all are.
        return edge[:33] < edge[33:66] and is_active(edge)
    peer0, peer1, nonce, _, _, removal = edge.parts()
    return peer0 < peer1 and nonce > 0 and (nonce % 2 == 0) == (removal is not None)


def check_outcome(check: EdgeCheck) -> str:
    """``valid``, ``forged``, or ``strict`` when nothing but our stricter rule speaks against it (row 39)."""
    return run_checks(0, (check,)).outcomes[0]


def verify_edge(edge: Edge) -> bool:
    """Whether an edge holds in every respect."""
    return check_outcome(EdgeCheck(edge)) == "valid"


def run_checks(number: int, checks: Sequence[EdgeCheck]) -> Verdict:
    """Check edges in order, up to and with the first forgery (document §8.4); their signatures in one go."""
    usual = [check for check in checks if not has_ml_dsa(check.edge)]
    if len(usual) == len(checks):
        return _run_usual(number, checks)
    verdicts = iter(_run_usual(number, usual).outcomes)
    outcomes: list[str] = []
    for check in checks:
        outcome = _ml_dsa_outcome(check) if has_ml_dsa(check.edge) else next(verdicts)
        outcomes.append(outcome)
        if outcome == "forged":
            break
    return Verdict(number, tuple(outcomes))


def _ml_dsa_outcome(check: EdgeCheck) -> str:
    """Return ``valid`` or ``strict`` for an edge with a key of ML-DSA-65, never ``forged``: nobody is banned for it.

    The order of such keys, and so what both ends sign, is inferred (`network-2026.md` §3): no live node could be asked.
    """
    rows = check.checks
    if rows is None:
        return "strict"
    rows = tuple(sorted(rows, key=len))  # The cheap ones first: after one that does not hold, none is checked.
    return "valid" if all(check_signatures([row]) == ["valid"] for row in rows) else "strict"


def _run_usual(number: int, checks: Sequence[EdgeCheck]) -> Verdict:
    holding = _first_that_hold([check.edge for check in checks])
    rows: list[bytes] = []
    ends: list[int] = []
    all_well_formed = True
    for check in checks[holding:]:
        needed = check.checks
        if needed is None:
            all_well_formed = False
            break
        rows += needed
        ends.append(len(rows))
    results = check_signatures(rows, until_forged=True)
    if all_well_formed and results.count("valid") == len(rows):
        return Verdict(number, ("valid",) * len(checks))
    outcomes = ["valid"] * holding
    start = 0
    for end in ends:
        outcomes.append(min(results[start:end], key=_WORST_FIRST.index))
        if outcomes[-1] == "forged":
            return Verdict(number, tuple(outcomes))
        start = end
    if not all_well_formed:
        outcomes.append("forged")
    return Verdict(number, tuple(outcomes))


def _first_that_hold(edges: Sequence[Edge]) -> int:
    """How many of the first hold, as far as that is found in one call: where all are of ed25519, and none removed."""
    many = many_checks()
    if many is None or set(map(len, edges)) != {MIN_EDGE}:
        return 0
    return many.first_refused_edge(b"".join(edges), len(edges))


NONCE_WINDOW = 20 * 60
"""Seconds by which the nonce of a handshake or a nonce request may differ from now (strictly)."""

EDGE_AHEAD = 5 * 60
"""Seconds by which the nonce of an edge may be ahead of now: nodes of 2026 drop what is further ahead
(`network-2026.md` §4)."""

FIRST_UNIX_NONCE = 1_000_000_000
"""Below it a nonce is a counter, from it on unix seconds."""


class NonceJudgement(Enum):
    """What to do with a proposed nonce."""

    TAKE = "take"
    NOT_NEWER = "not newer"
    OUT_OF_RANGE = "out of range"
    EVEN = "even"


def is_dated(nonce: int) -> bool:
    """Whether the nonce is a unix time, and not a counter."""
    return nonce >= FIRST_UNIX_NONCE


def is_current(nonce: int, wall: float, expires_after: float) -> bool:
    """Return whether an edge of this nonce is taken, kept and told: neither too old nor too far ahead.

    Counters always are.
    """
    return nonce < FIRST_UNIX_NONCE or -EDGE_AHEAD <= wall - nonce < expires_after


def near_now(nonce: int, wall: float) -> bool:
    """Whether the nonce is a unix time within `NONCE_WINDOW` of `wall` (unix seconds)."""
    return abs(nonce - wall) < NONCE_WINDOW


def unix_nonce(wall: float) -> int:
    """The present as an odd nonce."""
    return int(wall) | 1


def propose_nonce(dialect: str, last: int, wall: float) -> int:
    """The nonce to offer a peer when the last known one of that edge is `last` (0 = none)."""
    return next_nonce(last) if dialect == "borsh" else renewed_nonce(last, wall)


def renewed_nonce(last: int, wall: float) -> int:
    """The nonce that renews a live edge: a time, also with a neighbor of the documented era, which takes it."""
    return max(unix_nonce(wall), next_nonce(last))


def judge_nonce(dialect: str, nonce: int, last: int, wall: float, bump: int) -> NonceJudgement:
    """Judges a nonce proposed for an edge whose last known one is `last` (0 = none); `bump` bounds a counter's jump."""
    if dialect != "borsh" and not near_now(nonce, wall):
        return NonceJudgement.OUT_OF_RANGE
    if nonce % 2 == 0:
        return NonceJudgement.EVEN
    if nonce <= last:
        return NonceJudgement.NOT_NEWER
    if nonce >= next_nonce(last) + bump and not near_now(nonce, wall):
        return NonceJudgement.OUT_OF_RANGE
    return NonceJudgement.TAKE
