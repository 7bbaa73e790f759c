"""What holds for every test."""

import signal
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("nearnet", deadline=None)  # A slow moment of the machine is no fault of the code.
settings.load_profile("nearnet")

# A shell's background job ignores Ctrl-C, and so would the commands that tests start and end by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

BESIDE = ("browser", "cli", "conformance", "crash", "deploy", "rules", "soak", "tools")
"""Folders of tests that mostly wait for programs."""

QUICK = (*BESIDE, "network")
"""The same without the slow ones, which need the processor for long: then as much is left on either side."""


class TwoGroups(LoadScopeScheduling):
    """With `-n 2`: each group in its order, so that two tests that need the processor are seldom at it at once."""

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.split("/")[1]
        beside = QUICK if "not slow" in self.config.option.markexpr else BESIDE
        return "beside" if folder in beside else "rest"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TwoGroups:
    """Instead of giving each test to whichever process is free."""
    return TwoGroups(config, log)
