"""What visits tell, in findings."""

from __future__ import annotations

import pytest

from nearnet import NetworkConfig
from nearnet.tools.doctor import Verdict
from nearnet.tools.doctor.boot import check_clock, check_visits

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


@pytest.mark.parametrize(("peers", "verdict"), [(0, Verdict.WRONG), (2, Verdict.OK)])
def test_no_boot_node_is_needed_with_peers(peers: int, verdict: Verdict) -> None:
    first, *rest = check_visits([], NetworkConfig(), peers)
    assert first.verdict is verdict
    assert {finding.verdict for finding in rest} == {Verdict.UNKNOWN}
