"""A real headless Chromium, and a page that fails its test by any error, warning or foreign request."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

__all__ = ["SCREENSHOTS", "opened", "running", "shot"]

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
"""Kept after the run, for people to look at."""

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


_browser: Any = None


def _executable() -> str:
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no chromium on this machine: `apt-get install chromium`")
    return found


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[None]:
    """The browser, for all tests; where there is none they skip."""
    global _browser
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    async with playwright.async_playwright() as play:
        _browser = await play.chromium.launch(executable_path=_executable(), args=_FLAGS)
        yield
        await _browser.close()


@contextlib.asynccontextmanager
async def opened(url: str, view: str = "overview", refused: tuple[str, ...] = (), **context: Any) -> AsyncIterator[Any]:
    """The page at that view, once the node's id is shown; nothing is kept from one to the next.

    `refused`: parts of console errors that the test provokes.
    """
    context.setdefault("viewport", {"width": 1440, "height": 900})
    faults: list[str] = []
    profile = await _browser.new_context(**context)
    try:
        page = await profile.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda told: told.type in ("error", "warning") and faults.append(told.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith((url, "ws" + url[4:])) or faults.append(asked.url))
        await page.goto(f"{url}/#/{view}")
        await page.wait_for_selector(".identity .mono", state="attached")
        yield page
    finally:
        await profile.unroute_all(behavior="ignoreErrors")
        for one in profile.pages:
            await one.unroute_all(behavior="ignoreErrors")
        await profile.close()
    unexpected = [fault for fault in faults if not any(part in fault for part in refused)]
    assert not unexpected, unexpected


async def shot(page: Any, name: str) -> None:
    """Keep what is seen."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=str(SCREENSHOTS / f"{name}.png"), timeout=45_000)  # drawn in software
