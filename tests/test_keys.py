"""Keys and signatures against the golden bytes, and at the edges of the rule (`wire.md` §3)."""

import base58
import pytest

from nearnet.errors import BadKey, BadSignatureEncoding
from nearnet.keys import CryptoHash, PublicKey, SecretKey, Signature, check_signature
from tests.vectors_file import vectors


@pytest.mark.parametrize("case", vectors("borsh")["keys"], ids=lambda case: case["seed"])
def test_vectors(case):
    key = SecretKey.from_text(case["secret_key"])
    public = PublicKey.from_text(case["public_key"])
    assert key.public_key == public == PublicKey.from_bytes(bytes.fromhex(case["public_key_borsh"]))
    assert key.text == case["secret_key"]
    assert str(public) == case["public_key"]
    for signed in case["signatures"]:
        digest = bytes.fromhex(signed["message"])
        signature = Signature.from_text(signed["signature"])
        assert signature.hex() == signed["signature_borsh"]
        assert str(signature) == signed["signature"]
        assert key.sign(digest) == signature
        assert public.verify(digest, signature)
        assert not public.verify(bytes(32), signature)


@pytest.mark.parametrize("case", vectors("signatures"), ids=lambda case: case["name"])
def test_edges_of_the_rule(case):
    """Where real nodes say true: valid, or refused by us alone. Where they say false: never valid."""
    key, raw = PublicKey.from_bytes(bytes.fromhex(case["public_key"])), bytes.fromhex(case["signature"])
    if case["today"] == "signature_does_not_parse":
        with pytest.raises(BadSignatureEncoding):
            Signature.from_bytes(raw)
        return
    outcome = check_signature(key, Signature.from_bytes(raw), bytes.fromhex(case["message"]))
    if case["today"] == "true":
        assert outcome in ("valid", "strict")
        if "small order" not in case["name"] and "not canonical" not in case["name"] and "identity" not in case["name"]:
            assert outcome == "valid"
    else:
        assert outcome in ("forged", "strict")
        strict_only = ("small order", "canonical", "torsion", "key not on the curve")
        if not any(words in case["name"] for words in strict_only):
            assert outcome == "forged"


@pytest.mark.parametrize(
    ("seed", "text"),
    [
        ("node0", "ed25519:7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX"),
        ("node1", "ed25519:6DSjZ8mvsRZDvFqFxo8tCKePG96omXW7eVYVSySmDk8e"),
        ("test.near", "ed25519:9BmAFNRTa5mRRXpSAm6MxSEeqRASDGNh2FuuwZ4gyxTw"),
    ],
)
def test_seeds(seed, text):
    assert str(SecretKey.from_seed(seed).public_key) == text


def test_order_is_that_of_the_bytes():
    order = [PublicKey.from_text(text) for text in vectors("borsh")["peer_id_order"]]
    assert sorted(order) == order


@pytest.mark.parametrize("key_type", ["ed25519", "secp256k1"])
def test_generated(key_type):
    key = SecretKey.generate(key_type)
    again = SecretKey.from_text(key.text)
    assert again.public_key == key.public_key
    assert key.public_key.key_type == key_type
    assert key.sign(bytes(32)).key_type == key_type
    assert key.public_key.data == key.public_key[1:]
    assert key.text not in repr(key)
    assert str(key.public_key) in repr(key)
    assert str(key.public_key) in repr(key.public_key)
    assert "Signature('" in repr(key.sign(bytes(32)))


def test_a_prefix_may_be_missing():
    text = "7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX"
    assert PublicKey.from_text(text) == PublicKey.from_text("ed25519:" + text)
    key = SecretKey.from_seed("node0")
    assert SecretKey.from_text(key.text.removeprefix("ed25519:")).public_key == key.public_key


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rsa:111", "got 'rsa'"),
        ("ed25519:111", "expected 32 bytes, got 3"),
        ("secp256k1:111", "expected 64 bytes, got 3"),
        ("ed25519:0OIl", "no base58 character"),
    ],
)
def test_bad_public_keys(text, words):
    with pytest.raises(BadKey, match=words):
        PublicKey.from_text(text)


@pytest.mark.parametrize("data", [b"", b"\2" + bytes(32), bytes(32), b"\1" + bytes(32)])
def test_bad_bytes(data):
    with pytest.raises(BadKey):
        PublicKey.from_bytes(data)
    with pytest.raises(BadKey):
        Signature.from_bytes(data)


def test_bad_signature_text():
    with pytest.raises(BadKey, match="invalid signature"):
        Signature.from_text("ed25519:111")
    with pytest.raises(BadSignatureEncoding):
        Signature.from_text(str(Signature(b"\0" + b"\xff" * 64)))


@pytest.mark.parametrize("text", ["ed25519:0", "ed25519:111", "secp256k1:111", "other:111", ""])
def test_bad_secret_keys_are_not_shown(text):
    with pytest.raises(BadKey) as caught:
        SecretKey.from_text(text)
    assert text == "" or text not in str(caught.value)


def test_secret_halves_must_belong_together():
    key, other = SecretKey.from_seed("a"), SecretKey.from_seed("b")
    halves = [base58.b58decode(one.text.partition(":")[2]) for one in (key, other)]
    mixed = base58.b58encode(halves[0][:32] + halves[1][32:]).decode()
    with pytest.raises(BadKey, match="halves"):
        SecretKey.from_text(f"ed25519:{mixed}")


def test_bad_secrets():
    with pytest.raises(BadKey, match="expected ed25519 or secp256k1"):
        SecretKey("rsa", bytes(32))
    with pytest.raises(BadKey, match="group's order"):
        SecretKey("secp256k1", bytes(32))


def test_hash():
    text = "GKot5hBsd81kMupNCXHaqbhv3huEbxAFMLnpcX2hniwn"
    assert str(CryptoHash.of(b"")) == text
    assert CryptoHash.from_text(text) == CryptoHash.of(b"")
    assert text in repr(CryptoHash.of(b""))
    with pytest.raises(BadKey, match="no hash"):
        CryptoHash.from_text("111")
