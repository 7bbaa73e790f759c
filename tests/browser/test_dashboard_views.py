"""The dashboard in a real browser: each view tells what the node knows, and follows it."""

from __future__ import annotations

import re
import time

import pytest
from chromium import opened, shot
from dashboard_node import TOKEN, add_graph, watched
from raw_peer import RawPeer
from real_nodes import place, until

from nearnet.core.runtime.actions import Event
from nearnet.errors import ReasonForBan
from nearnet.keys import PeerId, SecretKey

VIEWS = ["overview", "map", "peers", "known", "bans", "routes", "accounts", "traffic", "events", "limits"]


async def rows(page, count: int, table: str = "main tbody tr") -> None:
    """Wait until the table has so many rows."""
    await page.wait_for_function(
        "([table, count]) => document.querySelectorAll(table).length === count", arg=[table, count]
    )


async def test_every_view() -> None:
    async with watched(3) as at:
        node = at.node
        banned = SecretKey.from_seed("banned").public_key
        node.ban(banned, ReasonForBan.ABUSIVE, 3600)
        async with opened(at.url) as page:
            seen = {}
            for view in VIEWS:
                await page.goto(f"{at.url}/#/{view}")
                await page.wait_for_selector(f"main.view-{view}")
                if view in ("peers", "known", "routes"):
                    await rows(page, 3 + (view == "known"))
                if view == "bans":
                    await rows(page, 1)
                if view == "limits":
                    await page.wait_for_selector("meter:not([hidden])")
                if view == "events":
                    await page.wait_for_selector(".kind-connected")
                seen[view] = await page.inner_text("main")
                assert await page.locator("main h1").count() == 1
                assert await page.get_attribute("#rail a[aria-current]", "href") == f"#/{view}"
                for scheme in ("light", "dark"):
                    await page.emulate_media(color_scheme=scheme)
                    await shot(page, f"{view}-{scheme}")
        peers = [str(peer) for peer in node.core.peers]
        for peer in peers:
            short = f"{peer[8:14]}…{peer[-5:]}"
            assert short in seen["peers"]
            assert short in seen["known"]
            assert short in seen["routes"]
            assert short in seen["events"]
        assert re.search(r"Abusive.*59 min", seen["bans"])
        assert "SyncRoutingTable" in seen["traffic"] or "No message yet" in seen["traffic"]
        assert "edges total\t1,000,000\t" in seen["limits"]
        assert "No account was announced" in seen["accounts"]
        assert "2 in · 1 out" in seen["overview"]


async def test_the_page_follows_the_node() -> None:
    async with watched(1) as at, watched(0) as late, opened(at.url, "peers") as page:
        await rows(page, 1)
        await late.node.connect(place(at.node))
        await rows(page, 2)
        assert await page.inner_text("#count-peers") == "2"
        at.node.disconnect(late.node.peer_id)
        await rows(page, 1)
        await page.goto(f"{at.url}/#/events")
        await page.wait_for_selector(".kind-disconnected")
        at.node._events.publish(Event("degraded", None, {"part": "storage", "why": "told live"}), 1e9)
        await page.wait_for_selector("td:has-text('told live')", timeout=1500)


