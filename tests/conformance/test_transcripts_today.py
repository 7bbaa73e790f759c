"""What a real node of today said to recorded clients, our core says as well (`behaviour.md` §10).

The clock is set to the day of the recording. Answers are the same bytes, but for the moment a routed message was made.
What is told unasked comes at other times and in other pieces, so it is compared as a whole. Blocks are the client's.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import pytest
from replay import CLOSED, Answers, Replay, load

from nearnet.keys import PublicKey
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import PeersResponse, Routed, SyncRoutingTable
from nearnet.wire.messages_today import SyncSnapshotHosts

PROTO = dialect_named("protobuf")
RECORDING = load("transcripts-protobuf.json.gz")
PARTS = [connection["part"] for connection in RECORDING["connections"]]
UNASKED = ("SyncRoutingTable", "SyncSnapshotHosts", "SyncAccountsData", "PeersRequest", "PeersResponse", "Block")

NOT_RECORDED = {
    25: "the handshake went past the recorder, byte by byte",
    PARTS.index("garbage"): "the client's bytes went past the recorder",
}
"""The outside suite checks these."""

REFUSED_SECOND = PARTS.index("refusals") + 5
"""The real node signs the edge of a second connection before it refuses it, and so removes that one in the end."""


@cache
def _answers() -> Answers:
    return Replay(RECORDING).run([tuple(step) for step in RECORDING["steps"]])


def _recorded(number: int) -> list[bytes]:
    return [
        bytes.fromhex(frame) for _, n, who, frame in RECORDING["steps"] if n == number and who in ("node", "closed")
    ]


def _kind(frame: bytes) -> str:
    return "closed" if frame == CLOSED else PROTO.kind(frame)


def _asked(frames: list[bytes]) -> list[bytes]:
    """The answers proper. The recorder saw the end of a connection only where its client waited for it."""
    return [frame for frame in frames if _kind(frame) not in UNASKED]


def _decoded(frames: list[bytes], message: type[Any]) -> list[Any]:
    return [PROTO.decode(frame) for frame in frames if _kind(frame) == message.__name__]


def _edges(frames: list[bytes]) -> set[bytes]:
    return {edge for table in _decoded(frames, SyncRoutingTable) for edge in table.edges}


@cache
def _told_by_clients(number: int | None = None) -> set[bytes]:
    """The edges in their tables; of one of them."""
    said = [(n, bytes.fromhex(frame)) for _, n, who, frame in RECORDING["steps"] if who == "client"]
    return _edges([frame for n, frame in said if number in (None, n)])


def _timeless(frame: bytes) -> bytes:
    """Without what depends on the clock."""
    if _kind(frame) != "Routed":
        return frame
    message = PROTO.decode(frame)
    assert isinstance(message, Routed)
    assert message.created_at is not None
    return PROTO.encode(dataclasses.replace(message, created_at=(0, 0)))


def _client(number: int) -> PublicKey:
    return PublicKey.from_text(RECORDING["connections"][number]["client_key"])


def _ids() -> list[Any]:
    return [pytest.param(n, id=f"{n}-{part}") for n, part in enumerate(PARTS) if n not in NOT_RECORDED]


@pytest.mark.threat(11, 12, 14, 16, 17, 18, 26, 31, 48)
@pytest.mark.scenario(58, 67, 68, 73)
@pytest.mark.interop("Handshake", "HandshakeFailure", "LastEdge", "Disconnect", "Routed", "nonces")
@pytest.mark.parametrize("number", _ids())
def test_the_same_answers(number: int) -> None:
    expected, told = _asked(_recorded(number)), _asked(_answers()[number])
    if CLOSED not in expected and told[-1:] == [CLOSED]:
        assert _kind(told[-2]) == "Disconnect", "nothing closes without one"
        told.pop()
    assert [_kind(frame) for frame in told] == [_kind(frame) for frame in expected]
    assert [_timeless(frame) for frame in told] == [_timeless(frame) for frame in expected]


@pytest.mark.interop("SyncRoutingTable", "RequestUpdateNonce")
@pytest.mark.parametrize("number", _ids())
def test_every_edge_that_the_real_node_told(number: int) -> None:
    """But its own, which the real node tells back. The recorder did not see what its client did not wait for."""
    recorded, told = _edges(_recorded(number)), _edges(_answers()[number])
    unknown = [bytes(_client(n)) for n in (*NOT_RECORDED, REFUSED_SECOND)]
    me = bytes(PublicKey.from_text(RECORDING["node_key"]))
    missing = recorded - told - _told_by_clients(number)
    assert [edge for edge in missing if not any(client in edge for client in unknown)] == []
    assert [edge for edge in told - recorded - _told_by_clients() if me not in edge] == []


@pytest.mark.interop("PeersRequest", "SyncSnapshotHosts")
@pytest.mark.parametrize("number", _ids())
def test_what_is_told_unasked_where_the_real_node_did(number: int) -> None:
    for kind in ("PeersRequest", "SyncSnapshotHosts"):
        recorded = [frame for frame in _recorded(number) if _kind(frame) == kind]
        assert recorded == [frame for frame in _answers()[number] if _kind(frame) == kind][: len(recorded)]
    hosts = _decoded(_answers()[number], SyncSnapshotHosts)
    assert hosts in ([], [SyncSnapshotHosts(())]), "once, though empty"


@pytest.mark.interop("PeersResponse")
def test_the_peers_told() -> None:
    """At random among those known; the direct ones are those connected at that time, with the address seen."""
    number = max(n for n, part in enumerate(PARTS) if part == "peers")
    (recorded,), (told,) = (_decoded(f, PeersResponse) for f in (_recorded(number), _answers()[number]))
    assert len(told.peers) <= 5
    assert {peer.id for peer in recorded.direct_peers} == {peer.id for peer in told.direct_peers}
    assert {peer.addr.port for peer in told.direct_peers} == {peer.addr.port for peer in recorded.direct_peers}
