"""Many edges in one call: the same outcomes as one by one, whatever is wrong with one of them."""

import itertools

import pytest

from nearnet.core.routing_table.edge import EdgeCheck, build_edge, run_checks, sign_edge, sign_removal, well_formed
from nearnet.keys import PublicKey, SecretKey, Signature, many_checks, use_check
from nearnet.net.verifiers import check_many_at_once
from nearnet.wire.edge_bytes import MIN_EDGE, Edge
from tests.vectors_file import vectors

A, B = sorted((SecretKey.from_seed(name) for name in "ab"), key=lambda key: key.public_key)
COIN = SecretKey.from_seed("c", "secp256k1")
KINDS = (0, 33, 74, 139, 204)
"""Where an edge's bytes say what follows: with another value it has another length."""


def edge(nonce=1, a=A, b=B):
    return build_edge(a, b.public_key, nonce, sign_edge(b, a.public_key, nonce).signature)


def strict():
    """Between the identity point, whose signature libsodium alone refuses, and B."""
    identity = PublicKey(b"\0\1" + bytes(31))
    return Edge.build(identity, B.public_key, 1, Signature(b"\0\1" + bytes(63)), sign_edge(B, identity, 1).signature)


@pytest.fixture
def outcomes():
    """Of edges, one by one and in one call: the same."""
    pytest.importorskip("numba")
    before = use_check(None)
    assert check_many_at_once()
    many = many_checks()

    def judge(*edges):
        checks = [EdgeCheck(edge) for edge in edges]
        verdicts = []
        for use in (None, many):
            use_check(None, use)
            verdicts.append(run_checks(1, checks))
        assert verdicts[0] == verdicts[1]
        return verdicts[0].outcomes

    yield judge
    use_check(*before)


@pytest.mark.threat(31, 32)
def test_no_byte_may_change(outcomes):
    right = edge()
    for at in range(MIN_EDGE):
        if at not in KINDS:
            harmed = Edge(right[:at] + bytes((right[at] ^ 1,)) + right[at + 1 :])
            assert outcomes(right, harmed, right) == ("valid", "forged")


@pytest.mark.threat(31)
def test_the_reference_agrees(outcomes):
    for case in vectors("borsh")["edges"]:
        judged = outcomes(edge(), Edge(bytes.fromhex(case["borsh"])), edge())
        assert (judged == ("valid",) * 3) == case["verify"]


@pytest.mark.threat(37, 39)
def test_in_any_order(outcomes):
    forged = Edge.build(*edge().key, 3, edge().signature0, edge().signature1)
    odd_ones = [edge(5), strict(), forged, sign_removal(A, edge()), edge(7, A, COIN)]
    for order in itertools.permutations(odd_ones):
        judged = outcomes(*order)
        expected = ["strict" if one == strict() else "valid" for one in order]
        assert list(judged) == [*expected[: order.index(forged)], "forged"]


@pytest.mark.threat(32, 33)
def test_signed_by_both_and_yet_none(outcomes):
    """The larger id first, an end that is both ends, a removed nonce, no nonce: what nobody may sign."""
    first, second = A.public_key, B.public_key
    halves = edge().signature0, edge().signature1
    for bad in (
        Edge.build(second, first, 1, *reversed(halves)),
        Edge.build(first, first, 1, *[sign_edge(A, first, 1).signature] * 2),
        *(Edge.build(first, second, nonce, *edge(nonce).signatures) for nonce in (0, 2)),
    ):
        assert len(bad) == MIN_EDGE
        assert not well_formed(bad)
        assert outcomes(edge(), bad) == ("valid", "forged")