async def test_peers_are_sorted_and_filtered() -> None:
    async with watched(3) as at, opened(at.url, "peers") as page:
        await rows(page, 3)
        cells = "() => [...document.querySelectorAll('main tbody tr td:nth-child(3)')].map((cell) => cell.textContent)"
        await page.click("th[data-name=direction] button")
        assert await page.evaluate(cells) == ["inbound", "inbound", "outbound"]
        assert await page.get_attribute("th[data-name=direction]", "aria-sort") == "ascending"
        await page.click("th[data-name=direction] button")
        assert await page.evaluate(cells) == ["outbound", "inbound", "inbound"]
        await page.select_option("select[name=direction]", "outbound")
        assert await page.evaluate(cells) == ["outbound"]
        assert await page.inner_text(".count") == "1 of 3 peers"
        await page.select_option("select[name=dialect]", "protobuf")
        assert "Nothing matches" in await page.inner_text("main")
        await page.select_option("select[name=direction]", "")
        await page.select_option("select[name=dialect]", "borsh")
        await page.select_option("select[name=kind]", "Handshake")
        await rows(page, 3)
        await page.select_option("select[name=queue]", "1")
        await rows(page, 0)
        await page.select_option("select[name=queue]", "")
        await page.select_option("select[name=ping]", "50")
        await rows(page, 3)
        one = str(next(iter(at.node.core.peers)))
        await page.fill("input[type=search]", one[12:30])
        await rows(page, 1)
        await page.click("main tbody tr td:nth-child(3)")
        assert "Handshake" in await page.inner_text(".drawer")
        assert await page.inner_text(".drawer h2") == f"{one[8:14]}…{one[-5:]}"


async def test_events_are_paused_and_filtered() -> None:
    async with watched(1) as at, opened(at.url, "events") as page:
        node = at.node
        await page.wait_for_selector(".kind-connected")
        await page.click(".chip[data-kind=connected]")
        assert await page.locator("tbody .kind-connected").count() == 0
        await page.click(".chip[data-kind=connected]")
        assert await page.locator("tbody .kind-connected").count() == 1
        await page.click("button[aria-pressed]:has-text('Pause')")
        node._events.publish(Event("degraded", None, {"part": "storage", "why": "while it was paused"}), 1e9)
        await page.wait_for_selector(".count:has-text('1 since the pause')")
        assert await page.locator("td:has-text('while it was paused')").count() == 0
        await page.click("button:has-text('Go on')")
        await page.wait_for_selector("td:has-text('while it was paused')")
        await page.fill("input[type=search]", "PAUSED")
        assert await page.locator("main tbody tr").count() == 1


async def test_the_admin_bans_and_takes_it_back() -> None:
    async with watched(2) as at, opened(at.url, "peers", refused=("401",)) as page:
        await rows(page, 2)
        node, target = at.node, next(iter(at.node.core.peers))
        short = f"{str(target)[8:14]}…{str(target)[-5:]}"
        await page.click(f"button[aria-label='Ban {short}']")
        await page.keyboard.press("Escape")
        await page.wait_for_selector("dialog", state="detached")
        assert target in node.core.peers
        await page.click(f"button[aria-label='Ban {short}']")
        await page.select_option("select[name=reason]", "Abusive")
        await page.select_option("select[name=seconds]", "3600")
        await page.click("dialog button.danger")
        await page.fill("input[name=token]", "not the token")
        await page.click("dialog button.primary")
        await page.wait_for_selector(".notice.bad:has-text('does not take this token')")
        assert target in node.core.peers
        await page.click(f"button[aria-label='Ban {short}']")
        await page.select_option("select[name=reason]", "Abusive")
        await page.click("dialog button.danger")
        await page.fill("input[name=token]", TOKEN)
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".notice:has-text('Banned')")
        assert target not in node.core.peers
        await rows(page, 1)
        await shot(page, "banned")
        assert [one.ban.reason for one in node.core.peer_store.bans()] == [ReasonForBan.ABUSIVE]
        await page.click(".notice button:has-text('Undo')")
        await page.wait_for_selector(".notice:has-text('lifted')")
        assert node.core.peer_store.bans() == []


async def test_the_admin_connects_and_disconnects() -> None:
    async with watched(0) as at, watched(0) as other, opened(at.url, "peers") as page:
        node = at.node
        await page.click("text=Read only")
        await page.fill("input[name=token]", TOKEN)
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".token.on")
        await page.click("text=Connect to a peer")
        await page.fill("input[name=peer]", place(other.node))
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".notice:has-text('Connected to')")
        await rows(page, 1)
        await page.click(".row-buttons button:has-text('Disconnect')")
        await page.click("dialog button.danger")
        await page.wait_for_selector(".notice:has-text('Disconnected from')")
        assert not node.core.peers
        await page.click(".notice:has-text('Disconnected') button:has-text('Undo')")
        await until(node, lambda: len(node.core.peers) == 1)
        await rows(page, 1)


WORTH = {"bans": "left", "limits": "value", "routes": "distance", "known": "status"}
"""The column that each of these tables is for."""


@pytest.mark.parametrize(
    ("name", "width", "height"), [("phone", 360, 740), ("tablet", 820, 1180), ("wall", 1920, 1080)]
)
async def test_from_phone_to_wide_screen(name: str, width: int, height: int) -> None:
    async with watched(2) as at, opened(at.url, viewport={"width": width, "height": height}) as page:
        add_graph(at.node, 60, 300)
        at.node.ban(PeerId(SecretKey.from_seed("banned").public_key), ReasonForBan.NONE, 3600)
        for view in VIEWS if name == "phone" else ("overview", "map", "peers"):
            await page.goto(f"{at.url}/#/{view}")
            await page.wait_for_selector(f"main.view-{view}")
            sizes = "() => [document.scrollingElement.scrollWidth, document.querySelector('main').scrollWidth]"
            whole, inner = await page.evaluate(sizes)
            assert whole <= width, view
            assert inner <= width, view
            box = await page.locator("#rail a[aria-current]").bounding_box()
            assert box is not None
            assert box["x"] >= 0, f"{view}: where one is can be seen without scrolling"
            assert box["x"] + box["width"] <= width, view
            if view in WORTH:
                await page.wait_for_selector("tbody tr")
                place = await page.locator(f"th[data-name={WORTH[view]}]").bounding_box()
                assert place["x"] + place["width"] <= width, f"{view}: what it is looked at for needs no scrolling"
            await shot(page, f"{view}-{name}")


async def test_where_one_is_stays_in_sight_as_counts_grow() -> None:
    async with watched(0) as at, opened(at.url, "limits", viewport={"width": 360, "height": 740}) as page:
        await page.wait_for_selector("main.view-limits")

        async def ban_more(total: int) -> None:
            for number in range(len(at.node.core.peer_store.bans()), total):
                at.node.ban(PeerId(SecretKey.from_seed(f"banned {number}").public_key), ReasonForBan.NONE, 3600)
            await page.wait_for_selector(f"#count-bans:has-text('{total}')")

        async def right() -> float:
            box = await page.locator("#rail a[aria-current]").bounding_box()
            return float(box["x"] + box["width"])

        for total in (1, 10, 100):
            await ban_more(total)
            assert await right() <= 360
        await page.evaluate("document.querySelector('#rail').scrollLeft = 0")
        assert await right() > 360
        await ban_more(101)
        assert await page.evaluate("document.querySelector('#rail').scrollLeft") == 0, "nobody's hand is overruled"


async def test_newer_versions_and_a_clock_ahead_need_a_look() -> None:
    async with watched(0) as at, opened(at.url) as page:
        await page.wait_for_selector(".attention .good")
        nonce = int(time.time()) - 400 | 1
        async with await RawPeer.ready(at.node, "newer", "protobuf", version=120, nonce=nonce):
            await page.wait_for_selector(".attention .warn:has-text('version 120, above our own 88: upgrade nearnet')")
            await page.wait_for_selector(".attention .warn:has-text('Our clock is')")
            await shot(page, "overview-upgrade")
        await page.wait_for_selector(".attention .warn:has-text('version 120')", state="detached")


async def test_a_node_that_goes_away_is_told() -> None:
    async with watched(0) as at, opened(at.url, refused=("ERR_CONNECTION", "WebSocket")) as page:
        await page.wait_for_selector(".state.good")
        await at.server.stop()
        await page.wait_for_selector(".state.bad")
        assert "does not answer" in await page.inner_text(".attention")
