"""The terminal view, driven by textual's Pilot."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, RichLog, Static, TabbedContent
from told import NAMES, FakeRpc, peer

from nearnet.tools.top.view import TopApp


def rows(app: TopApp, name: str) -> list[list[str]]:
    table = app.query_one(f"#{name}-table", DataTable)
    return [list(map(str, table.get_row_at(number))) for number in range(table.row_count)]


def facts(app: TopApp) -> str:
    return str(app.query_one("#facts", Static).content)


async def look(app: TopApp, pilot: Pilot[None]) -> None:
    """One more round of questions, to its end."""
    await app.workers.wait_for_complete()
    app.ask()
    await app.workers.wait_for_complete()
    await pilot.pause()


@pytest.mark.slow
async def test_every_view() -> None:
    app = TopApp(FakeRpc(), interval=3600)
    async with app.run_test(size=(200, 40)) as pilot:
        await look(app, pilot)
        assert "2/40 peers, 7 known, 3 in reach, 4 edges   ⬇ 221 kB/s ⬆ 1 kB/s" in facts(app)
        assert rows(app, "peers")[0] == [
            NAMES[0],
            "10.0.0.0:24567",
            "outbound",
            "borsh",
            "61 s",
            "0 B",
            "0 B",
            "2.05 kB",
            "1.2 ms",
        ]
        for key, name in (("2", "traffic"), ("3", "graph"), ("4", "events"), ("1", "peers")):
            await pilot.press(key)
            assert app.query_one(TabbedContent).active == name
        assert rows(app, "traffic") == [["Routed", "8", "6"], ["SyncRoutingTable", "2", "0"]]
        assert rows(app, "graph") == [["1", "2"], ["2", "1"]]
        await pilot.press("4")
        await pilot.pause()
        told = [line.text for line in app.query_one("#log", RichLog).lines]
        assert len(told) == 1, "an event is told once"
        assert f"connected peer_id={NAMES[0]}" in told[0]


async def test_a_node_that_began_anew_tells_its_events_from_the_first() -> None:
    rpc = FakeRpc()
    rpc.answers["nearnet_events"] = [{"seq": 40, "time": 0.0, "kind": "connected"}]
    app = TopApp(rpc, interval=3600)
    async with app.run_test(size=(200, 40)) as pilot:
        await look(app, pilot)
        rpc.answers["nearnet_events"] = [{"seq": 1, "time": 0.0, "kind": "banned"}]
        await look(app, pilot)
        await pilot.press("4")
        await pilot.pause()
        assert [line.text.split()[1] for line in app.query_one("#log", RichLog).lines] == ["connected", "banned"]


async def test_sort_and_pause() -> None:
    rpc = FakeRpc()
    app = TopApp(rpc, interval=3600)
    async with app.run_test(size=(200, 40)) as pilot:
        await look(app, pilot)
        rpc.answers["nearnet_peers"] = [peer(0, 10, 0), peer(1, 9000, 0)]
        await look(app, pilot)
        assert [row[0] for row in rows(app, "peers")] == NAMES[:2]
        await pilot.press("s")
        assert [row[0] for row in rows(app, "peers")] == [NAMES[1], NAMES[0]]
        await pilot.press("p")
        assert "paused" in facts(app)
        before = rpc.calls
        app._tick()
        await app.workers.wait_for_complete()
        assert rpc.calls == before
        await pilot.press("p")
        app._tick()
        await app.workers.wait_for_complete()
        assert rpc.calls > before


async def test_a_node_that_goes_and_comes_back() -> None:
    rpc = FakeRpc()
    app = TopApp(rpc, interval=3600)
    async with app.run_test(size=(200, 40)) as pilot:
        await look(app, pilot)
        rpc.fails = True
        await look(app, pilot)
        assert facts(app).startswith("no node answers at 127.0.0.1:1\nasked again every 3600 s")
        rpc.fails = False
        await look(app, pilot)
        assert "2/40 peers" in facts(app)


async def test_hostile_text_stays_text() -> None:
    rpc = FakeRpc()
    rpc.answers["nearnet_peers"][0]["addr"] = "\x1b[2J[red]evil[/red]"
    rpc.answers["nearnet_events"].append({"seq": 2, "time": 0.0, "kind": "x\nforged", "why": "[bold]\x1b[2J"})
    app = TopApp(rpc, interval=3600)
    async with app.run_test(size=(200, 40)) as pilot:
        await look(app, pilot)
        assert rows(app, "peers")[0][1] == "\N{REPLACEMENT CHARACTER}[2J[red]evil[/red]"
        await pilot.press("4")
        await pilot.pause()
        lines = [line.text for line in app.query_one("#log", RichLog).lines]
        assert len(lines) == 2
        assert "[bold]" in lines[1]


async def test_quit() -> None:
    app = TopApp(FakeRpc(), interval=3600)
    async with app.run_test() as pilot:
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0
