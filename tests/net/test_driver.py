"""The driver around a core that does what a test tells it: one write per peer, actions, timers, faults."""

from __future__ import annotations

import asyncio
import socket
import time
from array import array
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from real_nodes import quiet_config

from nearnet.core.peer.peer import Outbox, Peer
from nearnet.core.routing_table.edge import Verdict
from nearnet.core.routing_table.graph import Routes, Snapshot
from nearnet.core.runtime.actions import (
    CheckMessage,
    Close,
    Dial,
    Event,
    Notify,
    PauseReading,
    Persist,
    Recompute,
    ResumeReading,
    Verify,
    Write,
)
from nearnet.core.runtime.clock import Now
from nearnet.core.runtime.limits import LimitCounters
from nearnet.errors import NotConnected
from nearnet.keys import SecretKey
from nearnet.net import driver as module
from nearnet.net.driver import Driver
from nearnet.net.transport import PeerConnection
from nearnet.store.base import PEERS
from nearnet.store.memory import MemoryStore
from nearnet.store.write_behind import WriteBehind
from nearnet.wire.dialect import dialect_named
from nearnet.wire.messages import Disconnect, PeerInfo, Routed, RoutedMessage, SocketAddress
from nearnet.wire.routed_frame import RoutedFrame

SOMEBODY = SecretKey.from_seed("somebody").public_key
FORGED = SecretKey.from_seed("somebody").sign(bytes(32))
FRAME = dialect_named("borsh").encode(Routed(RoutedMessage(SOMEBODY, SOMEBODY, FORGED, 9, bytes(100))))


class FakeCore:
    """Records its inputs; `on[name]` is called with each input of that name, and may add actions."""

    def __init__(self, **nearnet: Any) -> None:
        self.config = quiet_config(nearnet=nearnet)
        self.outbox = Outbox(2**20)
        self.actions: list[Any] = []
        self.inputs: list[tuple[Any, ...]] = []
        self.on: dict[str, Callable[..., Any]] = {}
        self.timer: float | None = None
        self.changed = asyncio.Event()
        self.membership = SimpleNamespace(rounds=0)
        self.limits = LimitCounters(dict(self.config.nearnet.limits))

    def take_actions(self) -> list[Any]:
        actions, self.actions = self.actions, []
        return actions

    def take_dirty(self) -> list[Peer]:
        dirty, self.outbox.dirty = self.outbox.dirty, {}
        return list(dirty)

    def next_timer(self) -> float | None:
        return self.timer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def put(*arguments: Any) -> Any:
            self.inputs.append((name, *arguments[:-1]))
            self.changed.set()
            return self.on.get(name, lambda *_: None)(*arguments)

        return put

    def peer(self, address: SocketAddress, now: Now, dial: Dial | None = None) -> Peer:
        peer = Peer(1, address, self.outbox, now, dial)
        peer.dialect = dialect_named("borsh")
        return peer

    def told(self, name: str) -> list[tuple[Any, ...]]:
        return [rest for kind, *rest in self.inputs if kind == name]  # type: ignore[misc]

    async def until(self, name: str) -> list[tuple[Any, ...]]:
        async with asyncio.timeout(5):
            while not self.told(name):
                self.changed.clear()
                await self.changed.wait()
        return self.told(name)


