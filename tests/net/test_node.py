"""Whole nodes over real sockets."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from changed import Changed
from real_nodes import event, place, quiet_config, running, until

from nearnet import (
    AlreadyRunning,
    Ban,
    ConfigError,
    CryptoHash,
    DefaultClient,
    NearnetError,
    NoAnswer,
    Node,
    NotConnected,
    PeerId,
    PeerRefused,
    ReasonForBan,
    RouteNotFound,
    SecretKey,
    StoreError,
)
from nearnet.net import node as node_module
from nearnet.net import transport
from nearnet.store.memory import MemoryStore
from nearnet.wire.messages import AnnounceAccount, PeerInfo, Signature, SocketAddress


async def test_two_nodes_connect_and_ping() -> None:
    async with running(2) as (a, b):
        info = await a.connect(place(b))
        assert info == PeerInfo(b.peer_id, b.addr)
        await until(b, lambda: a.peer_id in b.core.peers)
        pong = await a.ping(b.peer_id)
        assert (pong.peer_id, pong.hops) == (b.peer_id, 1)
        assert pong.milliseconds > 0
        assert (await b.ping(str(a.peer_id))).hops == 1


async def test_a_ping_across_one_hop() -> None:
    async with running(3) as (a, b, c):
        await a.connect(place(b))
        await b.connect(place(c))
        await until(a, lambda: bool(a.core.table.next_hops(c.peer_id)))
        assert (await a.ping(c.peer_id)).hops == 2


async def test_connect_again_is_done_at_once() -> None:
    async with running(2) as (a, b):
        await a.connect(place(b))
        assert await a.connect(str(b.peer_id)) == await a.connect(place(b))
        assert len(a.core.peers) == 1


@pytest.mark.threat(24)
async def test_both_dial_at_once_and_one_connection_lives() -> None:
    async with running(2) as (a, b):
        await asyncio.gather(a.connect(place(b)), b.connect(place(a)))
        await until(a, lambda: len(a.core.context.connections) == 1)
        await until(b, lambda: len(b.core.context.connections) == 1)
        assert (await a.ping(b.peer_id)).hops == 1


async def test_a_refused_connection_says_why() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        async with running(1) as (a,):
            with pytest.raises(PeerRefused, match="refused"):
                await a.connect(f"{SecretKey.generate().public_key}@127.0.0.1:{port}")


async def test_another_genesis_is_refused_in_words() -> None:
    async with running(1) as (a,), Node(quiet_config(chain_id="other")) as b:
        with pytest.raises(PeerRefused, match=r"(?i)genesis"):
            await a.connect(place(b))


async def test_a_silent_peer_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        async with running(1) as (a,):
            with pytest.raises(PeerRefused, match=r"not connected within 0.2 s"):
                await a.connect(f"{SecretKey.generate().public_key}@127.0.0.1:{port}", timeout=0.2)


async def test_words_for_wrong_calls() -> None:
    async with running(2) as (a, b):
        with pytest.raises(PeerRefused, match="this node itself"):
            await a.connect(place(a))
        with pytest.raises(ConfigError, match="no address is known"):
            await a.connect(str(b.peer_id))
        with pytest.raises(ConfigError):
            await a.connect("no peer")
        with pytest.raises(NotConnected):
            a.disconnect(b.peer_id)
        with pytest.raises(NotConnected):
            a.unban(b.peer_id)
        with pytest.raises(RouteNotFound):
            await a.ping(b.peer_id)
        with pytest.raises(RouteNotFound, match="no peer is known"):
            a.send_routed("nobody.near", b"\x04hello")
        with pytest.raises(RouteNotFound):
            a.send_routed(CryptoHash(bytes(32)), b"\x05hello")
        with pytest.raises(NearnetError, match="runs already"):
            await a.start()


async def test_a_ping_without_an_answer() -> None:
    async with running(3) as (a, b, c):
        await a.connect(place(b))
        await b.connect(place(c))
        await until(a, lambda: bool(a.core.table.next_hops(c.peer_id)))
        with pytest.raises(NoAnswer, match="no pong"):
            await a.ping(c.peer_id, ttl=1, timeout=0.2)


async def test_disconnect_ban_and_unban() -> None:
    async with running(2) as (a, b):
        await a.connect(place(b))
        a.disconnect(str(b.peer_id))
        await until(b, lambda: not b.core.peers)
        a.ban(b.peer_id, ReasonForBan.ABUSIVE)
        with pytest.raises(PeerRefused, match="banned"):
            await a.connect(place(b))
        with pytest.raises(PeerRefused):
            await b.connect(place(a))
        a.unban(b.peer_id)
        await b.connect(place(a))
        assert [one.kind for one in a.recent_events if one.kind in ("banned", "unbanned")] == ["banned", "unbanned"]


async def test_a_ban_is_not_shortened_unsaid() -> None:
    async with running(1) as (node,):
        peer = PeerId(SecretKey.from_seed("banned").public_key)
        node.ban(peer, ReasonForBan.HEIGHT_FRAUD, 600)
        node.ban(peer, ReasonForBan.ABUSIVE, 700)
        with pytest.raises(PeerRefused, match="is banned already, for Abusive, and longer than that; unban it before"):
            node.ban(peer, ReasonForBan.ABUSIVE, 60)
        assert [event.data["seconds"] for event in node.recent_events if event.kind == "banned"] == [600, 700]
        node.unban(peer)
        node.ban(peer, ReasonForBan.ABUSIVE, 60)


async def test_boot_nodes_are_dialed_by_name() -> None:
    async with running(1) as (seed,):
        assert seed.addr is not None
        boot = f"{seed.peer_id}@localhost:{seed.addr.port}"
        async with Node(quiet_config(outbound_disabled=False, network={"boot_nodes": boot})) as joiner:
            await event(joiner, "connected")
            assert list(joiner.core.peers) == [seed.peer_id]


async def test_an_account_is_announced_and_served() -> None:
    async with running(2) as (a, b):
        await a.connect(place(b))
        b.announce(AnnounceAccount("b.near", b.peer_id, CryptoHash(bytes(32)), Signature(bytes(65))))
        await event(a, "announcement")
        assert a.network_info().known_producers == (("b.near", b.peer_id),)
        a.send_routed("b.near", b"\x04hello")
        await until_counted(b, "Routed")


async def until_counted(node: Node, name: str) -> None:
    """Wait for the default client to have been given a message of that kind."""
    assert isinstance(node.client, DefaultClient)
    async with asyncio.timeout(5):
        while name not in node.client.counts:
            await asyncio.sleep(0.005)


class Oracle(DefaultClient):
    """Answers one question late, bans for another, and falls over the third."""

    async def _late(self, body: bytes) -> bytes | Ban:
        await asyncio.sleep(0)
        return Ban(ReasonForBan.ABUSIVE) if body == b"\x04ban me" else b"\x05" + body[1:]

    def on_routed(self, message):  # type: ignore[no-untyped-def]
        if message.body == b"\x04fall over":
            raise ZeroDivisionError("the program's own fault")
        return self._late(message.body)


class Asker(DefaultClient):
    """Keeps the answers."""

    def __init__(self, config) -> None:  # type: ignore[no-untyped-def]
        super().__init__(config)
        self.answers: asyncio.Queue[tuple[object, bytes]] = asyncio.Queue()

    def on_routed(self, message):  # type: ignore[no-untyped-def]
        self.answers.put_nowait((message.target, message.body))


async def test_the_client_answers_late_and_its_faults_end_nothing() -> None:
    config = quiet_config()
    asker, oracle = Asker(config), Oracle(config)
    async with Node(config, client=asker) as a, Node(config, client=oracle) as b:
        await a.connect(place(b))
        a.send_routed(b.peer_id, b"\x04fall over")
        query = a.send_routed(b.peer_id, b"\x04why")
        async with asyncio.timeout(5):
            assert await asker.answers.get() == (query, b"\x05why")
        assert b._guard is not None
        assert b._guard.failures == 1
        a.send_routed(b.peer_id, b"\x04ban me")
        assert (await event(b, "banned")).peer_id == a.peer_id
        assert (a.driver.unhandled, b.driver.unhandled) == (0, 0)


class Informed(DefaultClient):
    """Wants to know of the network."""

    def on_network_info(self, info) -> None:  # type: ignore[no-untyped-def]
        self.counts["info"] = len(info.peers)
        raise ZeroDivisionError("the program's own fault")


async def test_the_client_is_told_of_the_network() -> None:
    config = quiet_config(network={"peer_stats_period": 0.01})
    client = Informed(config)
    async with Node(config, client=client) as a, running(1) as (b,):
        await a.connect(place(b))
        async with asyncio.timeout(5):
            while client.counts.get("info") != 1:
                await asyncio.sleep(0.005)
        info = a.network_info()
        assert [one.info.id for one in info.peers] == [b.peer_id]
        assert (info.peer_id, info.address, info.peer_max_count) == (a.peer_id, a.addr, 40)


async def test_a_busy_port_is_told_in_words_and_leaves_nothing_behind() -> None:
    async with running(1) as (a,):
        other = Node(quiet_config(network={"addr": str(a.addr)}))
        with pytest.raises(AlreadyRunning, match="in use"):
            await other.start()
        with pytest.raises(NearnetError, match="does not run"):
            _ = other.core
        assert other.addr is None


async def test_a_node_without_a_listener_dials() -> None:
    async with running(1) as (a,), Node(quiet_config(network={"addr": ""})) as b:
        assert b.addr is None
        await b.connect(place(a))
        assert (await b.ping(a.peer_id)).hops == 1


async def test_both_families_at_once() -> None:
    async with Node(quiet_config(network={"addr": "[::]:0"})) as a, running(2) as (b, c):
        assert a.addr is not None
        await b.connect(PeerInfo(a.peer_id, SocketAddress("127.0.0.1", a.addr.port)))
        await c.connect(PeerInfo(a.peer_id, SocketAddress("::1", a.addr.port)))
        await until(a, lambda: len(a.core.peers) == 2)
        assert sorted(peer.address.ip for peer in a.core.peers.values()) == ["127.0.0.1", "::1"]


async def test_stop_tells_the_peers_and_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an hour for each wait of a stop, one that waits for its deadline instead of its peers does not end here."""
    monkeypatch.setattr(node_module, "STOP_TIMEOUT", 3600.0)
    monkeypatch.setattr(transport, "CLOSE_GRACE", 3600.0)
    async with running(1) as (a,):
        b = Node(quiet_config())
        await b.start()
        await b.connect(place(a))
        events = b.events()
        async with asyncio.timeout(20):
            await b.stop()
        assert (await event(a, "disconnected")).data["reason"] == "disconnected by the peer"
        assert "disconnected" in [one.kind async for one in events]
        await b.stop()


