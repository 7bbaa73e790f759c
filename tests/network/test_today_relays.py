"""What only protobuf nodes tell, through several live nodes; what they remember over a restart (`behaviour.md` §10)."""

import itertools
import time

import pytest
from network.cluster import Cluster, address, make_config
from network.raw_peer import RawPeer

from nearnet.core.peer_manager.recent_links import COLUMN
from nearnet.core.runtime.actions import Write
from nearnet.keys import CryptoHash, SecretKey
from nearnet.store.memory import MemoryStore
from nearnet.wire.borsh.dialect import write_peer_info
from nearnet.wire.borsh.primitives import Writer
from nearnet.wire.messages import (
    AccountData,
    PeerAddr,
    PeerInfo,
    SnapshotHostInfo,
    SocketAddress,
    SyncAccountsData,
    SyncSnapshotHosts,
)
from nearnet.wire.signed_payload import account_data_of, sign_payload

NEW = "protobuf"
TIMING = {"accounts_data_interval": 0.1, "snapshot_hosts_interval": 0.1}


def account_data(name, version=1):
    """Signed by the account's key."""
    key = SecretKey.from_seed(f"account {name}")
    proxy = PeerAddr(SocketAddress("1.2.3.4", 24567), SecretKey.from_seed("proxy").public_key)
    node = SecretKey.from_seed(f"node of {name}").public_key
    return sign_payload(AccountData(node, key.public_key, (proxy,), version, (int(time.time()), 0)), key)


def host(name, height=7, shards=(0, 2**63)):
    """Signed by the host."""
    key = SecretKey.from_seed(name)
    unsigned = SnapshotHostInfo(key.public_key, CryptoHash.of(b"sync"), height, shards, b"")
    return SnapshotHostInfo(key.public_key, unsigned.sync_hash, height, shards, key.sign(unsigned.digest()))


async def line(cluster, *links):
    """Nodes with these links, all of the protobuf dialect; ready when all routes are there."""
    count = 1 + max(max(pair) for pair in links)
    for _ in range(count):
        await cluster.start(make_config(dialect=NEW, timing=TIMING))
    await cluster.wire(*links)
    await cluster.until(lambda: all(len(cluster.routes(node)) == count - 1 for node in range(count)))


def known_accounts(node):
    return {data.account_key for data in node.core.accounts_data.all()}


def keys(*items):
    return {account_data_of(item).account_key for item in items}


@pytest.mark.slow
@pytest.mark.scenario(91)
@pytest.mark.interop("SyncAccountsData")
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_three_in_a_line_get_all_data_in_whatever_order_it_comes(order):
    async with Cluster() as cluster:
        await line(cluster, (0, 1), (1, 2))
        items = [account_data(number) for number in range(3)]
        raws = [await RawPeer.ready(node, f"validator {at}", NEW) for at, node in enumerate(cluster.nodes)]
        for at in order:
            raws[at].send(SyncAccountsData((items[at],), incremental=True))
            await cluster.until(lambda at=at: keys(items[at]) <= known_accounts(cluster.nodes[at]))
        await cluster.until(lambda: all(known_accounts(node) == keys(*items) for node in cluster.nodes))
        for at, raw in enumerate(raws):
            heard = set()
            while heard != keys(*items) - keys(items[at]):
                heard |= keys(*(await raw.receive_kind(SyncAccountsData)).accounts)
            raw.cut()
        assert cluster.bans == []


@pytest.mark.scenario(90, 93)
@pytest.mark.interop("SyncAccountsData")
async def test_newer_data_takes_the_place_of_older_and_a_late_node_gets_all():
    async with Cluster() as cluster:
        await line(cluster, (0, 1))
        async with await RawPeer.ready(cluster.nodes[0], "validator", NEW) as raw:
            for version in (1, 3, 2):
                raw.send(SyncAccountsData((account_data("a", version),), incremental=True))
            raw.send(SyncAccountsData((account_data("b"),), incremental=True))
            await cluster.until(lambda: len(known_accounts(cluster.nodes[1])) == 2)
            late = await cluster.start(make_config(dialect=NEW, timing=TIMING))
            await late.connect(address(cluster.nodes[1]))
            await cluster.until(lambda: len(known_accounts(late)) == 2)
            assert sorted(data.version for data in late.core.accounts_data.all()) == [1, 3]
            raw.send(SyncAccountsData((), requesting_full_sync=True))
            while len((await raw.receive_kind(SyncAccountsData)).accounts) != 2:
                pass
        assert cluster.bans == []


