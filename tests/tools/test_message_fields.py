"""Messages as trees: every golden field by its own name."""

from dataclasses import replace

import pytest
from ml_dsa_keys import ODD_SIGNATURE, MlDsaKey, edge_between, verifying

from nearnet.core.routing_table.edge import build_edge, edge_digest, sign_edge
from nearnet.keys import CryptoHash, SecretKey, Signature
from nearnet.tools.message_fields import message_fields, variant
from nearnet.wire import messages as m
from nearnet.wire.dialect import dialect_named
from nearnet.wire.edge_bytes import Edge
from nearnet.wire.routed_frame import routed_digest
from nearnet.wire.signed_payload import sign_payload
from tests.vectors_file import vectors

PROTO, BORSH = dialect_named("protobuf"), dialect_named("borsh")
PROTOBUF = vectors("protobuf")["messages"]
ROUTED = vectors("borsh")["routed"]
KEY, OTHER = SecretKey.from_seed("a key"), SecretKey.from_seed("another")
NONE = Signature(bytes(65))


def covers(told, wanted):
    """Whether every field that is wanted is told, with its value; what is told besides is fine."""
    if isinstance(wanted, dict):
        return all(key in told and covers(told[key], value) for key, value in wanted.items())
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
        return len(told) == len(wanted) and all(map(covers, told, wanted))
    return told == wanted


@pytest.mark.parametrize("case", PROTOBUF, ids=lambda case: case["name"])
def test_every_field_of_todays(case):
    message = PROTO.decode(bytes.fromhex(case["proto"]))
    assert variant(message) == case["variant"]
    told = message_fields(message, "protobuf")
    assert covers(told, case["fields"]), (told, case["fields"])


@pytest.mark.parametrize("case", ROUTED, ids=lambda case: f"{case['body']} {case['ttl']}")
def test_every_field_of_the_documented_eras_routed_messages(case):
    told = message_fields(BORSH.decode(bytes.fromhex(case["message"])), "borsh")
    assert told["verify"] is True
    names = ("author", "body_borsh", "expects_response", "hash", "signature", "target_hash", "target_peer")
    assert {name: told[name] for name in names} == {name: case[name] for name in names}
    assert str(told["ttl"]) == str(case["ttl"])


@pytest.mark.parametrize("case", vectors("borsh")["edges"], ids=lambda case: case.get("name", case["borsh"][-8:]))
def test_whether_an_edge_holds(case):
    told = message_fields(m.LastEdge(Edge(bytes.fromhex(case["borsh"]))), "borsh")
    assert told["verify"] == case["verify"]
    assert told["borsh"] == case["borsh"]


def test_whether_other_signatures_hold():
    data = m.AccountData(KEY.public_key, KEY.public_key, (), 2**60, (5, 0))
    owned = m.OwnedAccount(KEY.public_key, KEY.public_key, (5, 0))
    host = m.SnapshotHostInfo(KEY.public_key, CryptoHash(bytes(32)), 2**60, (1, 2**60), NONE)
    partial = sign_edge(KEY, OTHER.public_key, 1)
    chain = m.PeerChainInfo(m.GenesisId("c", CryptoHash(bytes(32))))
    for signer, holds in ((KEY, True), (OTHER, False)):
        accounts = message_fields(m.SyncAccountsData((sign_payload(data, signer),)), "protobuf")
        assert accounts["accounts_data"][0]["verify"] is holds
        signed = m.SnapshotHostInfo(*(getattr(host, n) for n in host.__slots__[:4]), signer.sign(host.digest()))
        (told,) = message_fields(m.SyncSnapshotHosts((signed,)), "protobuf")["hosts"]
        assert told["verify"] is holds
        assert (told["epoch_height"], told["shards"]) == (str(2**60), [1, str(2**60)])
        shaken = m.Handshake(
            84, 80, signer.public_key, OTHER.public_key, 1, chain, partial, sign_payload(owned, signer)
        )
        fields = message_fields(shaken, "protobuf")
        assert (fields["verify"], fields["owned_account"]["verify"]) == (holds, holds)
    edge = build_edge(KEY, OTHER.public_key, 1, OTHER.sign(edge_digest(KEY.public_key, OTHER.public_key, 1)))
    for one, holds in ((edge, True), (Edge(edge.replace(edge.signature0, NONE)), False)):
        assert message_fields(m.SyncRoutingTable((one,)), "borsh")["edges"][0]["verify"] is holds


