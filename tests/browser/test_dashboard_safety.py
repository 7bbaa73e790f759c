"""Hostile strings, the page's policy, and use by keyboard and screen reader, in a real browser."""

from __future__ import annotations

import json

import pytest
from chromium import opened, shot
from dashboard_node import watched

from nearnet.events import NodeEvent

HOSTILE = [
    "<img src=x onerror=\"window.hacked='img'\">",
    "<script>window.hacked='script'</script>",
    "\"'><svg/onload=window.hacked=1>",
    "javascript:window.hacked=1",
    "\u202egnp.exe\u0000\ufffe{{7*7}}${7*7}",
    "A" * 5000,
]
PEER = "ed25519:<b onmouseover=window.hacked=1>"
VIEWS = ["overview", "map", "peers", "known", "bans", "routes", "accounts", "traffic", "events", "limits"]


def hostile_answers() -> dict[str, object]:
    """What a node could say at worst: every text is somebody else's."""
    peers = [
        {
            "peer_id": PEER + str(at),
            "addr": text,
            "account_id": text,
            "dialect": text,
            "direction": text,
            "nonce": 1,
            "protocol_version": text,
            "connected_ms": 1000,
            "sent_bytes": 1,
            "received_bytes": 1,
            "sent_by_type": {text: 1},
            "received_by_type": {text: 2},
            "send_queue_bytes": 0,
            "last_ping_ms": None,
        }
        for at, text in enumerate(HOSTILE)
    ]
    ids = [peer["peer_id"] for peer in peers]
    return {
        "nearnet_peers": peers,
        "nearnet_known_peers": [
            {"peer_id": one, "addr": text, "status": text, "trust": text, "first_seen": 1, "last_seen": 2}
            for one, text in zip(ids, HOSTILE, strict=True)
        ],
        "nearnet_bans": [
            {"peer_id": one, "addr": text, "reason": text, "banned_at": 1, "until": 2e9}
            for one, text in zip(ids, HOSTILE, strict=True)
        ],
        "nearnet_accounts": [
            {"account_id": text, "peer_id": one, "epoch_id": text} for one, text in zip(ids, HOSTILE, strict=True)
        ],
        "nearnet_routes": {one: {"distance": 1, "next_hops": ids[:2]} for one in ids},
        "nearnet_limits": {text: {"value": text, "used": None, "hit": 0} for text in HOSTILE},
        "nearnet_graph": {
            "seq": 0,
            "time": 1e9,
            "peers": ids,
            "first": [0, 0, 1],
            "second": [1, 2, 3],
            "since": [1.0, 2.0, 3.0],
            "left_out": 0,
        },
    }


def hostile_event(seq: int, kind: str, text: str) -> NodeEvent:
    """An event as no node tells it: of a hostile kind, with a hostile name of a field."""
    hostile = type("Hostile", (NodeEvent,), {"kind": kind, "data": {"why": text, text[:40]: text}})
    event: NodeEvent = hostile(seq=seq, time=1e9, peer_id=None)
    return event


@pytest.mark.threat(77)
async def test_hostile_strings_are_shown_as_text() -> None:
    async with watched(1) as at, opened(at.url, refused=("400",)) as page:
        answers = hostile_answers()

        async def whole(route) -> None:
            await route.fulfill(content_type="application/json", body=json.dumps({"result": answers["nearnet_graph"]}))

        async def now(route) -> None:
            told = await (await route.fetch()).json()
            told["changes"] = {"answer": {"result": {"seq": 0, "time": 1e9, "changes": []}}}
            for name in told.keys() & answers.keys():
                told[name] = {"tag": "hostile", "answer": {"result": answers[name]}}
            await route.fulfill(content_type="application/json", body=json.dumps(told))

        await page.route("**/dashboard/data/nearnet_graph*", whole)
        await page.route("**/dashboard/now?*", now)
        await page.goto("about:blank")
        await page.goto(f"{at.url}/#/overview")
        for kind in ("malformed", HOSTILE[0]):
            for text in HOSTILE:
                at.node._events.tell(hostile_event(at.node.recent_events[-1].seq + 1, kind, text))
        shows = ("peers", "known", "bans", "accounts", "events", "limits")
        for view in VIEWS:
            await page.goto(f"{at.url}/#/{view}")
            await page.wait_for_selector(f"main.view-{view}")
            if view in shows:
                await page.wait_for_function(
                    "(text) => document.querySelector('main').innerText.includes(text)", arg=HOSTILE[0]
                )
            assert await page.locator("main img, main script, main iframe, main b, main svg:not(.icon)").count() == 0
            assert await page.evaluate("() => window.hacked") is None
        await page.goto(f"{at.url}/#/peers")
        await page.click("main tbody tr:first-child td:nth-child(3)")
        assert "onerror" in await page.inner_text(".drawer") or "script" in await page.inner_text(".drawer")
        await shot(page, "hostile")
        await page.goto(f"{at.url}/#/map?peer={PEER.replace('<', '%3C')}1")
        await page.wait_for_selector(".map-panel .whole-id")
        assert await page.evaluate("() => window.hacked") is None


