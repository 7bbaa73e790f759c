"""The table over every pair of state and input, and each check of a Handshake in its order."""

import dataclasses

import pytest

from nearnet.config.field_types import VersionRange
from nearnet.core.peer.handshake_table import (
    TABLE,
    Expectation,
    Input,
    Outcome,
    PeerState,
    Step,
    has_moved_on,
    judge,
    newest_accepted,
    step_for,
    version_to_retry,
)
from nearnet.core.routing_table.edge import sign_edge
from nearnet.keys import CryptoHash, SecretKey
from nearnet.wire.messages import (
    GenesisId,
    GenesisMismatch,
    Handshake,
    InvalidTarget,
    PartialEdgeInfo,
    PeerChainInfo,
    ProtocolVersionMismatch,
)

ME, THEM, OTHER = (SecretKey.from_seed(name, "ed25519") for name in ("me", "them", "other"))
GENESIS = GenesisId("test", CryptoHash(bytes(32)))
EXPECTED = Expectation(ME.public_key, GENESIS, 52, 50, 52)
DIALED = dataclasses.replace(EXPECTED, peer_id=THEM.public_key, nonce=1)


def handshake(**changes):
    good = Handshake(
        52, 50, THEM.public_key, ME.public_key, 24567, PeerChainInfo(GENESIS), sign_edge(THEM, ME.public_key, 1)
    )
    return dataclasses.replace(good, **changes)


@pytest.mark.threat(22, 23)
@pytest.mark.parametrize("state", PeerState)
@pytest.mark.parametrize("given", Input)
def test_table_is_complete(state, given):
    step = TABLE[state, given]
    if state is PeerState.CLOSED:
        assert step is Step.IGNORE
    if given is Input.TIMEOUT:
        assert (step is Step.CLOSE) == (state in (PeerState.ACCEPTED, PeerState.DIALED))
    if given is Input.OTHER_TIER and state is not PeerState.CLOSED:
        assert step is Step.REFUSE_TIER
    elif state is PeerState.READY:
        assert step in (Step.IGNORE, Step.DISPATCH, Step.TAKE_DISCONNECT, Step.REFUSE_AGAIN)
    if step is Step.REFUSE_AGAIN:
        assert (state, given) == (PeerState.READY, Input.HANDSHAKE)
    if step is Step.DISPATCH:
        assert (state, given) == (PeerState.READY, Input.OTHER)
    if step in (Step.TAKE_FAILURE, Step.TAKE_LAST_EDGE, Step.JUDGE_AS_DIALER):
        assert state is PeerState.DIALED, "only a dialer takes these (`threats.md` rows 15, 20)"


def test_kinds():
    assert step_for(PeerState.ACCEPTED, "Handshake") is Step.JUDGE_AS_LISTENER
    assert step_for(PeerState.DIALED, "SyncRoutingTable") is Step.KEEP_FOR_READY
    assert step_for(PeerState.READY, "Ping") is Step.DISPATCH


def test_a_good_one():
    assert judge(handshake(), EXPECTED) == Outcome()
    assert judge(handshake(), DIALED) == Outcome()


@pytest.mark.parametrize("version", [0, 49, 53, 2**32 - 1])
def test_version_comes_first(version):
    both_wrong = handshake(protocol_version=version, sender_chain_info=PeerChainInfo(GenesisId("x", GENESIS.hash)))
    assert judge(both_wrong, EXPECTED).failure == ProtocolVersionMismatch(52, 50)
    assert judge(both_wrong, DIALED).close == "answered with ProtocolVersionMismatch"


@pytest.mark.parametrize("genesis", [GenesisId("other", GENESIS.hash), GenesisId("test", CryptoHash(b"\7" * 32))])
def test_genesis(genesis):
    wrong = handshake(sender_chain_info=PeerChainInfo(genesis), target_peer_id=OTHER.public_key)
    assert judge(wrong, EXPECTED).failure == GenesisMismatch(GENESIS)
    assert judge(wrong, DIALED).close == "answered with GenesisMismatch"


@pytest.mark.threat(25)
def test_ourselves():
    assert judge(handshake(sender_peer_id=ME.public_key), EXPECTED).close == "connected to ourselves"


def test_target():
    wrong = handshake(target_peer_id=OTHER.public_key)
    assert judge(wrong, EXPECTED).failure == InvalidTarget()
    assert judge(wrong, DIALED).close == "answered with InvalidTarget"


def test_another_peer_answers():
    good = handshake(sender_peer_id=OTHER.public_key, partial_edge_info=sign_edge(OTHER, ME.public_key, 1))
    assert judge(good, DIALED).close == "another peer answered"
    assert judge(good, EXPECTED) == Outcome()


@pytest.mark.parametrize(
    "partial",
    [
        sign_edge(OTHER, ME.public_key, 1),
        sign_edge(THEM, OTHER.public_key, 1),
        PartialEdgeInfo(3, sign_edge(THEM, ME.public_key, 1).signature),
    ],
    ids=["wrong key", "wrong target", "wrong nonce"],
)
def test_signature(partial):
    assert judge(handshake(partial_edge_info=partial), EXPECTED).close == "wrong handshake signature"


def test_a_dialer_wants_its_own_nonce_back():
    other_nonce = handshake(partial_edge_info=sign_edge(THEM, ME.public_key, 3))
    assert judge(other_nonce, EXPECTED) == Outcome()
    assert judge(other_nonce, DIALED).close == "answered with another nonce"


PINNED, AUTO = VersionRange(88, 80), VersionRange(88, 80, automatic=True)


@pytest.mark.parametrize(
    ("theirs", "their_oldest", "pinned", "automatic"),
    [
        (88, 84, 88, 88),
        (84, 80, 84, 84),
        (90, 88, 88, 88),
        (120, 119, None, 120),
        (89, 89, None, 89),
        (79, 60, None, None),
        (5, 119, None, None),
    ],
)
def test_the_version_of_another_handshake(theirs, their_oldest, pinned, automatic):
    refused = ProtocolVersionMismatch(theirs, their_oldest)
    assert version_to_retry(PINNED, 88, refused) == pinned
    assert version_to_retry(AUTO, 88, refused) == automatic


def test_a_dialer_follows_a_newer_range_once():
    assert version_to_retry(AUTO, 120, ProtocolVersionMismatch(131, 130)) is None
    assert version_to_retry(AUTO, 120, ProtocolVersionMismatch(131, 130), 120) == 131, "120 was only remembered"
    assert version_to_retry(AUTO, 120, ProtocolVersionMismatch(84, 80), 120) == 84
    assert version_to_retry(PINNED, 88, ProtocolVersionMismatch(131, 130), 88) is None


@pytest.mark.parametrize(
    ("version", "oldest", "moved"),
    [(120, 119, True), (89, 89, True), (89, 88, False), (84, 80, False), (119, 120, False)],
)
def test_has_moved_on(version, oldest, moved):
    assert has_moved_on(AUTO, ProtocolVersionMismatch(version, oldest)) is moved
    assert version_to_retry(AUTO, 120, ProtocolVersionMismatch(84, 80)) == 84, "it may still come down to a common one"


def test_the_newest_version_that_is_accepted():
    assert (newest_accepted(PINNED, None), newest_accepted(PINNED, 84)) == (88, 88)
    assert (newest_accepted(AUTO, None), newest_accepted(AUTO, 84), newest_accepted(AUTO, 120)) == (2**32 - 1, 88, 120)