@pytest.mark.interop("SyncAccountsData", "SyncSnapshotHosts")
async def test_an_offence_bans_who_told_it_and_nobody_else():
    async with Cluster() as cluster:
        await line(cluster, (0, 1))
        huge = SyncSnapshotHosts((host("many", shards=tuple(range(513))),))
        twice = SyncSnapshotHosts((host("none", shards=()),) * 2)
        twice_data = SyncAccountsData((account_data("a"), account_data("a", 2)))
        async with await RawPeer.ready(cluster.nodes[0], "harmless", NEW) as raw:
            raw.send(huge)
            await raw.answers()
        for name, offence in (("first", twice), ("second", twice_data)):
            async with await RawPeer.ready(cluster.nodes[0], name, NEW) as raw:
                raw.send(offence)
                await raw.rest()
        assert [(peer, event.data["reason"]) for peer, event in cluster.bans] == [
            (cluster.nodes[0].peer_id, "Abusive")
        ] * 2
        await cluster.until(lambda: known_accounts(cluster.nodes[1]) == keys(account_data("a")))
        assert cluster.nodes[1].core.snapshot_hosts.all() == []


@pytest.mark.scenario(95)
@pytest.mark.interop("SyncSnapshotHosts")
async def test_hosts_go_round_a_ring_of_four():
    async with Cluster() as cluster:
        await line(cluster, (0, 1), (1, 2), (2, 3), (3, 0))
        async with await RawPeer.ready(cluster.nodes[0], "teller", NEW) as raw:
            for number in range(3):
                raw.send(SyncSnapshotHosts((host(f"{number}"), host("none", shards=()))))
            await cluster.until(lambda: all(len(node.core.snapshot_hosts.all()) == 3 for node in cluster.nodes))
            await raw.answers()
            async with await RawPeer.ready(cluster.nodes[2], "late", NEW) as late:
                told = await late.receive_kind(SyncSnapshotHosts)
                assert {one.peer_id for one in told.hosts} == {host(f"{number}").peer_id for number in range(3)}
        assert cluster.bans == []


# --- restarts ------------------------------------------------------------------------------------


def remembered(store, peer, since):
    """As a node leaves it behind that was connected until `since` seconds ago, for an hour."""
    writer = Writer()
    write_peer_info(writer, PeerInfo(peer.peer_id, peer.addr))
    now = time.time_ns()
    writer.u64(now - 3600 * 10**9)
    writer.u64(now - since * 10**9)
    store.commit([Write(COLUMN, peer.peer_id, writer.getvalue())])


@pytest.mark.scenario(88)
@pytest.mark.interop("recent connections")
@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("wanted", [True, False])
async def test_connections_that_lasted_are_made_again_after_a_restart(count, wanted):
    async with Cluster() as cluster:
        store = MemoryStore()
        for number in range(count):
            remembered(store, await cluster.start(), number)
        overrides = {"connect_to_reliable_peers_on_startup": wanted}
        # Nothing else makes it dial: as many connections as it wants are none.
        quiet = {"ideal_connections_lo": 0, "minimum_outbound_peers": 0}
        config = make_config(True, dialect=NEW, experimental={"network_config_overrides": overrides}, **quiet)
        node = await cluster.start(config, "comes back", store)
        if wanted:
            await cluster.until(lambda: len(node.core.peers) == count, 3)
            assert all(peer.direction == "outbound" for peer in node.core.peers.values())
        else:
            await cluster.stays(lambda: not node.core.peers, 0.5)


@pytest.mark.scenario(88)
@pytest.mark.interop("fresh nonces", "nonces")
async def test_a_middle_that_crashes_comes_back_with_a_higher_nonce():
    """Both its neighbors hold its old edges, and removals signed by themselves."""
    async with Cluster() as cluster:
        store = MemoryStore()
        await cluster.start()
        middle = await cluster.start(make_config(dialect=NEW), "middle", store)
        await cluster.start()
        await cluster.wire((1, 0), (1, 2))
        await cluster.routes_are({0: {1: [1], 2: [1]}, 2: {1: [1], 0: [1]}})
        for connection in list(middle.driver.connections.values()):
            connection.abort()
        await cluster.stop(middle)
        await cluster.routes_are({0: {}, 2: {}})
        again = await cluster.start(make_config(dialect=NEW), "middle", store)
        for end in (0, 2):
            await again.connect(address(cluster.nodes[end]))
        await cluster.routes_are({0: {3: [3], 2: [3]}, 2: {3: [3], 0: [3]}})
        assert (await cluster.nodes[0].ping(cluster.nodes[2].peer_id)).hops == 2
        assert cluster.bans == []
