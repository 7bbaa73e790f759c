"""Who connects to whom, bans, and restarts, with real nodes (`scenarios.md` 2, 13-16, 18-22, 25-28)."""

import asyncio

import pytest
from network.cluster import Cluster, address, make_config

from nearnet import NetworkConfig
from nearnet.client import DefaultClient
from nearnet.errors import PeerRefused, ReasonForBan
from nearnet.keys import CryptoHash, SecretKey
from nearnet.store.memory import MemoryStore
from nearnet.wire.messages import AnnounceAccount, RoutedMessage


class Inbox(DefaultClient):
    """Keeps the routed messages that it is given."""

    def __init__(self) -> None:
        super().__init__(make_config())
        self.messages: asyncio.Queue[RoutedMessage] = asyncio.Queue()

    def on_routed(self, message: RoutedMessage) -> None:
        self.messages.put_nowait(message)


def booted(*boot: str, **changes: object) -> NetworkConfig:
    return make_config(outbound=True, boot_nodes=",".join(boot), **changes)


@pytest.mark.scenario(2)
@pytest.mark.scenario(25)
async def test_a_boot_node_is_dialed_without_a_command():
    async with Cluster() as cluster:
        first = await cluster.start()
        await cluster.start(booted(address(first)))
        await cluster.routes_are({0: {1: [1]}, 1: {0: [0]}}, seconds=2)


@pytest.mark.scenario(26)
async def test_five_joiners_that_know_only_the_seed():
    async with Cluster() as cluster:
        seed = await cluster.start(
            make_config(outbound=True, limits={"peers_requests": {"burst": 100, "per_second": 100}})
        )
        timing = {"request_peers_interval": 0.3}
        for _ in range(5):
            await cluster.start(booted(address(seed), timing=timing))
        await cluster.until(lambda: all(len(node.core.peers) >= 5 for node in cluster.nodes), 10, "five peers each")
        assert cluster.bans == []


@pytest.mark.scenario(13)
@pytest.mark.scenario(14)
@pytest.mark.scenario(15, 56)
@pytest.mark.parametrize("form", ["own side, ip:port", "other side, ip:port", "own side, ip"])
async def test_blacklists(form):
    async with Cluster() as cluster:
        port = 24567 + 4000
        target = await cluster.start()
        listed = [f"127.0.0.1:{target.addr.port}"] if "port" in form else ["127.0.0.1"]
        if form.startswith("own"):
            config = booted(address(target), blacklist=listed)
            await cluster.start(config)
        else:
            await cluster.stop(target)
            joiner = await cluster.start()
            port = joiner.addr.port
            other = await cluster.start(make_config(blacklist=[f"127.0.0.1:{port}"]))
            with pytest.raises(PeerRefused):
                await joiner.connect(address(other), timeout=1)
        await cluster.stays(
            lambda: all(not node.core.peers for node in cluster.nodes if node in cluster._watchers), 0.3
        )


@pytest.mark.scenario(16, 56)
async def test_a_full_table_refuses():
    async with Cluster() as cluster:
        for _ in range(4):
            await cluster.start(make_config(max_num_peers=2))
        await cluster.wire((0, 1), (1, 2), (2, 0))
        triangle = {0: {1: [1], 2: [2]}, 1: {0: [0], 2: [2]}, 2: {0: [0], 1: [1]}}
        await cluster.routes_are(triangle)
        with pytest.raises(PeerRefused):
            await cluster.nodes[3].connect(address(cluster.nodes[0]), timeout=2)
        await cluster.routes_are({**triangle, 3: {}})


@pytest.mark.scenario(19)
@pytest.mark.scenario(20)
@pytest.mark.scenario(63)
async def test_a_ban_and_its_end():
    async with Cluster() as cluster:
        a = await cluster.start()
        b = await cluster.start(booted(address(a)))
        await cluster.routes_are({0: {1: [1]}, 1: {0: [0]}})
        a.ban(b.peer_id, ReasonForBan.BAD_BLOCK, seconds=1.0)
        await cluster.routes_are({0: {}, 1: {}})
        with pytest.raises(PeerRefused):
            await b.connect(address(a), timeout=0.3)
        await cluster.routes_are({0: {1: [1]}, 1: {0: [0]}})
        assert [event.data["reason"] for _, event in cluster.bans] == ["BadBlock"]


@pytest.mark.scenario(27)
async def test_a_restart_with_its_store():
    async with Cluster() as cluster:
        seed = await cluster.start(make_config(outbound=True))
        store = MemoryStore()
        other = await cluster.start(booted(address(seed)), key="kept", store=store)
        await cluster.until(lambda: other.peer_id in seed.core.peers)
        await cluster.stop(other)
        await cluster.until(lambda: other.peer_id not in seed.core.peers)
        again = await cluster.start(make_config(outbound=True), key="kept", store=store)
        await cluster.until(lambda: again.peer_id in seed.core.peers and seed.peer_id in again.core.peers)
        edge = seed.core.table.get(seed.peer_id, again.peer_id)
        assert edge.nonce == 3, "the removal had nonce 2"


