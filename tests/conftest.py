"""What holds for every test."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("nearnet", deadline=None)  # A slow moment of the machine is no fault of the code.
settings.load_profile("nearnet")

# A shell's background job ignores Ctrl-C, and so would the commands that tests start and end by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = Path(__file__).parent

BESIDE = ("browser", "conformance", "crash", "deploy", "rules", "soak")
"""Folders of tests that mostly wait for programs: with `-n 2 --dist loadgroup` they are a second process's work."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two groups, each in its order: two tests that need the processor are seldom at it at once."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        item.add_marker(pytest.mark.xdist_group("beside" if folder in BESIDE else "rest"))
