"""The page and its files: what is served, with which headers, and what is not (`threats.md` row 77)."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from network.raw_peer import RawPeer
from raw_http import call, get, post, served

from nearnet.api.dashboard import POLICY, STATIC
from nearnet.errors import ReasonForBan
from nearnet.keys import SecretKey

FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file())
SCRIPTS = [STATIC / name for name in FILES if name.endswith(".js") and not name.startswith("vendor/")]
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.threat(77)
async def test_every_file_is_served_under_the_policy() -> None:
    async with served() as (_, server):
        for path in ["/", *(f"/dashboard/{name}" for name in FILES)]:
            answer = await get(server, path)
            assert answer.status == 200, path
            assert answer.headers["content-security-policy"] == POLICY
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert (
                answer.headers["content-type"]
                == {
                    ".html": "text/html; charset=utf-8",
                    ".js": "text/javascript; charset=utf-8",
                    ".css": "text/css; charset=utf-8",
                    ".svg": "image/svg+xml; charset=utf-8",
                    ".txt": "text/plain; charset=utf-8",
                }[Path(path).suffix or ".html"]
            )
    assert "default-src 'self'" in POLICY
    assert "unsafe" not in POLICY


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/",
        "/dashboard/nothing.js",
        "/dashboard/../__init__.py",
        "/dashboard/..%2f__init__.py",
        "/dashboard/%2e%2e/answers.py",
        "/dashboard//etc/passwd",
        "/dashboard/map/",
        "/dashboard/data/nearnet_ban",
        "/dashboard/data/nearnet_edges",
        "/dashboard/data/",
    ],
)
async def test_nothing_else_is_served(path: str) -> None:
    async with served() as (_, server):
        assert (await get(server, path)).status == 404


async def test_its_answer_tells_of_newer_versions_and_of_the_clock() -> None:
    """That the page shows both under "needs a look" is held by `tests/browser/test_dashboard_views.py`."""
    async with served() as (node, server):
        nonce = int(time.time()) - 400 | 1
        async with await RawPeer.ready(node, "newer", "protobuf", version=120, nonce=nonce):
            told = (await get(server, "/dashboard/data/status")).json()["result"]["nearnet"]
    assert (told["protocol"]["state"], told["protocol"]["newest_announced"]) == ("warning", 120)
    assert "announced protocol version 120, above our own 88" in told["protocol"]["sentence"]
    assert told["clock"]["state"] == "warning"
    assert "ahead of our peers'" in told["clock"]["sentence"]


async def test_posting_to_the_root_is_still_the_rpc() -> None:
    async with served() as (_, server):
        assert (await post(server, call("health"))).json() == {"jsonrpc": "2.0", "result": None, "id": "dontcare"}
        assert b"<!doctype html>" in (await get(server, "/")).body
        assert (await get(server, "/", Host="evil.example")).status == 403
        assert (await get(server, "/dashboard/data/nearnet_peers", Host="evil.example")).status == 403


async def test_answers_are_shared_and_not_told_twice() -> None:
    async with served() as (_, server):
        asked = 0
        original = server.jsonrpc.call

        async def counted(name: str, params: object, authorized: bool) -> object:
            nonlocal asked
            asked += 1
            return await original(name, params, authorized)

        server.jsonrpc.call = counted  # type: ignore[method-assign]
        answers = await asyncio.gather(*(get(server, "/dashboard/data/nearnet_history") for _ in range(50)))
        assert {answer.status for answer in answers} == {200}
        assert asked <= 3, "fifty pages ask, the node answers once a second"
        assert len({answer.body for answer in answers}) == 1
        tag = answers[0].headers["etag"]
        again = await get(server, "/dashboard/data/nearnet_history", If_None_Match=tag)
        assert again.status in (200, 304)
        unchanged = await get(server, "/dashboard/data/nearnet_history", **{"If-None-Match": tag})
        assert (unchanged.status, unchanged.body) == (304, b"")


async def test_a_page_is_told_all_that_changed_at_once() -> None:
    async with served() as (node, server):
        server.jsonrpc.recorder.look()
        told = (await get(server, "/dashboard/now?nearnet_bans=&nearnet_peers=&since=0")).json()
        assert told["nearnet_bans"]["answer"] == {"result": []}
        assert told["changes"]["answer"]["result"]["changes"] == []
        known = "&".join(f"{name}={told[name]['tag']}" for name in ("nearnet_bans", "nearnet_peers"))
        assert (await get(server, f"/dashboard/now?{known}")).json() == {}
        node.ban(SecretKey.from_seed("banned").public_key)
        later = await get(server, "/dashboard/now?nearnet_bans=old&since=99")
        assert list(later.json()) == ["nearnet_bans", "changes"]
        assert "peers" in later.json()["changes"]["answer"]["result"], "a whole graph to who knows another node's"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?nearnet_ban=", 404),
        ("?since=x", 400),
        ("?since=nan", 400),
        ("?" + "&".join("a=1" for _ in range(99)), 404),
    ],
)
async def test_what_a_page_may_ask_for(query: str, status: int) -> None:
    async with served() as (_, server):
        assert (await get(server, f"/dashboard/now{query}")).status == status


@pytest.mark.parametrize(
    ("query", "status"),
    [("?since=0", 200), ("?at=12.5", 200), ("?since=x", 400), ("?at=nan", 400), ("?at=inf", 400), ("?since=-5", 200)],
)
async def test_parameters_are_numbers(query: str, status: int) -> None:
    async with served() as (_, server):
        assert (await get(server, f"/dashboard/data/nearnet_graph{query}")).status == status


async def test_a_wrong_parameter_is_told_as_the_rpc_tells_it() -> None:
    async with served() as (_, server):
        answer = await get(server, "/dashboard/data/nearnet_graph?since=1.5")
        assert (answer.status, answer.json()["error"]["code"]) == (200, -32700)


# --- the files themselves ---------------------------------------------------------------------------


@pytest.mark.threat(77)
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_markup_of_text(path: Path) -> None:
    text = path.read_text()
    for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"):
        assert unsafe not in text
    assert not re.search(r"setAttribute\(\s*[\"'](?:on|style)", text)


def test_nothing_comes_from_elsewhere() -> None:
    ours = [STATIC / name for name in FILES if not name.startswith("vendor/")]
    found = [
        (path.name, address)
        for path in ours
        for address in re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text())
        if address != "http://www.w3.org"
    ]
    assert found == []
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)


def test_every_import_and_link_exists() -> None:
    for path in SCRIPTS:
        for target in re.findall(r"from \"(\.[^\"]+)\"|import \"(\.[^\"]+)\"", path.read_text()):
            name = "".join(target)
            assert (path.parent / name).resolve().is_file(), (path.name, name)
    page = (STATIC / "index.html").read_text()
    for target in re.findall(r"(?:href|src)=\"/dashboard/([^\"]+)\"", page):
        assert (STATIC / target).is_file()


def test_vendored_libraries_are_what_the_list_says() -> None:
    listed = {}
    for line in (STATIC / "vendor/README.txt").read_text().splitlines():
        if "sha256" in line:
            listed[line.split()[0]] = line.split()[-1]
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (STATIC / "vendor").iterdir()}
    there.pop("README.txt")
    assert listed == there
    vendor = ast.parse((ROOT / "scripts/vendor.py").read_text())
    values = [
        ast.literal_eval(node.value)
        for node in vendor.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LIBRARIES"
    ]
    wanted = {
        name for library, (_, _, files) in values[0].items() for name in (*files.values(), f"{library}.LICENSE.txt")
    }
    assert wanted == set(there)


def test_the_reasons_of_a_ban_are_the_nodes() -> None:
    text = (STATIC / "actions.js").read_text()
    offered = re.findall(r"\"(\w+)\"", text[text.index("const REASONS") : text.index("const LENGTHS")])
    assert len(offered) > 5
    assert {reason.label for reason in ReasonForBan} >= set(offered)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [":root {", ':root[data-theme="dark"] {'])
def test_text_stands_out_in_both_themes(theme: str) -> None:
    sheet = (STATIC / "style.css").read_text()
    block = sheet[sheet.index(theme) :].partition("}")[0]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    for back in ("bg", "surface", "raised"):
        for text in ("text", "muted", "accent", "good", "warn", "bad"):
            assert _contrast(colours[text], colours[back]) >= 4.5, (text, back)
    assert _contrast(colours["on-accent"], colours["accent"]) >= 4.5
    for name, colour in colours.items():
        if name.startswith(("series", "distance", "age", "map")):
            assert _contrast(colour, colours["surface"]) >= 2.3, name


def test_both_dark_themes_are_one() -> None:
    sheet = (STATIC / "style.css").read_text()
    asked = sheet[sheet.index(':root:not([data-theme="light"]) {') :].partition("{")[2].partition("}")[0]
    chosen = sheet[sheet.index(':root[data-theme="dark"] {') :].partition("{")[2].partition("}")[0]
    assert asked.split() == chosen.split()


def test_the_page_costs_nothing_at_start() -> None:
    code = (
        "import sys, nearnet, nearnet.net.node; "
        "print([name for name in sys.modules if name.startswith('nearnet.api') or name == 'aiohttp'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []
