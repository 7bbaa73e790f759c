"""The topology map in a real browser: large graphs, paths, the last hour, keys."""

from __future__ import annotations

import pytest
from chromium import opened, shot
from dashboard_node import add_graph, made_up_keys, remove_edges, take_sample, watched
from real_nodes import until

from nearnet.api import views

HELD = "(count) => window.nearnetMap?.state.graph?.edgeCount === count"
DRAWN = "() => window.nearnetMap?.frames > 0 && !window.nearnetMap.gliding && !window.nearnetMap.repaint"

COUNTED = """(change) => {
    const map = window.nearnetMap, counts = { draws: 0, uploads: 0 }, of = WebGL2RenderingContext.prototype;
    const { drawArraysInstanced, bufferData } = of;
    of.drawArraysInstanced = function (...words) { counts.draws += 1; drawArraysInstanced.apply(this, words); };
    of.bufferData = function (...words) { counts.uploads += 1; bufferData.apply(this, words); };
    new Function("map", change)(map);
    map.draw();
    Object.assign(of, { drawArraysInstanced, bufferData });
    return counts;
}"""
"""Calls of the graphics in one frame after a change."""


async def drawn(page, edges: int) -> None:
    """Wait until the map holds so many edges, and stands still."""
    await page.wait_for_function(HELD, arg=edges)
    await page.wait_for_function(DRAWN)


async def click_peer(page, number: int, **how) -> None:
    """Click where the map has drawn that peer of its graph."""
    x, y = await page.evaluate(
        "(peer) => { const map = window.nearnetMap, box = map.canvas.getBoundingClientRect();"
        " const [x, y] = map.camera.toScreen(map.place(peer)); return [x + box.left, y + box.top]; }",
        number,
    )
    await page.mouse.move(x, y)
    await page.keyboard.down("Shift") if how.get("shift") else None
    await page.mouse.click(x, y)
    await page.keyboard.up("Shift") if how.get("shift") else None


def brute_paths(edges: set[frozenset], start, end) -> list[tuple]:
    """All shortest paths between two, by trying."""
    near: dict = {}
    for a, b in map(tuple, edges):
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    paths, seen = [(start,)], {start}
    while paths and not any(path[-1] == end for path in paths):
        longer = [(*path, other) for path in paths for other in near.get(path[-1], ()) if other not in seen]
        seen |= {path[-1] for path in longer}
        paths = longer
    return [path for path in paths if path[-1] == end]


async def test_a_thousand_peers_and_fifteen_thousand_edges() -> None:
    async with watched(0) as at:
        node = at.node
        add_graph(node, 1000, 15_000)
        await until(node, lambda: node.core.table.reachable_count == 1000)
        at.server.jsonrpc.recorder.look()
        async with opened(at.url, "map", viewport={"width": 1200, "height": 760}) as page:
            await drawn(page, 15_000)
            await shot(page, "map-large-light")
            routes = await page.evaluate(
                "() => { const { graph } = window.nearnetMap.state; const { distance, hops } = graph.routes();"
                " return Object.fromEntries(graph.ids.slice(1).map((id, at) => [id, "
                "{ distance: distance[at + 1], next_hops: hops(at + 1).map((hop) => graph.ids[hop]).sort() }])); }"
            )
            said = views.routes(node)
            assert routes == {peer: {**way, "next_hops": sorted(way["next_hops"])} for peer, way in said.items()}
            # What a frame costs, in calls of the graphics: two that draw, and no data anew when only the camera moves.
            assert await page.evaluate(COUNTED, "map.camera.pan(3, 2)") == {"draws": 2, "uploads": 0}
            repainted = await page.evaluate(COUNTED, "map.show({ hovered: 5 })")
            assert repainted["draws"] == 2
            assert 0 < repainted["uploads"] <= 7, "one for each column of edges and nodes, however many there are"
            await page.emulate_media(color_scheme="dark")
            await page.wait_for_function(DRAWN)
            await shot(page, "map-large-dark")
            await page.select_option("select[name=layout]", "forces")
            await page.wait_for_timeout(1500)
            await shot(page, "map-large-forces")
            places = await page.evaluate(
                "() => [...window.nearnetMap.places.values()].map((place) => place.now.map(Math.round).join())"
            )
            assert len(set(places)) > 900


async def test_a_peer_and_all_shortest_paths_between_two() -> None:
    async with watched(0) as at:
        node = at.node
        edges = {frozenset(edge.key) for edge in add_graph(node, 40, 120, near=4)}
        at.server.jsonrpc.recorder.look()
        async with opened(at.url, "map") as page:
            await drawn(page, 120)
            await click_peer(page, 5)
            await page.wait_for_selector(".map-panel h3")
            peer = await page.evaluate("() => window.nearnetMap.state.graph.ids[5]")
            panel = await page.inner_text(".map-panel")
            degree = sum(peer in map(str, edge) for edge in edges)
            assert f"EDGES ({degree})" in panel.upper()
            assert peer in panel
            await page.wait_for_selector(".map-panel .kind-edge_appeared")
            assert await page.locator(".map-panel .kind-edge_appeared").count() == min(degree, 30)
            await shot(page, "map-peer")
            for mode in ("hop", "age", "distance"):
                before = await page.inner_text(".legend")
                await page.select_option("select[name=mode]", mode)
                await page.wait_for_function(
                    "(before) => document.querySelector('.legend').innerText !== before", arg=before
                )
                await page.wait_for_function(DRAWN)
                await shot(page, f"map-{mode}")
            checked = 0
            for other in (9, 17, 30):
                await page.keyboard.press("Escape")
                await click_peer(page, 5)
                await page.wait_for_selector(".map-panel .whole-id")
                await click_peer(page, other, shift=True)
                await page.wait_for_selector(".map-panel .paths")
                to = await page.evaluate("(peer) => window.nearnetMap.state.graph.ids[peer]", other)
                by_text = {str(one): one for edge in edges for one in edge}
                expected = brute_paths(edges, by_text[peer], by_text[to])
                told = await page.inner_text(".map-panel [role=status]")
                ways = "path" if len(expected) == 1 else "paths"
                hops = len(expected[0]) - 1
                assert told == f"{hops} {'hop' if hops == 1 else 'hops'}, {len(expected)} shortest {ways}."
                titles = "(items) => items.map((item) => [...item.querySelectorAll('a')].map((link) => link.title))"
                shown = await page.eval_on_selector_all(".map-panel .paths li", titles)
                paths = {tuple(map(str, path)) for path in expected}
                assert {tuple(path) for path in shown} <= paths
                assert len(shown) == min(20, len(paths))
                checked += len(expected)
            assert checked > 3
            await shot(page, "map-paths")


async def test_the_graph_of_a_past_moment() -> None:
    async with watched(0) as at:
        node, server = at.node, at.server
        edges = add_graph(node, 30, 80, near=4)
        take_sample(server)
        async with opened(at.url, "map") as page:
            await drawn(page, 80)
            remove_edges(node, edges[10:25])
            take_sample(server)
            await drawn(page, 65)
            await page.focus(".track input")
            count = len(server.jsonrpc.recorder.history.told(None, None)["samples"])
            await page.wait_for_selector(f".timeline[data-samples='{count}']")
            # More samples than ours may have been taken meanwhile: go back until the one of 80 edges.
            for _ in range(6):
                await page.keyboard.press("ArrowLeft")
                await page.wait_for_selector(".map-summary:has-text('Since then')")
                await page.wait_for_timeout(400)
                if "15 went" in await page.inner_text(".map-summary"):
                    break
            assert "0 edges came, 15 went" in await page.inner_text(".map-summary")
            assert "ago" in await page.get_attribute(".track input", "aria-valuetext")
            assert await page.evaluate("() => window.nearnetMap.state.marks.size") == 15
            await shot(page, "map-past")
            await page.click("text=Mark what changed since")
            assert await page.evaluate("() => window.nearnetMap.state.marks.size") == 0
            assert await page.evaluate(HELD, 80)
            await page.click(".live")
            await drawn(page, 65)
            assert await page.inner_text(".moment") == "now"


async def test_a_peer_is_found_and_changes_are_followed() -> None:
    async with watched(0) as at:
        edges = add_graph(at.node, 50, 150)
        at.server.jsonrpc.recorder.look()
        async with opened(at.url, "map") as page:
            await drawn(page, 150)
            wanted = str(made_up_keys(50)[33].public_key)
            await page.keyboard.press("/")
            await page.keyboard.type(wanted[10:24])
            await page.wait_for_selector(".found [role=option]")
            assert await page.get_attribute("input[role=combobox]", "aria-expanded") == "true"
            await page.keyboard.press("ArrowDown")
            assert await page.get_attribute("input[role=combobox]", "aria-activedescendant") == "map-found-0"
            await page.keyboard.press("Enter")
            await page.wait_for_selector(f".map-panel :text('{wanted}')")
            assert page.url.endswith(wanted.replace(":", "%3A"))
            remove_edges(at.node, edges[-30:])
            await drawn(page, 120)
            asked = []
            page.on("request", lambda request: asked.append(request.url))
            await page.wait_for_function("() => window.nearnetMap.frames > 0")
            await page.wait_for_timeout(2500)
            assert any("/dashboard/now?" in url and "since=" in url for url in asked)
            assert not [url for url in asked if "nearnet_graph" in url], "changes are asked for, not the whole graph"


async def test_the_map_by_keyboard() -> None:
    async with watched(0) as at:
        add_graph(at.node, 30, 60, near=5)
        at.server.jsonrpc.recorder.look()
        async with opened(at.url, "map") as page:
            await drawn(page, 60)
            await page.focus(".map-canvas")
            assert (await page.get_attribute(".map-canvas", "aria-label")).startswith("Map of 31 peers and 60 edges")
            camera = "() => { const { x, y, scale } = window.nearnetMap.camera; return [x, y, scale]; }"
            x, _, scale = await page.evaluate(camera)
            await page.keyboard.press("ArrowRight")
            await page.keyboard.press("+")
            moved = await page.evaluate(camera)
            assert moved[0] > x
            assert moved[2] > scale
            await page.keyboard.press("0")
            assert (await page.evaluate(camera))[2] == pytest.approx(scale)
            chosen = []
            for _ in range(3):
                await page.keyboard.press("n")
                await page.wait_for_function(
                    "(before) => ![null, before].includes(window.nearnetMap.state.selected)",
                    arg=chosen[-1] if chosen else None,
                )
                chosen.append(await page.evaluate("() => window.nearnetMap.state.selected"))
            assert len(set(chosen)) == 3
            await page.keyboard.press("p")
            await page.wait_for_function("(before) => window.nearnetMap.state.selected === before", arg=chosen[1])
            await page.keyboard.press("Escape")
            await page.wait_for_function("() => window.nearnetMap.state.selected === null")


async def test_without_webgl_the_page_says_so() -> None:
    async with watched(0) as at, opened(at.url, "overview") as page:
        await page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
        await page.goto(f"{at.url}/#/map")
        await page.reload()
        await page.wait_for_selector("text=This browser has no WebGL2")