async def test_a_node_starts_again_after_its_stop() -> None:
    node = Node(quiet_config())
    async with running(1) as (a,):
        for _ in range(2):
            async with node:
                await node.connect(place(a))
                await asyncio.gather(node.stop(), node.stop())


async def test_a_store_that_cannot_be_opened_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    node = Node(quiet_config(nearnet={"store": str(tmp_path / "file" / "store.sqlite")}))
    with pytest.raises(StoreError):
        await node.start()
    assert node.addr is None


@pytest.mark.threat(66)
async def test_a_damaged_row_is_an_event(tmp_path: Path) -> None:
    node = Node(quiet_config(nearnet={"store": str(tmp_path / "store.sqlite")}))
    async with node:
        node._damaged("row 1 of Peers is damaged")
        assert (await event(node, "degraded")).data["why"] == "row 1 of Peers is damaged"


@pytest.mark.threat(10)
async def test_stop_is_quick_beside_a_peer_that_never_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_module, "STOP_TIMEOUT", 3600.0)
    monkeypatch.setattr(transport, "CLOSE_GRACE", 3600.0)
    async with Node(quiet_config()) as a:
        assert a.addr is not None
        with socket.create_connection((a.addr.ip, a.addr.port)):
            await event(a, "accepted")
            async with asyncio.timeout(20):
                await a.stop()


