"""What a real node of the documented era said to recorded clients, our core says as well (`docs/threats.md`).

The recording holds every connection of the outside suite. The core gets the node's key, the clients' bytes and the
recorded times. Its answers must be the same bytes in the same order. What is told unasked (tables, the request for
peers) comes at other times and in other pieces, so it is compared as a whole: every edge that the real node told.
"""

from __future__ import annotations

import pytest
from replay import CLOSED, Recorded

from nearnet.wire.messages import PeersResponse

UNASKED = ("SyncRoutingTable", "PeersRequest", "PeersResponse")
REAL = Recorded("transcripts-borsh.json.gz", "borsh", UNASKED)

NOT_RECORDED = {
    REAL.parts.index("split_bytes"): "the client's bytes went past the recorder; the outside suite checks it",
    REAL.parts.index("garbage"): "the client's bytes went past the recorder; the outside suite checks it",
}
DEPARTURES = {
    REAL.parts.index("forged_edge_ban"): "decision 10: a ban closes the socket at once; the real node left it open",
}


@pytest.mark.threat(11, 12, 14, 16, 23, 26, 48)
@pytest.mark.scenario(32, 33, 35)
@pytest.mark.parametrize("number", REAL.cases(NOT_RECORDED))
def test_the_same_answers(number: int) -> None:
    expected, told = REAL.asked(REAL.frames(number)), REAL.asked(REAL.answers[number])
    if number in DEPARTURES:
        expected = [*expected, CLOSED]
    assert [REAL.kind(frame) for frame in told] == [REAL.kind(frame) for frame in expected]
    assert told == expected


@pytest.mark.parametrize("number", REAL.cases(NOT_RECORDED))
def test_every_edge_that_the_real_node_told(number: int) -> None:
    """The unrecorded client's edge is missing, of course. What we tell besides are our own links (decision 9)."""
    recorded, told = REAL.edges(REAL.frames(number)), REAL.edges(REAL.answers[number])
    unknown = [bytes(REAL.client(n)) for n in NOT_RECORDED]
    missing = recorded - told
    assert [edge for edge in missing if not any(client in edge for client in unknown)] == []
    me = bytes(REAL.node)
    assert [edge for edge in told - recorded if me not in edge] == []


@pytest.mark.parametrize("number", REAL.cases(NOT_RECORDED))
def test_peers_are_asked_for_where_the_real_node_asked(number: int) -> None:
    asked = "PeersRequest" in map(REAL.kind, REAL.frames(number))
    assert not asked or list(map(REAL.kind, REAL.answers[number])).count("PeersRequest") == 1


def test_the_peers_told() -> None:
    """In random order. We leave out who has no address, and nobody takes a connected peer's address by a claim."""
    number = max(n for n, part in enumerate(REAL.parts) if part == "peers_exchange")
    (recorded,), (told,) = (REAL.decoded(f, PeersResponse) for f in (REAL.frames(number), REAL.answers[number]))
    ours, theirs = ({peer.id: peer for peer in message.peers} for message in (told, recorded))
    claimed = [REAL.client(n) for n, part in enumerate(REAL.parts) if part == "table_exchange"]
    for peer_id, peer in theirs.items():
        if peer.addr is not None and peer_id not in (*claimed, *map(REAL.client, NOT_RECORDED)):
            assert ours[peer_id] == peer
    assert set(ours) <= set(theirs)
