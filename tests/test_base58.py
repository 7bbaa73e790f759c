import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearnet.base58 import b58decode, b58encode, most_letters
from nearnet.errors import BadKey
from tests.vectors_file import vectors


def test_vectors():
    for case in vectors("borsh")["hashes"]:
        assert b58encode(bytes.fromhex(case["hex"])) == case["base58"]
        assert b58decode(case["base58"]).hex() == case["hex"]


@given(st.binary(max_size=70))
def test_round_trip(data):
    assert b58decode(b58encode(data)) == data


@given(st.binary(max_size=70))
def test_oracle(data):
    base58 = pytest.importorskip("base58")
    assert b58encode(data) == base58.b58encode(data).decode()


def test_refusals():
    with pytest.raises(BadKey, match="'0' is no base58"):
        b58decode("10")
    with pytest.raises(BadKey, match="longer than any key"):
        b58decode("1" * 201)


@given(st.integers(0, 20), st.binary(max_size=40), st.integers(0, 3309))
def test_long_ones(zeros, head, more):
    base58 = pytest.importorskip("base58")
    data = bytes(zeros) + head + bytes(more)
    text = b58encode(data)
    assert text == base58.b58encode(data).decode()
    assert len(text) <= most_letters(len(data))
    assert b58decode(text, most_letters(len(data))) == data


@pytest.mark.parametrize("length", [0, 1, 32, 64, 1952, 3309])
def test_most_letters(length):
    longest = b58encode(b"\xff" * length)
    assert len(longest) <= most_letters(length) <= len(longest) * 1.02 + 2
    with pytest.raises(BadKey, match="longer than any key"):
        b58decode("z" * (most_letters(length) + 1), most_letters(length))
