"""A running node's word, in findings."""

from __future__ import annotations

import asyncio
import http.server
import threading
from typing import Any

import pytest
from doctor_home import boot_node

from nearnet.api.http import HttpServer
from nearnet.errors import NearnetError
from nearnet.keys import PeerId
from nearnet.tools.doctor import Verdict
from nearnet.tools.doctor.running import RunningNode
from nearnet.tools.rpc_client import NodeUnreachable

US, THEM, OTHER = (
    f"ed25519:{word}"
    for word in (
        "7PGseFbWxvYVgZ89K1uTJKYoKetWs7BJtbyXDzfbAcqX",
        "6DSjZ8mvsRZDvFqFxo8tCKePG96omXW7eVYVSySmDk8e",
        "9BmAFNRTa5mRRXpSAm6MxSEeqRASDGNh2FuuwZ4gyxTw",
    )
)


def node(**told: Any) -> RunningNode:
    """One without peers, unless told otherwise."""
    own = {"addr": "0.0.0.0:24567", "known_peers": 3, "reachable": 0, "degraded": None, **told.pop("own", {})}
    status = {"node_public_key": US, "uptime_sec": 60, "nearnet": own}
    parts = {"peers": [], "bans": [], "events": [], "edges": [], **told}
    return RunningNode("127.0.0.1:3030", status, **parts)


def failed(reason: str) -> dict[str, Any]:
    return {"kind": "dial_failed", "reason": reason}


@pytest.mark.parametrize(
    ("events", "seen"),
    [
        ([], "0 peers of 3 known, 0 in reach; it has not dialed anybody"),
        (
            [{"kind": "banned"}, failed("old"), failed("a"), failed("b"), failed("a")],
            "lately: a; b; old",
        ),
    ],
)
def test_no_peers_and_why(events: list[dict[str, Any]], seen: str) -> None:
    finding = node(events=events).connections()
    assert finding.verdict is Verdict.WRONG
    assert finding.seen.endswith(seen)


def test_with_peers() -> None:
    running = node(peers=[{"direction": "outbound", "addr": "1.2.3.4:5"}])
    assert running.connections().verdict is Verdict.OK
    assert running.reachable().verdict is Verdict.UNKNOWN
    running = node(peers=[{"direction": "inbound", "addr": "1.2.3.4:5"}])
    assert running.reachable().seen == "1 peers dialed this node, such as 1.2.3.4:5"


def test_without_a_listener() -> None:
    assert node().listening().seen == "it listens on 0.0.0.0:24567"
    assert "no listener" in node(own={"addr": None}).listening().seen


def test_degraded() -> None:
    assert list(node().degraded()) == []
    (finding,) = node(own={"degraded": "storage"}).degraded()
    assert (finding.verdict, finding.seen) == (Verdict.WRONG, "its storage is degraded")


@pytest.mark.parametrize(
    ("watched", "verdict", "seen", "advice"),
    [
        (None, Verdict.UNKNOWN, "of an earlier release", ""),
        ({"state": "ok", "newest_announced": 0, "sentence": "all well"}, Verdict.OK, "all well", ""),
        (
            {"state": "ok", "newest_announced": 84, "sentence": "all well"},
            Verdict.OK,
            "all well; the newest that any announced is 84",
            "",
        ),
        (
            {"state": "warning", "newest_announced": 90, "sentence": "a peer announced 90: upgrade nearnet"},
            Verdict.WRONG,
            "a peer announced 90",
            "upgrade nearnet",
        ),
        (
            {"state": "error", "newest_announced": 90, "sentence": "every dial failed (see 90): upgrade nearnet"},
            Verdict.WRONG,
            "every dial failed (see 90)",
            "upgrade nearnet",
        ),
    ],
)
def test_newer_versions(watched: dict[str, Any] | None, verdict: Verdict, seen: str, advice: str) -> None:
    finding = node(own={} if watched is None else {"protocol": watched}).protocol()
    assert (finding.verdict, finding.advice) == (verdict, advice)
    assert finding.seen.endswith(seen)


def test_a_clock_ahead() -> None:
    assert node().clock() is None
    assert node(own={"clock": {"state": "ok", "sentence": "fine"}}).clock() is None
    finding = node(own={"clock": {"state": "warning", "sentence": "400 s ahead, so; set the clock"}}).clock()
    assert finding is not None
    assert (finding.check, finding.verdict, finding.seen) == ("clock", Verdict.WRONG, "400 s ahead, so")
    assert finding.advice == "set the clock"


def test_bans_and_nonces() -> None:
    bans = [{"peer_id": THEM, "reason": "Abusive"}, {"peer_id": "nonsense", "reason": "x"}]
    assert node(bans=bans).banned == {PeerId.from_text(THEM): "Abusive"}
    now = 1_770_000_001

    def edge(a: str, b: str, nonce: int, active: bool = True) -> dict[str, Any]:
        return {"peer0": a, "peer1": b, "nonce": nonce, "active": active}

    edges = [edge(THEM, OTHER, now), edge(US, THEM, now + 2), edge(THEM, OTHER, 7), edge(THEM, OTHER, now + 1, False)]
    assert node(edges=edges).told_nonces == [now]


async def test_a_real_one() -> None:
    async with boot_node(rpc={"addr": "127.0.0.1:0"}) as real:
        served = HttpServer(real, real.config.rpc, None)
        await served.start()
        told = await asyncio.to_thread(RunningNode.ask, str(served.address))
        await served.stop()
    assert told.peer_id == str(real.peer_id)
    assert str(real.peer_id) in told.uptime().seen


def test_something_else_answers() -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"jsonrpc":"2.0","result":{},"id":1}')

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(NearnetError, match="is no nearnet"):
            RunningNode.ask(f"127.0.0.1:{server.server_port}")
        server.shutdown()
    with pytest.raises(NodeUnreachable):
        RunningNode.ask(f"127.0.0.1:{server.server_port}")
