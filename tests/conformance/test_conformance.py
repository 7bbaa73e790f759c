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


@pytest.mark.threat(1, 5, 6, 11, 12, 14, 16, 17, 18, 19, 22, 23, 26, 31, 33, 44, 48, 49, 52)
@pytest.mark.scenario(32, 33, 34, 35)
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not SUITES.is_dir(), reason="no conformance suites beside this checkout, nor in NEARNET_SHARED")
def test_a_node_of_ours_holds_every_check_of_the_documented_era() -> None:
    done = subprocess.run(
        [sys.executable, "-B", str(SUITES / "conformance.py"), "nearnet"],
        env={**os.environ, "NEARNET_BIN": str(Path(sys.executable).with_name("nearnet"))},
        capture_output=True,
        text=True,
        check=False,
    )
    short = [line for line in done.stdout.splitlines() if not line.startswith("ok ")]
    assert done.returncode == 0, "\n".join(short) + done.stderr[-4000:]
