"""The seam behind which signatures are checked; no verifier accepts what real nodes refuse."""

import pytest

from nearnet.errors import BadSignatureEncoding
from nearnet.keys import PublicKey, SecretKey, Signature, check_signature, use_check
from nearnet.net.verifiers import choose, current
from tests.vectors_file import vectors


@pytest.fixture(autouse=True)
def as_before():
    before = use_check(None)
    yield
    use_check(*before)


@pytest.fixture(params=["auto", "pynacl"])
def verifier(request):
    """One of the config's names; before it is chosen, another check is in use that accepts everything."""
    use_check(lambda *_: 0)
    choose(request.param)
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
    assert outcome != "forged" or case["today"] == "false", "no honest neighbor is banned"


def test_own_signatures(verifier):
    key = SecretKey.from_seed("somebody")
    signature = key.sign(bytes(32))
    assert check_signature(key.public_key, signature, bytes(32)) == "valid"
    assert check_signature(key.public_key, signature, bytes(31) + b"x") == "forged"


def test_both_names_mean_pynacl(verifier):
    assert current() == "pynacl"


def test_another_check_is_told_apart():
    use_check(lambda *_: 0)
    assert current() == "another"
