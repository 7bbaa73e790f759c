"""Rows in words."""

import pytest

from nearnet.core.peer_manager.known_peers import Ban, KnownPeerState, PeerStatus, encode_known_peer
from nearnet.errors import Malformed, ReasonForBan
from nearnet.keys import CryptoHash, SecretKey
from nearnet.store import base
from nearnet.store.schema import describe_row
from nearnet.wire.borsh.dialect import encode_announcement, encode_edges, write_peer_info
from nearnet.wire.borsh.primitives import Writer
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.messages import AnnounceAccount, PeerInfo, SocketAddress

A, B = sorted((SecretKey.from_seed("node0"), SecretKey.from_seed("node1")), key=lambda key: key.public_key)
INFO = PeerInfo(A.public_key, SocketAddress("1.2.3.4", 5), "a.near")
TEXT = str(A.public_key)
EIGHT = (7).to_bytes(8, "little")


def link():
    writer = Writer()
    write_peer_info(writer, INFO)
    writer.u64(10**9)
    writer.u64(2 * 10**9)
    return writer.getvalue()


def test_each_column():
    state = KnownPeerState(INFO, PeerStatus.BANNED, 10**9, 2 * 10**9, Ban(ReasonForBan.ABUSIVE, 3 * 10**9))
    row = describe_row(base.PEERS, A.public_key, encode_known_peer(state))
    assert row["peer_id"] == TEXT
    assert (row["addr"], row["status"], row["ban"]) == ("1.2.3.4:5", "Banned", {"reason": "Abusive", "time": 3.0})
    unknown = KnownPeerState(PeerInfo(A.public_key), PeerStatus.UNKNOWN, 0, 0)
    row = describe_row(base.PEERS, A.public_key, encode_known_peer(unknown))
    assert (row["addr"], row["ban"]) == (None, None)
    announcement = AnnounceAccount("a.near", A.public_key, CryptoHash(bytes(32)), A.sign(bytes(32)))
    row = describe_row(base.ACCOUNT_ANNOUNCEMENTS, b"a.near", encode_announcement(announcement))
    assert (row["account_id"], row["peer_id"], row["epoch_id"]) == ("a.near", TEXT, "1" * 32)
    edge = Edge.build(A.public_key, B.public_key, 3, A.sign(bytes(32)), B.sign(bytes(32)))
    row = describe_row(base.COMPONENT_EDGES, EIGHT, encode_edges([edge]))
    assert row == {
        "component": 7,
        "edges": [{"peer0": TEXT, "peer1": str(B.public_key), "nonce": 3, "active": True}],
    }
    assert describe_row(base.PEER_COMPONENT, A.public_key, EIGHT) == {"peer_id": TEXT, "component": 7}
    assert describe_row(base.LAST_COMPONENT_NONCE, b"", EIGHT) == {"last_component": 7}
    row = describe_row(base.RECENT_OUTBOUND_CONNECTIONS, A.public_key, link())
    assert (row["time_established"], row["time_connected_until"]) == (1.0, 2.0)
    assert describe_row(base.PEER_DIALECT, A.public_key, b"borsh") == {"peer_id": TEXT, "dialect": "borsh"}
    told = {"address": "boot.near.org:24567", "protocol_version": 120}
    assert describe_row(base.ADDRESS_VERSION, b"boot.near.org:24567", b"\x78\0\0\0") == told


@pytest.mark.parametrize("column", base.COLUMNS)
def test_what_does_not_decode(column):
    with pytest.raises(Malformed):
        describe_row(column, b"\xff", b"\xff")