@pytest.mark.threat(77)
async def test_the_policy_lets_nothing_else_run() -> None:
    refused = ("Content Security Policy", "TrustedHTML", "Trusted Type", "Refused", "requires 'Trusted", "127.0.0.2")
    async with watched(0) as at, opened(at.url, refused=refused) as page:
        broken = await page.evaluate(
            """async () => {
              const seen = [];
              document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
              const tries = {
                inline: () => {
                  const script = document.createElement("script");
                  script.text = "window.hacked = 1";
                  document.body.append(script);
                },
                markup: () => { document.body.innerHTML = "<b>x</b>"; },
                evaluated: () => window.eval("window.hacked = 2"),
                timer: () => setTimeout("window.hacked = 3", 0),
                style: () => document.body.setAttribute("style", "background: red"),
                foreign: () => document.body.append(Object.assign(new Image(), { src: "http://127.0.0.2:9/x.png" })),
              };
              // From a timer: what the test's own channel runs may evaluate.
              await new Promise((done) => setTimeout(() => {
                for (const attempt of Object.values(tries)) {
                  try { attempt(); } catch (error) { seen.push(error.name); }
                }
                done();
              }));
              try { await fetch("http://127.0.0.2:9/"); } catch { /* as it should be */ }
              await new Promise((done) => setTimeout(done, 100));
              return [seen, window.hacked ?? null, getComputedStyle(document.body).backgroundColor];
            }"""
        )
    seen, hacked, background = broken
    assert hacked is None
    assert background != "rgb(255, 0, 0)"
    assert {"img-src", "connect-src", "style-src-attr"} <= set(seen)
    assert "TypeError" in seen


async def test_by_keyboard_alone() -> None:
    async with watched(2) as at, opened(at.url) as page:
        await page.keyboard.press("Tab")
        assert await page.evaluate("() => document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        assert await page.evaluate("() => document.activeElement.id") == "main"
        await page.keyboard.press("3")
        await page.wait_for_selector("main.view-peers")
        await page.wait_for_selector("main tbody tr")
        assert await page.evaluate("() => document.activeElement.id") == "main"
        await page.keyboard.press("/")
        assert await page.evaluate("() => document.activeElement.type") == "search"
        for _ in range(40):
            await page.keyboard.press("Tab")
            focused = await page.evaluate(
                "() => { const one = document.activeElement, box = one.getBoundingClientRect();"
                " return [one.getAttribute('aria-label') ?? '', box.width > 0, getComputedStyle(one).outlineStyle]; }"
            )
            assert focused[1:] == [True, "solid"], "what has the focus is seen to have it"
            if focused[0].startswith("Ban "):
                break
        await page.keyboard.press("Enter")
        await page.wait_for_selector("dialog[open]")
        assert await page.evaluate("() => document.activeElement.closest('dialog') !== null")
        await page.keyboard.press("Escape")
        await page.wait_for_selector("dialog", state="detached")
        assert (await page.evaluate("() => document.activeElement.getAttribute('aria-label')")) == focused[0]


NAMELESS = """() => [...document.querySelectorAll(
    "button, a, input, select, meter, canvas[tabindex], [role=region], [role=img]")]
  .filter((one) => one.checkVisibility() && !(one.getAttribute("aria-label") || one.textContent.trim() || one.title
    || one.closest("label")?.textContent.trim()))
  .map((one) => one.outerHTML)"""
UNLABELLED = """() => [...document.querySelectorAll("main table:not(.u-legend)")]
  .filter((one) => !one.caption && !one.closest("aside")).length"""


async def test_for_a_screen_reader() -> None:
    async with watched(2) as at, opened(at.url) as page:
        for view in VIEWS:
            await page.goto(f"{at.url}/#/{view}")
            await page.wait_for_selector(f"main.view-{view}")
            await page.wait_for_timeout(150)
            assert await page.evaluate(NAMELESS) == [], view
            assert await page.locator("h1").count() == 1
            assert await page.evaluate(UNLABELLED) == 0, view
        assert await page.get_attribute("html", "lang") == "en"
        assert await page.locator("nav[aria-label], main, header").count() == 3


async def test_the_theme_is_kept_and_motion_is_spared() -> None:
    async with watched(0) as at, opened(at.url, color_scheme="light", reduced_motion="reduce") as page:
        back = "() => getComputedStyle(document.body).backgroundColor"
        light = await page.evaluate(back)
        await page.click("button[aria-label='Dark theme']")
        dark = await page.evaluate(back)
        assert dark != light
        await page.reload()
        await page.wait_for_selector("button[aria-label='Light theme']")
        assert await page.evaluate(back) == dark
        moving = "() => document.getAnimations().length"
        assert await page.evaluate(moving) == 0
