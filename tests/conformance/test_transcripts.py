"""What a real node of the documented era said to recorded clients, our core says as well (`docs/threats.md`).

The recording holds every connection of the outside suite. The core gets the node's key, the clients' bytes and the
recorded times. Its answers must be the same bytes in the same order. What is told unasked (tables, the request for
peers) comes at other times and in other pieces, so it is compared as a whole: every edge that the real node told.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from replay import CLOSED, Answers, Replay, load

from nearnet.keys import PublicKey
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import PeersResponse, SyncRoutingTable

BORSH = dialect_named("borsh")
RECORDING = load("transcripts-borsh.json.gz")
PARTS = [connection["part"] for connection in RECORDING["connections"]]
UNASKED = ("SyncRoutingTable", "PeersRequest", "PeersResponse")

NOT_RECORDED = {
    PARTS.index("split_bytes"): "the client's bytes went past the recorder; the outside suite checks it",
    PARTS.index("garbage"): "the client's bytes went past the recorder; the outside suite checks it",
}
DEPARTURES = {
    PARTS.index("forged_edge_ban"): "decision 10: a ban closes the socket at once; the real node left it open",
}


@cache
def _answers() -> Answers:
    return Replay(RECORDING).run([tuple(step) for step in RECORDING["steps"]])


def _recorded(number: int) -> list[bytes]:
    return [
        bytes.fromhex(frame) for _, n, who, frame in RECORDING["steps"] if n == number and who in ("node", "closed")
    ]


def _kind(frame: bytes) -> str:
    return "closed" if frame == CLOSED else BORSH.kind(frame)


def _asked(frames: list[bytes]) -> list[bytes]:
    return [frame for frame in frames if _kind(frame) not in UNASKED]


def _decoded(frames: list[bytes], message: type[Any]) -> list[Any]:
    return [BORSH.decode(frame) for frame in frames if _kind(frame) == message.__name__]


def _edges(frames: list[bytes]) -> set[bytes]:
    return {edge for table in _decoded(frames, SyncRoutingTable) for edge in table.edges}


def _client(number: int) -> PublicKey:
    return PublicKey.from_text(RECORDING["connections"][number]["client_key"])


def _ids() -> list[Any]:
    return [pytest.param(n, id=f"{n}-{part}") for n, part in enumerate(PARTS) if n not in NOT_RECORDED]


@pytest.mark.threat(11, 12, 14, 16, 23, 26, 48)
@pytest.mark.scenario(32, 33, 35)
@pytest.mark.parametrize("number", _ids())
def test_the_same_answers(number: int) -> None:
    expected, told = _asked(_recorded(number)), _asked(_answers()[number])
    if number in DEPARTURES:
        expected = [*expected, CLOSED]
    assert [_kind(frame) for frame in told] == [_kind(frame) for frame in expected]
    assert told == expected


@pytest.mark.parametrize("number", _ids())
def test_every_edge_that_the_real_node_told(number: int) -> None:
    """The unrecorded client's edge is missing, of course. What we tell besides are our own links (decision 9)."""
    recorded, told = _edges(_recorded(number)), _edges(_answers()[number])
    unknown = [bytes(_client(n)) for n in NOT_RECORDED]
    missing = recorded - told
    assert [edge for edge in missing if not any(client in edge for client in unknown)] == []
    me = bytes(PublicKey.from_text(RECORDING["node_key"]))
    assert [edge for edge in told - recorded if me not in edge] == []


@pytest.mark.parametrize("number", _ids())
def test_peers_are_asked_for_where_the_real_node_asked(number: int) -> None:
    asked = "PeersRequest" in map(_kind, _recorded(number))
    assert not asked or list(map(_kind, _answers()[number])).count("PeersRequest") == 1


def test_the_peers_told() -> None:
    """In random order. We leave out who has no address, and nobody takes a connected peer's address by a claim."""
    number = max(n for n, part in enumerate(PARTS) if part == "peers_exchange")
    (recorded,), (told,) = (_decoded(f, PeersResponse) for f in (_recorded(number), _answers()[number]))
    ours, theirs = ({peer.id: peer for peer in message.peers} for message in (told, recorded))
    claimed = [_client(n) for n, part in enumerate(PARTS) if part == "table_exchange"]
    for peer_id, peer in theirs.items():
        if peer.addr is not None and peer_id not in (*claimed, *map(_client, NOT_RECORDED)):
            assert ours[peer_id] == peer
    assert set(ours) <= set(theirs)
