"""Many signatures at once: one by one and compiled, the same outcomes."""

import sys

import pytest

from nearnet import keys
from nearnet.errors import BadSignatureEncoding
from nearnet.keys import PublicKey, SecretKey, Signature, check_signature, check_signatures, signature_row, use_check
from nearnet.net import edge_validator, verifiers
from nearnet.net.verifiers import check_many_at_once
from tests.vectors_file import vectors

A, B, COIN = SecretKey.from_seed("a"), SecretKey.from_seed("b"), SecretKey.from_seed("c", "secp256k1")
DIGESTS = [bytes((number,)) * 32 for number in range(9)]


@pytest.fixture(params=["one by one", "compiled"])
def at_once(request):
    before = use_check(None)
    if request.param == "compiled":
        pytest.importorskip("numba")
        assert check_many_at_once()
    yield
    use_check(*before)


def good(key=A):
    return [signature_row(key.public_key, digest, key.sign(digest)) for digest in DIGESTS]


@pytest.mark.threat(39)
def test_the_reference_agrees(at_once):
    """All edge cases in one call; those before and behind it are judged for themselves."""
    rows, expected = [], []
    for case in vectors("signatures"):
        key, digest = PublicKey.from_bytes(bytes.fromhex(case["public_key"])), bytes.fromhex(case["message"])
        try:
            signature = Signature.from_bytes(bytes.fromhex(case["signature"]))
        except BadSignatureEncoding:
            continue
        if len(digest) == 32:
            rows.append(signature_row(key, digest, signature))
            expected.append(check_signature(key, signature, digest))
    ed25519 = [number for number, row in enumerate(rows) if len(row) == keys.ROW]
    assert len(ed25519) > 50
    for some in (ed25519, range(len(rows))):
        assert check_signatures([rows[number] for number in some]) == [expected[number] for number in some]


def test_until_forged(at_once):
    rows = good()
    rows[4] = rows[4][:96] + B.public_key[1:]
    assert check_signatures(rows, until_forged=True) == ["valid"] * 4 + ["forged"]
    assert check_signatures(rows) == ["valid"] * 4 + ["forged"] + ["valid"] * 4
    rows[2] = b"\1" + bytes(63) + rows[2][64:]  # R is the identity: libsodium's rule alone
    assert check_signatures(rows, until_forged=True) == ["valid", "valid", "strict", "valid", "forged"]


def test_other_kinds_among_them(at_once):
    digest = DIGESTS[0]
    rows = [*good(COIN), *good()]
    assert check_signatures(rows) == ["valid"] * 18
    mixed = [
        signature_row(A.public_key, digest, COIN.sign(digest)),
        signature_row(COIN.public_key, digest, A.sign(digest)),
        signature_row(COIN.public_key, digest, COIN.sign(DIGESTS[1])),
        signature_row(A.public_key, digest, Signature(b"")),
    ]
    assert check_signatures(mixed) == ["forged"] * 4
    assert check_signatures([*mixed, *rows], until_forged=True) == ["forged"]
    assert check_signatures([]) == []


def test_two_wrong_lengths_are_not_two_right_ones(at_once):
    """Together as long as two rows; cut anew they would hold."""
    one, other = good()[:2]
    assert check_signatures([one[:96], one[96:] + other]) == ["forged", "forged"]


def test_the_simulator_s_check_is_the_only_one_while_it_runs():
    pytest.importorskip("numba")
    before = use_check(None)
    try:
        assert check_many_at_once()
        many = keys.many_checks()
        inside = use_check(lambda *_: 0)
        assert check_signatures([bytes(keys.ROW)] * 3) == ["valid"] * 3
        assert inside[1] is many
        use_check(*inside)
        assert check_signatures([bytes(keys.ROW)] * 3) != ["valid"] * 3
    finally:
        use_check(*before)


def test_without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "nearnet.net.compiled_checks", None)
    monkeypatch.delattr("nearnet.net.compiled_checks", raising=False)
    assert not check_many_at_once()
    assert keys.many_checks() is None


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("first_refused", lambda rows, start, count: count),
        ("first_refused", lambda rows, start, count: start),
        ("first_refused_edge", lambda edges, count: count),
        ("first_refused_edge", lambda edges, count: 0),
    ],
)
def test_a_compiled_check_that_is_wrong_is_not_used(monkeypatch, name, answer):
    compiled_checks = pytest.importorskip("nearnet.net.compiled_checks")
    monkeypatch.setattr(compiled_checks, name, answer)
    assert not check_many_at_once()
    assert keys.many_checks() is None


def test_another_verifier_stays(monkeypatch):
    before = use_check(lambda *_: 0)
    try:
        assert not check_many_at_once()
        assert verifiers.current() != "pynacl"
    finally:
        use_check(*before)


def test_what_much_is():
    """A table's piece is not much; a full read of small messages is (64 KiB are 160 of them)."""
    from nearnet.core.gossip.exchange import EDGES_AT_ONCE, EDGES_IN_PROGRESS

    assert EDGES_AT_ONCE < edge_validator.BUSY_FROM < EDGES_IN_PROGRESS
    assert edge_validator.SHARE_FROM < edge_validator.LONG_RUN < 160