class Setting:
    """A driver, its core, and a listener's other end; `nearnet` are fields of that section of the config."""

    def __init__(self, **nearnet: Any) -> None:
        self.core = FakeCore(**nearnet)
        self.store = MemoryStore()
        self.events: list[Event] = []
        core: Any = self.core
        overlay = WriteBehind(self.store)
        self.driver = Driver(core.config, lambda check: core, self.store, overlay, self._publish)

    def _publish(self, event: Event, wall: float) -> None:
        self.events.append(event)

    def act(self, *actions: Any) -> None:
        self.driver.run(lambda now: self.core.actions.extend(actions))

    async def accepted(self) -> tuple[Peer, socket.socket]:
        """A connection that the core let in, and its other end."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            theirs = socket.create_connection(server.getsockname())
            ours, _ = server.accept()
        theirs.settimeout(5)
        self.core.on["accept"] = lambda address, now: self.core.peer(address, now)
        before = self.driver.peers()
        self.driver.accepted(ours, SocketAddress(*theirs.getsockname()))
        (peer,) = [peer for peer in self.driver.peers() if peer not in before]
        while self.driver.connections[peer.id]._transport is None:
            await asyncio.sleep(0)
        return peer, theirs


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    setting = Setting()
    yield setting
    await setting.driver.stop(1.0)


async def test_all_messages_to_a_peer_go_out_in_one_write(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    peer, theirs = await setting.accepted()
    writes: list[int] = []
    send = PeerConnection.send
    monkeypatch.setattr(PeerConnection, "send", lambda self, chunks: writes.append(len(chunks)) or send(self, chunks))

    def answer(peer: Peer, data: bytes, now: Now) -> None:
        for _ in range(5):
            peer.send(Disconnect())

    setting.core.on["receive"] = answer
    theirs.sendall(b"hello")
    assert await setting.core.until("receive") == [[peer, b"hello"]]
    assert writes == [5]
    assert await asyncio.to_thread(theirs.recv, 1000) == b"\x01\x00\x00\x00\x0e" * 5
    assert setting.core.told("drained")[0][0] is peer
    theirs.close()
    await setting.core.until("lost")


async def test_a_refused_socket_is_closed_unread(setting: Setting) -> None:
    ours, theirs = socket.socketpair()
    setting.core.on["accept"] = lambda address, now: None
    setting.driver.accepted(ours, SocketAddress("10.0.0.1", 1))
    assert theirs.recv(1) == b""
    assert setting.core.told("receive") == []


async def test_commands_raise_and_what_follows_is_done(setting: Setting) -> None:
    def command(now: Now) -> None:
        setting.core.actions.append(Notify(Event("first")))
        raise NotConnected("nobody")

    with pytest.raises(NotConnected):
        setting.driver.run(command)
    assert [event.kind for event in setting.events] == ["first"]


async def test_a_command_inside_an_input_is_settled_with_it(setting: Setting) -> None:
    def outer(now: Now) -> None:
        setting.act(Notify(Event("inner")))
        assert setting.events == []

    setting.driver.run(outer)
    assert [event.kind for event in setting.events] == ["inner"]


async def test_actions(setting: Setting) -> None:
    peer, theirs = await setting.accepted()
    setting.act(Verify(3, ()), Persist((Write(PEERS, b"k", b"v"),), urgent=True, token=9))
    assert await setting.core.until("verified") == [[Verdict(3, ())]]
    assert await setting.core.until("persisted") == [[9, None]]
    assert setting.store.get(PEERS, b"k") == b"v"
    setting.act(PauseReading(peer.id))
    theirs.sendall(b"later")
    await asyncio.sleep(0.01)
    assert setting.core.told("receive") == []
    setting.act(ResumeReading(peer.id))
    assert await setting.core.until("receive") == [[peer, b"later"]]
    peer.send(Disconnect())
    setting.act(Close(peer.id, "test"))
    assert await asyncio.to_thread(theirs.recv, 100) == b"\x01\x00\x00\x00\x0e"
    assert await asyncio.to_thread(theirs.recv, 100) == b""
    await setting.core.until("lost")
    setting.act(Close(peer.id, "again"), PauseReading(peer.id), ResumeReading(peer.id))
    assert setting.driver.unhandled == 0


async def test_dials(setting: Setting) -> None:
    setting.core.on["dialed"] = lambda dial, address, now, port: setting.core.peer(address, now, dial)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = SocketAddress(*server.getsockname())
        dial = Dial(1, PeerInfo(SOMEBODY, address), "borsh", 1.0)
        setting.act(dial)
        ((told, where, _),) = await setting.core.until("dialed")
        assert (told, where) == (dial, address)
        theirs, name = server.accept()
        with theirs:
            assert name[0] == "127.0.0.1"
    await setting.core.until("lost")
    setting.act(dial)
    assert await setting.core.until("dial_failed") == [[dial, "Connection refused"]]


async def test_a_dialed_socket_that_is_gone_already(setting: Setting) -> None:
    dial = Dial(1, PeerInfo(SOMEBODY), "borsh", 1.0)
    with socket.socket() as unconnected:
        await setting.driver._dialed(dial, unconnected)
    assert setting.core.told("dial_failed") == [[dial, "Transport endpoint is not connected"]]


@pytest.mark.threat(73)
async def test_a_fault_at_the_beginning_of_a_connection_closes_it(setting: Setting) -> None:
    def fault(*_: Any) -> None:
        raise ZeroDivisionError("a defect")

    setting.core.on.update(accept=fault, dialed=fault)
    ours, theirs = socket.socketpair()
    setting.driver.accepted(ours, SocketAddress("10.0.0.1", 1))
    assert theirs.recv(1) == b""
    with socket.create_server(("127.0.0.1", 0)) as server:
        setting.act(Dial(1, PeerInfo(SOMEBODY, SocketAddress(*server.getsockname())), "borsh", 1.0))
        theirs, _ = await asyncio.to_thread(server.accept)
        assert await asyncio.to_thread(theirs.recv, 1) == b""
    assert setting.driver.unhandled == 2


@pytest.mark.threat(73)
async def test_a_large_message_is_checked_and_a_fault_after_it_ends_the_connection(setting: Setting) -> None:
    peer, theirs = await setting.accepted()
    check = CheckMessage(peer.id, RoutedFrame(FRAME, 1))
    setting.act(check)
    assert await setting.core.until("checked") == [[check, "forged"]]
    assert setting.driver.unhandled == 0

    def fault(*_: Any) -> None:
        raise ZeroDivisionError("a defect")

    setting.core.on.update(checked=fault)
    setting.act(check)
    assert await setting.core.until("lost") == [[peer, "unhandled error"]]
    assert await asyncio.to_thread(theirs.recv, 1) == b""
    setting.act(check)
    while setting.driver.unhandled < 2:
        await asyncio.sleep(0)
    assert len(setting.core.told("checked")) == 3, "its sender has gone, its message counts"


@pytest.mark.threat(73)
async def test_faults_in_timers_actions_and_ends_are_counted(setting: Setting) -> None:
    def fault(*_: Any) -> None:
        setting.core.timer = None
        raise ZeroDivisionError("a defect")

    peer, theirs = await setting.accepted()
    setting.core.on.update(on_timer=fault, receive=fault, lost=fault, routes_ready=fault)
    setting.core.timer = time.monotonic()
    setting.act()
    await setting.core.until("on_timer")
    setting.act(Recompute(graph(1)), Notify(Event("after")))
    assert setting.events[-1].kind == "after"
    theirs.sendall(b"x")
    await setting.core.until("lost")
    while peer.id in setting.driver.connections:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert setting.driver.unhandled == 5


async def test_a_timer_is_moved_forward_but_wakes_once(setting: Setting) -> None:
    now = time.monotonic()
    fired: list[float] = []

    def on_timer(at: Now) -> None:
        fired.append(at.mono)
        setting.core.timer = None

    setting.core.on["on_timer"] = on_timer
    for delay in (1000.0, 0.03, 0.05):
        setting.core.timer = now + delay
        setting.act()
    await setting.core.until("on_timer")
    assert len(fired) == 1
    assert fired[0] >= now + 0.03, "not before the earliest of the three moments"


def graph(edges: int) -> Snapshot:
    """A star around us."""
    return Snapshot(array("I", [0] * edges), array("I", range(1, edges + 1)), b"\x01" * edges, edges + 1)


@pytest.mark.threat(72)
async def test_a_large_graph_is_computed_off_the_loop(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NUMPY_FROM", 3)
    setting.act(Recompute(graph(2)))
    assert len(setting.core.told("routes_ready")) == 1
    setting.core.inputs.clear()
    setting.act(Recompute(graph(3)))
    assert setting.core.told("routes_ready") == []
    ((routes,),) = await setting.core.until("routes_ready")
    assert isinstance(routes, Routes)
    assert routes.distance(3) == 1


async def test_a_full_disk_is_an_event(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(writes: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(setting.store, "commit", full)
    setting.act(Persist((Write(PEERS, b"k", b"v"),)))
    async with asyncio.timeout(5):
        while not setting.events:
            await asyncio.sleep(0.005)
    assert setting.events == [Event("degraded", None, {"part": "storage", "why": "the disk is full"})]


async def test_stalls_are_counted_and_not_all_told() -> None:
    """Of bytes and of other inputs alike."""
    setting = Setting(limits={"loop_stall": 0.05})
    _, theirs = await setting.accepted()
    setting.core.on["receive"] = lambda *_: time.sleep(0.06)
    theirs.sendall(b"x")
    await setting.core.until("receive")
    setting.driver.feed("timer", lambda _: time.sleep(0.06))
    setting.driver.feed("timer", lambda _: None)
    assert setting.core.limits.hits("loop_stall") == 2
    (told,) = (event for event in setting.events if event.kind == "stalled")
    assert told.data["input"] == "received"
    assert told.data["seconds"] >= 0.06
    theirs.close()
    await setting.driver.stop(1.0)


async def test_stop_cuts_what_does_not_end() -> None:
    setting = Setting()
    _, theirs = await setting.accepted()
    async with asyncio.timeout(20):  # The core closes nothing, so a stop without a limit of its own would never end.
        await setting.driver.stop(0.2)
    assert theirs.recv(1) == b""
    assert setting.core.told("stop") == [[]]
