"""The seam behind which signatures are checked; no verifier accepts what real nodes refuse."""

import pytest

from nearnet import keys
from nearnet.errors import BadSignatureEncoding, ConfigError
from nearnet.keys import PublicKey, SecretKey, Signature, check_signature
from nearnet.net import verifiers
from nearnet.net.verifiers import VERIFIERS, choose, current
from tests.vectors_file import vectors


@pytest.fixture(autouse=True)
def as_before():
    before = keys._sodium_open
    yield
    keys._sodium_open = before


@pytest.fixture(params=VERIFIERS)
def verifier(request):
    if request.param == "solders":
        pytest.importorskip("solders")
    assert choose(request.param, 1) == current() == request.param
    return request.param


@pytest.mark.threat(39)
@pytest.mark.parametrize("case", vectors("signatures"), ids=lambda case: case["name"])
def test_nothing_is_accepted_that_real_nodes_refuse(verifier, case):
    key, raw = PublicKey.from_bytes(bytes.fromhex(case["public_key"])), bytes.fromhex(case["signature"])
    try:
        signature = Signature.from_bytes(raw)
    except BadSignatureEncoding:
        assert case["today"] == "signature_does_not_parse"
        return
    outcome = check_signature(key, signature, bytes.fromhex(case["message"]))
    assert outcome != "valid" or case["today"] == "true"
    assert outcome != "forged" or case["today"] == "false", "no honest neighbour is banned"


def test_own_signatures(verifier):
    key = SecretKey.from_seed("somebody")
    signature = key.sign(bytes(32))
    assert check_signature(key.public_key, signature, bytes(32)) == "valid"
    assert check_signature(key.public_key, signature, bytes(31) + b"x") == "forged"


def test_the_faster_one_is_chosen(monkeypatch):
    pytest.importorskip("solders")
    for fastest in VERIFIERS:
        seconds = {name: 1.0 + (name != fastest) for name in VERIFIERS}
        monkeypatch.setattr(verifiers, "_seconds", lambda threads, seconds=seconds: seconds[current()])
        assert choose("auto", 2) == current() == fastest


def test_one_is_measured():
    assert 0 < verifiers._seconds(2) < 10
    assert choose("auto", 1) in VERIFIERS


def test_without_solders(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "solders.pubkey", None)
    assert choose("auto", 1) == "pynacl"
    with pytest.raises(ConfigError, match="solders is not installed"):
        choose("solders", 1)
    assert current() == "pynacl"