@pytest.mark.scenario(28)
async def test_a_new_key_on_the_same_address():
    async with Cluster() as cluster:
        watcher = await cluster.start(make_config(outbound=True))
        old = await cluster.start(key="old key")
        await watcher.connect(address(old))
        where = f"{old.addr}"
        await cluster.stop(old)
        await cluster.until(lambda: not watcher.core.peers)
        fresh = await cluster.start(make_config(addr=where), key="new key")
        await cluster.until(lambda: fresh.peer_id in watcher.core.peers)
        assert watcher.core.table.next_hops(old.peer_id) == ()
        assert ("near_connected_to_myself", "") not in watcher.core.context.counters


@pytest.mark.scenario(22)
async def test_two_with_one_place_each_and_each_other_as_boot():
    async with Cluster() as cluster:
        one = {"max_num_peers": 1, "ideal_connections_lo": 1, "ideal_connections_hi": 1}
        a = await cluster.start(make_config(outbound=True, **one))
        await cluster.start(booted(address(a), **one))
        await cluster.routes_are({0: {1: [1]}, 1: {0: [0]}})


@pytest.mark.threat(24)
@pytest.mark.scenario(71)
async def test_both_dial_at_once():
    async with Cluster() as cluster:
        a, b = await cluster.start(), await cluster.start()
        await asyncio.gather(a.connect(address(b)), b.connect(address(a)))
        await cluster.routes_are({0: {1: [1]}, 1: {0: [0]}})
        assert len(a.core.context.connections) == len(b.core.context.connections) == 1


@pytest.mark.threat(25)
@pytest.mark.scenario(65)
async def test_ourselves():
    async with Cluster() as cluster:
        a = await cluster.start()
        with pytest.raises(PeerRefused, match="this node itself"):
            await a.connect(address(a))


@pytest.mark.scenario(6)
@pytest.mark.scenario(30)
async def test_announcements_reach_all_once():
    async with Cluster() as cluster:
        inbox = Inbox()
        await cluster.start(client=inbox)
        await cluster.start()
        await cluster.start()
        await cluster.wire((0, 1))
        account = SecretKey.from_seed("account")
        epoch = CryptoHash.of(b"epoch")
        told = AnnounceAccount("alice.near", cluster.nodes[0].peer_id, epoch, account.sign(bytes(32)))
        cluster.nodes[0].announce(told)
        await cluster.until(lambda: cluster.nodes[1].core.announcements.owner("alice.near") is not None)
        await cluster.wire((2, 1))
        await cluster.until(lambda: cluster.nodes[2].core.announcements.owner("alice.near") is not None)
        await cluster.routes_are({2: {1: [1], 0: [1]}})
        cluster.nodes[2].send_routed("alice.near", b"\x0bhello")
        assert (await asyncio.wait_for(inbox.messages.get(), 5)).body == b"\x0bhello"
        announced = [event for node in cluster.nodes for event in node.recent_events if event.kind == "announcement"]
        assert len(announced) == 3, "each node took it once"


@pytest.mark.scenario(34)
async def test_the_peers_exchange():
    async with Cluster() as cluster:
        hub = await cluster.start()
        await cluster.start()
        await cluster.wire((1, 0))
        late = await cluster.start()
        await late.connect(address(hub))
        await cluster.until(lambda: late.core.peer_store.get(cluster.nodes[1].peer_id) is not None)
        assert late.core.peer_store.get(cluster.nodes[1].peer_id).addr.port == cluster.nodes[1].addr.port


@pytest.mark.scenario(21)
async def test_after_churn_the_two_that_are_left_find_each_other():
    async with Cluster() as cluster:
        two = {"max_num_peers": 2, "ideal_connections_lo": 2, "ideal_connections_hi": 2}
        timing = {"request_peers_interval": 0.2}
        limits = {"peers_requests": {"burst": 100, "per_second": 100}}
        for _ in range(4):
            await cluster.start(make_config(outbound=True, timing=timing, limits=limits, **two))
        await cluster.wire((0, 1), (1, 2), (2, 3), (3, 0))
        await cluster.until(lambda: cluster.nodes[0].core.peer_store.get(cluster.nodes[2].peer_id) is not None)
        await cluster.stop(cluster.nodes[1])
        await cluster.stop(cluster.nodes[3])
        await cluster.routes_are({0: {2: [2]}, 2: {0: [0]}})
        assert cluster.bans == []
