"""What a real node of today said to recorded clients, our core says as well (`behaviour.md` §10).

The clock is set to the day of the recording. Answers are the same bytes, but for the moment a routed message was made.
What is told unasked comes at other times and in other pieces, so it is compared as a whole. Blocks are the client's.
"""

from __future__ import annotations

import dataclasses
from functools import cache

import pytest
from replay import CLOSED, Recorded

from nearnet.core.routing_table.edge import EDGE_AHEAD
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import PeersResponse, Routed, SyncSnapshotHosts

UNASKED = ("SyncRoutingTable", "SyncSnapshotHosts", "SyncAccountsData", "PeersRequest", "PeersResponse", "Block")
REAL = Recorded("transcripts-protobuf.json.gz", "protobuf", UNASKED)

NOT_RECORDED = {
    25: "the handshake went past the recorder, byte by byte",
    REAL.parts.index("garbage"): "the client's bytes went past the recorder",
}
"""The outside suite checks these."""

REFUSED_SECOND = REAL.parts.index("refusals") + 5
"""The real node signs the edge of a second connection before it refuses it, and so removes that one in the end."""


@cache
def _told_by_clients(number: int | None = None) -> set[bytes]:
    """The edges in their tables; of one of them."""
    said = [(n, bytes.fromhex(frame)) for _, n, who, frame in REAL.content["steps"] if who == "client"]
    return REAL.edges([frame for n, frame in said if number in (None, n)])


def _timeless(frame: bytes) -> bytes:
    """Without what depends on the clock."""
    if REAL.kind(frame) != "Routed":
        return frame
    message = REAL.dialect.decode(frame)
    assert isinstance(message, Routed)
    assert message.created_at is not None
    return REAL.dialect.encode(dataclasses.replace(message, created_at=(0, 0)))


@pytest.mark.threat(11, 12, 14, 16, 17, 18, 26, 31, 48)
@pytest.mark.scenario(58, 67, 68, 73)
@pytest.mark.interop("Handshake", "HandshakeFailure", "LastEdge", "Disconnect", "Routed", "nonces")
@pytest.mark.parametrize("number", REAL.cases(NOT_RECORDED))
def test_the_same_answers(number: int) -> None:
    expected, told = REAL.asked(REAL.frames(number)), REAL.asked(REAL.answers[number])
    if CLOSED not in expected and told[-1:] == [CLOSED]:
        assert REAL.kind(told[-2]) == "Disconnect", "nothing closes without one"
        told.pop()
    assert [REAL.kind(frame) for frame in told] == [REAL.kind(frame) for frame in expected]
    assert [_timeless(frame) for frame in told] == [_timeless(frame) for frame in expected]


@pytest.mark.interop("SyncRoutingTable", "RequestUpdateNonce")
@pytest.mark.parametrize("number", REAL.cases(NOT_RECORDED))
def test_every_edge_that_the_real_node_told(number: int) -> None:
    """But its own, which the real node tells back. The recorder did not see what its client did not wait for.

    The real node of 2025 also tells edges that are over 5 minutes ahead. Nodes of 2026 drop these, so ours does not.
    """
    recorded, told = REAL.edges(REAL.frames(number)), REAL.edges(REAL.answers[number])
    unknown = [bytes(REAL.client(n)) for n in (*NOT_RECORDED, REFUSED_SECOND)]
    me = bytes(REAL.node)
    missing = recorded - told - _told_by_clients(number)
    latest = REAL.content["started"] + REAL.content["steps"][-1][0] + EDGE_AHEAD
    missing = {edge for edge in missing if Edge(edge).nonce <= latest}
    assert [edge for edge in missing if not any(client in edge for client in unknown)] == []
    assert [edge for edge in told - recorded - _told_by_clients() if me not in edge] == []


@pytest.mark.interop("PeersRequest", "SyncSnapshotHosts")
@pytest.mark.parametrize("number", REAL.cases(NOT_RECORDED))
def test_what_is_told_unasked_where_the_real_node_did(number: int) -> None:
    for kind in ("PeersRequest", "SyncSnapshotHosts"):
        recorded = [frame for frame in REAL.frames(number) if REAL.kind(frame) == kind]
        assert recorded == [frame for frame in REAL.answers[number] if REAL.kind(frame) == kind][: len(recorded)]
    hosts = REAL.decoded(REAL.answers[number], SyncSnapshotHosts)
    assert hosts in ([], [SyncSnapshotHosts(())]), "once, though empty"


@pytest.mark.interop("PeersResponse")
def test_the_peers_told() -> None:
    """At random among those known; the direct ones are those connected at that time, with the address seen."""
    number = max(n for n, part in enumerate(REAL.parts) if part == "peers")
    (recorded,), (told,) = (REAL.decoded(f, PeersResponse) for f in (REAL.frames(number), REAL.answers[number]))
    assert len(told.peers) <= 5
    assert {peer.id for peer in recorded.direct_peers} == {peer.id for peer in told.direct_peers}
    assert {peer.addr.port for peer in told.direct_peers} == {peer.addr.port for peer in recorded.direct_peers}
