"""Checks of ML-DSA-65 signatures by the library `cryptography`, and what there is without it."""

import sys

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mldsa
from ml_dsa_keys import ODD_KEY, ODD_SIGNATURE, MlDsaKey, verifying

from nearnet import keys, ml_dsa
from nearnet.errors import BadKey
from nearnet.keys import (
    PublicKey,
    SecretKey,
    Signature,
    check_signature,
    check_signatures,
    is_ml_dsa,
    ml_dsa_check,
    signature_row,
)

DIGEST = bytes(range(32))
ED25519 = SecretKey.from_seed("a")
SECP256K1 = SecretKey.from_seed("a", "secp256k1")


def test_the_library_finds_what_is_wrong():
    check, key = ml_dsa.load(), MlDsaKey("a")
    assert check is not None, "the test environment has cryptography >= 48"
    public, signature = key.public_key[1:], key.sign(DIGEST)[1:]
    assert check(public, signature, DIGEST)
    assert not check(public, signature, bytes(32))
    assert not check(MlDsaKey("b").public_key[1:], signature, DIGEST)
    assert not check(public, signature[:-1] + bytes((signature[-1] ^ 1,)), DIGEST)
    assert not check(public[:-1], signature, DIGEST), "no key at all"


def test_without_the_library_there_is_no_check(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.mldsa", None)
    assert ml_dsa.load() is None


def test_a_library_that_refuses_every_key_is_none(monkeypatch):
    class Refusing:
        @staticmethod
        def from_public_bytes(data):
            raise UnsupportedAlgorithm("as release 47 does")

    monkeypatch.setattr(mldsa, "MLDSA65PublicKey", Refusing)
    assert ml_dsa.load() is None


def test_the_library_is_loaded_when_first_asked_for(monkeypatch):
    monkeypatch.setattr(keys, "_ml_dsa", None)
    monkeypatch.setattr(keys, "_ml_dsa_is_known", False)
    loads = []
    monkeypatch.setattr(ml_dsa, "load", lambda: loads.append(1))
    assert ml_dsa_check() is ml_dsa_check() is None
    assert len(loads) == 1, "once, also where there is none"


def test_texts_and_bytes():
    key = MlDsaKey("a")
    public, signature = key.public_key, key.sign(DIGEST)
    assert (len(public), len(signature)) == (1953, 3310)
    assert public.key_type == signature.key_type == "ml-dsa-65"
    assert str(public).startswith("ml-dsa-65:")
    assert PublicKey.from_text(str(public)) == PublicKey.from_bytes(bytes(public)) == public
    assert Signature.from_text(str(signature)) == Signature.from_bytes(bytes(signature)) == signature
    for lowest in (bytes(1952), b"\xff" * 1952):
        assert PublicKey.from_text(str(PublicKey(b"\2" + lowest)))[1:] == lowest
    assert Signature.from_text(str(Signature(b"\2" + b"\xff" * 3309)))[1:] == b"\xff" * 3309


def test_ed25519_comes_before_secp256k1_before_ml_dsa():
    last, middle, first = PublicKey(b"\2" + bytes(1952)), SECP256K1.public_key, ED25519.public_key
    assert sorted([last, middle, first]) == [first, middle, last]


def test_types():
    assert is_ml_dsa(ODD_KEY)
    assert is_ml_dsa(ODD_SIGNATURE)
    assert not any(map(is_ml_dsa, (ED25519.public_key, SECP256K1.public_key, ED25519.sign(DIGEST), b"")))


@pytest.mark.parametrize("data", [b"\2" + bytes(1951), b"\2" + bytes(1953), b"\3" + bytes(1952), b"\2"])
def test_other_lengths_and_tags_are_refused(data):
    with pytest.raises(BadKey, match=r"2 and 1952 bytes \(ml-dsa-65\)"):
        PublicKey.from_bytes(data)
    with pytest.raises(BadKey, match=r"2 and 3309 bytes \(ml-dsa-65\)"):
        Signature.from_bytes(data)


def test_texts_of_another_length_are_refused():
    with pytest.raises(BadKey, match="expected 1952 bytes, got 3"):
        PublicKey.from_text("ml-dsa-65:111")
    with pytest.raises(BadKey, match="expected 3309 bytes, got 1952"):
        Signature.from_text(str(ODD_KEY))
    for text in ("ml-dsa-65:" + "z" * 2695, "ed25519:" + "z" * 201, "z" * 10_000_000):
        with pytest.raises(BadKey, match="longer than any key"):
            PublicKey.from_text(text)
    with pytest.raises(BadKey, match="longer than any key"):
        Signature.from_text("ml-dsa-65:" + "z" * 4568)


def test_there_is_no_secret_key():
    with pytest.raises(BadKey, match="expected ed25519 or secp256k1"):
        SecretKey("ml-dsa-65", bytes(32))
    with pytest.raises(BadKey, match="does not sign with ml-dsa-65"):
        SecretKey.from_text("ml-dsa-65:" + "z" * 5000)


def test_a_check_that_fails_is_strict_and_never_forged():
    key = MlDsaKey("a")
    signature = key.sign(DIGEST)
    assert check_signature(key.public_key, signature, DIGEST) == "valid"
    assert key.public_key.verify(DIGEST, signature)
    for wrong in (ODD_SIGNATURE, ED25519.sign(DIGEST), SECP256K1.sign(DIGEST), key.sign(bytes(32))):
        assert check_signature(key.public_key, wrong, DIGEST) == "strict"
        assert check_signatures([signature_row(key.public_key, DIGEST, wrong)]) == ["strict"]
    for other in (ED25519, SECP256K1):
        assert check_signature(other.public_key, signature, DIGEST) == "forged", "as any other wrong type"
        assert check_signatures([signature_row(other.public_key, DIGEST, signature)]) == ["forged"]


def test_rows_of_all_types_together():
    signers = [ED25519, SECP256K1, MlDsaKey("a")]
    rows = [signature_row(one.public_key, DIGEST, one.sign(DIGEST)) for one in signers]
    assert check_signatures(rows) == ["valid"] * 3
    assert len({len(row) for row in rows}) == 3


def test_without_a_check_nothing_holds_and_nothing_is_forged():
    key = MlDsaKey("a")
    with verifying(None):
        assert check_signature(key.public_key, key.sign(DIGEST), DIGEST) == "strict"
        assert not key.public_key.verify(DIGEST, key.sign(DIGEST))
    with verifying(lambda *_: True):
        assert key.public_key.verify(DIGEST, ODD_SIGNATURE)
    assert not key.public_key.verify(DIGEST, ODD_SIGNATURE), "what was in use before is in use again"
