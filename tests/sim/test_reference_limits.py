"""The reference's numbers, held against the table of `network-2026.md` by the words that stand there."""

import pytest

from nearnet.sim.reference_limits import BORSH_SIZES, RATES, most_bytes
from nearnet.wire.messages import __all__ as messages
from nearnet.wire.messages import __all__ as today
from nearnet.wire.routed_body import BODY_NAMES

KINDS = {*messages, *today, *BODY_NAMES.values(), "Tier1Handshake", "Tier3Handshake"}


def test_each_kind_is_one_that_there_is():
    assert set(RATES) <= KINDS
    assert set(BORSH_SIZES) <= KINDS
    assert len({kind for kind in KINDS if most_bytes(kind) != 32 * 2**20}) == 24 + 10 + 1


@pytest.mark.parametrize(
    ("kind", "mebibytes"),
    [
        ("Handshake", 0.5),
        ("Disconnect", 0.5),
        ("VersionedChunkEndorsement", 0.5),
        ("SyncRoutingTable", 32),
        ("SpiceDataRequest", 32),
        ("something to come", 32),
        ("VersionedPartialEncodedStateWitness", 128),
        ("StateResponse", 128),
        ("EpochSyncResponse", 512),
    ],
)
def test_sizes(kind, mebibytes):
    assert most_bytes(kind) == mebibytes * 2**20


def test_what_is_never_limited():
    free = {"Ping", "Pong", "Handshake", "HandshakeFailure", "LastEdge", "Disconnect", "Challenge"}
    assert free < KINDS
    assert not free & set(RATES)
