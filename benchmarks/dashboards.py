"""What forwarding loses while 50 dashboards are open and Prometheus scrapes each second.

The pages are clients in a process of their own that ask for what the page asks (`dashboard/static/data.js`), each two
seconds, and listen to the events.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
from types import TracebackType
from typing import Self

from benchmarks.forward import BODY, Flood
from benchmarks.harness import Options, Result, by_turns
from benchmarks.node_process import NodeProcess

PAGES = 50
TICK = 2.0
ALWAYS = ("status", "nearnet_peers", "nearnet_bans", "nearnet_accounts")
OVERVIEW = (*ALWAYS, "nearnet_history")
"""Of the first view; its samples are asked for at every third turn."""


class Watchers:
    """So many open pages and one scraper; a context manager."""

    def __init__(self, rpc_addr: str, pages: int) -> None:
        command = [sys.executable, "-m", "benchmarks.dashboards", rpc_addr, str(pages)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "open\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.poll() is None, "the pages ended"
        self._process.terminate()
        self._process.wait()


async def _watch(url: str, pages: int) -> None:
    import aiohttp

    opened = 0

    async def page(http: aiohttp.ClientSession, number: int) -> None:
        nonlocal opened
        async with http.ws_connect(f"{url}/ws/events") as events:
            reader = asyncio.ensure_future(_read(events))
            async with http.get(f"{url}/dashboard/data/nearnet_graph") as answer:
                since = (await answer.json())["result"]["seq"]
            opened += 1
            if opened == pages:
                print("open", flush=True)
            await asyncio.sleep(TICK * number / pages)
            tags: dict[str, str] = {}
            turn = 0
            while not reader.done():
                names = OVERVIEW if turn % 3 == 0 else ALWAYS
                asked = {**{name: tags.get(name, "") for name in names}, "since": str(since)}
                async with http.get(f"{url}/dashboard/now", params=asked) as answer:
                    told = await answer.json()
                since = told.pop("changes")["answer"]["result"]["seq"]
                tags |= {name: one["tag"] for name, one in told.items()}
                turn += 1
                await asyncio.sleep(TICK)

    async def scrape(http: aiohttp.ClientSession) -> None:
        while True:
            async with http.get(f"{url}/metrics") as answer:
                await answer.read()
            await asyncio.sleep(1)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=3 * pages)) as http:
        await asyncio.gather(scrape(http), *(page(http, number) for number in range(pages)))


async def _read(events: object) -> None:
    async for _ in events:  # type: ignore[attr-defined]
        pass


def run(options: Options) -> list[Result]:
    """CPU and rate with pages, in units of those without. The pages share the machine: the CPU is what counts."""
    with NodeProcess(rpc="127.0.0.1:0", cores=1) as node:
        flood = Flood(node, 1, BODY, options.size(40_000, 20))
        if not options.small:
            flood(0)
        alone: list[float] = []
        watched: list[float] = []

        def undisturbed() -> float:
            cost = flood(0)
            alone.append(flood.walls[-1])
            return cost

        def disturbed(_: int) -> float:
            with Watchers(node.rpc_addr, options.size(PAGES, 2)):
                cost = flood(0)
            watched.append(flood.walls[-1])
            return cost

        turns = by_turns(disturbed, options, undisturbed)
        flood.close()
    rate = statistics.median(alone) / statistics.median(watched)
    name = f"forward, {PAGES} dashboards open, a scrape each second"
    return [
        turns.result(name, "x the CPU without", 1.05),
        Result(f"{name}, rate", rate, "x the rate without", None, f"{1 / statistics.median(watched):.0f} a second"),
    ]


if __name__ == "__main__":
    asyncio.run(_watch(f"http://{sys.argv[1]}", int(sys.argv[2])))