async def test_what_is_known_survives_in_the_store() -> None:
    store, key = MemoryStore(), SecretKey.generate("secp256k1")
    async with running(1) as (b,):
        async with Node(quiet_config(), key=key, store=store) as a:
            await a.connect(place(b))
            a.ban(PeerId(SecretKey.generate().public_key))
        async with Node(quiet_config(), key=key, store=store) as again:
            assert again.peer_id == key.public_key
            assert len(again.core.peer_store.bans()) == 1
            await again.connect(str(b.peer_id))


@pytest.mark.threat(27)
async def test_sockets_above_the_limit_are_closed_before_any_read() -> None:
    config = {"network": {"max_num_peers": 1}, "nearnet": {"limits": {"pending_connections": 2}}}
    async with running(1, **config) as (a,):
        assert a.addr is not None
        opened = [await asyncio.open_connection(a.addr.ip, a.addr.port) for _ in range(4)]
        async with asyncio.timeout(5):
            assert await opened[3][0].read() == b""
        await until(a, lambda: len(a.core.context.connections) == 3)
        for _, writer in opened:
            writer.close()
        await until(a, lambda: not a.core.context.connections)


@pytest.mark.threat(73)
async def test_a_fault_costs_its_connection_only(caplog: pytest.LogCaptureFixture) -> None:
    async with Node(quiet_config()) as a, running(2) as (b, c):
        await b.connect(place(a))
        await c.connect(place(a))
        await until(a, lambda: len(a.core.peers) == 2)
        receive = a.core.receive

        def faulty(peer, data, now):  # type: ignore[no-untyped-def]
            receive(peer, data, now)
            if peer.peer_id == b.peer_id:
                raise ZeroDivisionError("our own fault")

        a.driver.core = Changed(a.core, receive=faulty)  # type: ignore[assignment]
        with pytest.raises(NoAnswer):
            await b.ping(a.peer_id, timeout=0.3)
        await until(b, lambda: not b.core.peers)
        assert (await c.ping(a.peer_id)).hops == 1
        assert a.driver.unhandled == 1
        assert "sent Routed" in caplog.text
