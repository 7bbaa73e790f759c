"""What today's messages must have, and what of them is skipped."""

import pytest
from golden_protobuf import frame_of

from nearnet.errors import Malformed
from nearnet.keys import CryptoHash, SecretKey
from nearnet.wire import messages as m
from nearnet.wire.borsh.dialect import STEP
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.protobuf import network_pb2 as pb
from nearnet.wire.protobuf.fields import Unknown, delimited, varint
from nearnet.wire.protobuf.reading import MOST_PAYLOAD_READ, READERS, read_trace, table_in_steps
from nearnet.wire.signed_payload import owned_account_of, sign_payload

DIALECT = dialect_named("protobuf")
SIGNER = SecretKey.from_seed("a key")
KEY = SIGNER.public_key
SIGNATURE = SIGNER.sign(bytes(32))
HASH = CryptoHash(bytes(range(32)))
EDGE = Edge.build(KEY, KEY, 1, SIGNATURE, SIGNATURE)
BORSH_EDGE = delimited(1, delimited(1, EDGE))


def read(number, content, unknown=None):
    return READERS[number](content, 0, len(content), unknown or Unknown())


def handshake(**changed):
    hand = pb.PeerMessage.FromString(frame_of("handshake ed25519")).tier2_handshake
    for name, value in changed.items():
        if value is None:
            hand.ClearField(name)
        elif isinstance(value, int):
            setattr(hand, name, value)
        else:
            getattr(hand, name).CopyFrom(value)
    return hand.SerializeToString()


def signed(content, key=SIGNER):
    made = sign_payload(content, key)
    return pb.AccountKeySignedPayload(payload=made.payload, signature=pb.Signature(borsh=made.signature))


OWNED = m.OwnedAccount(KEY, KEY, (5, 0))
DATA = m.AccountData(KEY, KEY, (), 1, (5, 0))


def test_handshakes():
    plain = read(4, handshake())
    assert read(4, handshake(sender_listen_port=65535)).sender_listen_port == 65535
    assert read(4, handshake(sender_listen_port=0)).sender_listen_port is None
    assert owned_account_of(read(4, handshake(owned_account=signed(OWNED))).owned_account) == OWNED
    assert [read(number, handshake()).tier for number in (4, 27, 33)] == [2, 1, 3]
    assert plain.owned_account is None


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    "changed",
    [
        {"sender_listen_port": 65536},
        {"owned_account": signed(DATA)},
        {"owned_account": pb.AccountKeySignedPayload(payload=b"\xff", signature=pb.Signature(borsh=SIGNATURE))},
        {"owned_account": pb.AccountKeySignedPayload()},
        {"sender_peer_id": None},
        {"target_peer_id": None},
        {"sender_chain_info": None},
        {"partial_edge_info": None},
    ],
    ids=str,
)
def test_handshakes_that_miss_or_mix_something(changed):
    with pytest.raises(Malformed):
        read(4, handshake(**changed))


def test_failures():
    info = pb.PeerInfo(borsh=bytes(33) + b"\0\0")
    for reason in (0, 2, 4, 99):
        with pytest.raises(Malformed):
            read(5, pb.HandshakeFailure(peer_info=info, reason=reason).SerializeToString())
    assert read(5, pb.HandshakeFailure(peer_info=info, reason=1).SerializeToString()).reason == (
        m.ProtocolVersionMismatch(0, 0)
    )
    with pytest.raises(Malformed):
        read(5, pb.HandshakeFailure(reason=3).SerializeToString())


