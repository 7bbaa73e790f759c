"""What visits tell, in findings."""

from __future__ import annotations

import pytest

from nearnet import NetworkConfig
from nearnet.config import parse_peer
from nearnet.core.routing_table.edge import sign_edge
from nearnet.keys import CryptoHash, SecretKey
from nearnet.tools.doctor import Verdict
from nearnet.tools.doctor.boot import check_clock, check_visits
from nearnet.tools.doctor.visit import Visit
from nearnet.wire.messages import GenesisId, Handshake, HandshakeFailure, PeerChainInfo, ProtocolVersionMismatch

WALL = 1_770_000_000.0


@pytest.mark.parametrize(
    ("nonces", "calls", "verdict", "seen"),
    [
        ([], [], Verdict.UNKNOWN, "no peer told a time"),
        ([], [7], Verdict.UNKNOWN, "no peer told a time"),
        ([WALL - 900, WALL - 30], [], Verdict.OK, "the newest edge of the network is 30 s old"),
        ([WALL + 60], [], Verdict.OK, "is 0 s old"),
        ([WALL + 61], [], Verdict.WRONG, "our clock is behind"),
        ([WALL - 661], [], Verdict.WRONG, "our clock is ahead"),
        ([WALL - 9999], [WALL + 3], Verdict.OK, "a peer's clock is 3 s ahead"),
        ([WALL], [WALL - 61], Verdict.WRONG, "a peer's clock is 61 s behind"),
        ([], [WALL - 9999, WALL], Verdict.OK, "a peer's clock is 0 s behind"),
    ],
)
def test_clock(nonces: list[float], calls: list[float], verdict: Verdict, seen: str) -> None:
    finding = check_clock([int(nonce) for nonce in nonces], [int(nonce) for nonce in calls], WALL)
    assert finding.verdict is verdict
    assert seen in finding.seen


NODE = parse_peer(f"{SecretKey.from_seed('boot').public_key}@10.0.0.1:24567")
GENESIS = GenesisId("test", CryptoHash(bytes(32)))


def refused(version: int, oldest: int) -> Visit:
    """A boot node that speaks these versions only."""
    failure = HandshakeFailure(NODE.info, ProtocolVersionMismatch(version, oldest))
    return Visit(NODE, connected=True, dialect="protobuf", failure=failure)


def agreed(version: int, dialect: str = "protobuf") -> Visit:
    """A boot node that answered with this version."""
    ours, theirs = SecretKey.from_seed("us"), SecretKey.from_seed("boot")
    half = sign_edge(theirs, ours.public_key, 1)
    hello = Handshake(version, 80, theirs.public_key, ours.public_key, 1, PeerChainInfo(GENESIS), half)
    return Visit(NODE, connected=True, dialect=dialect, handshake=hello)


@pytest.mark.parametrize(
    ("visits", "versions", "verdict", "seen", "advice"),
    [
        ([refused(120, 119)], "auto", Verdict.WRONG, "speaks versions 119 to 120", "upgrade nearnet: their oldest"),
        (
            [refused(120, 119)],
            [88, 80],
            Verdict.WRONG,
            "speaks versions 119 to 120",
            'set nearnet.protocol_versions to "auto", or upgrade nearnet: their oldest version is above our own',
        ),
        ([refused(70, 60)], "auto", Verdict.WRONG, "speaks versions 60 to 70", "set nearnet.protocol_versions, or"),
        ([agreed(84), refused(120, 119)], [88, 80], Verdict.OK, "1 agree; 10.0.0.1:24567: it speaks versions 119", ""),
        ([agreed(84)], "auto", Verdict.OK, "1 agree", ""),
        ([agreed(120)], "auto", Verdict.OK, "moved on to version 120, above our own 88: upgrade nearnet soon", ""),
        ([agreed(120, "borsh")], "auto", Verdict.OK, "1 agree", ""),
    ],
)
def test_versions(visits: list[Visit], versions: object, verdict: Verdict, seen: str, advice: str) -> None:
    config = NetworkConfig.model_validate({"nearnet": {"protocol_versions": {"protobuf": versions}}})
    (finding,) = (finding for finding in check_visits(visits, config) if finding.check == "version")
    assert finding.verdict is verdict
    assert seen in finding.seen
    assert finding.advice.startswith(advice)
    assert bool(finding.advice) == (verdict is Verdict.WRONG)


@pytest.mark.parametrize(("peers", "verdict"), [(0, Verdict.WRONG), (2, Verdict.OK)])
def test_no_boot_node_is_needed_with_peers(peers: int, verdict: Verdict) -> None:
    first, *rest = check_visits([], NetworkConfig(), peers)
    assert first.verdict is verdict
    assert {finding.verdict for finding in rest} == {Verdict.UNKNOWN}
