"""A whole hour of samples in the timelines. Its pictures are those of the README: `docs/dashboard-*.png`."""

from __future__ import annotations

import random
import time

from chromium import opened, shot
from dashboard_node import add_graph, remove_edges, watched
from real_nodes import until

from nearnet.api.history import History


def lived_through(history: History, sample: dict, samples: int = 359) -> dict:
    """An hour before this moment, by a random walk; the newest is returned."""
    rng, end = random.Random(4), time.time()
    told = dict(sample)
    history._samples.clear()
    received, inbound = 40_000.0, 9
    for number in range(samples):
        received = max(8_000.0, received * rng.uniform(0.9, 1.11))
        inbound = min(16, max(4, inbound + rng.choice((0, 0, 0, 0, 1, -1))))
        appeared = rng.choice((0, 0, 1, 2, 3, 40 if number % 97 == 0 else 4))
        told = {
            **sample,
            "time": end - 10 * (samples - number),
            "inbound": inbound,
            "outbound": 8,
            "active_edges": 2400 + number // 4 + rng.randrange(20),
            "reachable": 280 + number // 18,
            "edges_appeared": appeared,
            "edges_went": rng.choice((0, 0, 0, 1, appeared // 2)),
            "received_bytes_per_sec": int(received),
            "sent_bytes_per_sec": int(received * rng.uniform(0.5, 0.7)),
            "queued_bytes": rng.choice((0, 0, 0, 30_000)),
            "received_by_type": {"Routed": [rng.randrange(300, 400), 90_000], "SyncRoutingTable": [20, 9000]},
            "sent_by_type": {"Routed": [rng.randrange(200, 300), 70_000], "SyncRoutingTable": [18, 8000]},
            "events": {"edges": appeared, "connected": rng.randrange(2)},
        }
        history.add_sample(told)
    return told


async def test_timelines_of_an_hour() -> None:
    async with watched(3) as at:
        node, history = at.node, at.server.jsonrpc.recorder.history
        await until(node, lambda: node.core.table.reachable_count == 3)
        edges = add_graph(node, 300, 2500, near=14)
        await until(node, lambda: node.core.table.reachable_count == 303)
        at.server.jsonrpc.recorder.look()
        newest = lived_through(history, history.told(None, None)["samples"][-1])
        remove_edges(node, edges[400:440])
        async with opened(at.url, viewport={"width": 1280, "height": 800}) as page:
            await page.wait_for_selector(f".u-series:not(:first-child) .u-value:text-is('{newest['inbound']}')")
            legend = await page.text_content(".figure:nth-child(2) .u-legend")
            assert f"inbound{newest['inbound']}outbound{newest['outbound']}" in legend
            await page.wait_for_timeout(500)
            await shot(page, "dashboard-overview")
            inked = await page.evaluate(
                "() => [...document.querySelectorAll('.chart canvas')].map((canvas) => canvas.getContext('2d')"
                ".getImageData(0, 0, canvas.width, canvas.height).data.some((part, at) => at % 4 === 3 && part > 200))"
            )
            assert inked == [True] * 4
            await page.goto(f"{at.url}/#/traffic")
            await page.wait_for_selector("td:has-text('Routed')")
            assert await page.locator(".charts .figure").count() == 4
            total = sum(
                sample["received_by_type"].get("Routed", [0])[0] for sample in history.told(None, None)["samples"]
            )
            row = await page.inner_text("tr:has(td:text-is('Routed'))")
            assert f"{total:,}" in row
            await shot(page, "traffic-hour")
            await page.emulate_media(color_scheme="dark")
            await page.goto(f"{at.url}/#/map")
            await page.wait_for_function("() => window.nearnetMap?.state.graph?.edgeCount > 2400")
            await page.wait_for_selector(".timeline[data-samples='360']")
            await page.wait_for_timeout(800)
            peer = str(edges[3].peer0 if edges[3].peer0 != node.peer_id else edges[3].peer1)
            await page.goto(f"{at.url}/#/map?peer={peer}")
            await page.wait_for_selector(".map-panel .kind-edge_appeared")
            await page.click("button[aria-label='Show all']")
            await page.wait_for_timeout(500)
            await shot(page, "dashboard-map")
