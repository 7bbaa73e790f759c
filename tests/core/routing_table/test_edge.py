"""The rules of an edge: truth tables, golden bytes, and what each form costs in signature checks."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearnet.core.routing_table.edge import (
    EdgeCheck,
    Verdict,
    build_edge,
    check_outcome,
    edge_digest,
    next_nonce,
    run_checks,
    sign_edge,
    sign_removal,
    verify_edge,
    verify_partial,
    well_formed,
)
from nearnet.keys import ROW, PublicKey, SecretKey, Signature, check_signatures, signature_row, use_check
from nearnet.wire.edge_bytes import MIN_EDGE, Edge
from nearnet.wire.messages import PartialEdgeInfo
from tests.vectors_file import vectors

A, B, C = (SecretKey.from_seed(name) for name in ("a", "b", "c"))
if A.public_key > B.public_key:
    A, B = B, A
K = SecretKey.from_seed("k", "secp256k1")
A_ID, B_ID, C_ID = A.public_key, B.public_key, C.public_key
SMALL_ORDER = PublicKey(b"\0\1" + bytes(31))
"""The identity point: a key that dalek takes and libsodium refuses."""
IDENTITY_SIGNATURE = Signature(b"\0\1" + bytes(63))


def edge(nonce=1, a=A, b=B):
    return build_edge(a, b.public_key, nonce, sign_edge(b, a.public_key, nonce).signature)


@pytest.mark.parametrize(("nonce", "following"), vectors("borsh")["next_nonce"])
def test_next_nonce(nonce, following):
    assert next_nonce(nonce) == following


@pytest.mark.parametrize("case", vectors("borsh")["edges"], ids=lambda case: case["hash"][:8])
def test_golden_edges(case):
    assert verify_edge(Edge(bytes.fromhex(case["borsh"]))) is case["verify"]


@pytest.mark.parametrize(("a", "b"), list(itertools.permutations((A, B, K), 2)))
def test_either_end_builds_the_same_edge(a, b):
    both = edge(7, a, b)
    assert both == edge(7, b, a)
    assert verify_edge(both)
    assert well_formed(both)
    removal = sign_removal(a, both)
    assert (removal.nonce, removal.removal[0]) == (8, a.public_key == both.peer0)
    assert verify_edge(removal)
    assert removal.signatures == both.signatures


@pytest.mark.threat(18)
@pytest.mark.parametrize("nonce", [0, 1, 2, 2**63, 2**64 - 1])
def test_a_half_is_verified_over_ends_and_nonce(nonce):
    """Which nonces will do is judged apart (`test_nonces.py`)."""
    half = sign_edge(B, A_ID, nonce)
    assert verify_partial(A_ID, B_ID, half)
    assert not verify_partial(A_ID, C_ID, half)
    assert not verify_partial(C_ID, B_ID, half)
    assert not verify_partial(A_ID, B_ID, replace(half, nonce=nonce ^ 1))
    assert not verify_partial(A_ID, B_ID, replace(half, signature=sign_edge(A, B_ID, nonce).signature))


def test_a_half_whose_nonce_is_no_u64():
    assert not verify_partial(A_ID, B_ID, PartialEdgeInfo(2**64, sign_edge(B, A_ID, 1).signature))


def unsorted() -> Edge:
    good = edge()
    return Edge.build(B_ID, A_ID, 1, good.signature1, good.signature0)


def to_itself() -> Edge:
    signature = A.sign(edge_digest(A_ID, A_ID, 1))
    return Edge.build(A_ID, A_ID, 1, signature, signature)


def with_nonce(nonce: int, removed: bool) -> Edge:
    """Right signatures over a nonce, with or without the removal info."""
    halves = (A.sign(edge_digest(A_ID, B_ID, nonce - removed)), B.sign(edge_digest(A_ID, B_ID, nonce - removed)))
    removal = (True, A.sign(edge_digest(A_ID, B_ID, nonce))) if removed else None
    return Edge.build(A_ID, B_ID, nonce, *halves, removal)


@pytest.mark.threat(32)
@pytest.mark.threat(33)
@pytest.mark.threat(34)
@pytest.mark.parametrize(
    "bad",
    [unsorted(), to_itself(), with_nonce(0, False), with_nonce(2, False), with_nonce(1, True), with_nonce(3, True)],
    ids=["unsorted", "to itself", "nonce 0", "even without removal", "odd with removal", "odd with removal 3"],
)
def test_malformed_edges_cost_no_crypto(bad):
    assert not well_formed(bad)
    check = EdgeCheck(bad)
    assert (check.checks, check.signature_count) == (None, 0)
    assert check_outcome(check) == "forged"
    assert not verify_edge(bad)


@pytest.mark.threat(34)
def test_a_removal_is_signed_by_one_of_its_ends():
    good = sign_removal(A, edge())
    assert len(good) == 271
    peer0, peer1, nonce, *signatures, (_, signature) = good.parts()
    assert not verify_edge(Edge.build(peer0, peer1, nonce, *signatures, (False, signature))), "said to be the other's"
    stranger = C.sign(edge_digest(peer0, peer1, nonce))
    assert not verify_edge(Edge.build(peer0, peer1, nonce, *signatures, (True, stranger)))


@pytest.mark.threat(31)
def test_forged_halves():
    peer0, peer1, nonce, signature0, signature1, _ = edge().parts()
    assert not verify_edge(Edge.build(peer0, peer1, nonce, signature1, signature1))
    assert not verify_edge(Edge.build(peer0, peer1, nonce, signature0, signature0))
    assert not verify_edge(Edge.build(peer0, peer1, nonce + 2, signature0, signature1))


def test_of_a_removal_of_what_is_known_only_the_third_signature_is_checked():
    active = edge(5)
    removal = sign_removal(B, active)
    (only,) = EdgeCheck(removal, active).checks
    assert only == signature_row(B_ID, edge_digest(A_ID, B_ID, 6), removal.removal[1])
    other_halves = Edge.build(A_ID, B_ID, 5, active.signature1, active.signature0)
    for known in (None, edge(3), edge(7), removal, other_halves):
        assert len(EdgeCheck(removal, known).checks) == EdgeCheck(removal, known).signature_count == 3
    assert len(EdgeCheck(edge(7), active).checks) == 2, "an active edge is checked whole"


def small_order(signature1: Signature) -> Edge:
    """Between the identity point, whose signature libsodium alone refuses, and B."""
    assert B_ID > SMALL_ORDER
    return Edge.build(SMALL_ORDER, B_ID, 1, IDENTITY_SIGNATURE, signature1)


@pytest.mark.threat(39)
def test_strict_is_the_outcome_only_when_nothing_is_forged():
    right = B.sign(edge_digest(SMALL_ORDER, B_ID, 1))
    assert check_outcome(EdgeCheck(small_order(right))) == "strict"
    assert not verify_edge(small_order(right))
    assert check_outcome(EdgeCheck(small_order(A.sign(bytes(32))))) == "forged"


@pytest.mark.threat(37)
def test_a_list_is_checked_up_to_its_first_forgery():
    strict = small_order(B.sign(edge_digest(SMALL_ORDER, B_ID, 1)))
    good = [EdgeCheck(edge(1)), EdgeCheck(strict), EdgeCheck(edge(3))]
    assert run_checks(4, good) == Verdict(4, ("valid", "strict", "valid"))
    assert run_checks(5, [*good, EdgeCheck(unsorted()), *good]) == Verdict(5, ("valid", "strict", "valid", "forged"))
    assert run_checks(6, []) == Verdict(6, ())


class Together:
    """Checks many in one call, as a compiled loop does."""

    def __init__(self):
        self.edges = []

    def first_refused(self, rows, start, count):
        use_check(None)
        refused = [row != "valid" for row in check_signatures([rows[at : at + ROW] for at in range(0, len(rows), ROW)])]
        use_check(None, self)
        return refused.index(True, start) if True in refused[start:] else count

    def first_refused_edge(self, edges, count):
        self.edges.append(count)
        rows = [EdgeCheck(Edge(edges[at : at + MIN_EDGE])).checks for at in range(0, len(edges), MIN_EDGE)]
        bad = [row is None or self.first_refused(b"".join(row), 0, 2) < 2 for row in rows]
        return [*bad, True].index(True)


@pytest.mark.threat(37)
def test_edges_checked_in_one_call_as_far_as_they_are_plain():
    together, before = Together(), use_check(None)
    use_check(None, together)
    strict = EdgeCheck(small_order(B.sign(edge_digest(SMALL_ORDER, B_ID, 1))))
    plain, removed = [EdgeCheck(edge(1)), EdgeCheck(edge(3))], EdgeCheck(sign_removal(A, edge()))
    try:
        assert run_checks(1, plain) == Verdict(1, ("valid", "valid"))
        assert run_checks(2, [*plain, strict, *plain]) == Verdict(2, ("valid", "valid", "strict", "valid", "valid"))
        assert run_checks(3, [*plain, EdgeCheck(unsorted()), *plain]) == Verdict(3, ("valid", "valid", "forged"))
        assert together.edges == [2, 5, 5]
        assert run_checks(4, [*plain, removed]) == Verdict(4, ("valid",) * 3)
        assert run_checks(5, []) == Verdict(5, ())
        assert together.edges == [2, 5, 5], "none of these are all plain"
    finally:
        use_check(*before)


@given(st.integers(0, 2**64 - 3))
def test_the_next_nonce_is_the_next_odd_one(nonce):
    following = next_nonce(nonce)
    assert following % 2 == 1
    assert 0 < following - nonce <= 2