@pytest.mark.threat(4)
@pytest.mark.parametrize("number", [4, 5, 6, 8, 9, 14, 27, 28, 29, 30, 33, 36])
def test_what_is_required(number):
    with pytest.raises(Malformed):
        read(number, b"")


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (7, m.SyncRoutingTable()),
        (10, m.PeersRequest()),
        (11, m.PeersResponse()),
        (12, m.BlockHeadersRequest()),
        (13, m.BlockHeaders(bytes(4), ())),
        (15, m.Block(b"")),
        (16, m.Transaction(b"")),
        (18, m.Disconnect()),
        (19, m.Challenge(b"")),
        (25, m.SyncAccountsData()),
        (31, m.StateResponse(b"")),
        (32, m.SyncSnapshotHosts()),
        (34, m.EpochSyncRequest()),
        (35, m.EpochSyncResponse(b"")),
    ],
)
def test_what_may_be_empty(number, value):
    assert read(number, b"") == value


@pytest.mark.parametrize("header", [b"", b"a", bytes(63)])
def test_block_headers_are_opaque_however_short(header):
    assert read(13, delimited(1, delimited(1, header)) * 2).headers == (header, header)


@pytest.mark.threat(4)
def test_a_message_without_fields_is_one_all_the_same():
    for content in (b"\0\0", b"\x08"):
        with pytest.raises(Malformed):
            read(34, content)
    assert read(34, delimited(7, b"new")) == m.EpochSyncRequest()


def test_edges():
    assert read(6, BORSH_EDGE) == m.LastEdge(EDGE)
    assert read(9, BORSH_EDGE + BORSH_EDGE) == m.ResponseUpdateNonce(EDGE)
    assert read(7, BORSH_EDGE * 3) == m.SyncRoutingTable((EDGE,) * 3)


REMOVED = Edge.build(KEY, KEY, 2, SIGNATURE, SIGNATURE, (True, SIGNATURE))
OTHER = SecretKey.from_seed("another", "secp256k1")
ODD = Edge.build(KEY, OTHER.public_key, 1, SIGNATURE, OTHER.sign(bytes(32)))


def entry(edge):
    return delimited(1, delimited(1, edge))


def in_both_ways(content, monkeypatch):
    """What a table holds, with what is unknown in it; or the error."""

    def outcome():
        unknown = Unknown()
        try:
            return read(7, content, unknown), unknown.count
        except Malformed as error:
            return str(error)

    quick = outcome()
    with monkeypatch.context() as patch:
        patch.setattr("nearnet.wire.protobuf.reading._PLAIN_EDGES", lambda *_: None)
        assert outcome() == quick
    return quick


def test_plain_edges_are_read_as_all_others_are(monkeypatch):
    longer = b"\x0a\xd0\x81\x00" + delimited(1, EDGE)  # The length in three bytes.
    stranger = delimited(1, delimited(1, EDGE) + b"\x10\x01")
    parts = [entry(EDGE), entry(REMOVED), entry(ODD), longer, stranger]
    for first in parts:
        for second in parts:
            table, unknown = in_both_ways(first + second + first, monkeypatch)
            assert len(table.edges) == 3
            assert unknown == (first, second, first).count(stranger)


@pytest.mark.threat(4)
@pytest.mark.parametrize("edge", [EDGE, REMOVED])
def test_a_plain_edge_with_any_byte_changed_is_judged_as_all_others_are(edge, monkeypatch):
    good = entry(edge)
    outcomes = [
        in_both_ways(good[:at] + bytes((good[at] ^ 0xE2,)) + good[at + 1 :], monkeypatch) for at in range(len(good))
    ]
    assert any(isinstance(outcome, str) for outcome in outcomes)
    for end in range(len(good)):
        in_both_ways(good + good[:end], monkeypatch)


