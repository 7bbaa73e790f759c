"""The table of kinds: a row for every message and body, and the figures of `network-2026.md` §4 and §5."""

import pytest

from nearnet.wire.borsh.dialect import _KINDS as BORSH_KINDS
from nearnet.wire.message_kinds import (
    BODIES,
    KEYS,
    KINDS,
    MESSAGES,
    MOST_ROUTED,
    MOST_TABLE,
    SMALL,
    Rate,
    body_number,
    routed_too_large,
    too_large,
    too_large_to_take,
)
from nearnet.wire.protobuf.dialect import _KINDS as PROTO_KINDS
from nearnet.wire.routed_body import BODY_NAMES

KIB, MIB = 2**10, 2**20
CLASSES = {
    512 * KIB: (
        "Handshake Tier1Handshake Tier3Handshake HandshakeFailure LastEdge Disconnect RequestUpdateNonce PeersRequest "
        "BlockRequest BlockHeadersRequest EpochSyncRequest StateRequestHeader StateRequestPart Challenge BlockApproval "
        "VersionedChunkEndorsement SpiceChunkEndorsement TxStatusRequest Ping Pong ChunkStateWitnessAck "
        "StatePartRequest StateHeaderRequest StateRequestAck"
    ),
    128 * MIB: (
        "PartialEncodedStateWitness VersionedPartialEncodedStateWitness PartialEncodedStateWitnessForward "
        "VersionedPartialEncodedStateWitnessForward ContractCodeResponse SpiceContractCodeResponse "
        "PartialEncodedContractDeploys SpicePartialData VersionedStateResponse"
    ),
    512 * MIB: "EpochSyncResponse",
}
RATES = {
    30_000: "Transaction ForwardTx TxStatusRequest TxStatusResponse",
    20_000: "VersionedChunkEndorsement SpiceChunkEndorsement",
    5000: "PartialEncodedChunkRequest PartialEncodedChunkResponse VersionedPartialEncodedChunk",
    2000: "BlockApproval",
    1000: (
        "PartialEncodedChunkForward ChunkStateWitnessAck PartialEncodedStateWitness PartialEncodedStateWitnessForward "
        "VersionedPartialEncodedStateWitness VersionedPartialEncodedStateWitnessForward ChunkContractAccesses "
        "ContractCodeRequest ContractCodeResponse PartialEncodedContractDeploys SpicePartialData SpiceDataRequest "
        "SpiceChunkContractAccesses SpiceContractCodeRequest SpiceContractCodeResponse"
    ),
    100: (
        "StatePartRequest StateHeaderRequest StateRequestAck VersionedStateResponse StateResponse StateRequestHeader "
        "StateRequestPart BlockHeaders BlockHeadersRequest RequestUpdateNonce"
    ),
    10: "Block OptimisticBlock BlockRequest PeersRequest PeersResponse SyncAccountsData SyncSnapshotHosts",
}


def test_every_message_of_both_dialects_has_a_row():
    assert set(MESSAGES) == {*BORSH_KINDS, *PROTO_KINDS.values()} - {"Routed"}
    assert {number: KINDS[number].name for number in MESSAGES.values()} == {at: name for name, at in MESSAGES.items()}


def test_every_body_has_a_row():
    for index in range(BODIES):
        assert KINDS[index].name == BODY_NAMES.get(index, "Unknown")
    assert max(BODY_NAMES) == BODIES - 2
    assert [body_number(index) for index in (0, BODIES - 2, BODIES - 1, BODIES, 255)] == [
        0,
        BODIES - 2,
        BODIES - 1,
        BODIES - 1,
        BODIES - 1,
    ]
    assert KINDS[BODIES - 1].rate is None


def test_sizes_by_class():
    sizes = {name: size for size, names in CLASSES.items() for name in names.split()}
    for number, kind in enumerate(KINDS):
        expected = 128 * MIB if number == MESSAGES["StateResponse"] else sizes.get(kind.name, 32 * MIB)
        assert kind.most_bytes == expected, kind.name
    assert min(kind.most_bytes for kind in KINDS) == SMALL


def test_rates_by_kind():
    rates = {name: Rate(burst, float(burst)) for burst, names in RATES.items() for name in names.split()}
    rates["EpochSyncRequest"] = rates["EpochSyncResponse"] = Rate(1, 1 / 30)
    rates["SyncRoutingTable"] = Rate(10, 1.0)
    for kind in KINDS:
        assert kind.rate == rates.get(kind.name), kind.name


@pytest.mark.parametrize(
    ("key", "bodies", "messages"),
    [
        ("ChunkEndorsement", (24,), ()),
        ("VersionedChunkEndorsement", (24,), ()),
        ("PartialEncodedStateWitness", (22, 40), ()),
        ("PartialEncodedStateWitnessForward", (23, 41), ()),
        ("VersionedPartialEncodedStateWitness", (40,), ()),
        ("SpicePartialDataRequest", (36,), ()),
        ("SpiceDataRequest", (36,), ()),
        ("VersionedStateResponse", (17,), ("StateResponse",)),
        ("StateResponse", (10,), ("StateResponse",)),
        ("StateRequestHeader", (8,), ("StateRequestHeader",)),
        ("StateRequestPart", (9,), ("StateRequestPart",)),
        ("StatePartRequest", (27,), ()),
        ("StateHeaderRequest", (32,), ()),
        ("StateRequestAck", (34,), ()),
        ("SyncRoutingTable", (), ("SyncRoutingTable",)),
    ],
)
def test_keys_of_the_reference_node(key, bodies, messages):
    assert KEYS[key] == (*bodies, *(MESSAGES[name] for name in messages))


@pytest.mark.parametrize("key", ["Unknown", "Routed", "Handshake", "Disconnect", "block"])
def test_what_is_no_key(key):
    assert key not in KEYS


@pytest.mark.parametrize(
    ("kind", "most"),
    [("PeersRequest", SMALL), ("Block", 32 * MIB), ("StateResponse", 128 * MIB), ("Unknown", 32 * MIB)],
)
def test_the_largest_message_of_a_kind(kind, most):
    assert not too_large(kind, most)
    assert too_large(kind, most + 1)
    assert not too_large("Routed", 512 * MIB), "routed messages are judged by their body"
    assert not too_large_to_take(kind, most)
    assert too_large_to_take(kind, most + 1)


@pytest.mark.interop("SyncRoutingTable")
def test_the_whole_table_of_a_node_of_2025_is_taken_and_not_sent():
    edges = 200_000 * 211
    assert 32 * MIB < edges < MOST_TABLE
    assert too_large("SyncRoutingTable", edges)
    assert not too_large_to_take("SyncRoutingTable", MOST_TABLE)
    assert too_large_to_take("SyncRoutingTable", MOST_TABLE + 1)


@pytest.mark.parametrize(
    ("index", "most"), [(14, SMALL), (16, 32 * MIB), (22, 128 * MIB), (19, 32 * MIB), (200, 32 * MIB)]
)
def test_the_largest_routed_message_of_a_kind(index, most):
    assert not routed_too_large(index, most, 0)
    assert routed_too_large(index, most + 1, 0)
    assert not routed_too_large(22, MOST_ROUTED + 100, MOST_ROUTED)
    assert routed_too_large(22, MOST_ROUTED + 100, MOST_ROUTED + 1)
