"""Every fuzzing target in short: its seeds, then what chance makes of them (`threats.md` rows 3 to 5, 12, 33, 75).

`make fuzz` is the long run, with coverage to lead it where atheris is installed.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from fuzzing.plain import MOST_BYTES, bound_of, fuzz, mutated
from fuzzing.seeds import seeds_of
from fuzzing.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
SHARE = 45 / len(TARGETS)
"""Seconds for each; all of them together stay under a minute."""


def _message(why: object, target: str, data: bytes) -> str:
    return f"{why}; put these bytes into fuzzing/found/{target}/ and repair it: {data.hex()}"


@pytest.mark.threat(3, 4, 5, 12, 33, 75)
@pytest.mark.parametrize("name", TARGETS)
def test_the_golden_bytes_and_what_once_failed(name: str) -> None:
    for data in seeds_of(name):
        TARGETS[name](data)


@pytest.mark.slow
@pytest.mark.threat(3, 4, 5, 12, 33, 75)
@pytest.mark.parametrize("name", TARGETS)
def test_what_chance_makes_of_them(name: str) -> None:
    count, finding = fuzz(TARGETS[name], seeds_of(name), SHARE, seed=len(name))
    assert finding is None, _message(finding.why, name, finding.data)
    assert count > len(seeds_of(name))


def test_a_fault_is_found_and_kept_as_bytes() -> None:
    def faulty(data: bytes) -> None:
        assert b"\x00" not in data

    count, finding = fuzz(faulty, [b"abc"], 10)
    assert finding is not None
    assert b"\x00" in finding.data
    assert finding.why.startswith("AssertionError")
    assert fuzz(faulty, [b"abc"], 10) == (count, finding), "the same seed, the same run"


def test_too_much_memory_is_found() -> None:
    _, finding = fuzz(lambda data: bytearray(bound_of(len(data)) + 1) and None, [b"abc"], 10)
    assert finding is not None
    assert "bytes of memory" in finding.why


def test_inputs_are_bounded() -> None:
    import random

    chance = random.Random(1)
    assert all(len(mutated([bytes(MOST_BYTES)], chance)) <= MOST_BYTES for _ in range(200))


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_the_guided_run_by_its_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fuzzing", "--seconds", "2", "--target", "routed_body"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "with atheris" in done.stdout
    assert "nothing found" in done.stdout