def test_a_payload_that_does_not_read():
    account = m.SignedPayload(bytes(10_001), NONE)
    (told,) = message_fields(m.SyncAccountsData((account,)), "protobuf")["accounts_data"]
    assert "error" in told


def test_what_one_dialect_tells():
    asked = m.PeersRequest(5, None)
    assert message_fields(asked, "borsh") == message_fields(m.Disconnect(), "borsh") == {}
    assert message_fields(asked, "protobuf") == {"max_peers": 5, "max_direct_peers": None}
    forged = m.Routed(m.RoutedMessage(KEY.public_key, KEY.public_key, NONE, 1, b"\0"), (5, 0), 0)
    told = message_fields(forged, "protobuf")
    assert (told["signature"], told["body"], told["created_at"]) == (str(NONE), "BlockApproval", 5)
    assert told["verify"] is False


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (m.EpochSyncRequest(CryptoHash(bytes(32))), {"epoch_id": "1" * 32}),
        (m.EpochSyncFinalizationRequest(CryptoHash(bytes(32))), {"epoch_id": "1" * 32}),
        (m.BlockHeaders(b"\1"), {"borsh": "01"}),
        (m.StateResponse(b"\2"), {"borsh": "02"}),
        (m.OptimisticBlock(b"\3", NONE, CryptoHash(bytes(32))), {"borsh": "03", "hash": "1" * 32}),
        (m.HandshakeV2(), {}),
    ],
)
def test_the_rest(message, fields):
    assert covers(message_fields(message, "borsh"), fields)


@pytest.mark.parametrize("dialect", [BORSH, PROTO], ids=lambda dialect: dialect.name)
def test_edges_with_a_key_of_ml_dsa(dialect):
    key = MlDsaKey("a")
    edge = edge_between(KEY, key)
    wrong = Edge.build(*edge.key, 1, edge.signature0, ODD_SIGNATURE)
    message = dialect.decode(dialect.encode(m.SyncRoutingTable((edge, wrong, edge_between(KEY, OTHER)))))
    told = message_fields(message, dialect.name)["edges"]
    assert [one["verify"] for one in told] == [True, False, True]
    assert told[0]["peer1"] == str(key.public_key)
    assert told[0]["signature1"] == str(edge.signature1)
    with verifying(None):
        told = message_fields(message, dialect.name)["edges"]
    assert [one["verify"] for one in told] == ["needs nearnet[mldsa]"] * 2 + [True]


def test_other_signatures_with_a_key_of_ml_dsa():
    key, chain = MlDsaKey("a"), m.PeerChainInfo(m.GenesisId("c", CryptoHash(bytes(32))))
    public = key.public_key
    partial = m.PartialEdgeInfo(1, key.sign(edge_digest(public, KEY.public_key, 1)))
    host = m.SnapshotHostInfo(public, CryptoHash(bytes(32)), 1, (1,), NONE)
    routed = m.RoutedMessage(KEY.public_key, public, NONE, 9, b"\x12")
    messages = [
        m.Handshake(84, 80, public, KEY.public_key, 1, chain, partial),
        m.SyncSnapshotHosts((replace(host, signature=key.sign(host.digest())),)),
        m.Routed(replace(routed, signature=key.sign(routed_digest(routed)))),
    ]

    def verdicts():
        told = [message_fields(PROTO.decode(PROTO.encode(one)), "protobuf") for one in messages]
        return [one["hosts"][0]["verify"] if "hosts" in one else one["verify"] for one in told]

    assert verdicts() == [True] * 3
    with verifying(None):
        assert verdicts() == ["needs nearnet[mldsa]"] * 3
