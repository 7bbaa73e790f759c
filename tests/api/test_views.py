"""What a node says of itself, value by value (`cli.md`; `conventions.md` §3.5, §3.6)."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import pytest
from network.cluster import Cluster, make_config
from network.raw_peer import RawPeer, edge_between
from real_nodes import running

from nearnet.api import views
from nearnet.errors import ReasonForBan
from nearnet.keys import CryptoHash, SecretKey, Signature
from nearnet.wire.messages import AccountData, AnnounceAccount, PeerAddr, SnapshotHostInfo, SocketAddress
from nearnet.wire.signed_payload import sign_payload

ENEMY = SecretKey.from_seed("enemy").public_key
ACCOUNT_EPOCH = CryptoHash.of(b"epoch")


async def test_a_line_of_three_seen_from_its_end() -> None:
    async with Cluster() as cluster:
        a, b, c = [await cluster.start() for _ in range(3)]
        await cluster.wire((0, 1), (1, 2))
        await cluster.routes_are({0: {1: [1], 2: [1]}})
        c.announce(AnnounceAccount("c.near", c.peer_id, ACCOUNT_EPOCH, c.key.sign(bytes(32))))
        await cluster.until(lambda: bool(views.accounts(a)))
        assert views.accounts(a) == [
            {"account_id": "c.near", "peer_id": str(c.peer_id), "epoch_id": str(ACCOUNT_EPOCH)}
        ]
        assert views.routes(a) == {
            str(b.peer_id): {"distance": 1, "next_hops": [str(b.peer_id)]},
            str(c.peer_id): {"distance": 2, "next_hops": [str(b.peer_id)]},
        }
        assert views.routes(a, c.peer_id) == {str(c.peer_id): views.routes(a)[str(c.peer_id)]}
        assert views.routes(a, ENEMY) == {}
        assert sorted(edge["nonce"] for edge in views.edges(a)) == [1, 1]
        graph = views.network_graph(a)["status_response"]["NetworkGraph"]
        assert graph["next_hops"] == {str(b.peer_id): [str(b.peer_id)], str(c.peer_id): [str(b.peer_id)]}
        assert {frozenset((edge["peer0"], edge["peer1"])) for edge in graph["edges"]} == {
            frozenset((str(a.peer_id), str(b.peer_id))),
            frozenset((str(b.peer_id), str(c.peer_id))),
        }
        await cluster.stop(c)
        await cluster.until(lambda: not all(edge["active"] for edge in views.edges(a)))
        assert len(views.network_graph(a)["status_response"]["NetworkGraph"]["edges"]) == 1, "active ones only"
        info = views.network_info(a)
        assert info["known_producers"] == [{"account_id": "c.near", "addr": None, "peer_id": str(c.peer_id)}]
        assert (info["num_active_peers"], info["peer_max_count"]) == (1, 40)


async def test_one_peer_from_both_ends() -> None:
    async with Cluster() as cluster:
        a, b = [await cluster.start() for _ in range(2)]
        await cluster.wire((0, 1))
        await cluster.routes_are({0: {1: [1]}, 1: {0: [0]}})
        await a.ping(b.peer_id)
        (mine,), (theirs,) = views.peers(a), views.peers(b)
        assert (mine["direction"], theirs["direction"]) == ("outbound", "inbound")
        assert (mine["peer_id"], mine["addr"]) == (str(b.peer_id), str(b.addr))
        assert (mine["dialect"], mine["protocol_version"], mine["nonce"]) == ("borsh", 52, 1)
        assert mine["last_ping_ms"] > 0
        assert mine["sent_by_type"]["Handshake"] == theirs["received_by_type"]["Handshake"] == 1
        assert mine["sent_bytes"] >= theirs["received_bytes"] > 0
        detailed = views.detailed_status(a, "127.0.0.1:3030", 0.0, 7.9)
        (view,) = detailed["detailed_debug_status"]["network_info"]["connected_peers"]
        assert (view["peer_id"], view["is_outbound_peer"], view["nonce"]) == (str(b.peer_id), True, 1)
        assert 0 <= view["connection_established_time_millis"] < 10_000
        assert detailed["uptime_sec"] == 7
        assert json.loads(json.dumps(detailed)) == detailed


async def test_the_status_of_a_node_without_a_chain() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(make_config(addr=""))
        status = views.status(node, None, 1_700_000_000.25, 1_700_000_009.0)
        assert "rpc_addr" not in status
        assert status["uptime_sec"] == 8
        assert (status["chain_id"], status["node_public_key"]) == ("test", str(node.peer_id))
        sync = status["sync_info"]
        assert (sync["syncing"], sync["latest_block_hash"]) == (False, status["genesis_hash"])
        assert re.fullmatch(r"2023-11-14T22:13:20\.250000000Z", sync["latest_block_time"])
        own = status["nearnet"]
        assert (own["addr"], own["connections"], own["edges"], own["degraded"]) == (None, 0, 0, None)
        assert views.status(node, "127.0.0.1:3030", 0, 0)["rpc_addr"] == "127.0.0.1:3030"


async def test_who_is_known_and_banned() -> None:
    async with Cluster() as cluster:
        a, b = [await cluster.start() for _ in range(2)]
        await cluster.wire((0, 1))
        a.ban(ENEMY, ReasonForBan.HEIGHT_FRAUD, seconds=100)
        now = time.time()
        (ban,) = views.bans(a)
        assert (ban["peer_id"], ban["addr"], ban["reason"]) == (str(ENEMY), None, "HeightFraud")
        assert abs(ban["banned_at"] - now) < 5
        assert abs(ban["until"] - now - 100) < 5
        known = {one["peer_id"]: one for one in views.known_peers(a)}
        assert (known[str(b.peer_id)]["status"], known[str(b.peer_id)]["trust"]) == ("Connected", "Signed")
        assert known[str(ENEMY)]["status"].startswith("Banned")
        first, second = views.peer_store(a)["status_response"]["PeerStore"]["peer_states"]
        assert (first["peer_id"], first["last_attempt"][1]) == (str(b.peer_id), "Ok"), "the newest attempt first"
        assert (first["status"], first["addr"], first["addr_text"]) == ("Connected", f"Some({b.addr})", str(b.addr))
        assert second["status"].startswith("Banned(HeightFraud, ")
        assert (second["addr"], second["addr_text"], second["last_attempt"]) == ("None", None, None)
        assert abs(first["last_attempt"][0] - now) < 10
        cluster.bans.clear()


async def test_limits_are_shown_with_what_is_used() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(make_config(limits={"announcements": 7}))
        async with await RawPeer.ready(node) as raw:
            raw.tell(edge_between(SecretKey.from_seed("x"), SecretKey.from_seed("y")))
            await cluster.until(lambda: node.core.table.edge_count == 2)
            shown = views.limits(node)
            assert shown["edges_total"] == {"value": 1_000_000, "used": 2, "hit": 0}
            assert shown["announcements"] == {"value": 7, "used": 0, "hit": 0}
            assert shown["tables_per_second"]["value"]["borsh"] == {"burst": 50, "per_second": 25}
            assert json.loads(json.dumps(shown)) == shown


async def test_connections_that_lasted() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        shown = views.recent_outbound_connections(node)
        assert shown == {"status_response": {"RecentOutboundConnections": {"recent_outbound_connections": []}}}


@pytest.mark.interop("SyncAccountsData", "SyncSnapshotHosts")
async def test_what_protobuf_network_tells_is_shown() -> None:
    key, sync_hash = SecretKey.from_seed("validator"), CryptoHash.of(b"sync")
    async with running(1) as (node,):
        for seconds, version in ((1_700_000_000, 1), (2**62, 2)):
            proxy = PeerAddr(SocketAddress("1.2.3.4", 24567), key.public_key)
            made = AccountData(node.peer_id, key.public_key, (proxy,), version, (seconds, 0))
            node.core.accounts_data._take([sign_payload(made, key)])
            told = views.detailed_status(node, None, 0.0, 1.0)["detailed_debug_status"]["network_info"]
            assert told["tier1_accounts_keys"] == [str(key.public_key)]
            (shown,) = told["tier1_accounts_data"]
            assert shown["proxies"] == [{"addr": "1.2.3.4:24567", "peer_id": str(key.public_key)}]
            assert shown["timestamp"].startswith("2023-11-14T" if version == 1 else str(2**62))
        unsigned = SnapshotHostInfo(key.public_key, sync_hash, 7, (1, 2), Signature(b""))
        node.core.snapshot_hosts._take([replace(unsigned, signature=key.sign(unsigned.digest()))])
        expected = {"peer_id": str(key.public_key), "sync_hash": str(sync_hash), "epoch_height": 7, "shards": [1, 2]}
        assert views.snapshot_hosts(node) == {"status_response": {"SnapshotHosts": {"hosts": [expected]}}}
