"""The suites that drive a node from outside, by raw clients that share nothing with this project.

They lie beside the checkout (`../shared/conformance`), or under the folder that `NEARNET_SHARED` names.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUITES = Path(os.environ.get("NEARNET_SHARED") or ROOT.parent / "shared") / "conformance"


NEEDS_SUITES = pytest.mark.skipif(
    not SUITES.is_dir(), reason="no conformance suites beside this checkout, nor in NEARNET_SHARED"
)


def _falls_short(suite: str) -> str:
    """What a suite says of a node of this build, if anything."""
    done = subprocess.run(
        [sys.executable, "-B", str(SUITES / suite), "nearnet"],
        env={**os.environ, "NEARNET_BIN": str(Path(sys.executable).with_name("nearnet"))},
        capture_output=True,
        text=True,
        check=False,
    )
    short = [line for line in done.stdout.splitlines() if not line.startswith("ok ")]
    return "" if done.returncode == 0 else "\n".join(short) + done.stderr[-4000:]


@pytest.mark.threat(1, 5, 6, 11, 12, 14, 16, 17, 18, 19, 22, 23, 26, 31, 33, 44, 48, 49, 52)
@pytest.mark.scenario(32, 33, 34, 35)
@pytest.mark.slow
@pytest.mark.timeout(300)
@NEEDS_SUITES
def test_a_node_of_ours_holds_every_check_of_the_documented_era() -> None:
    assert _falls_short("conformance.py") == ""


@pytest.mark.threat(1, 5, 6, 11, 12, 14, 16, 17, 18, 19, 26, 31, 45, 48, 49, 52)
@pytest.mark.scenario(57, 67, 68, 72, 73, 81)
@pytest.mark.interop("Handshake", "HandshakeFailure", "LastEdge", "SyncRoutingTable", "RequestUpdateNonce")
@pytest.mark.interop("PeersResponse", "Routed", "RoutedMessageV3", "Disconnect", "DistanceVector", "nonces")
@pytest.mark.interop("unknown messages and fields", "trace context", "expiry of edges")
@pytest.mark.slow
@pytest.mark.timeout(300)
@NEEDS_SUITES
def test_a_node_of_ours_holds_every_check_of_today() -> None:
    assert _falls_short("conformance25.py") == ""
