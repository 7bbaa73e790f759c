"""Which nonces an edge may take, by dialect (`behaviour.md` §2, §10; `threats.md` rows 17-19).

Documented era: a counter. Today: unix seconds made odd. A bridge gives its documented-era neighbours unix nonces too,
so the counter rule also takes those near the present.
"""

from __future__ import annotations

from enum import Enum

from nearnet.core.edge import next_nonce

__all__ = [
    "EDGE_AHEAD",
    "FIRST_UNIX_NONCE",
    "NONCE_WINDOW",
    "NonceJudgement",
    "is_current",
    "is_dated",
    "judge_nonce",
    "near_now",
    "propose_nonce",
    "renewed_nonce",
    "unix_nonce",
]

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
    """The nonce that renews a live edge: a time, also with a neighbour of the documented era, which takes it."""
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
