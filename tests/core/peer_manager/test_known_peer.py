"""The stored form of a known peer, byte for byte."""

import json
from pathlib import Path

import pytest

from nearnet.core.peer_manager.known_peers import Ban, KnownPeerState, PeerStatus, decode_known_peer, encode_known_peer
from nearnet.errors import Malformed, ReasonForBan

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "borsh.json").read_text())["known_peer_states"]
BANNED = bytes.fromhex(VECTORS[3]["borsh"])


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{n} {v['status']}" for n, v in enumerate(VECTORS)])
def test_golden(vector):
    data = bytes.fromhex(vector["borsh"])
    state = decode_known_peer(data)
    assert str(state.peer_info) == vector["peer"]
    assert state.status.label == vector["status"]
    assert state.last_seen == int(vector["last_seen"])
    assert (state.ban is not None) is (state.status is PeerStatus.BANNED)
    assert encode_known_peer(state) == data


def test_a_ban_has_its_reason_and_time():
    ban = decode_known_peer(BANNED).ban
    assert ban is not None
    assert ban.reason is ReasonForBan.INVALID_EDGE
    assert ban.time_ns == int.from_bytes(BANNED[-24:-16], "little")


@pytest.mark.parametrize("cut", range(len(BANNED)))
def test_every_cut_is_malformed(cut):
    with pytest.raises(Malformed):
        decode_known_peer(BANNED[:cut])


def test_other_nonsense_is_malformed():
    with pytest.raises(Malformed, match="left over"):
        decode_known_peer(BANNED + b"\0")
    with pytest.raises(Malformed, match="99 is not a valid ReasonForBan"):
        decode_known_peer(BANNED[:-25] + b"\x63" + BANNED[-24:])
    with pytest.raises(Malformed, match="7 is not a valid PeerStatus"):
        decode_known_peer(BANNED[:-26] + b"\x07" + BANNED[-25:])


def test_there_and_back():
    info = decode_known_peer(BANNED).peer_info
    state = KnownPeerState(info, PeerStatus.BANNED, 1, 2**64 - 1, Ban(ReasonForBan.ABUSIVE, 0))
    assert decode_known_peer(encode_known_peer(state)) == state