def test_a_long_table_is_read_in_pieces():
    content = entry(EDGE) * (2 * STEP) + entry(ODD) * STEP
    pieces = table_in_steps(content, 0, len(content), Unknown())
    assert len(list(pieces)) == 3


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    ("number", "good", "bad"),
    [
        (7, BORSH_EDGE, delimited(1, delimited(1, EDGE + b"x"))),
        (7, BORSH_EDGE, delimited(1, b"")),
        (7, BORSH_EDGE, delimited(2, delimited(1, b"announcement"))),
        (11, delimited(1, delimited(1, KEY + b"\0\0")), delimited(2, delimited(1, KEY + b"\0"))),
        (12, delimited(1, delimited(1, HASH)), delimited(1, delimited(1, HASH[1:]))),
        (25, delimited(1, signed(DATA).SerializeToString()), delimited(1, signed(OWNED).SerializeToString())),
        (28, delimited(1, delimited(1, KEY)) + BORSH_EDGE.replace(b"\x0a", b"\x1a", 1), delimited(3, b"")),
        (28, delimited(1, delimited(1, KEY)), delimited(2, varint(16) + varint(7))),
        (32, b"", delimited(1, b"\x18\x07")),
    ],
)
def test_one_bad_entry_spoils_a_list(number, good, bad):
    read(number, good)
    with pytest.raises(Malformed):
        read(number, good + bad)


@pytest.mark.threat(3)
def test_a_payload_that_is_too_long_stays_unread():
    """The core bans for it; what it holds does not matter."""
    long = pb.AccountKeySignedPayload(payload=bytes(MOST_PAYLOAD_READ + 1), signature=pb.Signature(borsh=SIGNATURE))
    (account,) = read(25, delimited(1, long.SerializeToString())).accounts
    assert len(account.payload) == MOST_PAYLOAD_READ + 1


def test_flags_of_accounts_data():
    assert read(25, b"\x10\x01\x18\x02") == m.SyncAccountsData((), True, True)
    assert read(25, b"\x10\x01\x10\x00") == m.SyncAccountsData()


def test_shards_in_both_forms():
    host = pb.SnapshotHostInfo(
        peer_id=pb.PublicKey(borsh=KEY), sync_hash=pb.CryptoHash(hash=HASH), signature=pb.Signature(borsh=SIGNATURE)
    )
    packed = host.SerializeToString() + delimited(4, b"\x01\x02") + b"\x20\x03"
    assert read(32, delimited(1, packed)).hosts[0].shards == (1, 2, 3)


@pytest.mark.interop("unknown messages and fields")
@pytest.mark.parametrize(
    ("number", "content"),
    [
        (6, BORSH_EDGE),
        (7, BORSH_EDGE),
        (8, delimited(1, delimited(1, bytes(8) + SIGNATURE))),
        (10, b"\x08\x05"),
        (11, b""),
        (14, delimited(1, delimited(1, HASH))),
        (15, delimited(1, delimited(1, b"block"))),
        (16, delimited(1, b"transaction")),
        (18, b"\x08\x01"),
        (25, b"\x10\x01"),
        (28, delimited(1, delimited(1, KEY))),
        (29, delimited(2, delimited(1, HASH))),
        (34, b""),
        (36, delimited(1, b"inner") + delimited(2, delimited(1, SIGNATURE)) + delimited(3, delimited(1, HASH))),
    ],
)
def test_unknown_fields_are_skipped(number, content):
    unknown = Unknown()
    for new in (delimited(60, b"new"), varint(61 << 3) + b"\x05"):
        assert read(number, content + new, unknown) == read(number, content)
    assert unknown.count == 2


def test_traces():
    trace = pb.TraceContext(trace_id=bytes(16), span_id=bytes(8), sampling_priority=1)
    assert read_trace(trace.SerializeToString()) == m.TraceContext(bytes(16), bytes(8), 1)
    with pytest.raises(Malformed):
        read_trace(b"\xff")


def test_what_a_trace_says_of_its_sampling():
    names = ("UNKNOWN", "AUTO_REJECT", "USER_REJECT", "AUTO_KEEP", "USER_KEEP")
    assert pb.TraceContext.SamplingPriority.items() == [(name, number) for number, name in enumerate(names)]
    for priority in (3, 4, 9):
        trace = pb.TraceContext(trace_id=bytes(16), span_id=bytes(8))
        data = trace.SerializeToString() + b"\x18" + varint(priority)
        assert read_trace(data).sampling_priority == priority
