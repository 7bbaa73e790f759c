"""One browser for all tests here, and so one event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import chromium
import pytest
import pytest_asyncio


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test of this folder is slow, and runs on the loop that the browser lives on."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
async def _browser() -> AsyncIterator[None]:
    async with chromium.running():
        yield
