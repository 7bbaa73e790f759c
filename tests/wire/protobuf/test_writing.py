"""How today's messages are written: as their nodes write them, byte for byte."""

import pytest
from golden_protobuf import CASES, value_of

from nearnet.errors import Unsupported
from nearnet.keys import CryptoHash
from nearnet.wire import messages as m
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.protobuf.writing import write_message, write_trace


@pytest.mark.parametrize(
    "case", [case for case in CASES if "body_borsh_v1" not in case["fields"]], ids=lambda case: case["name"]
)
def test_from_the_fields_alone(case):
    assert write_message(value_of(case)).hex() == case["proto"]


def test_the_library_reads_what_was_written_by_hand():
    """Lists and wrappers are joined by hand; the compiled code must find the same in them."""
    edges = value_of(next(case for case in CASES if case["name"] == "routing table")).edges
    vector = m.DistanceVector(edges[0].peer0, ((edges[0].peer1, 0), (edges[0].peer0, 2**32 - 1)), edges)
    read = pb.PeerMessage.FromString(write_message(vector)).distance_vector
    assert [one.borsh for one in read.edges] == list(edges)
    assert [one.distance for one in read.distances] == [0, 2**32 - 1]
    read = pb.PeerMessage.FromString(
        write_message(m.BlockHeaders(b"", (b"", b"ab", bytes(300))))
    ).block_headers_response
    assert [one.borsh for one in read.block_headers] == [b"", b"ab", bytes(300)]
    assert pb.PeerMessage.FromString(write_message(m.Challenge(b"c"))).challenge.borsh == b"c"
    assert (
        pb.PeerMessage.FromString(write_message(m.EpochSyncResponse(b"e"))).epoch_sync_response.compressed_proof == b"e"
    )
    assert pb.PeerMessage.FromString(write_message(m.StateResponse(b"s"))).state_response.response.borsh == b"s"
    assert pb.PeerMessage.FromString(write_message(m.Block(b""))).HasField("block_response")
    for empty in (m.Transaction(b""), m.Challenge(b""), m.EpochSyncResponse(b"")):
        written = write_message(empty)
        assert pb.PeerMessage.FromString(written).SerializeToString() == written, "an empty field is left out"
    assert (
        pb.PeerMessage.FromString(write_message(m.ResponseUpdateNonce(edges[0]))).update_nonce_response.edge.borsh
        == edges[0]
    )
    block = m.OptimisticBlock(b"inner", edges[0].signature0, CryptoHash(bytes(range(32))))
    read = pb.PeerMessage.FromString(write_message(block)).optimistic_block
    assert (read.inner, read.signature.borsh, read.hash.hash) == (b"inner", edges[0].signature0, bytes(range(32)))
    assert pb.PeerMessage.FromString(write_message(m.EpochSyncRequest())).HasField("epoch_sync_request")


def test_traces():
    for priority in (0, 1, 2, 3, 4, 9):
        trace = m.TraceContext(bytes(16), bytes(8), priority)
        read = pb.PeerMessage.FromString(write_trace(trace)).trace_context
        assert (read.trace_id, read.span_id, read.sampling_priority) == (bytes(16), bytes(8), priority)


@pytest.mark.parametrize(
    "message",
    [
        m.HandshakeV2(),
        m.BlockHeaders(bytes(4)),
        m.EpochSyncFinalizationRequest(CryptoHash(bytes(32))),
        m.EpochSyncFinalizationResponse(b""),
    ],
    ids=repr,
)
def test_what_protobuf_nodes_do_not_know(message):
    with pytest.raises(Unsupported):
        write_message(message)
