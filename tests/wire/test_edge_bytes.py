import pytest

from nearnet.errors import Malformed
from nearnet.keys import PublicKey, Signature
from nearnet.wire.edge_bytes import MIN_EDGE, Edge, read_edge
from tests.vectors_file import vectors

CASES = vectors("borsh")["edges"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["nonce"])
def test_vectors(case):
    data = bytes.fromhex(case["borsh"])
    edge, end = read_edge(b"head" + data + b"tail", 4)
    assert (edge, end) == (data, 4 + len(data))
    assert str(edge.peer0) == case["peer0"]
    assert str(edge.peer1) == case["peer1"]
    assert edge.key == (edge.peer0, edge.peer1)
    assert edge.nonce == int(case["nonce"])
    assert edge.is_active == (int(case["nonce"]) % 2 == 1)
    assert [str(edge.signature0), str(edge.signature1)] == [case["signature0"], case["signature1"]]
    removal = None if edge.removal is None else [edge.removal[0], str(edge.removal[1])]
    assert removal == case["removal_info"]
    again = Edge.build(edge.peer0, edge.peer1, edge.nonce, edge.signature0, edge.signature1, edge.removal)
    assert again == data
    assert edge.involves(edge.peer0)
    assert edge.other(edge.peer0) == edge.peer1
    assert edge.other(edge.peer1) == edge.peer0
    assert case["nonce"] in repr(edge)
    assert isinstance(edge.peer0, PublicKey)
    assert isinstance(edge.signature0, Signature)
    assert len(data) >= MIN_EDGE


@pytest.mark.threat(4)
def test_every_cut():
    for case in CASES[::7]:
        data = bytes.fromhex(case["borsh"])
        for end in range(len(data)):
            with pytest.raises(Malformed):
                read_edge(data[:end], 0)


def mutate(data, at, value):
    return data[:at] + bytes((value,)) + data[at + 1 :]


def test_layout():
    removed = next(bytes.fromhex(case["borsh"]) for case in CASES if case["removal_info"])
    option = len(removed) - 67
    assert removed[option] == 1
    with pytest.raises(Malformed, match="option byte"):
        read_edge(mutate(removed, option, 2), 0)
    with pytest.raises(Malformed, match="removal side"):
        read_edge(mutate(removed, option + 1, 2), 0)
    with pytest.raises(Malformed):
        read_edge(mutate(removed, 0, 2), 0)
    with pytest.raises(Malformed, match="top bits"):
        read_edge(mutate(removed, len(removed) - 1, 0xFF), 0)
