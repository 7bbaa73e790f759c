"""The systemd unit."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nearnet.cli.app import VERBS

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "systemd" / "nearnet.service"


def unit() -> configparser.ConfigParser:
    """It, read."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


def test_what_it_says() -> None:
    service = unit()["Service"]
    command = service["ExecStart"].split()
    assert command[1] in VERBS
    assert service["User"] != "root"
    assert service["Environment"] == f"NEARNET_HOME=/var/lib/{service['StateDirectory']}"
    assert int(service["LimitNOFILE"]) >= 132, "what nearnet doctor asks for"
    assert service["RestartPreventExitStatus"] == "2", "a wrong config is not started again"
    assert float(service["TimeoutStopSec"]) >= 2, "a stop takes up to 2 s"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_it(tmp_path: Path) -> None:
    """With a program that is there in the place of ours, and a user that is there."""
    text = UNIT.read_text().replace("/opt/nearnet/bin/nearnet", sys.executable)
    copy = tmp_path / UNIT.name
    copy.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
